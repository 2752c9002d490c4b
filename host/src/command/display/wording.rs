//! Reports in words.

use std::fmt::Write as _;
use std::time::Duration;

use sampan::report::{Failed, Measured, Moved, Protocol, Report, Summary};

use super::Role;
use super::amounts::{Rate, Size};
use super::date::Utc;
use super::escaped::{Name, Quoted, Text};
use crate::command::output::Voice;

/// Which way files went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Received,
    Sent,
    Both,
}

impl Way {
    fn words(self) -> [&'static str; 2] {
        match self {
            Self::Received => ["received", "from"],
            Self::Sent => ["sent", "to"],
            Self::Both => ["moved", "with"],
        }
    }
}

/// What is told even with `-q`.
pub(super) fn tells_when_quiet(report: &Report) -> bool {
    matches!(report, Report::Failed(_) | Report::Skipped { .. } | Report::Entry { .. } | Report::Measured(_))
}

/// A line for the log, if there is one to be heard at `voice`. Entries and summaries have none.
pub(super) fn line(report: &Report, role: Role, voice: Voice) -> Option<String> {
    let arrived = match role {
        Role::Server => Voice::Normal,
        Role::Client => Voice::Verbose,
    };
    let (from, line) = match report {
        Report::Listening { url } => (Voice::Normal, format!("listening on {}", Text(url))),
        Report::Connected { peer, protocol } => {
            let protocol = match protocol {
                Protocol::Framed => "framed",
                Protocol::Classic => "classic",
            };
            (Voice::Verbose, format!("connected: {} ({protocol})", Text(peer)))
        }
        Report::Attached { node, peer } => {
            (Voice::Normal, format!("attached: {} ({})", Text(node), Text(peer)))
        }
        Report::Detached { node, peer } => {
            (Voice::Normal, format!("detached: {} ({})", Text(node), Text(peer)))
        }
        Report::Planned { files, bytes } => {
            (Voice::Verbose, format!("planned: {}, {}", Files(*files), Size(*bytes)))
        }
        Report::Started { name, size: Some(size) } => {
            (Voice::Verbose, format!("started: {} ({})", Quoted(name), Size(*size)))
        }
        Report::Started { name, size: None } => (Voice::Verbose, format!("started: {}", Quoted(name))),
        Report::Received(file) => (arrived, moved(file, Way::Received)),
        Report::Sent(file) => (arrived, moved(file, Way::Sent)),
        Report::Skipped { name, message } => {
            (Voice::Quiet, format!("left out: {}: {}", Quoted(name), Text(message)))
        }
        Report::Failed(failure) => (Voice::Quiet, failed(failure, role)),
        Report::Notice { text, peer } => {
            (Voice::Normal, format!("notice from {}: {}", Text(peer), Text(text)))
        }
        Report::Console { text, peer } => {
            let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
            let said: Vec<_> = lines.map(|line| format!("{} says: {}", Text(peer), Text(line))).collect();
            (Voice::Verbose, said.join("\n"))
        }
        _ => return None,
    };
    (voice >= from).then_some(line)
}

/// An answer to a ping, or none.
pub(super) fn trip(number: u32, seconds: Option<f64>) -> String {
    match seconds {
        Some(seconds) => format!("ping {number}: {}", Millis(seconds)),
        None => format!("ping {number}: lost"),
    }
}

/// What a link was found to be like.
pub(super) fn measured(measured: &Measured) -> String {
    let Measured { peer, sent, answered, loss, min, median, max, largest_frame, throughput } = measured;
    let mut lines = format!("{}: {sent} sent, {answered} answered, {:.1} % lost", Text(peer), 100.0 * loss);
    if let (Some(min), Some(median), Some(max)) = (min, median, max) {
        let (min, median, max) = (Millis(*min), Millis(*median), Millis(*max));
        write_to(&mut lines, format_args!("\nround trip: {min} at least, {median} median, {max} at most"));
    }
    if let Some(bytes) = largest_frame {
        write_to(&mut lines, format_args!("\nlargest frame to the peer: {bytes} bytes"));
    }
    if let Some(rate) = throughput {
        write_to(&mut lines, format_args!("\nthroughput to the peer: {:.3} MB/s", rate / 1e6));
    }
    lines
}

/// Seconds, shown as milliseconds.
struct Millis(f64);

