//! The session as an [`Engine`]: what it needs next, and what the answers do.

use super::beyond::Kept;
use super::hand::Business;
use super::incoming::Chore;
use super::making::Making;
use super::outbox::Urgency;
use super::role::Role;
use super::transitions::SessionState;
use super::{Link, Session, Sink};
use crate::action::{Action, Answer, Next, Refusal};
use crate::engine::Engine;
use crate::framing::Framing;
use crate::storage::{Asked, Description};
use crate::units::{Instant, TransferId};
use crate::wire::{Code, Crc32};

/// What the session needs next of its caller.
#[derive(Clone, Copy, Debug)]
pub(super) enum Need {
    /// The link takes what waits for it.
    Transmit,
    /// The storage fills the frame in the making.
    Making,
    /// Somebody sees the frame in hand.
    Hand,
    /// The storage or the application is asked or told something about a transfer to this end.
    Chore {
        slot: usize,
        chore: Chore,
    },
    /// The application is told of a transfer from this end.
    Report {
        slot: usize,
    },
    Wait(Option<Instant>),
    Closed,
}

impl<'b, R: Role<'b>, F: Framing, C: Crc32> Engine for Session<'b, R, F, C> {
    fn receive_buffer(&mut self) -> &mut [u8] {
        self.let_go();
        // What is there already says how much the frame under way still needs.
        self.dispatch();
        let reads =
            matches!(self.state, SessionState::Opening | SessionState::Open) && self.link != Link::Lost;
        if self.hand.is_empty() && reads { self.inbox.spare(self.shared.link) } else { &mut [] }
    }

    fn received(&mut self, n: usize, now: Instant) {
        self.shared.at(now);
        if n > 0 && self.state == SessionState::Open && !self.is_lossy() {
            self.shared.begin();
        }
        self.inbox.received(n);
    }

    fn link_lost(&mut self, now: Instant) {
        self.shared.at(now);
        self.link = Link::Lost;
    }

    fn unwritable(&mut self, now: Instant) {
        self.shared.at(now);
        if self.link != Link::Lost {
            self.link = Link::Deaf;
        }
    }

    fn next(&mut self, now: Instant) -> Next {
        match self.decide(now) {
            Need::Transmit => Next::Transmit,
            Need::Making | Need::Chore { chore: Chore::Sync | Chore::Abandon(_), .. } => Next::Storage,
            Need::Chore { chore: Chore::Report, .. } | Need::Report { .. } => Next::Event,
            Need::Hand => self.hand.business.next(),
            Need::Wait(until) => Next::Wait(until),
            Need::Closed => Next::Closed,
        }
    }

    fn poll(&mut self, now: Instant) -> Action<'_> {
        let need = self.decide(now);
        self.lend(need)
    }

    fn deadline(&mut self) -> Option<Instant> {
        (self.state != SessionState::Closed).then(|| self.due_at())
    }

    fn transmitted(&mut self, n: usize) {
        if n == 0 && self.link == Link::Ready {
            self.link = Link::Busy;
        }
        self.outbox.transmitted(n);
    }

    fn described(&mut self, description: Result<Description<'_>, Refusal>) {
        if let Making::Offer { slot } = self.take_making() {
            self.describe(slot, description);
        }
    }

    fn asked(&mut self, asked: Result<Asked<'_>, Refusal>) {
        if let Making::Want { want } = self.take_making() {
            self.ask(want, asked);
        }
    }

    fn fetched(&mut self, n: Result<usize, Refusal>) {
        match self.take_making() {
            Making::Data { slot, offset, room } => self.fetch((slot, offset), n.map(|n| n.min(room))),
            Making::Prefix { slot, room } => self.verify(slot, n.map(|n| n.min(room))),
            _ => {}
        }
    }

    fn finished(&mut self, n: Result<usize, Refusal>) {
        if let Making::End { slot } = self.take_making() {
            self.finish(slot, n);
        }
    }

    fn said(&mut self, n: usize) {
        if let Making::Notice { room } = self.take_making() {
            self.notice(n.min(room));
        }
    }

    fn stored(&mut self, n: Result<usize, Refusal>) {
        let Business::Store { check, ahead } = self.hand.business else { return };
        let (slot, link) = (self.hand.slot, self.framing.link());
        let Some(receiver) = self.role.receiver() else { return };
        let data = self.inbox.bytes(self.hand.view.range());
        let (length, check) = match n {
            Ok(0) => {
                if let Some(incoming) = receiver.slot(slot) {
                    incoming.busy();
                }
                self.sink = Sink::Busy;
                return;
            }
            Ok(n) if n < data.len() => {
                (n, self.crc.update(receiver.check(slot, ahead), data.get(..n).unwrap_or_default()))
            }
            Ok(_) => (data.len(), check),
            Err(refusal) => {
                self.hand.business = Business::Spent;
                if let Some(incoming) = receiver.slot(slot) {
                    incoming.store_failed(refusal);
                }
                return;
            }
        };
        let is_all = length == data.len();
        self.shared.progress();
        let kept = receiver.stored((slot, ahead), length, check, &self.shared, link);
        if is_all || kept == Kept::No {
            self.hand.business = Business::Spent;
            return;
        }
        self.hand.view.start = self.hand.view.start.saturating_add(length);
        if let (Business::Store { ahead, .. }, true) = (&mut self.hand.business, ahead > 0) {
            *ahead = ahead.saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
        }
    }

    fn synced(&mut self, transfer: TransferId, durable: u64) {
        if let Some(receiver) = self.role.receiver() {
            receiver.synced(transfer.0, durable);
        }
    }

    fn committed(&mut self, transfer: TransferId, result: Result<(), Refusal>) {
        if self.role.receiver().is_some_and(|receiver| receiver.committed(transfer.0, result)) {
            self.shared.progress();
        }
    }
}

