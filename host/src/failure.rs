//! Why something failed, for people and for programs (`docs/cli.md` §10).

use std::error::Error as StdError;
use std::fmt;
use std::io;

use sampan_core::wire::Code;
use sampan_core::{By, Error, LinkError, PeerError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::FileError;
use crate::link::{Link as _, Nature, StreamLink};

/// An error by its stable name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorName {
    /// None of the others.
    Other,
    /// What was asked for makes no sense.
    Usage,
    /// The link cannot be opened.
    Connect,
    /// Policy.
    NotAllowed,
    /// The name is not valid there.
    BadName,
    /// The name is taken.
    Exists,
    /// Larger than allowed, or more than announced.
    TooLarge,
    /// No space left there.
    NoSpace,
    /// Somebody else writes it, or there are too many.
    Busy,
    /// No such file.
    NotFound,
    /// The peer's storage failed.
    Storage,
    /// The peer does not take this kind of file or digest.
    Unsupported,
    /// Somebody stopped it there.
    Cancelled,
    /// Size, check or digest differ.
    Integrity,
    /// The link was lost.
    LinkLost,
    /// The peer was silent, or too slow.
    Timeout,
    /// The peer is shutting down.
    Closing,
    /// A file here cannot be read or written.
    LocalFile,
    /// The source changed while it was sent.
    Changed,
    /// Some of many failed.
    SomeFailed,
    /// The peer broke a rule of the protocol.
    Protocol,
    /// The peer speaks something else.
    NotSampan,
    /// The peer speaks the classic handshake only.
    ClassicPeer,
    /// The user stopped it.
    Interrupted,
}

impl ErrorName {
    /// Every error.
    pub const ALL: [Self; 24] = [
        Self::Other,
        Self::Usage,
        Self::Connect,
        Self::NotAllowed,
        Self::BadName,
        Self::Exists,
        Self::TooLarge,
        Self::NoSpace,
        Self::Busy,
        Self::NotFound,
        Self::Storage,
        Self::Unsupported,
        Self::Cancelled,
        Self::Integrity,
        Self::LinkLost,
        Self::Timeout,
        Self::Closing,
        Self::LocalFile,
        Self::Changed,
        Self::SomeFailed,
        Self::Protocol,
        Self::NotSampan,
        Self::ClassicPeer,
        Self::Interrupted,
    ];

    /// Its name, which does not change between versions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Usage => "usage",
            Self::Connect => "connect",
            Self::NotAllowed => "not-allowed",
            Self::BadName => "bad-name",
            Self::Exists => "exists",
            Self::TooLarge => "too-large",
            Self::NoSpace => "no-space",
            Self::Busy => "busy",
            Self::NotFound => "not-found",
            Self::Storage => "storage",
            Self::Unsupported => "unsupported",
            Self::Cancelled => "cancelled",
            Self::Integrity => "integrity",
            Self::LinkLost => "link-lost",
            Self::Timeout => "timeout",
            Self::Closing => "closing",
            Self::LocalFile => "local-file",
            Self::Changed => "changed",
            Self::SomeFailed => "some-failed",
            Self::Protocol => "protocol",
            Self::NotSampan => "not-sampan",
            Self::ClassicPeer => "classic-peer",
            Self::Interrupted => "interrupted",
        }
    }

    /// The exit code of a command that ends with it.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Other => 1,
            Self::Usage => 2,
            Self::Connect => 3,
            Self::NotAllowed
            | Self::BadName
            | Self::Exists
            | Self::TooLarge
            | Self::NoSpace
            | Self::Busy
            | Self::NotFound
            | Self::Storage
            | Self::Unsupported
            | Self::Cancelled => 5,
            Self::Integrity => 6,
            Self::LinkLost | Self::Timeout | Self::Closing => 7,
            Self::LocalFile | Self::Changed => 8,
            Self::SomeFailed => 9,
            Self::Protocol | Self::NotSampan | Self::ClassicPeer => 10,
            Self::Interrupted => 130,
        }
    }

    /// What a code of the protocol (§7.1) means for whoever hears it.
    #[must_use]
    pub const fn of_code(code: Code) -> Self {
        match code {
            Code::NotAllowed => Self::NotAllowed,
            Code::BadName => Self::BadName,
            Code::Exists => Self::Exists,
            Code::TooLarge => Self::TooLarge,
            Code::NoSpace => Self::NoSpace,
            Code::Busy => Self::Busy,
            Code::NotFound => Self::NotFound,
            Code::Storage => Self::Storage,
            Code::Integrity => Self::Integrity,
            Code::Changed => Self::Changed,
            Code::Cancelled => Self::Cancelled,
            Code::Protocol => Self::Protocol,
            Code::Unknown | Code::Wait => Self::LinkLost,
            Code::Timeout => Self::Timeout,
            Code::Closing => Self::Closing,
            Code::Unsupported => Self::Unsupported,
            Code::Ok | Code::Other => Self::Other,
        }
    }

    /// Whether the same command can go on where this one stopped.
    #[must_use]
    pub const fn is_resumable(self) -> bool {
        matches!(self, Self::LinkLost | Self::Timeout | Self::Closing | Self::Busy | Self::Interrupted)
    }
}

