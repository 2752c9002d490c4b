//! Writing to the standard streams, one of which may be gone.

use std::fmt;
use std::io::{self, Write as _};

use crate::exit::{Exit, Failure};

/// Whether the command speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    Normal,
    Quiet,
}

impl Voice {
    /// A line on the standard output. A reader that has gone is not a failure.
    pub(crate) fn say(self, line: fmt::Arguments<'_>) -> Result<(), Failure> {
        if self == Self::Quiet {
            return Ok(());
        }
        match writeln!(io::stdout().lock(), "{line}") {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(Exit::LocalFile, format!("cannot write to the standard output: {error}")))
            }
            _ => Ok(()),
        }
    }
}

/// A line on the standard error, if it can be written.
pub(crate) fn complain(line: &fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