impl std::fmt::Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} ms", self.0 * 1e3)
    }
}

/// A file that arrived.
pub(super) fn moved(file: &Moved, way: Way) -> String {
    let [verb, preposition] = way.words();
    let Moved { size, resumed_from, .. } = *file;
    let mut line =
        format!("{verb} {} ({}) {preposition} {}", Quoted(&file.name), Size(size), Text(&file.peer));
    if resumed_from >= size && size > 0 {
        line.push_str(": all of it was there already");
    } else {
        let span = span(file.seconds);
        let rate = Rate(size.saturating_sub(resumed_from), span);
        write_to(&mut line, format_args!(" in {}, {rate}", Seconds(span)));
        if resumed_from > 0 {
            write_to(&mut line, format_args!(", resumed at {}", Size(resumed_from)));
        }
    }
    if let Some(name) = &file.stored_as {
        write_to(&mut line, format_args!(", stored as {}", Quoted(name)));
    }
    line
}

fn failed(failure: &Failed, role: Role) -> String {
    let verb = if failure.error.exit_code() == 5 { "refused" } else { "failed" };
    let peer = failure.peer.as_deref().map(Text);
    let what = match (&failure.name, peer) {
        (Some(name), Some(peer)) if role == Role::Server => format!("{} with {peer}: ", Quoted(name)),
        (Some(name), _) => format!("{}: ", Quoted(name)),
        (None, Some(peer)) => format!("{peer}: "),
        (None, None) => String::new(),
    };
    format!("{verb}: {what}{}", Text(&failure.message))
}

/// The last word, on files that went this way.
pub(super) fn summary(summary: &Summary, way: Option<Way>) -> String {
    let Summary { files, bytes, resumed, skipped, failed, .. } = *summary;
    let [verb, _] = way.unwrap_or(Way::Both).words();
    let span = span(summary.seconds);
    let mut line = format!("{verb} {} ({})", Files(files), Size(bytes));
    if files > 0 {
        let rate = Rate(bytes.saturating_sub(resumed), span);
        write_to(&mut line, format_args!(" in {}, {rate}", Seconds(span)));
    }
    for (count, words) in [(skipped, "left out"), (failed, "failed")] {
        if count > 0 {
            write_to(&mut line, format_args!("; {count} {words}"));
        }
    }
    if resumed > 0 {
        write_to(&mut line, format_args!("; {} were there already", Size(resumed)));
    }
    line
}

/// A record of a listing: size, time and name, in columns.
pub(super) fn entry(name: &str, size: Option<u64>, modified: Option<f64>, is_directory: bool) -> String {
    let size = match size {
        Some(size) if !is_directory => size.to_string(),
        _ => "-".to_owned(),
    };
    let time = Utc(modified.unwrap_or(f64::NAN));
    let slash = if is_directory && !name.ends_with('/') { "/" } else { "" };
    format!("{size:>14}  {time:<19}  {}{slash}", Name(name))
}

/// How many failures were not shown.
pub(super) fn hidden(failures: u64) -> String {
    match failures {
        1 => "and 1 more failure not shown".to_owned(),
        _ => format!("and {failures} more failures not shown"),
    }
}

fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

fn write_to(line: &mut String, words: std::fmt::Arguments<'_>) {
    let _ = line.write_fmt(words);
}

struct Files(u64);

impl std::fmt::Display for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            1 => f.write_str("1 file"),
            files => write!(f, "{files} files"),
        }
    }
}

