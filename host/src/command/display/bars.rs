//! Progress at a terminal: bars that vanish, and lines above them.

use std::collections::HashMap;
use std::io::{self, IsTerminal as _};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use sampan::failure::Failure;
use sampan::report::Report;

use super::escaped::{Text, cut};
use super::lines::Lines;
use crate::command::output::Stream;

/// The widest name that is shown.
const NAME_COLUMNS: usize = 60;

const ONE: &str =
    "{wide_msg} {bar:20} {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";
const ONE_AT_ITS_END: &str = "{wide_msg} {bar:20} {decimal_total_bytes}  flushing to disk";
const ONE_OF_UNKNOWN_SIZE: &str = "{wide_msg} {decimal_bytes}  {decimal_bytes_per_sec}  {elapsed} so far";
const MANY: &str = "{prefix}  {bar:20} {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left  \
                    {wide_msg}";

/// Whether it is a terminal that can draw anew what it shows.
pub(crate) fn can_redraw(stream: Stream) -> bool {
    let is_dumb = std::env::var_os("TERM").map_or(cfg!(unix), |term| term == "dumb" || term.is_empty());
    let is_terminal = match stream {
        Stream::Stdout => io::stdout().is_terminal(),
        Stream::Stderr => io::stderr().is_terminal(),
    };
    !is_dumb && is_terminal
}

/// One file has a bar; many have one over all of them, below the name of the one that moved last.
#[derive(Debug)]
pub(super) struct Bars {
    lines: Lines,
    bar: Option<ProgressBar>,
    shape: Shape,
    planned: Planned,
    /// Files that are over, and the bytes that moved of them.
    done: Planned,
    under_way: HashMap<String, u64>,
}

/// Files, and bytes in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Planned {
    files: u64,
    bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    One,
    OneAtItsEnd,
    OneOfUnknownSize,
    Many,
}

impl Shape {
    fn style(self) -> ProgressStyle {
        let template = match self {
            Self::One => ONE,
            Self::OneAtItsEnd => ONE_AT_ITS_END,
            Self::OneOfUnknownSize => ONE_OF_UNKNOWN_SIZE,
            Self::Many => MANY,
        };
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    }
}

impl Bars {
    pub(super) fn new(lines: Lines) -> Self {
        Self {
            lines,
            bar: None,
            shape: Shape::OneOfUnknownSize,
            planned: Planned::default(),
            done: Planned::default(),
            under_way: HashMap::new(),
        }
    }

    pub(super) fn show(&mut self, report: &Report, now: Instant) {
        if let Report::Summary(_) = report {
            self.clear();
        }
        let composed = self.lines.compose(report, now);
        if !composed.is_empty() {
            match &self.bar {
                Some(bar) => bar.suspend(|| self.lines.write(&composed)),
                None => self.lines.write(&composed),
            }
        }
        match report {
            Report::Planned { files, bytes } => {
                self.planned = Planned { files: *files, bytes: *bytes };
                if *files > 1 {
                    self.shape(Shape::Many);
                    self.count();
                }
            }
            Report::Started { name, size } => self.at(name, 0, *size),
            Report::Progress { name, bytes, size } => self.at(name, *bytes, *size),
            Report::Received(file) | Report::Sent(file) => self.over(&file.name, file.size),
            Report::Failed(failure) => {
                if let Some(name) = &failure.name {
                    let moved = self.under_way.get(name).copied().unwrap_or_default();
                    self.over(name, moved);
                }
            }
            _ => {}
        }
    }

    pub(super) fn tick(&self) {
        if let Some(bar) = &self.bar {
            bar.tick();
        }
    }

    pub(super) fn is_unread(&self) -> bool {
        self.lines.is_unread()
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.clear();
        self.lines.finish()
    }

    /// The transfer of `name` has come so far.
    fn at(&mut self, name: &str, bytes: u64, size: Option<u64>) {
        let first = self.under_way.get(name).is_none_or(|&before| before == 0);
        self.under_way.insert(name.to_owned(), bytes);
        match size {
            _ if self.planned.files > 1 => self.count(),
            Some(size) if size > 0 && bytes >= size => self.shape(Shape::OneAtItsEnd).set_length(size),
            Some(size) => self.shape(Shape::One).set_length(size),
            None => drop(self.shape(Shape::OneOfUnknownSize)),
        }
        let Some(bar) = &self.bar else { return };
        bar.set_message(cut(&Text(name).to_string(), NAME_COLUMNS));
        if self.planned.files <= 1 {
            bar.set_position(bytes);
            if first && bytes > 0 {
                // What was there already says nothing of the rate.
                bar.reset_eta();
            }
        }
    }

    /// The transfer of `name` is over, `bytes` of which moved.
    fn over(&mut self, name: &str, bytes: u64) {
        self.under_way.remove(name);
        self.done.files = self.done.files.saturating_add(1);
        self.done.bytes = self.done.bytes.saturating_add(bytes);
        if self.planned.files > 1 {
            self.count();
        }
    }

    /// Brings the bar over all files up to date.
    fn count(&self) {
        let Some(bar) = &self.bar else { return };
        let moved = self.under_way.values().fold(self.done.bytes, |sum, bytes| sum.saturating_add(*bytes));
        bar.set_length(self.planned.bytes.max(moved));
        bar.set_position(moved);
        bar.set_prefix(format!("{}/{} files", self.done.files, self.planned.files));
    }

