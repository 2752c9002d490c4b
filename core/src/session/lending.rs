//! The session as an [`Engine`]: what is lent next, and what the answers do.

use super::hand::{Business, Hand, Held};
use super::making::Making;
use super::outbox::Urgency;
use super::receiver::Chore;
use super::role::Role;
use super::sender::Report;
use super::transitions::SessionState;
use super::{Link, Session, Sink};
use crate::action::{Action, By, Ending, Event, Failure, Next, Offered, Refusal, Wanted};
use crate::engine::Engine;
use crate::framing::Framing;
use crate::storage::{Asked, Description};
use crate::units::{Instant, TransferId, WantId};
use crate::wire::{Abort, Bye, Code, Crc32, Decline, Done, End, Notice, Offer, Pong, Want};

impl<'b, R: Role<'b>, F: Framing, C: Crc32> Engine for Session<'b, R, F, C> {
    fn receive_buffer(&mut self) -> &mut [u8] {
        self.let_go();
        match (&self.hand, self.state) {
            (Hand::Empty, SessionState::Opening | SessionState::Open) => self.inbox.spare(),
            _ => &mut [],
        }
    }

    fn received(&mut self, n: usize, now: Instant) {
        self.shared.now = self.shared.now.max(now);
        self.inbox.received(n);
    }

    fn link_lost(&mut self, now: Instant) {
        self.shared.now = self.shared.now.max(now);
        self.link = Link::Lost;
    }

    /// The order is what keeps both directions going: frames are taken before anything else, answers leave before the storage is
    /// asked, what was received is stored before more is fetched.
    fn next(&mut self, now: Instant) -> Next {
        self.shared.now = self.shared.now.max(now);
        self.let_go();
        loop {
            if self.making != Making::Nothing {
                return Next::Storage;
            }
            self.dispatch();
            self.expire();
            while self.emit() {}
            if self.can_transmit() && self.outbox.urgency() == Urgency::Now {
                return Next::Transmit;
            }
            if let Some(chore) = self.chore() {
                return match chore {
                    Chore::Sync { .. } | Chore::Abandon { .. } => Next::Storage,
                    _ => Next::Event,
                };
            }
            if self.report().is_some() {
                return Next::Event;
            }
            match &self.hand {
                Hand::Frame { business: Business::Store { .. }, .. } if self.sink == Sink::Busy => {}
                Hand::Frame { business, .. } => return business.next(),
                Hand::Empty | Hand::Spent { .. } => {}
            }
            if self.make() {
                return Next::Storage;
            }
            if self.can_transmit() {
                return Next::Transmit;
            }
            let state = self.state;
            self.conclude();
            if self.state == SessionState::Closed {
                return Next::Closed;
            }
            if self.state == state {
                let at_once = self.sink == Sink::Busy && self.hand != Hand::Empty;
                let until = if at_once { Some(self.shared.now) } else { self.deadline() };
                return Next::Wait(until);
            }
        }
    }

    fn poll(&mut self, now: Instant) -> Action<'_> {
        match self.next(now) {
            Next::Transmit => Action::Transmit(self.outbox.waiting()),
            Next::Wait(until) => {
                self.sink = Sink::Ready;
                if self.link == Link::Busy {
                    self.link = Link::Ready;
                }
                Action::Wait { until }
            }
            Next::Closed => Action::Closed(self.error.map_or(Ok(()), Err)),
            Next::Storage | Next::Event => self.lend(),
        }
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
            Making::Data { slot, room, .. } => self.fetch(slot, n.map(|n| n.min(room))),
            Making::Prefix { slot, room, .. } => self.verify(slot, n.map(|n| n.min(room))),
            _ => {}
        }
    }

    fn finished(&mut self, n: Result<usize, Refusal>) {
        if let Making::End { slot } = self.take_making() {
            self.finish(slot, n);
        }
    }

    fn said(&mut self, n: usize) {
        if let Making::Notice { number, room } = self.take_making() {
            self.notice(number, n.min(room));
        }
    }

    fn stored(&mut self, n: Result<usize, Refusal>) {
        let Hand::Frame { used, business: Business::Store { slot, payload, stored, sealed }, .. } = &mut self.hand else {
            return;
        };
        let (slot, payload, used, sealed) = (*slot, *payload, *used, *sealed);
        let Some(receiver) = self.role.receiver() else { return };
        match n {
            Ok(0) => {
                receiver.busy(slot);
                self.sink = Sink::Busy;
            }
            Ok(n) => {
                receiver.storing(slot, &mut self.shared);
                *stored = stored.saturating_add(n);
                if payload.start.saturating_add(*stored) >= payload.end {
                    let bytes = self.inbox.bytes(payload.range());
                    let sealed = sealed.map(|sealed| (sealed, &mut self.shift));
                    receiver.stored(slot, bytes, sealed, &mut self.crc, &self.shared);
                    self.hand = Hand::Spent { used };
                }
            }
            Err(refusal) => {
                receiver.failed(slot, refusal);
                self.hand = Hand::Spent { used };
            }
        }
    }

    fn synced(&mut self, transfer: TransferId, durable: u64) {
        if let Some(receiver) = self.role.receiver() {
            receiver.synced(transfer.0, durable);
        }
    }

    fn committed(&mut self, transfer: TransferId, result: Result<(), Refusal>) {
        if let Some(receiver) = self.role.receiver() {
            receiver.committed(transfer.0, result, &mut self.shared);
        }
    }
}

