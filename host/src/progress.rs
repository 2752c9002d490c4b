//! Showing how far a transfer has come.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::complain;

/// How often something new is said where nobody sees a bar.
const LINES: Duration = Duration::from_secs(5);

/// On the standard error: a bar on a terminal, lines now and then elsewhere.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Nothing is shown.
    Hidden,
    /// A bar.
    Bar(ProgressBar),
    /// Lines.
    Lines {
        total: u64,
        said: Instant,
    },
}

impl Progress {
    pub(crate) fn new(total: u64) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb") && cfg!(unix);
        if dumb || !io::stderr().is_terminal() {
            return Self::Lines { total, said: Instant::now() };
        }
        let template = "{bar:30} {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self::Bar(ProgressBar::new(total).with_style(style))
    }

    pub(crate) fn at(&mut self, position: u64) {
        match self {
            Self::Hidden => {}
            Self::Bar(bar) => bar.set_position(position),
            Self::Lines { total, said } => {
                if said.elapsed() >= LINES {
                    *said = Instant::now();
                    complain(&format_args!("{} of {}", Megabytes(position), Megabytes(*total)));
                }
            }
        }
    }

    /// Leaves no trace on a terminal.
    pub(crate) fn finish(self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// Bytes as people read them, in units of 10^6.
pub(crate) struct Megabytes(pub(crate) u64);

impl std::fmt::Display for Megabytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = self.0.saturating_add(50_000) / 100_000;
        write!(f, "{}.{} MB", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn megabytes_are_rounded() {
        let shown = |bytes| Megabytes(bytes).to_string();
        assert_eq!(shown(0), "0.0 MB");
        assert_eq!(shown(268_435_456), "268.4 MB");
        assert_eq!(shown(999_950), "1.0 MB");
        assert!(!shown(u64::MAX).is_empty());
    }
}
