//! Events for programs (`docs/cli.md` §9).

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use sampan::failure::Failure;
use sampan::report::Report;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::escaped::is_plain;
use super::wording::tells_when_quiet;
use crate::command::output::{Output, Voice};

/// The version of events.
const VERSION: u8 = 1;

/// The shortest time between two events on the progress of one name.
const PROGRESS: Duration = Duration::from_millis(250);

/// Times of progress to remember before those that have passed are forgotten.
const REMEMBERED: usize = 64;

/// Writes events, one object a line.
#[derive(Debug)]
pub(super) struct Json {
    voice: Voice,
    output: Output,
    progress: HashMap<String, Instant>,
    forget_at: usize,
}

#[derive(Serialize)]
struct Event<'a, T> {
    v: u8,
    #[serde(flatten)]
    event: &'a T,
}

impl Json {
    pub(super) fn new(voice: Voice, output: Output) -> Self {
        Self { voice, output, progress: HashMap::new(), forget_at: REMEMBERED }
    }

    pub(super) fn show(&mut self, report: &Report, now: Instant) {
        let is_wanted = match report {
            _ if self.voice == Voice::Quiet => tells_when_quiet(report),
            Report::Progress { name, .. } => self.is_due(name, now),
            _ => true,
        };
        if is_wanted {
            self.output.write(line(report).as_bytes());
        }
    }

    /// Whether it is time to tell of `name` again.
    fn is_due(&mut self, name: &str, now: Instant) -> bool {
        let is_recent = |told: &Instant| now.saturating_duration_since(*told) < PROGRESS;
        if self.progress.get(name).is_some_and(is_recent) {
            return false;
        }
        if self.progress.len() >= self.forget_at {
            self.progress.retain(|_, told| is_recent(told));
            self.forget_at = REMEMBERED.max(2 * self.progress.len());
        }
        self.progress.insert(name.to_owned(), now);
        true
    }

    pub(super) fn is_unread(&self) -> bool {
        self.output.is_gone()
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        self.output.finish()
    }
}

/// An event as a line.
pub(crate) fn line(event: &(impl Serialize + std::fmt::Debug)) -> String {
    let mut bytes = Vec::new();
    let versioned = Event { v: VERSION, event };
    let written = versioned.serialize(&mut Serializer::with_formatter(&mut bytes, Plain));
    debug_assert!(written.is_ok(), "{event:?}");
    bytes.push(b'\n');
    String::from_utf8(bytes).unwrap_or_default()
}

/// Escapes more than it must: whatever is no plain character, so that events can be shown at a terminal.
struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for c in fragment.chars() {
            if is_plain(c) {
                write!(writer, "{c}")?;
            } else {
                c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(writer, "\\u{unit:04x}"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::output::memory::Memory;
    use sampan::failure::ErrorName;
    use sampan::report::{Failed, Moved, Protocol, Summary};
    use serde_json::json;

    fn progress(name: &str) -> Report {
        Report::Progress { name: name.to_owned(), bytes: 1, size: Some(2) }
    }

    fn moved() -> Moved {
        Moved {
            name: "a".to_owned(),
            size: 9,
            peer: "unix".to_owned(),
            protocol: Protocol::Framed,
            resumed_from: 4,
            digest: Some("crc32:cbf43926".to_owned()),
            seconds: 0.5,
            stored_as: None,
        }
    }

    #[test]
    fn events_have_a_version_a_kind_and_their_fields() {
        let failed = Failed {
            name: None,
            error: ErrorName::LinkLost,
            message: "gone".to_owned(),
            resumable: true,
            peer: None,
        };
        for (report, fields) in [
            (
                Report::Listening { url: "tcp://h:1".into() },
                json!({"v": 1, "event": "listening", "url": "tcp://h:1"}),
            ),
            (
                Report::Sent(moved()),
                json!({"v": 1, "event": "sent", "name": "a", "size": 9, "peer": "unix", "protocol": "framed",
                       "resumed_from": 4, "digest": "crc32:cbf43926", "seconds": 0.5}),
            ),
            (
                Report::Failed(failed),
                json!({"v": 1, "event": "failed", "name": null, "error": "link-lost", "message": "gone",
                       "resumable": true, "peer": null}),
            ),
            (
                Report::Summary(Summary { files: 1, ..Summary::default() }),
                json!({"v": 1, "event": "summary", "files": 1, "bytes": 0, "resumed": 0, "skipped": 0, "failed": 0,
                       "seconds": 0.0}),
            ),
        ] {
            let line = line(&report);
            assert!(line.starts_with("{\"v\":1,\"event\":\"") && line.ends_with("}\n"), "{line}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), fields);
        }
    }

    #[test]
    fn an_event_is_one_line_without_control_characters_and_loses_nothing() {
        let text: String = ('\0'..='\u{ff}').chain("\u{202e}\u{2028}\u{e0041}👩\u{200d}👧".chars()).collect();
        let line = line(&Report::Notice { text: text.clone(), peer: "unix".into() });
        assert!(line.trim_end_matches('\n').chars().all(is_plain), "{line}");
        let back: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(back["text"], text);
    }

    #[test]
    fn progress_comes_four_times_a_second_for_each_name() {
        let memory = Memory::default();
        let mut json = Json::new(Voice::Normal, memory.output());
        let start = Instant::now();
        for millis in 0..1_000 {
            for name in ["a", "b"] {
                json.show(&progress(name), start + Duration::from_millis(millis));
            }
        }
        let said = memory.take();
        assert_eq!((said.matches("\"a\"").count(), said.matches("\"b\"").count()), (4, 4));
    }

    #[test]
    fn names_that_are_not_told_of_any_more_are_forgotten() {
        let mut json = Json::new(Voice::Normal, Memory::default().output());
        let start = Instant::now();
        for number in 0..10_000_u32 {
            json.show(&progress(&number.to_string()), start + Duration::from_millis(10) * number);
        }
        assert!(json.progress.len() <= REMEMBERED, "{}", json.progress.len());
    }

    #[test]
    fn quiet_leaves_errors() {
        let memory = Memory::default();
        let mut json = Json::new(Voice::Quiet, memory.output());
        json.show(&Report::Sent(moved()), Instant::now());
        json.show(&progress("a"), Instant::now());
        assert_eq!(memory.take(), "");
        json.show(&Report::Skipped { name: "l".into(), message: "a link".into() }, Instant::now());
        assert!(memory.take().contains("\"skipped\""));
    }
}