impl Business {
    fn next(&self) -> Next {
        match self {
            Self::Decide { .. } | Self::Wanted | Self::Store { .. } | Self::Commit { .. } => Next::Storage,
            _ => Next::Event,
        }
    }
}

impl<'b, R: Role<'b>, F: Framing, C: Crc32> Session<'b, R, F, C> {
    fn can_transmit(&self) -> bool {
        !self.outbox.is_empty() && self.link == Link::Ready
    }

    fn take_making(&mut self) -> Making {
        core::mem::replace(&mut self.making, Making::Nothing)
    }

    /// Lets go of a frame in hand that is done with, or was answered.
    fn let_go(&mut self) {
        if let (Hand::Frame { body, used, business }, Some(answer)) = (&self.hand, self.answer) {
            let (used, bytes) = (*used, self.inbox.bytes(body.range()));
            let result = match (business, self.role.sender(), Want::parse(bytes)) {
                (Business::Wanted, Some(sender), Ok(want)) => sender.wanted(&want, answer),
                _ => Ok(()),
            };
            if let (Business::Decide { slot }, Some(receiver)) = (business, self.role.receiver()) {
                let restart = Offer::parse(bytes).is_ok_and(|offer| offer.restart);
                receiver.decided(*slot, answer, restart, &mut self.shared);
            }
            self.answer = None;
            self.hand = Hand::Spent { used };
            if let Err(error) = result {
                self.fail(error.into());
            }
        }
        if let Hand::Spent { used } = self.hand {
            self.inbox.consume(used);
            self.hand = Hand::Empty;
        }
    }

    fn chore(&mut self) -> Option<Chore> {
        let between = !matches!(self.hand, Hand::Frame { business: Business::Store { stored: 1.., .. }, .. });
        self.role.receiver().and_then(|receiver| receiver.chore(between, &self.shared))
    }

    fn report(&mut self) -> Option<Report> {
        self.role.sender().and_then(|sender| sender.report())
    }

    /// What [`Next::Storage`] or [`Next::Event`] announced.
    fn lend(&mut self) -> Action<'_> {
        if self.making != Making::Nothing {
            return self.lend_making();
        }
        if let Some(chore) = self.chore() {
            if let Some(receiver) = self.role.receiver() {
                receiver.did(chore);
            }
            return lend_chore(chore);
        }
        if let Some(report) = self.report() {
            if let Some(sender) = self.role.sender() {
                sender.reported();
            }
            return Action::Event(match report {
                Report::Sent { transfer, how } => Event::Sent { transfer, how },
                Report::Failed { transfer, refusal } => Event::SendFailed(failure(transfer, refusal)),
            });
        }
        match self.hand {
            Hand::Frame { body, used, business } => self.lend_hand(body, used, business),
            Hand::Empty | Hand::Spent { .. } => Action::Wait { until: Some(self.shared.now) },
        }
    }

    fn lend_making(&mut self) -> Action<'_> {
        let digest = self.shared.digest();
        let id = |session: &mut Self, slot| {
            session.role.sender().map_or(TransferId(0), |sender| sender.slot_id(slot))
        };
        match self.making {
            Making::Nothing => Action::Wait { until: Some(self.shared.now) },
            Making::Offer { slot } => Action::Describe { transfer: id(self, slot), digest },
            Making::Want { want } => Action::Ask { want },
            Making::Data { slot, offset, room } | Making::Prefix { slot, offset, room } => {
                Action::Fetch { transfer: id(self, slot), offset, into: self.outbox.payload::<F>(room) }
            }
            Making::End { slot } => {
                Action::Finish { transfer: id(self, slot), into: self.outbox.payload::<F>(digest.len()) }
            }
            Making::Notice { number, room } => Action::Say { number, into: self.outbox.payload::<F>(room) },
        }
    }

    fn lend_hand(&mut self, body: Held, used: usize, business: Business) -> Action<'_> {
        match business {
            Business::Decide { .. } | Business::Wanted | Business::Store { .. } => {}
            _ => self.hand = Hand::Spent { used },
        }
        let nothing = Action::Wait { until: Some(self.shared.now) };
        match business {
            Business::Decide { slot } => {
                let Some(receiver) = self.role.receiver() else { return nothing };
                let transfer = TransferId(receiver.slot_id(slot));
                match Offer::parse(self.inbox.bytes(body.range())) {
                    Ok(offer) => Action::Offered(Offered { offer, transfer, answer: &mut self.answer }),
                    Err(_) => nothing,
                }
            }
            Business::Wanted => {
                let Some(sender) = self.role.sender() else { return nothing };
                let transfer = sender.next_id();
                match Want::parse(self.inbox.bytes(body.range())) {
                    Ok(want) => Action::Wanted(Wanted { want, transfer, answer: &mut self.answer }),
                    Err(_) => nothing,
                }
            }
            Business::Store { slot, payload, stored, .. } => {
                let Some(receiver) = self.role.receiver() else { return nothing };
                let transfer = TransferId(receiver.slot_id(slot));
                let offset = receiver.received(slot).saturating_add(stored as u64);
                let data = self.inbox.bytes(payload.start.saturating_add(stored)..payload.end);
                Action::Store { transfer, offset, data }
            }
            Business::Commit { slot } => {
                let Some(receiver) = self.role.receiver() else { return nothing };
                let transfer = TransferId(receiver.slot_id(slot));
                match End::parse(self.inbox.bytes(body.range())) {
                    Ok(End { size, check, digest, value, .. }) => {
                        Action::Commit { transfer, end: Ending { size, check, digest, value } }
                    }
                    Err(_) => nothing,
                }
            }
            Business::Opened => Action::Event(Event::Opened),
            Business::NoticeTaken => {
                let number = Pong::parse(self.inbox.bytes(body.range())).map_or(0, |pong| pong.number);
                Action::Event(Event::NoticeTaken { number })
            }
            Business::Notice => {
                let words = Notice::parse(self.inbox.bytes(body.range())).map_or("", |notice| notice.words);
                Action::Event(Event::Notice(words))
            }
            Business::Bye => {
                let code = Bye::parse(self.inbox.bytes(body.range())).map_or(Code::Other, |bye| bye.code);
                Action::Event(Event::Bye { code })
            }
            Business::SendFailed { slot } => {
                let Some(sender) = self.role.sender() else { return nothing };
                let transfer = sender.slot_id(slot);
                sender.told(slot);
                let (code, words) = peers_words(self.inbox.bytes(body.range()), self.inbox.bytes(body.kind()));
                Action::Event(Event::SendFailed(Failure { transfer, code, words, by: By::Peer }))
            }
            Business::ReceiveFailed { slot } => {
                let Some(receiver) = self.role.receiver() else { return nothing };
                let (id, want) = (receiver.slot_id(slot), receiver.slot_want(slot));
                receiver.told(slot);
                let (code, words) = peers_words(self.inbox.bytes(body.range()), self.inbox.bytes(body.kind()));
                Action::Event(match id {
                    0 => Event::WantFailed { want: WantId(want), code, words },
                    _ => Event::ReceiveFailed(Failure { transfer: TransferId(id), code, words, by: By::Peer }),
                })
            }
        }
    }
}

