//! Showing what happens (`docs/cli.md` §8 and §9): to programs, to people, and to people at a terminal.

mod amounts;
mod bars;
mod date;
mod escaped;
mod json;
mod limiter;
mod lines;
mod wording;

use std::time::Instant;

use sampan::failure::Failure;
use sampan::report::Report;

use super::output::{Output, Stream, Voice};
pub(crate) use amounts::{Rate, Size};
use bars::Bars;
pub(crate) use bars::can_redraw;
pub(crate) use date::Utc;
pub(crate) use escaped::{Quoted, Text, cut, cut_end};
use json::Json;
pub(crate) use json::line as event_line;
use lines::Lines;

/// How a command shows what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) role: Role,
    pub(crate) voice: Voice,
    pub(crate) format: Format,
    pub(crate) progress: Progress,
}

/// Who reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Server,
    Client,
}

/// To whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    People,
    /// Programs, which read events on this stream.
    Json(Stream),
}

/// Whether progress is shown where there is a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Shown,
    Hidden,
}

/// Shows reports, one by one, in the order in which they come.
#[derive(Debug)]
pub(crate) struct Display {
    face: Face,
}

#[derive(Debug)]
enum Face {
    Json(Json),
    Lines(Lines),
    Bars(Bars),
}

impl Display {
    /// On the standard streams.
    pub(crate) fn new(style: Style) -> Self {
        let lines = || Lines::new(style, Output::new(Stream::Stdout), Output::new(Stream::Stderr));
        let face = match style.format {
            Format::Json(stream) => Face::Json(Json::new(style.voice, Output::new(stream))),
            Format::People if style.has_bars() => Face::Bars(Bars::new(lines())),
            Format::People => Face::Lines(lines()),
        };
        Self { face }
    }

    pub(crate) fn show(&mut self, report: &Report) {
        let now = Instant::now();
        match &mut self.face {
            Face::Json(json) => json.show(report, now),
            Face::Lines(lines) => lines.show(report, now),
            Face::Bars(bars) => bars.show(report, now),
        }
    }

    /// Time has passed: to be called now and then, about once a second, also when there is nothing to report.
    pub(crate) fn tick(&mut self) {
        match &mut self.face {
            Face::Json(_) => {}
            Face::Lines(lines) => lines.tick(Instant::now()),
            Face::Bars(bars) => bars.tick(),
        }
    }

    /// Whether nobody reads the standard output any more, so that a listing need not go on.
    pub(crate) fn is_unread(&self) -> bool {
        match &self.face {
            Face::Json(json) => json.is_unread(),
            Face::Lines(lines) => lines.is_unread(),
            Face::Bars(bars) => bars.is_unread(),
        }
    }

    /// Leaves no bar behind.
    ///
    /// # Errors
    ///
    /// If entries or events could not be written, unless their reader has gone.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.face {
            Face::Json(json) => json.finish(),
            Face::Lines(lines) => lines.finish(),
            Face::Bars(bars) => bars.finish(),
        }
    }
}

impl Style {
    pub(crate) fn has_bars(self) -> bool {
        self.role == Role::Client
            && self.progress == Progress::Shown
            && self.voice == Voice::Normal
            && can_redraw(Stream::Stderr)
    }
}
