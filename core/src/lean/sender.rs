//! Sending, one transfer at a time: from what the application offers or the peer wants to DONE (§9).
//!
//! What is lost is sent again from where the peer misses something first; it waits a second for answers at first, and measures no round trips.

mod heard;
mod said;

use super::state::Begun;
use crate::limits::Directions;
use crate::wire::{Code, UncheckedName};

/// What a session is composed of beside its receiver: `()` for nothing, or a [`Sender`].
pub trait Role {
    /// The sender, if there is one.
    fn sender(&mut self) -> Option<&mut Sender>;
}

impl Role for () {
    fn sender(&mut self) -> Option<&mut Sender> {
        None
    }
}

impl Role for Sender {
    fn sender(&mut self) -> Option<&mut Sender> {
        Some(self)
    }
}

/// Where the transfer stands (§9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum State {
    /// There is none.
    Idle,
    Queued,
    Offered,
    Verifying,
    Sending,
    Ended,
    /// It is over, and the application is to be told.
    Over,
}

/// A frame that is to be sent, beside those of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Owes {
    Nothing,
    /// DECLINE of a WANT with this number.
    Decline(u32, Code),
    /// ABORT of a transfer with this id.
    Abort(u32, Code),
}

/// The sender of a [`Node`](super::Node).
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Sender {
    state: State,
    begin: Begun,
    /// How it ended.
    outcome: Code,
    owes: Owes,
    /// Whether the two ends take turns (§11).
    pub(super) directions: Directions,
    pub(super) id: u32,
    /// The WANT that it answers, or that is to be decided; 0 if there is none.
    want: u32,
    /// `u32::MAX` as long as it is not known.
    size: u32,
    /// The next byte to send, ...
    offset: u32,
    /// ... where to stop if something is sent again, ...
    until: u32,
    /// ... and where to go on then: everything before has been sent once.
    front: u32,
    /// Everything before has been received.
    received: u32,
    /// DATA may go up to here.
    limit: u32,
    /// Everything before has gone into `check`, its CRC-32.
    summed: u32,
    check: u32,
    /// What the peer says that it has, and the CRC-32 of that.
    prefix: u32,
    prefix_check: u32,
    /// Where the bytes of the source go in the transmit buffer.
    start: usize,
    /// Where it last went back to: once, until the timer runs out.
    back: Option<u32>,
    /// Of the peer's HELLO.
    pub(super) frame: u32,
    pub(super) window: u32,
    pub(super) transfers: u32,
}

/// What the application sends.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Description<'a> {
    /// Its name (§6); for a listing the prefix that was wanted.
    pub name: UncheckedName<'a>,
    /// Bytes in all, if that is known.
    pub size: Option<u32>,
    /// At most 16 bytes: equal ones mean the same contents; empty: cannot be resumed.
    pub identity: &'a [u8],
    /// Whether it is a listing (§12).
    pub contents: Contents,
}

/// What the bytes of a transfer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Contents {
    /// Those of a file.
    File,
    /// Records of what there is (§12).
    Listing,
}

impl Sender {
    /// A sender without a transfer.
    pub const fn new() -> Self {
        Self {
            state: State::Idle,
            begin: Begun::Anywhere,
            outcome: Code::Ok,
            owes: Owes::Nothing,
            directions: Directions::Both,
            id: 0,
            want: 0,
            size: u32::MAX,
            offset: 0,
            until: 0,
            front: 0,
            received: 0,
            limit: 0,
            summed: 0,
            check: 0,
            prefix: 0,
            prefix_check: 0,
            start: 0,
            back: None,
            frame: 0,
            window: 0,
            transfers: 0,
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.state != State::Idle || self.owes != Owes::Nothing
    }

    /// Whether an offer of the peer's has to wait for ours (§11).
    pub(super) fn goes_first(&self, smaller_nonce: bool) -> bool {
        let waits = match self.state {
            State::Offered => smaller_nonce,
            State::Verifying | State::Sending | State::Ended => true,
            State::Idle | State::Queued | State::Over => false,
        };
        waits && self.directions == Directions::OneAtATime
    }

    /// The transfer is over with this code.
    fn finish(&mut self, outcome: Code) {
        if self.state != State::Idle {
            if self.state != State::Over {
                log!(info, "sends {=u32}: over, {}", self.id, outcome);
            }
            self.state = State::Over;
            self.outcome = outcome;
        }
    }

    /// The session is: its transfer is not known in the next.
    pub(super) fn lost(&mut self) {
        self.owes = Owes::Nothing;
        self.id = 0;
        self.want = 0;
        self.finish(Code::Cancelled);
    }

    fn queue(&mut self) {
        self.id = self.id.wrapping_add(1);
        (self.state, self.begin) = (State::Queued, Begun::Anywhere);
    }

    /// It is offered again, with the same id.
    fn again(&mut self, begin: Begun) {
        log!(info, "sends {=u32}: is offered again, {}", self.id, begin);
        self.state = State::Queued;
        self.begin = begin;
    }

    /// The storage gives it up.
    fn give_up(&mut self, code: Code) {
        self.owes = match self.state {
            State::Queued if self.want != 0 => Owes::Decline(self.want, code),
            State::Queued => Owes::Nothing,
            _ => Owes::Abort(self.id, code),
        };
        self.finish(code);
    }

    /// Everything from here on is sent again.
    fn go_back(&mut self, to: u32) {
        (self.offset, self.until) = (to, self.front);
        if self.state == State::Ended {
            self.state = State::Sending;
        }
    }

    /// The peer has received so much.
    fn acked(&mut self, received: u32, credit: u32) {
        self.received = received;
        self.limit = received.saturating_add(credit);
        if self.offset < received {
            self.offset = if self.until > received { received } else { self.front };
        }
    }

    /// Something is missing at the peer.
    fn missing(&mut self, start: u32, length: u32, beyond: u32) {
        if self.back == Some(start) || start >= self.front {
            return;
        }
        self.back = Some(start);
        log!(debug, "sends {=u32}: back to {=u32}", self.id, start);
        self.go_back(start);
        if beyond > 0 {
            self.until = start.saturating_add(length).min(self.front);
        }
    }

    /// How many bytes may go now, of a frame that holds `full`.
    fn room(&self, full: u32) -> u32 {
        let end = if self.offset < self.until { self.until } else { self.size };
        let left = end.wrapping_sub(self.offset);
        let allowed = self.limit.min(self.received.saturating_add(self.window)).saturating_sub(self.offset);
        let under_way = self.offset.saturating_sub(self.received);
        if allowed < full.min(left) && under_way >= self.window / 2 {
            return 0;
        }
        full.min(left).min(allowed)
    }
}

impl Default for Sender {
    fn default() -> Self {
        Self::new()
    }
}