struct Seconds(Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.as_secs() {
            0..100 => write!(f, "{:.2} s", self.0.as_secs_f64()),
            seconds => write!(f, "{seconds} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sampan::failure::ErrorName;

    fn file() -> Moved {
        Moved {
            name: "dir/a\"\u{1b}".to_owned(),
            size: 12_345_678,
            peer: "127.0.0.1:9".to_owned(),
            protocol: Protocol::Framed,
            resumed_from: 0,
            digest: None,
            seconds: 0.12,
            stored_as: None,
        }
    }

    #[test]
    fn a_file_is_told_of_with_size_peer_time_and_rate() {
        let start = "received \"dir/a\\\"\\u{1b}\" (12.3 MB) from 127.0.0.1:9";
        assert_eq!(moved(&file(), Way::Received), format!("{start} in 0.12 s, 103 MB/s"));
        let resumed = Moved { resumed_from: 4_000_000, stored_as: Some("a (1)".into()), ..file() };
        assert_eq!(
            moved(&resumed, Way::Received),
            format!("{start} in 0.12 s, 70 MB/s, resumed at 4.0 MB, stored as \"a (1)\"")
        );
        let had = Moved { resumed_from: 12_345_678, ..file() };
        assert_eq!(moved(&had, Way::Received), format!("{start}: all of it was there already"));
        let empty = Moved { name: "e".into(), size: 0, seconds: 123.4, ..file() };
        assert_eq!(moved(&empty, Way::Sent), "sent \"e\" (0 bytes) to 127.0.0.1:9 in 123 s, 0.0 MB/s");
        let odd = Moved { seconds: f64::NAN, ..file() };
        assert!(moved(&odd, Way::Sent).contains("in 0.00 s"));
    }

    #[test]
    fn failures_say_what_and_who() {
        let failure = |name: Option<&str>, error, peer: Option<&str>| Failed {
            name: name.map(str::to_owned),
            error,
            message: "because\n".to_owned(),
            resumable: false,
            peer: peer.map(str::to_owned),
        };
        let refused = failure(Some("a\n"), ErrorName::NotAllowed, Some("p"));
        assert_eq!(failed(&refused, Role::Server), "refused: \"a\\n\" with p: because\\n");
        assert_eq!(failed(&refused, Role::Client), "refused: \"a\\n\": because\\n");
        let lost = failure(None, ErrorName::LinkLost, Some("p"));
        assert_eq!(failed(&lost, Role::Server), "failed: p: because\\n");
        assert_eq!(failed(&failure(None, ErrorName::Other, None), Role::Client), "failed: because\\n");
    }

    #[test]
    fn the_summary_counts() {
        let all =
            Summary { files: 2, bytes: 3_000_000, resumed: 1_000_000, skipped: 3, failed: 4, seconds: 2.0 };
        assert_eq!(
            summary(&all, Some(Way::Sent)),
            "sent 2 files (3.0 MB) in 2.00 s, 1.0 MB/s; 3 left out; 4 failed; 1.0 MB were there already"
        );
        let nothing = Summary { failed: 1, ..Summary::default() };
        assert_eq!(summary(&nothing, None), "moved 0 files (0 bytes); 1 failed");
    }

    #[test]
    fn entries_are_in_columns() {
        assert_eq!(
            entry("a b\u{202e}\\", Some(1_234), Some(1e9), false),
            "          1234  2001-09-09 01:46:40  a b\\u{202e}\\\\"
        );
        assert_eq!(entry("d", None, None, true), "             -  -                    d/");
        assert_eq!(entry("d/", Some(0), None, true), "             -  -                    d/");
    }

    #[test]
    fn what_is_told_depends_on_the_voice() {
        let told = |report: &Report, role, voice| line(report, role, voice).is_some();
        let received = Report::Received(file());
        assert!(told(&received, Role::Server, Voice::Normal) && !told(&received, Role::Server, Voice::Quiet));
        assert!(
            !told(&received, Role::Client, Voice::Normal) && told(&received, Role::Client, Voice::Verbose)
        );
        let connected = Report::Connected { peer: "p".into(), protocol: Protocol::Classic };
        assert_eq!(line(&connected, Role::Server, Voice::Normal), None);
        assert_eq!(line(&connected, Role::Server, Voice::Verbose).unwrap(), "connected: p (classic)");
        let listening = Report::Listening { url: "tcp://127.0.0.1:50000".into() };
        assert_eq!(
            line(&listening, Role::Server, Voice::Normal).unwrap(),
            "listening on tcp://127.0.0.1:50000"
        );
        let skipped = Report::Skipped { name: "l".into(), message: "it is a link".into() };
        assert_eq!(line(&skipped, Role::Client, Voice::Quiet).unwrap(), "left out: \"l\": it is a link");
        let notice = Report::Notice { text: "\u{1b}c".into(), peer: "p".into() };
        assert_eq!(line(&notice, Role::Client, Voice::Normal).unwrap(), "notice from p: \\u{1b}c");
        assert_eq!(
            [hidden(1), hidden(1234)],
            ["and 1 more failure not shown", "and 1234 more failures not shown"]
        );
    }
}
