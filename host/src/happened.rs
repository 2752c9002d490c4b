//! What a turn of a session came to, without what it borrows.

use sampan_core::driver::Turn;
use sampan_core::wire::Code;
use sampan_core::{By, Event, Failure, Sent, TransferId, WantId};

/// What happened in a turn.
#[derive(Debug)]
pub(crate) enum Happened {
    /// Nothing that anybody is told.
    Nothing,
    Opened,
    /// With what the peer had before; none if it had it all.
    Sent(TransferId, Option<u64>),
    SendFailed(TransferId, Why),
    Received(TransferId),
    ReceiveFailed(TransferId, Why),
    WantFailed(WantId, Why),
    Notice(String),
    /// The peer has taken the notice of this number.
    NoticeTaken(u32),
    /// The peer has answered the ping of this number.
    Ponged(u32),
    /// The peer stays, as a node of this name.
    Attached(String),
    /// Bytes that are no frame.
    Noise(Vec<u8>),
    Closed,
}

/// Why something ended without success.
#[derive(Clone, Debug)]
pub(crate) struct Why {
    pub(crate) by: By,
    pub(crate) code: Code,
    pub(crate) words: String,
}

impl Happened {
    pub(crate) fn of(turn: Turn<'_>) -> Self {
        let event = match turn {
            Turn::Worked => return Self::Nothing,
            Turn::Closed => return Self::Closed,
            Turn::Event(event) => event,
        };
        match event {
            Event::Opened => Self::Opened,
            Event::Sent { transfer, how: Sent::HadIt, .. } => Self::Sent(transfer, None),
            Event::Sent { transfer, resumed_from, .. } => Self::Sent(transfer, Some(resumed_from)),
            Event::SendFailed(failure) => Self::SendFailed(failure.transfer, Why::of(failure)),
            Event::Received { transfer } => Self::Received(transfer),
            Event::ReceiveFailed(failure) => Self::ReceiveFailed(failure.transfer, Why::of(failure)),
            Event::WantFailed { want, code, words } => {
                Self::WantFailed(want, Why { by: By::Peer, code, words: words.to_owned() })
            }
            Event::Notice(text) => Self::Notice(text.to_owned()),
            Event::Noise(bytes) => Self::Noise(bytes.to_vec()),
            Event::NoticeTaken { number } => Self::NoticeTaken(number),
            Event::Ponged { number } => Self::Ponged(number),
            Event::Attached(name) => Self::Attached(name.as_str().to_owned()),
            _ => Self::Nothing,
        }
    }
}

impl Why {
    fn of(failure: Failure<'_>) -> Self {
        Self { by: failure.by, code: failure.code, words: failure.words.to_owned() }
    }
}
