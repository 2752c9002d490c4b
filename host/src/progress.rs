//! Showing how far a transfer has come.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::complain;

/// How often something new is said where nobody sees a bar.
const LINES: Duration = Duration::from_secs(5);

const UNDER_WAY: &str =
    "{bar:30} {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";
const FLUSHING: &str = "{bar:30} {decimal_total_bytes}  flushing to disk";

/// On the standard error: a bar on a terminal, lines now and then elsewhere.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Nothing is shown.
    Hidden,
    /// A bar.
    Bar(ProgressBar),
    /// Lines.
    Lines { total: u64, said: Instant },
}

impl Progress {
    pub(crate) fn new(total: u64) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb") && cfg!(unix);
        if dumb || !io::stderr().is_terminal() {
            return Self::Lines { total, said: Instant::now() };
        }
        Self::Bar(ProgressBar::new(total).with_style(style(UNDER_WAY)))
    }

    pub(crate) fn at(&mut self, position: u64) {
        match self {
            Self::Hidden => {}
            Self::Bar(bar) => {
                if position > bar.position() && Some(position) == bar.length() {
                    bar.set_style(style(FLUSHING));
                }
                bar.set_position(position);
            }
            Self::Lines { total, said } => {
                if said.elapsed() >= LINES {
                    *said = Instant::now();
                    complain(&format_args!("{} of {}", Size(position), Size(*total)));
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

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Bytes as people read them, in units of 10^6 where there are so many.
pub(crate) struct Size(pub(crate) u64);

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            1 => f.write_str("1 byte"),
            bytes @ 0..1_000_000 => write!(f, "{bytes} bytes"),
            bytes => {
                let tenths = bytes.saturating_add(50_000) / 100_000;
                write!(f, "{}.{} MB", tenths / 10, tenths % 10)
            }
        }
    }
}

/// A rate in MB/s.
pub(crate) struct Rate(pub(crate) u64, pub(crate) Duration);

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rate = self.0 as f64 / 1e6 / self.1.as_secs_f64().max(1e-6);
        let digits = if rate < 9.95 { 1 } else { 0 };
        write!(f, "{rate:.digits$} MB/s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded() {
        let shown = |bytes| Size(bytes).to_string();
        assert_eq!([shown(0), shown(1), shown(999_999)], ["0 bytes", "1 byte", "999999 bytes"]);
        assert_eq!([shown(1_000_000), shown(268_435_456)], ["1.0 MB", "268.4 MB"]);
        assert!(!shown(u64::MAX).is_empty());
    }

    #[test]
    fn small_rates_have_a_digit_more() {
        let shown = |bytes, millis| Rate(bytes, Duration::from_millis(millis)).to_string();
        assert_eq!([shown(65_535, 16), shown(1 << 30, 800)], ["4.1 MB/s", "1342 MB/s"]);
        assert_eq!(shown(0, 0), "0.0 MB/s");
    }
}
