//! What the application may want to know.

use sampan_core as engine;

use crate::bytes::{Bytes, Text};

/// What the application may want to know. Handed out once, not answered; text of the peer's is to be escaped before it is shown.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub enum Event {
    /// The session is open.
    Opened,
    /// The receiver has it, verified and durable.
    Sent(Sent),
    /// A transfer of this end's ended without success.
    SendFailed(Failure),
    /// A transfer was received, verified and committed: its id.
    Received(u32),
    /// A transfer to this end ended without success.
    ReceiveFailed(Failure),
    /// The peer does not send what was wanted. The number is that of the wish.
    WantFailed(Failure),
    /// Text from the peer's user.
    Notice(Text),
    /// The peer stays, to be spoken to, under this name; empty if it has none of its own.
    Attached(Text),
    /// Bytes that came between frames, on a link where that may be: a boot log, a shell.
    Noise(Bytes),
    /// The peer has taken the notice with this number.
    NoticeTaken(u32),
    /// The peer has answered the ping with this number.
    Ponged(u32),
    /// The peer will start no further transfer: why (sampan_code).
    Bye(u8),
    /// Everything is on the link: close its sending side, and go on reading.
    EndOfStream,
    /// Something that this header has no name for.
    Other,
}

/// How a transfer came to its good end.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sent {
    /// The transfer.
    pub transfer: u32,
    /// Whether the receiver had it all already.
    pub had_it: bool,
    /// How much the receiver had already when it accepted, in bytes.
    pub resumed_from: u64,
}

/// How a transfer, or a wish, failed.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Failure {
    /// The transfer, or the wish.
    pub number: u32,
    /// Why (sampan_code).
    pub code: u8,
    /// Whether the peer ended it.
    pub by_peer: bool,
    /// The words that came with it.
    pub words: Text,
}

impl From<engine::Event<'_>> for Event {
    fn from(event: engine::Event<'_>) -> Self {
        match event {
            engine::Event::Opened => Self::Opened,
            engine::Event::Sent { transfer, how, resumed_from } => {
                Self::Sent(Sent { transfer: transfer.0, had_it: how == engine::Sent::HadIt, resumed_from })
            }
            engine::Event::SendFailed(failure) => Self::SendFailed(failure.into()),
            engine::Event::Received { transfer } => Self::Received(transfer.0),
            engine::Event::ReceiveFailed(failure) => Self::ReceiveFailed(failure.into()),
            engine::Event::WantFailed { want, code, words } => Self::WantFailed(Failure {
                number: want.0,
                code: code.code(),
                by_peer: true,
                words: words.into(),
            }),
            engine::Event::Notice(words) => Self::Notice(words.into()),
            engine::Event::Attached(name) => Self::Attached(name.as_str().into()),
            engine::Event::Noise(bytes) => Self::Noise(bytes.into()),
            engine::Event::NoticeTaken { number } => Self::NoticeTaken(number),
            engine::Event::Ponged { number } => Self::Ponged(number),
            engine::Event::Bye { code } => Self::Bye(code.code()),
            engine::Event::EndOfStream => Self::EndOfStream,
            _ => Self::Other,
        }
    }
}

impl From<engine::Failure<'_>> for Failure {
    fn from(failure: engine::Failure<'_>) -> Self {
        Self {
            number: failure.transfer.0,
            code: failure.code.code(),
            by_peer: failure.by == engine::By::Peer,
            words: failure.words.into(),
        }
    }
}
