//! Lines for people: a log on the standard error, and entries on the standard output.

use std::time::Instant;

use sampan::failure::Failure;
use sampan::report::{Moved, Report, Summary};

use super::limiter::{Limiter, Verdict};
use super::wording::{self, Way};
use super::{Role, Style};
use crate::command::output::{Output, Voice};

/// Writes lines.
#[derive(Debug)]
pub(super) struct Lines {
    role: Role,
    voice: Voice,
    entries: Output,
    log: Output,
    limiter: Limiter,
    way: Option<Way>,
    last: Option<Moved>,
}

/// What there is to write of one report: whole lines, or nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Composed {
    entries: String,
    log: String,
}

impl Composed {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.log.is_empty()
    }

    fn entry(&mut self, line: &str) {
        self.entries.push_str(line);
        self.entries.push('\n');
    }

    fn log(&mut self, line: &str) {
        self.log.push_str(line);
        self.log.push('\n');
    }
}

impl Lines {
    pub(super) fn new(style: Style, entries: Output, log: Output) -> Self {
        let Style { role, voice, .. } = style;
        Self { role, voice, entries, log, limiter: Limiter::default(), way: None, last: None }
    }

    pub(super) fn show(&mut self, report: &Report, now: Instant) {
        let composed = self.compose(report, now);
        self.write(&composed);
    }

    /// Puts a report into words.
    pub(super) fn compose(&mut self, report: &Report, now: Instant) -> Composed {
        let mut composed = Composed::default();
        if let Some(failures) = self.limiter.over(now) {
            composed.log(&wording::hidden(failures));
        }
        match report {
            Report::Entry { name, size, modified, directory, .. } => {
                composed.entry(&wording::entry(name, *size, *modified, *directory));
            }
            Report::Pong { .. } | Report::Lost { .. } if self.voice == Voice::Quiet => {}
            Report::Pong { number, seconds, .. } => {
                composed.entry(&wording::trip(*number, Some(*seconds)));
            }
            Report::Lost { number } => composed.entry(&wording::trip(*number, None)),
            Report::Measured(measured) => composed.entry(&wording::measured(measured)),
            Report::Summary(summary) => {
                if let Some(line) = self.summary(summary) {
                    composed.log(&line);
                }
            }
            Report::Failed(_) if self.is_too_much(now) => {}
            _ => {
                self.remember(report);
                if let Some(line) = wording::line(report, self.role, self.voice) {
                    composed.log(&line);
                }
            }
        }
        composed
    }

    pub(super) fn write(&mut self, composed: &Composed) {
        self.entries.write(composed.entries.as_bytes());
        self.log.write(composed.log.as_bytes());
    }

    pub(super) fn tick(&mut self, now: Instant) {
        if let Some(failures) = self.limiter.over(now) {
            self.write_hidden(failures);
        }
    }

    pub(super) fn is_unread(&self) -> bool {
        self.entries.is_gone()
    }

