//! How a command ends when it does not succeed (`docs/cli.md` §10).

use std::process::ExitCode;

use sampan::failure::{ErrorName, Failure};
use sampan::report::{Failed, Report};

use super::display::{Display, Format, Style};
use super::output::{Stream, complain};

/// Why a command ends without success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It is still to be said.
    Unsaid(Failure),
    /// Reports have said all of it, or ends as this do not need words.
    Said(ErrorName),
}

impl From<Failure> for Ending {
    fn from(failure: Failure) -> Self {
        Self::Unsaid(failure)
    }
}

impl Ending {
    /// Says what is still to be said.
    pub(crate) fn conclude(self, style: Style) -> ExitCode {
        let error = match self {
            Self::Said(error) => error,
            Self::Unsaid(failure) => {
                say(&failure, style);
                failure.error
            }
        };
        ExitCode::from(error.exit_code())
    }
}

fn say(failure: &Failure, style: Style) {
    if let Format::Json(_) = style.format {
        let mut display = Display::new(style);
        display.show(&Report::Failed(Failed {
            name: None,
            error: failure.error,
            message: failure.to_string(),
            resumable: failure.is_resumable(),
            peer: None,
        }));
        let _ = display.finish();
    }
    if style.format != Format::Json(Stream::Stderr) {
        complain(format_args!("sampan: {failure}"));
    }
}
