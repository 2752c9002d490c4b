//! Debugging output of the library, on the standard error.

use std::io;

use tracing_subscriber::filter::LevelFilter;

use super::display::{Format, Style};
use super::output::{Stream, Voice};

/// Turns it on for `-v` and `-vv`, unless events for programs go the same way. Once in a process.
pub(crate) fn install(style: &Style) {
    let level = match style.voice {
        Voice::Quiet | Voice::Normal => return,
        Voice::Verbose => LevelFilter::DEBUG,
        Voice::Trace => LevelFilter::TRACE,
    };
    if style.format == Format::Json(Stream::Stderr) {
        return;
    }
    let logs = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).with_ansi(false);
    match style.voice {
        Voice::Trace => logs.init(),
        _ => logs.without_time().init(),
    }
}