impl Business {
    fn next(&self) -> Next {
        match self {
            Self::Decide { .. } | Self::Wanted { .. } | Self::Store { .. } | Self::Commit => Next::Storage,
            _ => Next::Event,
        }
    }
}

impl<'b, R: Role<'b>, F: Framing, C: Crc32> Session<'b, R, F, C> {
    /// The order is what keeps both directions going: frames are taken before anything else, answers leave before the storage is
    /// asked, what was received is stored before more is fetched.
    fn decide(&mut self, now: Instant) -> Need {
        self.shared.at(now);
        self.let_go();
        if self.making != Making::Nothing {
            return Need::Making;
        }
        self.dispatch();
        self.expire();
        if self.state == SessionState::Open && self.shared.peer.transfers == 0 {
            if let Some(sender) = self.role.sender() {
                sender.give_up_all();
            }
        }
        loop {
            while self.emit() {
                self.dispatch();
            }
            if self.can_transmit() && self.outbox.urgency() == Urgency::Now {
                return Need::Transmit;
            }
            let receiver = self.role.receiver();
            if let Some((slot, chore)) = receiver.and_then(|receiver| receiver.chore(&self.shared)) {
                return Need::Chore { slot, chore };
            }
            if let Some(slot) = self.role.sender().and_then(|sender| sender.report()) {
                return Need::Report { slot };
            }
            // The frames behind it may change all of this.
            if !self.declines() {
                break;
            }
        }
        let waits = self.sink == Sink::Busy && matches!(self.hand.business, Business::Store { .. });
        if !waits && !self.hand.is_empty() {
            return Need::Hand;
        }
        if self.make() {
            return Need::Making;
        }
        if self.can_transmit() {
            return Need::Transmit;
        }
        if self.owes_acks() {
            return Need::Transmit;
        }
        self.conclude();
        if self.state == SessionState::Closed {
            return Need::Closed;
        }
        Need::Wait(Some(if waits { self.shared.now } else { self.due_at() }))
    }

    /// Where frames may be lost whoever sends them hears of each pause how far this end is (§8.5).
    fn owes_acks(&mut self) -> bool {
        if !self.is_lossy() {
            return false;
        }
        if let Some(receiver) = self.role.receiver() {
            receiver.tell();
        }
        while self.emit() {}
        self.can_transmit()
    }

    /// Declines the WANT in hand if there is no slot for it, whose end was told by now if it had one.
    fn declines(&mut self) -> bool {
        let Business::Wanted { number } = self.hand.business else { return false };
        let Some(sender) = self.role.sender() else { return false };
        if sender.has_room() {
            return false;
        }
        sender.refuse(number);
        self.hand.business = Business::Spent;
        self.let_go();
        true
    }

    fn can_transmit(&self) -> bool {
        !self.outbox.is_empty() && self.link == Link::Ready
    }

    fn take_making(&mut self) -> Making {
        core::mem::replace(&mut self.making, Making::Nothing)
    }

    /// Lets go of a frame in hand that is done with, or was answered.
    pub(super) fn let_go(&mut self) {
        if let Some(answer) = self.answer.take() {
            self.answered(answer);
        }
        if matches!(self.hand.business, Business::Spent) {
            self.hand.business = Business::Nothing;
            self.inbox.consume();
        }
    }

    fn answered(&mut self, answer: Answer) {
        // After BYE nothing more is offered (§4.5).
        let closing = self.has_said_bye();
        match self.hand.business {
            Business::Decide { begin } => {
                if let Some(receiver) = self.role.receiver() {
                    receiver.decided(self.hand.slot, answer, begin, &mut self.shared);
                }
            }
            Business::Wanted { number } => {
                if let Some(sender) = self.role.sender() {
                    sender
                        .wanted(number, if closing { Answer::Refuse(Code::Closing.into()) } else { answer });
                }
            }
            _ => return,
        }
        self.hand.business = Business::Spent;
    }
}