    /// The log may have gone or failed; entries must not.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        if let Some(failures) = self.limiter.end() {
            self.write_hidden(failures);
        }
        self.entries.finish()
    }

    fn write_hidden(&mut self, failures: u64) {
        self.log.write(format!("{}\n", wording::hidden(failures)).as_bytes());
    }

    fn is_too_much(&mut self, now: Instant) -> bool {
        self.role == Role::Server && self.limiter.failed(now) == Verdict::Count
    }

    fn remember(&mut self, report: &Report) {
        let (way, file) = match report {
            Report::Received(file) => (Way::Received, file),
            Report::Sent(file) => (Way::Sent, file),
            _ => return,
        };
        self.way = Some(self.way.map_or(way, |before| if before == way { way } else { Way::Both }));
        self.last = Some(file.clone());
    }

    /// Of a single file its own line tells more.
    fn summary(&self, summary: &Summary) -> Option<String> {
        let single = summary.files == 1 && summary.skipped == 0 && summary.failed == 0;
        let nothing = summary.files == 0 && summary.skipped + summary.failed <= 1;
        match (self.voice, &self.last, self.way) {
            (Voice::Quiet, ..) => None,
            // A listing, or one failure that has its line.
            _ if nothing => None,
            (Voice::Normal, Some(file), Some(way)) if single && self.role == Role::Client => {
                Some(wording::moved(file, way))
            }
            _ => Some(wording::summary(summary, self.way)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::display::{Format, Progress};
    use crate::command::output::memory::Memory;
    use sampan::failure::ErrorName;
    use sampan::report::{Failed, Protocol};
    use std::time::Duration;

    struct Shown {
        lines: Lines,
        stdout: Memory,
        stderr: Memory,
    }

    fn shown(role: Role, voice: Voice) -> Shown {
        let style = Style { role, voice, format: Format::People, progress: Progress::Shown };
        let (stdout, stderr) = (Memory::default(), Memory::default());
        Shown { lines: Lines::new(style, stdout.output(), stderr.output()), stdout, stderr }
    }

    fn file(name: &str) -> Moved {
        Moved {
            name: name.to_owned(),
            size: 9,
            peer: "unix".to_owned(),
            protocol: Protocol::Framed,
            resumed_from: 0,
            digest: None,
            seconds: 1.0,
            stored_as: None,
        }
    }

    fn failed() -> Report {
        Report::Failed(Failed {
            name: None,
            error: ErrorName::NotSampan,
            message: "it speaks HTTP".to_owned(),
            resumable: false,
            peer: Some("unix".to_owned()),
        })
    }

    fn summary(files: u64) -> Report {
        Report::Summary(Summary { files, bytes: 9, seconds: 1.0, ..Summary::default() })
    }

    #[test]
    fn entries_go_to_the_standard_output_even_if_it_is_quiet() {
        let Shown { mut lines, stdout, stderr } = shown(Role::Client, Voice::Quiet);
        let (name, size) = ("a".to_owned(), Some(1));
        let entry = Report::Entry { name, size, modified: Some(0.0), directory: false, executable: true };
        lines.show(&entry, Instant::now());
        lines.show(&summary(1), Instant::now());
        assert_eq!(stdout.take(), "             1  1970-01-01 00:00:00  a\n");
        assert_eq!((stderr.take().as_str(), lines.finish()), ("", Ok(())));
    }

    #[test]
    fn a_client_tells_of_one_file_by_its_name_and_of_many_in_sum() {
        let Shown { mut lines, stdout, stderr } = shown(Role::Client, Voice::Normal);
        let now = Instant::now();
        lines.show(&Report::Progress { name: "a".to_owned(), bytes: 1, size: None }, now);
        lines.show(&Report::Sent(file("a")), now);
        assert_eq!(stderr.take(), "");
        lines.show(&summary(1), now);
        assert_eq!(stderr.take(), "sent \"a\" (9 bytes) to unix in 1.00 s, 0.0 MB/s\n");
        lines.show(&Report::Received(file("b")), now);
        lines.show(&summary(2), now);
        assert_eq!(stderr.take(), "moved 2 files (9 bytes) in 1.00 s, 0.0 MB/s\n");
        assert_eq!(stdout.take(), "");
    }

    #[test]
    fn with_more_voice_each_file_is_told_of_and_all_in_sum() {
        let Shown { mut lines, stderr, .. } = shown(Role::Client, Voice::Verbose);
        lines.show(&Report::Received(file("a")), Instant::now());
        lines.show(&summary(1), Instant::now());
        let said = stderr.take();
        assert!(said.starts_with("received \"a\" ") && said.contains("\nreceived 1 file ("), "{said}");
    }

    #[test]
    fn a_server_sums_up_failures_beyond_a_burst() {
        let Shown { mut lines, stderr, .. } = shown(Role::Server, Voice::Normal);
        let start = Instant::now();
        (0..60).for_each(|_| lines.show(&failed(), start));
        let said = stderr.take();
        assert_eq!(said.lines().count(), 50);
        assert!(said.lines().all(|line| line == "failed: unix: it speaks HTTP"));
        lines.tick(start + Duration::from_secs(9));
        assert_eq!(stderr.take(), "");
        lines.show(&Report::Received(file("a")), start + Duration::from_secs(10));
        let said = stderr.take();
        assert!(said.starts_with("and 10 more failures not shown\nreceived \"a\" "), "{said}");
        (0..51).for_each(|_| lines.show(&failed(), start + Duration::from_secs(11)));
        stderr.take();
        lines.tick(start + Duration::from_secs(21));
        assert_eq!(stderr.take(), "and 1 more failure not shown\n");
        (0..52).for_each(|_| lines.show(&failed(), start + Duration::from_secs(22)));
        stderr.take();
        assert_eq!(lines.finish(), Ok(()));
        assert_eq!(stderr.take(), "and 2 more failures not shown\n");
    }

    #[test]
    fn a_client_shows_every_failure() {
        let Shown { mut lines, stderr, .. } = shown(Role::Client, Voice::Quiet);
        (0..60).for_each(|_| lines.show(&failed(), Instant::now()));
        assert_eq!(stderr.take().lines().count(), 60);
    }
}
