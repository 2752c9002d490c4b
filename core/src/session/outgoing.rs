//! One transfer from this end: where it stands.

use super::slots::Slot;
use super::transitions::{SendEvent, SendState};
use crate::action::{By, Event, Failure, Refusal, Sent};
use crate::storage::Start;
use crate::units::{Instant, TransferId};
use crate::wire::Code;

/// One transfer from this end.
///
/// The caller lends as many as may be queued or under way at a time.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Outgoing {
    pub(super) state: SendState,
    pub(super) id: u32,
    pub(super) want: u32,
    pub(super) size: Option<u64>,
    /// DATA up to here was sent, since it was last gone back.
    pub(super) sent: u64,
    /// DATA up to here was ever sent, and `check` is the CRC-32 of it.
    pub(super) summed: u64,
    pub(super) check: u32,
    pub(super) acked: u64,
    /// Below this the receiver has everything but what its ACKs have named, and what was named is remembered.
    pub(super) known: u64,
    /// Bytes of it that were found to have arrived.
    pub(super) delivered: u64,
    /// How far it was last gone back, and when.
    pub(super) went_back: (u64, Instant),
    /// DATA may go up to here.
    pub(super) limit: u64,
    /// What the receiver's part is to be compared with.
    pub(super) prefix: u64,
    pub(super) prefix_check: u32,
    pub(super) start: Start,
    pub(super) answered: Reply,
    pub(super) attempt: Attempt,
    pub(super) source: SourceEnd,
    pub(super) owes: Owes,
    /// Whether its last OFFER or END is to be sent again (§8.5).
    pub(super) repeats: Repeated,
    pub(super) refusal: Refusal,
    pub(super) how: Sent,
}

/// Whether the receiver has answered the OFFER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Reply {
    Awaited,
    Given,
}

/// How often a transfer was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Attempt {
    First,
    /// The receiver's part was of other contents.
    Restart,
    /// The receiver found it wrong once; a second time is an error (§9.5).
    AfterIntegrity,
}

/// What is known of the source's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum SourceEnd {
    Ahead,
    Reached,
}

/// What is still to be done for a transfer that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Owes {
    Nothing,
    /// DECLINE of a WANT.
    Decline,
    /// DECLINE of the WANT that it would have answered, then the report.
    Unanswered,
    /// ABORT, then the report.
    Abort,
    /// The application is to be told.
    Report,
}

/// Whether a frame is to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Repeated {
    No,
    Due,
}

/// It was not gone back.
const NEVER: (u64, Instant) = (u64::MAX, Instant::ZERO);

impl Outgoing {
    /// A slot for a transfer.
    pub const FREE: Self = Self {
        state: SendState::Free,
        id: 0,
        want: 0,
        size: None,
        sent: 0,
        summed: 0,
        check: 0,
        acked: 0,
        known: 0,
        delivered: 0,
        went_back: NEVER,
        limit: 0,
        prefix: 0,
        prefix_check: 0,
        start: Start::AfterAnswer,
        answered: Reply::Awaited,
        attempt: Attempt::First,
        source: SourceEnd::Ahead,
        owes: Owes::Nothing,
        repeats: Repeated::No,
        refusal: Refusal { code: Code::Ok, words: "" },
        how: Sent::Stored,
    };

    pub(super) fn step(&mut self, event: SendEvent) -> bool {
        match self.state.after(event) {
            Some(state) => {
                self.state = state;
                true
            }
            None => false,
        }
    }

    pub(super) fn settle(&mut self) {
        if self.owes == Owes::Nothing && self.step(SendEvent::Clear) {
            *self = Self::FREE;
        }
    }

    /// Whether DATA of it may be under way.
    pub(super) fn is_moving(&self) -> bool {
        matches!(self.state, SendState::Offered | SendState::Sending | SendState::Ended)
    }

    /// Everything below is known to have arrived, or to be missing.
    pub(super) fn known(&self) -> u64 {
        self.known.max(self.acked)
    }

    /// Bytes sent of which nothing is known yet.
    pub(super) fn flight(&self) -> u64 {
        if self.is_moving() { self.sent.saturating_sub(self.known()) } else { 0 }
    }

    /// The receiver has it; whether that can be.
    pub(super) fn stored(&mut self, how: Sent) -> bool {
        let over = self.step(SendEvent::Stored);
        if over {
            self.how = how;
            log!(info, "sends {=u32}: {}", self.id, how);
            self.owes = Owes::Report;
        }
        over
    }

    /// The peer ends it; whether it can. The words of its frame are to be told.
    pub(super) fn refused(&mut self, code: Code) -> bool {
        self.refusal = code.into();
        let over = self.step(SendEvent::Refused);
        if over {
            log!(warn, "sends {=u32}: refused, {}", self.id, code);
        }
        over
    }

    /// The storage has failed, or the application gives up.
    pub(super) fn abort(&mut self, refusal: Refusal) {
        let offered = self.state != SendState::Queued;
        if self.step(SendEvent::Abort) {
            self.refusal = refusal.failed();
            log!(warn, "sends {=u32}: given up, {} {=str}", self.id, self.refusal.code, self.refusal.words);
            self.owes = match (offered, self.want) {
                (true, _) => Owes::Abort,
                (false, 0) => Owes::Report,
                (false, _) => Owes::Unanswered,
            };
        }
    }

    /// Whether something of it awaits an answer.
    pub(super) fn awaits(&self) -> bool {
        match self.state {
            SendState::Offered | SendState::Ended => true,
            // Also if it may send no more until it hears how far it may.
            SendState::Sending => self.sent > self.acked || self.sent >= self.limit,
            _ => false,
        }
    }

    /// All that is not known to have arrived is sent again.
    pub(super) fn go_back(&mut self) {
        self.sent = self.known();
        if self.state == SendState::Ended && self.sent < self.summed {
            self.step(SendEvent::Missing);
        }
    }

    /// Whether it was gone back there less than `span` microseconds ago: what tells of it may have been under way meanwhile.
    pub(super) fn went_back_to(&self, offset: u64, span: u64, now: Instant) -> bool {
        let (last, at) = self.went_back;
        last == offset && now < at.after_micros(span)
    }

    /// What awaits an answer may be lost: whether the receiver is to be asked how far it is.
    pub(super) fn repeat(&mut self) -> bool {
        let waits = self.state == SendState::Sending && self.acked >= self.limit;
        self.go_back();
        if matches!(self.state, SendState::Offered | SendState::Ended) {
            self.repeats = Repeated::Due;
        }
        waits
    }

    /// Begins anew.
    pub(super) fn again(&mut self, attempt: Attempt) {
        log!(info, "sends {=u32}: begins anew, {}", self.id, attempt);
        self.attempt = attempt;
        self.sent = 0;
        self.summed = 0;
        self.check = 0;
        self.acked = 0;
        self.known = 0;
        self.delivered = 0;
        self.went_back = NEVER;
        self.prefix = 0;
        self.source = SourceEnd::Ahead;
    }
}

impl Outgoing {
    /// The event that tells of its failure.
    pub(super) fn failed<'a>(&self, words: &'a str, by: By) -> Event<'a> {
        Event::SendFailed(Failure { transfer: TransferId(self.id), code: self.refusal.code, words, by })
    }
}

impl Slot for Outgoing {
    fn is_free(&self) -> bool {
        self.state == SendState::Free
    }
}

impl Default for Outgoing {
    fn default() -> Self {
        Self::FREE
    }
}
