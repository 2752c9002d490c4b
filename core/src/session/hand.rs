//! The received frame that waits for the storage or the application.

use core::ops::Range;

use crate::wire::Code;

#[derive(Clone, Copy, Debug)]
pub(super) struct Hand {
    pub(super) business: Business,
    /// The slot of the transfer that it is about.
    pub(super) slot: usize,
    /// What is to be seen of it: its body, of DATA what the storage has not taken yet, or only its words.
    pub(super) view: Held,
}

/// A range of the receive buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Held {
    pub(super) fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// Who is to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Business {
    /// There is no frame.
    Nothing,
    /// Nobody, or nobody any more: the next call lets go of it.
    Spent,
    /// OFFER: the storage decides.
    Decide {
        begin: Begin,
    },
    /// WANT: the storage decides.
    Wanted {
        number: u32,
    },
    /// DATA: the storage takes it, so many bytes ahead of all that is received. `check` is that of what it continues and all of it.
    Store {
        check: u32,
        ahead: u32,
    },
    /// END: the storage commits.
    Commit,
    /// HELLO: the session is open.
    Opened,
    /// PONG: our notice was taken.
    NoticeTaken {
        number: u32,
    },
    /// PONG: a ping of the application's was answered.
    Ponged {
        number: u32,
    },
    Notice,
    /// Bytes that are no frame.
    Noise,
    Attached,
    Bye {
        code: Code,
    },
    /// DECLINE, DONE or ABORT of a transfer from here.
    SendFailed,
    /// ABORT of a transfer to here, or DECLINE of a WANT.
    ReceiveFailed,
}

/// Where a transfer to this end may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Begin {
    Anywhere,
    /// The OFFER bears the flag *restart*.
    AtStart,
}

impl Hand {
    pub(super) const EMPTY: Self =
        Self { business: Business::Nothing, slot: 0, view: Held { start: 0, end: 0 } };

    /// A frame that has yet to find somebody who is to see it.
    pub(super) fn of(view: Held) -> Self {
        Self { business: Business::Spent, slot: 0, view }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self.business, Business::Nothing)
    }

    /// Gives the frame to whoever is to see its last `length` bytes.
    #[inline(never)]
    pub(super) fn give(&mut self, business: Business, slot: usize, length: usize) {
        self.business = business;
        self.slot = slot;
        self.view.start = self.view.end.saturating_sub(length);
    }
}
