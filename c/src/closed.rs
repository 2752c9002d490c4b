//! How a session ended.

use sampan_core::{Error, LinkError, PeerError};

/// How a session ended.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Closed {
    /// Why; SAMPAN_REASON_GOODBYE if nothing went wrong.
    pub reason: Reason,
    /// The code (sampan_code) of SAMPAN_REASON_ABORTED and SAMPAN_REASON_ENDED.
    pub code: u8,
    /// Whether the same transfers in another session can succeed: what was durable is not sent again.
    pub resumable: bool,
}

/// Why a session ended (§8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// Both ends have said goodbye.
    Goodbye = 0,
    /// The link ended or failed.
    LinkLost = 1,
    /// No session was open by the deadline.
    Handshake = 2,
    /// Nothing was heard for too long.
    Silent = 3,
    /// The peer answers, but no transfer came any further.
    Stalled = 4,
    /// A frame was damaged on a link that should lose nothing.
    Corrupt = 5,
    /// The peer does not speak this protocol.
    NotSampan = 6,
    /// The peer speaks another version of the framing, or the classic handshake only.
    Version = 7,
    /// The peer did what the protocol does not allow.
    Protocol = 8,
    /// The peer began a new session on this link. If the framing is COBS or datagrams, the next session here has to begin with the
    /// same nonce, and to speak first.
    Restarted = 9,
    /// The peer ended the session, with a code.
    Aborted = 10,
    /// This end lacks memory.
    Memory = 11,
    /// This end ended the session, with a code.
    Ended = 12,
}

impl From<Result<(), Error>> for Closed {
    fn from(result: Result<(), Error>) -> Self {
        let Err(error) = result else {
            return Self { reason: Reason::Goodbye, code: 0, resumable: false };
        };
        let (reason, code) = match error {
            Error::Link(LinkError::Lost) => (Reason::LinkLost, 0),
            Error::Link(LinkError::Handshake) => (Reason::Handshake, 0),
            Error::Link(LinkError::Silent) => (Reason::Silent, 0),
            Error::Link(LinkError::Stalled) => (Reason::Stalled, 0),
            Error::Link(LinkError::Corrupt) => (Reason::Corrupt, 0),
            Error::Peer(PeerError::NotSampan) => (Reason::NotSampan, 0),
            Error::Peer(PeerError::Classic | PeerError::FramingVersion { .. }) => (Reason::Version, 0),
            Error::Peer(PeerError::Restarted) => (Reason::Restarted, 0),
            Error::Peer(PeerError::Aborted(code)) => (Reason::Aborted, code.code()),
            Error::Peer(_) => (Reason::Protocol, 0),
            Error::Resource(_) => (Reason::Memory, 0),
            Error::Ended(code) => (Reason::Ended, code.code()),
        };
        Self { reason, code, resumable: error.is_resumable() }
    }
}
