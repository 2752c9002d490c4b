//! What can end a session, and who is at fault.

use core::fmt;

use crate::wire::{Code, Kind, Malformed};

/// Why a session ended before both ends had said BYE (§8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Error {
    /// The link: nothing is wrong with either end.
    Link(LinkError),
    /// The peer did what the protocol does not allow, or ended the session.
    Peer(PeerError),
    /// This end lacks what it would need.
    Resource(ResourceError),
    /// This end has ended it, with this code (§8.4).
    Ended(Code),
}

/// Faults of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LinkError {
    /// It ended, or failed, before both ends had said BYE.
    Lost,
    /// No session was open by the deadline (§13).
    Handshake,
    /// Nothing was heard for the silence budget (§13).
    Silent,
    /// The peer answers, but no transfer came any further for the stall budget (§13).
    Stalled,
    /// A frame's check was wrong on a link that should be reliable (§2.1).
    Corrupt,
}

/// Faults of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PeerError {
    /// It does not speak this protocol (§2.1).
    NotSampan,
    /// It answered as a server of the classic handshake does (§14).
    Classic,
    /// It speaks another version of the framing (§2.1).
    FramingVersion {
        /// The version it opened with; this end speaks 1.
        theirs: u8,
    },
    /// A frame is longer than this end said it takes, or shorter than a frame can be (§2.1).
    FrameLength {
        /// The length it announced, in bytes.
        length: u32,
    },
    /// A frame of a kind this end does not know, without the skippable bit (§3.1).
    UnknownKind(u8),
    /// A frame whose fields are not as §3.3 wants them.
    Malformed(Kind, Malformed),
    /// A known frame that cannot be answered in the present state.
    Unexpected(Kind),
    /// It offered or wanted more at a time than this end's HELLO allows (§4.1).
    TooManyOpen,
    /// It began a new session on this link (§8.1).
    Restarted,
    /// It ended the session with an ABORT (§4.4).
    Aborted(Code),
}

/// What this end lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ResourceError {
    /// A lent buffer is too small to speak at all (§3.1).
    BufferTooSmall {
        /// The length it would need, in bytes.
        needed: usize,
    },
}

impl Error {
    /// Whether dialling again and offering the same files again can succeed: what was durable is not sent again (§9.4).
    pub const fn is_resumable(self) -> bool {
        match self {
            Self::Link(_) => true,
            Self::Peer(PeerError::Restarted) => true,
            Self::Peer(PeerError::Aborted(code)) | Self::Ended(code) => {
                matches!(code, Code::Busy | Code::Closing | Code::Timeout | Code::Cancelled | Code::Integrity)
            }
            Self::Peer(_) | Self::Resource(_) => false,
        }
    }

    /// What an ABORT of the session tells the peer about this, if it is worth telling (§8.4).
    pub(crate) const fn abort_code(self) -> Option<Code> {
        match self {
            Self::Peer(PeerError::Aborted(_) | PeerError::NotSampan | PeerError::Classic) => None,
            Self::Peer(PeerError::FramingVersion { .. } | PeerError::Restarted) => None,
            Self::Peer(_) => Some(Code::Protocol),
            Self::Link(LinkError::Stalled) => Some(Code::Timeout),
            Self::Link(LinkError::Corrupt) => Some(Code::Integrity),
            Self::Link(_) => None,
            Self::Resource(_) => Some(Code::Other),
            Self::Ended(code) => Some(code),
        }
    }
}

impl From<LinkError> for Error {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

impl From<PeerError> for Error {
    fn from(error: PeerError) -> Self {
        Self::Peer(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(error) => error.fmt(f),
            Self::Peer(error) => error.fmt(f),
            Self::Resource(ResourceError::BufferTooSmall { needed }) => {
                write!(f, "a buffer of at least {needed} bytes is needed")
            }
            Self::Ended(code) => write!(f, "this end ended the session: {code}"),
        }
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "the link was lost",
            Self::Handshake => "the peer did not complete the opening in time",
            Self::Silent => "the peer has fallen silent",
            Self::Stalled => "the peer answers, but no transfer comes any further",
            Self::Corrupt => "a frame arrived damaged",
        })
    }
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSampan => f.write_str("the peer does not speak sampan"),
            Self::Classic => f.write_str("the peer speaks the classic handshake only"),
            Self::FramingVersion { theirs } => {
                write!(f, "the peer speaks framing version {theirs}, this end version 1")
            }
            Self::FrameLength { length } => write!(f, "the peer announced a frame of {length} bytes"),
            Self::UnknownKind(kind) => write!(f, "the peer sent a frame of unknown kind {kind:#04x}"),
            Self::Malformed(kind, reason) => write!(f, "the peer sent a malformed {kind:?}: {reason}"),
            Self::Unexpected(kind) => write!(f, "the peer sent an unexpected {kind:?}"),
            Self::TooManyOpen => f.write_str("the peer has more transfers open than this end allows"),
            Self::Restarted => f.write_str("the peer began a new session"),
            Self::Aborted(code) => write!(f, "the peer ended the session: {code}"),
        }
    }
}

impl core::error::Error for Error {}
impl core::error::Error for LinkError {}
impl core::error::Error for PeerError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_lost_link_is_resumable_and_a_broken_rule_is_not() {
        assert!(Error::from(LinkError::Silent).is_resumable());
        assert!(Error::from(PeerError::Aborted(Code::Closing)).is_resumable());
        assert!(!Error::from(PeerError::NotSampan).is_resumable());
    }

    #[test]
    fn the_number_needed_is_said() {
        let error = Error::Resource(ResourceError::BufferTooSmall { needed: 64 });
        assert!(error.to_string().contains("64"));
    }
}
