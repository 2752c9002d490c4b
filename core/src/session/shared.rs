//! What a session and its roles both look at.

use super::repeats::Repeats;
use crate::action::Refusal;
use crate::framing::Reliability;
use crate::limits::{Directions, Limits};
use crate::units::Instant;
use crate::wire::{Code, Hello, MAX_CONTROL, MIN_FRAME};

#[derive(Debug)]
pub(super) struct Shared<'b> {
    pub(super) limits: &'b Limits,
    pub(super) peer: Peer,
    /// The latest time that was passed in.
    pub(super) now: Instant,
    /// When a transfer last came further.
    pub(super) progressed: Instant,
    /// When the session's state began or, once it is open, when the peer was last heard.
    pub(super) since: Instant,
    /// When this end last had a frame to send.
    pub(super) spoke: Instant,
    /// What the link is like, and when to send again what it may have lost.
    pub(super) link: Reliability,
    pub(super) repeats: Repeats,
}

impl<'b> Shared<'b> {
    pub(super) fn new(limits: &'b Limits, link: Reliability, now: Instant) -> Self {
        let repeats = Repeats::new(now);
        Self { limits, peer: Peer::UNKNOWN, now, progressed: now, since: now, spoke: now, link, repeats }
    }

    pub(super) fn is_lossy(&self) -> bool {
        self.link.loses()
    }

    /// It is `now`, or later.
    pub(super) fn at(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// The session's state begins, or the peer was heard in an open session: the deadline of the state begins anew.
    pub(super) fn begin(&mut self) {
        self.since = self.now;
    }

    /// A transfer came further: the stall budget begins anew (§13).
    pub(super) fn progress(&mut self) {
        self.progressed = self.now;
        self.repeats.advanced(self.now);
    }

    /// The longest control frame that both ends can hold (§3.1).
    pub(super) fn control_frame(&self) -> usize {
        MAX_CONTROL.min(self.peer.frame)
    }
}

impl Refusal {
    /// What a transfer fails with: `ok`, of which nobody could tell that it failed, becomes `other`.
    pub(crate) fn failed(self) -> Self {
        Self { code: Code::from_refusal(self.code.code()), ..self }
    }
}

/// What the peer's HELLO says to either role (§4.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) frame: usize,
    pub(super) transfers: u32,
    pub(super) name: u32,
    pub(super) answers_want: bool,
    pub(super) order: Order,
}

/// Which direction may carry DATA (§11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Both at once.
    Both,
    /// One at a time; where both want, this end goes first.
    UsFirst,
    /// One at a time; where both want, the peer goes first.
    PeerFirst,
}

impl Peer {
    pub(super) const UNKNOWN: Self =
        Self { frame: MIN_FRAME, transfers: 0, name: 0, answers_want: false, order: Order::Both };

    pub(super) fn from_hello(hello: &Hello, limits: &Limits, nonce: u64) -> Self {
        let one_direction =
            limits.directions == Directions::OneAtATime || hello.flags & Hello::ONE_DIRECTION != 0;
        let order = if !one_direction {
            Order::Both
        } else if nonce < hello.nonce {
            Order::UsFirst
        } else {
            Order::PeerFirst
        };
        Self {
            frame: hello.frame as usize,
            transfers: hello.transfers,
            name: hello.name,
            answers_want: hello.flags & Hello::ANSWERS_WANT != 0,
            order,
        }
    }
}