impl fmt::Display for ErrorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for ErrorName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for ErrorName {
    /// A name that is not known here is [`Other`](Self::Other).
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(Self::ALL.into_iter().find(|error| error.name() == name).unwrap_or(Self::Other))
    }
}

/// Why something failed: what, why, and what to do. Words of a peer in it are escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which error it is.
    pub error: ErrorName,
    what: String,
    advice: Option<&'static str>,
    again: Again,
}

/// Whether the same command can go on where this one stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    IfTheErrorSaysSo,
    Never,
}

impl Failure {
    /// With these words.
    #[must_use]
    pub fn new(error: ErrorName, what: impl Into<String>) -> Self {
        Self { error, what: what.into(), advice: None, again: Again::IfTheErrorSaysSo }
    }

    /// The same, of something that cannot be resumed whatever the error, for this reason.
    #[must_use]
    pub fn for_good(self, why: &str) -> Self {
        Self { what: format!("{}; {why}", self.what), again: Again::Never, ..self }
    }

    /// Whether the same command can go on where this one stopped.
    #[must_use]
    pub fn is_resumable(&self) -> bool {
        self.again == Again::IfTheErrorSaysSo && self.error.is_resumable()
    }

    /// The same, and what to do about it.
    #[must_use]
    pub fn with_advice(self, advice: &'static str) -> Self {
        Self { advice: Some(advice), ..self }
    }

    /// The user has stopped it.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(ErrorName::Interrupted, "interrupted")
    }

    /// A transfer that `by` ended, with words that may be the peer's.
    #[must_use]
    pub fn transfer(by: By, code: Code, words: &str) -> Self {
        let error = match (by, ErrorName::of_code(code)) {
            (By::Us, ErrorName::Storage | ErrorName::NotFound | ErrorName::NoSpace | ErrorName::BadName) => {
                ErrorName::LocalFile
            }
            (_, error) => error,
        };
        let who = match by {
            By::Us => "the transfer failed",
            By::Peer => "the peer ended the transfer",
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
            Code::Busy => Some("try again when whoever writes it is done"),
            Code::Exists => Some("use another name"),
            _ => None,
        };
        Self { advice, ..Self::new(error, what) }
    }

    /// A session that ended with `error`; `fault` is what the system said of the link.
    #[must_use]
    pub fn session(error: Error, fault: Option<&io::Error>) -> Self {
        let name = match error {
            Error::Link(LinkError::Lost | LinkError::Corrupt) | Error::Peer(PeerError::Restarted) => {
                ErrorName::LinkLost
            }
            Error::Link(_) => ErrorName::Timeout,
            // A frame arrived damaged there: the next link may be better (§8.4).
            Error::Peer(PeerError::Aborted(Code::Integrity)) => ErrorName::LinkLost,
            Error::Peer(PeerError::Aborted(code)) | Error::Ended(code) => ErrorName::of_code(code),
            Error::Peer(PeerError::NotSampan | PeerError::FramingVersion { .. }) => ErrorName::NotSampan,
            Error::Peer(PeerError::Classic) => ErrorName::ClassicPeer,
            Error::Peer(_) => ErrorName::Protocol,
            _ => ErrorName::Other,
        };
        let what = match (error, fault) {
            (Error::Link(LinkError::Lost), Some(fault)) => format!("{error}: {fault}"),
            _ => error.to_string(),
        };
        let advice = (name == ErrorName::ClassicPeer).then_some("use --classic to send to it");
        Self { advice, ..Self::new(name, what) }
    }
}

impl Failure {
    /// A session over `link` that ended with `error`.
    pub(crate) fn over(link: &StreamLink, error: Error) -> Self {
        let failure = Self::session(error, link.fault());
        let (came, _) = link.moved();
        if error == LinkError::Handshake.into() && matches!(link.nature(), Nature::Line { .. }) && came > 0 {
            return failure.with_advice("bytes came, but no frames: is the baud rate right?");
        }
        failure
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

impl StdError for Failure {}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self { advice: error.advice(), ..Self::new(ErrorName::LocalFile, error.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_that_can_be_resumed_are() {
        let failure = |error| Failure::session(error, None).error;
        assert_eq!(failure(PeerError::Aborted(Code::Integrity).into()), ErrorName::LinkLost);
        assert_eq!(failure(Error::Ended(Code::Timeout)), ErrorName::Timeout);
        assert_eq!(failure(LinkError::Silent.into()), ErrorName::Timeout);
        assert_eq!(failure(PeerError::Classic.into()), ErrorName::ClassicPeer);
    }

    #[test]
    fn what_cannot_be_resumed_says_so() {
        let lost = Failure::new(ErrorName::LinkLost, "lost");
        assert!(lost.is_resumable());
        let lost = lost.for_good("it cannot be read again");
        assert_eq!((lost.is_resumable(), &*lost.to_string()), (false, "lost; it cannot be read again"));
    }

    #[test]
    fn every_error_has_a_name_of_its_own() {
        let mut names = ErrorName::ALL.map(ErrorName::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorName::ALL.len());
    }
}
