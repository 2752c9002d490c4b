//! The received frame that waits for the storage or the application.

use core::ops::Range;

use super::outbox::Sealed;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hand {
    Empty,
    /// Positions are those of the receive buffer; `body` is the frame without kind and check.
    Frame { body: Held, used: usize, business: Business },
    /// It was lent for the last time: the next call lets go of it.
    Spent { used: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Held {
    pub(super) fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The byte before the body.
    pub(super) fn kind(self) -> Range<usize> {
        self.start.saturating_sub(1)..self.start
    }
}

/// Who is to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Business {
    /// OFFER: the storage decides.
    Decide { slot: usize },
    /// WANT: the storage decides.
    Wanted,
    /// DATA: `payload` is what the storage is to take, of which it has taken `stored` bytes. `sealed` is there if that is all of the frame's.
    Store { slot: usize, payload: Held, stored: usize, sealed: Option<Sealed> },
    /// END: the storage commits.
    Commit { slot: usize },
    /// HELLO: the session is open.
    Opened,
    /// PONG: our notice was taken.
    NoticeTaken,
    Notice,
    Bye,
    /// DECLINE, DONE or ABORT of a transfer from here.
    SendFailed { slot: usize },
    /// ABORT of a transfer to here, or DECLINE of a WANT.
    ReceiveFailed { slot: usize },
}


