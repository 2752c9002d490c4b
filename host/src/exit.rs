//! How the command ends: exit codes, and what is said about a failure.

use std::fmt;
use std::io;
use std::process::ExitCode;

use sampan::FileError;
use sampan_core::wire::Code;
use sampan_core::{By, Error, LinkError, PeerError};

/// Exit codes. They do not change between versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Other = 1,
    Connect = 3,
    Refused = 5,
    Integrity = 6,
    LinkLost = 7,
    LocalFile = 8,
    Protocol = 10,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why the command failed: what, which file, why, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    what: String,
    advice: Option<&'static str>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), advice: None }
    }

    pub(crate) fn with_advice(self, advice: &'static str) -> Self {
        Self { advice: Some(advice), ..self }
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "interrupted")
    }

    /// A transfer that `by` ended, with words that may be the peer's.
    pub(crate) fn transfer(by: By, code: Code, words: &str) -> Self {
        let exit = match (code, by) {
            (Code::Integrity, _) => Exit::Integrity,
            (Code::Protocol, _) => Exit::Protocol,
            (Code::Timeout | Code::Closing | Code::Unknown | Code::Wait, _) => Exit::LinkLost,
            (Code::Storage | Code::Changed | Code::NotFound | Code::NoSpace | Code::BadName, By::Us) => {
                Exit::LocalFile
            }
            (Code::Ok | Code::Other, _) | (_, By::Us) => Exit::Other,
            (_, By::Peer) => Exit::Refused,
        };
        let who = match by {
            By::Us => "the transfer failed",
            By::Peer => "the receiver ended the transfer",
        };
        let mut what = format!("{who}: {code}");
        if !words.is_empty() {
            what.push_str(&format!(" ({})", words.escape_debug()));
        }
        let advice = match code {
            Code::Changed => Some("send it again when nothing writes to it any more"),
            Code::Integrity => {
                Some("something between the two ends alters data: check memory, disks and cables")
            }
            Code::NoSpace => Some("free some space where it is received"),
            _ => None,
        };
        Self { exit, what, advice }
    }

    /// The session ended with `error`; `fault` is what the system said of the link.
    pub(crate) fn session(error: Error, fault: Option<&io::Error>) -> Self {
        let exit = match error {
            Error::Link(_) | Error::Peer(PeerError::Restarted) => Exit::LinkLost,
            Error::Peer(PeerError::Aborted(code)) => return Self::transfer(By::Peer, code, ""),
            Error::Peer(_) => Exit::Protocol,
            Error::Resource(_) => Exit::Other,
        };
        let what = match (error, fault) {
            (Error::Link(LinkError::Lost), Some(fault)) => format!("{error}: {fault}"),
            _ => error.to_string(),
        };
        Self::new(exit, what)
    }

    pub(crate) fn report(&self) {
        crate::output::complain(&format_args!("sampan: {self}"));
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match self.advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self { exit: Exit::LocalFile, what: error.to_string(), advice: error.advice() }
    }
}