    fn shape(&mut self, shape: Shape) -> &ProgressBar {
        if self.bar.is_some() && shape != self.shape {
            self.bar.as_ref().into_iter().for_each(|bar| bar.set_style(shape.style()));
        }
        self.shape = shape;
        self.bar.get_or_insert_with(|| ProgressBar::new(0).with_style(shape.style()))
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::display::{Format, Progress, Role, Style};
    use crate::command::output::Voice;
    use crate::command::output::memory::Memory;
    use sampan::failure::ErrorName;
    use sampan::report::{Failed, Moved, Protocol, Summary};

    /// What a bar shows: position, length, name and count.
    type Bar = (u64, u64, String, String);

    fn bars() -> (Bars, Memory) {
        let style = Style {
            role: Role::Client,
            voice: Voice::Normal,
            format: Format::People,
            progress: Progress::Shown,
        };
        let log = Memory::default();
        (Bars::new(Lines::new(style, Memory::default().output(), log.output())), log)
    }

    fn shown(bars: &mut Bars, report: Report) -> Option<Bar> {
        bars.show(&report, Instant::now());
        let bar = bars.bar.as_ref()?;
        Some((bar.position(), bar.length().unwrap(), bar.message(), bar.prefix()))
    }

    fn bar(position: u64, length: u64, name: &str, count: &str) -> Option<Bar> {
        Some((position, length, name.to_owned(), count.to_owned()))
    }

    fn started(name: &str, size: u64) -> Report {
        Report::Started { name: name.to_owned(), size: Some(size) }
    }

    fn progress(name: &str, bytes: u64, size: Option<u64>) -> Report {
        Report::Progress { name: name.to_owned(), bytes, size }
    }

    fn sent(name: &str, size: u64) -> Report {
        Report::Sent(Moved {
            name: name.to_owned(),
            size,
            peer: "unix".to_owned(),
            protocol: Protocol::Framed,
            resumed_from: 0,
            digest: None,
            seconds: 1.0,
            stored_as: None,
        })
    }

    fn failed(name: &str) -> Report {
        Report::Failed(Failed {
            name: Some(name.to_owned()),
            error: ErrorName::Exists,
            message: "it exists".to_owned(),
            resumable: false,
            peer: None,
        })
    }

    #[test]
    fn one_file_has_a_bar_of_its_own() {
        let (mut bars, log) = bars();
        assert_eq!(shown(&mut bars, Report::Planned { files: 1, bytes: 9 }), None);
        assert_eq!(shown(&mut bars, started("a\u{1b}", 9)), bar(0, 9, "a\\u{1b}", ""));
        assert_eq!(shown(&mut bars, progress("a\u{1b}", 4, Some(9))), bar(4, 9, "a\\u{1b}", ""));
        assert_eq!(bars.shape, Shape::One);
        assert_eq!(shown(&mut bars, progress("a\u{1b}", 9, Some(9))), bar(9, 9, "a\\u{1b}", ""));
        assert_eq!(bars.shape, Shape::OneAtItsEnd);
        let _ = shown(&mut bars, sent("a\u{1b}", 9));
        assert_eq!(log.take(), "");
        assert_eq!(shown(&mut bars, Report::Summary(Summary { files: 1, ..Summary::default() })), None);
        assert!(log.take().starts_with("sent \"a\\u{1b}\" (9 bytes) to unix"));
    }

    #[test]
    fn a_size_that_is_not_known_is_not_shown() {
        let (mut bars, _) = bars();
        let _ = shown(&mut bars, Report::Started { name: "stdin".to_owned(), size: None });
        assert_eq!(shown(&mut bars, progress("stdin", 7, None)), bar(7, 0, "stdin", ""));
        assert_eq!(bars.shape, Shape::OneOfUnknownSize);
    }

    #[test]
    fn many_files_have_one_bar_which_never_goes_back() {
        let (mut bars, log) = bars();
        assert_eq!(shown(&mut bars, Report::Planned { files: 3, bytes: 60 }), bar(0, 60, "", "0/3 files"));
        let _ = shown(&mut bars, started("a", 10));
        assert_eq!(shown(&mut bars, progress("a", 5, Some(10))), bar(5, 60, "a", "0/3 files"));
        assert_eq!(shown(&mut bars, started("b", 20)), bar(5, 60, "b", "0/3 files"));
        assert_eq!(shown(&mut bars, progress("b", 6, Some(20))), bar(11, 60, "b", "0/3 files"));
        assert_eq!(shown(&mut bars, sent("a", 10)), bar(16, 60, "b", "1/3 files"));
        assert_eq!(shown(&mut bars, failed("b")), bar(16, 60, "b", "2/3 files"));
        assert_eq!(log.take(), "refused: \"b\": it exists\n");
        assert_eq!(shown(&mut bars, sent("c", 99)), bar(115, 115, "b", "3/3 files"));
        assert!(bars.under_way.is_empty());
        assert_eq!(bars.finish(), Ok(()));
    }

    #[test]
    fn every_shape_has_a_style() {
        for template in [ONE, ONE_AT_ITS_END, ONE_OF_UNKNOWN_SIZE, MANY] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn long_names_are_cut() {
        let (mut bars, _) = bars();
        let (_, _, name, _) = shown(&mut bars, started(&"x".repeat(1_000), 1)).unwrap();
        assert_eq!(name.chars().count(), NAME_COLUMNS);
    }
}