/// Code and words of a DECLINE, DONE or ABORT.
fn peers_words<'a>(body: &'a [u8], kind: &[u8]) -> (Code, &'a str) {
    use crate::wire::Kind;
    match kind.first().copied().and_then(Kind::from_code) {
        Some(Kind::Decline) => Decline::parse(body).map(|frame| (frame.code, frame.words)),
        Some(Kind::Done) => Done::parse(body).map(|frame| (frame.code, frame.words)),
        _ => Abort::parse(body).map(|frame| (frame.code, frame.words)),
    }
    .map(|(code, words)| (if code == Code::Ok { Code::Other } else { code }, words))
    .unwrap_or((Code::Other, ""))
}

fn failure(transfer: TransferId, Refusal { code, words }: Refusal) -> Failure<'static> {
    Failure { transfer, code, words, by: By::Us }
}

fn lend_chore<'a>(chore: Chore) -> Action<'a> {
    match chore {
        Chore::Sync { id, offset, check } => Action::Sync { transfer: TransferId(id), offset, check },
        Chore::Abandon { id, part } => Action::Abandon { transfer: TransferId(id), part },
        Chore::Received { id } => Action::Event(Event::Received { transfer: TransferId(id) }),
        Chore::Failed { id, refusal } => Action::Event(Event::ReceiveFailed(failure(TransferId(id), refusal))),
        Chore::WantFailed { want, refusal: Refusal { code, words } } => {
            Action::Event(Event::WantFailed { want, code, words })
        }
    }
}
