//! One transfer to this end: where it stands, and what is still owed for it.

mod owed;

pub(super) use owed::Chore;

use super::hand::Begin;
use super::shared::Shared;
use super::slots::Slot;
use super::transitions::{ReceiveEvent, ReceiveState};
use crate::action::{Answer, Refusal, ResumePoint, Takes};
use crate::framing::Reliability;
use crate::units::Instant;
use crate::wire::{Code, DigestKind, Offer};

/// One transfer to this end, or a WANT that is to become one.
///
/// The caller lends as many as may be open at a time; their number is what HELLO tells the peer.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Incoming {
    pub(super) state: ReceiveState,
    /// 0 before there is an OFFER.
    pub(super) id: u32,
    /// The WANT that it answers, or 0.
    pub(super) want: u32,
    /// No more than these bytes are taken.
    pub(super) size: u64,
    /// Everything below has been stored, and `check` is the CRC-32 of it.
    pub(super) received: u64,
    pub(super) check: u32,
    durable: u64,
    /// Bytes stored since a Sync was asked for, and when the first of them were.
    unsynced: u32,
    unsynced_since: Instant,
    /// Bytes stored since the last ACK.
    untold: u32,
    /// Where something was found missing last (§8.5), and 1: it is told once.
    missed: u64,
    /// Whether it has begun as an OFFER with *restart* asks for: that is obeyed once, for it may come twice (§8.5).
    pub(super) begun: Begin,
    pub(super) digest: DigestKind,
    pub(super) takes: Takes,
    credit: Credit,
    due: Due,
    owes: Owes,
    refusal: Refusal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Credit {
    Open,
    /// The sink is busy: the peer is told to wait.
    Closed,
}

/// What is known to be missing beyond everything that has been received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) start: u64,
    pub(super) length: u64,
}

/// The frame, other than ACK, that the peer is still to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Due {
    Nothing,
    /// Its name is asked for first.
    Want,
    Accept,
    Have,
    Decline,
    Done,
    Abort,
}

/// What else is still to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Owes(u8);

impl Owes {
    pub(super) const NOTHING: Self = Self(0);
    const ACK: Self = Self(1);
    /// An event for the application.
    pub(super) const REPORT: Self = Self(2);
    /// An event for the application, with the words of the frame in hand.
    pub(super) const WORDS: Self = Self(4);
    pub(super) const KEEP: Self = Self(8);
    pub(super) const DISCARD: Self = Self(16);
    /// The ACK says that something is missing beyond all that has been received.
    const GAP: Self = Self(32);

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl Incoming {
    /// A slot for a transfer.
    pub const FREE: Self = Self {
        state: ReceiveState::Free,
        id: 0,
        want: 0,
        size: 0,
        received: 0,
        check: 0,
        durable: 0,
        unsynced: 0,
        unsynced_since: Instant::ZERO,
        untold: 0,
        missed: 0,
        begun: Begin::Anywhere,
        digest: DigestKind::Crc32,
        takes: Takes::AnyOrder,
        credit: Credit::Open,
        due: Due::Nothing,
        owes: Owes::NOTHING,
        refusal: Refusal { code: Code::Ok, words: "" },
    };

    /// The size of a transfer that does not say its own: the most that a frame can reach.
    const UNKNOWN: u64 = u64::MAX - 1;

    pub(super) fn step(&mut self, event: ReceiveEvent) -> bool {
        match self.state.after(event) {
            Some(state) => {
                self.state = state;
                true
            }
            None => false,
        }
    }

    /// Whether it has an id and is not over.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.state, ReceiveState::Deciding | ReceiveState::Receiving | ReceiveState::Committing)
    }

    /// Whether the peer or the storage has still to do with it.
    pub(super) fn is_receiving(&self) -> bool {
        let ending = self.due != Due::Nothing || self.owes != Owes::REPORT;
        self.is_live() || (self.state == ReceiveState::Over && ending)
    }

    pub(super) fn is(&self, state: ReceiveState, due: Due) -> bool {
        self.state == state && self.due == due
    }

    /// Makes it a WANT that is to be sent.
    pub(super) fn ask(&mut self, want: u32) {
        self.step(ReceiveEvent::Ask);
        self.id = 0;
        self.want = want;
        self.due = Due::Want;
        log!(info, "wish {=u32}: asked", want);
    }

    /// The WANT was sent, or cannot be.
    pub(super) fn asked(&mut self, result: Result<(), Refusal>) {
        self.due = Due::Nothing;
        if let Err(refusal) = result {
            self.end(ReceiveEvent::Failed, Due::Nothing, refusal, Owes::REPORT);
        }
    }

    /// An OFFER came for it; whether one may.
    pub(super) fn offer(&mut self, offer: &Offer<'_>) -> bool {
        if !self.step(ReceiveEvent::Offer) {
            return false;
        }
        self.id = offer.transfer;
        log!(info, "receives {=u32}: offered {}, restart: {=bool}", self.id, offer.size, offer.restart);
        self.refusal = Code::Ok.into();
        self.size = if offer.directory { 0 } else { offer.size.unwrap_or(Self::UNKNOWN).min(Self::UNKNOWN) };
        self.digest = offer.digest;
        self.unsynced = 0;
        self.due = Due::Nothing;
        self.owes = Owes::NOTHING;
        true
    }

    /// Whether `size` is what the OFFER has announced, if it has.
    pub(super) fn may_end_at(&self, size: u64) -> bool {
        self.size == Self::UNKNOWN || self.size == size
    }

    /// The storage has decided.
    pub(super) fn decided(&mut self, answer: Answer, begin: Begin, now: Instant) {
        match answer {
            Answer::Accept(from, takes) => {
                self.step(ReceiveEvent::Accept);
                self.takes = takes;
                self.begun = begin;
                let afresh = begin == Begin::AtStart || from.offset > self.size;
                self.begin(if afresh { ResumePoint::START } else { from }, now);
            }
            Answer::Have => {
                self.end(ReceiveEvent::Have, Due::Have, Code::Ok.into(), Owes::REPORT);
            }
            Answer::Refuse(refusal) => {
                self.end(ReceiveEvent::Decline, Due::Decline, refusal.failed(), Owes::REPORT);
            }
        }
    }

    fn begin(&mut self, from: ResumePoint, now: Instant) {
        self.received = from.offset;
        self.check = from.check;
        self.durable = from.offset;
        self.unsynced = 0;
        self.unsynced_since = now;
        self.untold = 0;
        self.missed = 0;
        self.credit = Credit::Open;
        self.due = Due::Accept;
        log!(info, "receives {=u32}: from {=u64}", self.id, from.offset);
    }

    /// The answer to the OFFER may be lost: it is said again, from what has come by now.
    pub(super) fn accepts_again(&mut self) {
        if self.state == ReceiveState::Receiving && self.due == Due::Nothing {
            self.due = Due::Accept;
        }
    }

    /// What was said may be lost: of a WANT the name is asked for again.
    pub(super) fn repeat(&mut self) {
        if self.is(ReceiveState::Wanted, Due::Nothing) {
            self.due = Due::Want;
        }
        self.owe_ack();
    }

    /// Bytes have come, and were dropped, before those that are next after `reach`.
    pub(super) fn misses(&mut self, reach: u64) {
        if self.missed != reach.saturating_add(1) {
            self.lacks(reach);
        }
    }

    /// What is next after `reach`, up to which something has been received, is missing.
    pub(super) fn lacks(&mut self, reach: u64) {
        log!(debug, "receives {=u32}: lacks what follows {=u64}", self.id, reach);
        self.missed = reach.saturating_add(1);
        self.owes = self.owes.and(Owes::ACK).and(Owes::GAP);
    }

    /// What the ACK that is owed says to be missing beyond `reach`.
    pub(super) fn tail(&self, reach: u64) -> Option<Tail> {
        let missing = self.owes.has(Owes::GAP) && self.missed == reach.saturating_add(1);
        let known = if self.size == Self::UNKNOWN { 0 } else { self.size.saturating_sub(reach) };
        missing.then_some(Tail { start: reach, length: known.max(1) })
    }

    /// Says how far it is, if that was not said yet.
    pub(super) fn tell(&mut self) {
        if self.untold > 0 {
            self.owe_ack();
        }
    }

    /// How it ended, if that is over and was told.
    pub(super) fn ended_with(&self) -> Option<Code> {
        (self.state == ReceiveState::Free).then_some(self.refusal.code)
    }

    /// `length` more bytes are stored; `check` is the CRC-32 of all.
    pub(super) fn stored(&mut self, length: usize, check: u32, shared: &Shared<'_>) {
        if self.unsynced == 0 {
            self.unsynced_since = shared.now;
        }
        self.grow(length as u64, check);
        self.took(length, shared);
    }

    fn grow(&mut self, length: u64, check: u32) {
        self.received = self.received.saturating_add(length);
        self.check = check;
        self.unsynced = self.unsynced.saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
    }

    /// The sink has taken bytes, of the beginning or beyond a gap.
    pub(super) fn took(&mut self, length: usize, shared: &Shared<'_>) {
        let added = u32::try_from(length).unwrap_or(u32::MAX);
        self.untold = self.untold.saturating_add(added);
        let enough = match shared.link {
            // At every second frame.
            Reliability::Datagrams => added.saturating_mul(2).min(shared.limits.window / 2),
            _ => shared.limits.window / 2,
        };
        if self.untold >= enough {
            self.owe_ack();
        }
        self.credit(Credit::Open);
    }

    /// A gap is closed: `length` more bytes, that were stored before, follow what is received; `check` is the CRC-32 of all.
    pub(super) fn joins(&mut self, length: u64, check: u32) {
        self.grow(length, check);
        self.owe_ack();
    }

    /// The sink is busy: credit 0 is told once (§10.3).
    pub(super) fn busy(&mut self) {
        self.credit(Credit::Closed);
    }

    fn credit(&mut self, credit: Credit) {
        if self.credit != credit {
            self.credit = credit;
            log!(trace, "receives {=u32}: credit {}", self.id, credit);
            self.owe_ack();
        }
    }

    pub(super) fn owe_ack(&mut self) {
        if self.state == ReceiveState::Receiving {
            self.owes = self.owes.and(Owes::ACK);
        }
    }

    pub(super) fn synced(&mut self, durable: u64) {
        if durable > self.durable {
            self.durable = durable.min(self.received);
            log!(trace, "receives {=u32}: durable up to {=u64}", self.id, self.durable);
            self.owe_ack();
        }
    }

    /// It is over, if `event` may end it: `due` is its last frame.
    fn end(&mut self, event: ReceiveEvent, due: Due, refusal: Refusal, owes: Owes) -> bool {
        let ends = self.step(event);
        if ends {
            self.due = due;
            self.refusal = refusal;
            self.owes = owes;
            log_end!(
                refusal,
                "receives {=u32} (wish {=u32}): {}",
                "receives {=u32} (wish {=u32}): {}, {} {=str}",
                self.id,
                self.want,
                event
            );
        }
        ends
    }

    /// The commit has ended; whether one was awaited.
    pub(super) fn committed(&mut self, result: Result<(), Refusal>) -> bool {
        let (refusal, part) = match result.map_err(Refusal::failed) {
            Ok(()) => (Code::Ok.into(), Owes::NOTHING),
            Err(refusal) if refusal.code == Code::Integrity => (refusal, Owes::DISCARD),
            Err(refusal) => (refusal, Owes::KEEP),
        };
        self.end(ReceiveEvent::Committed, Due::Done, refusal, Owes::REPORT.and(part))
    }

    /// What has come is not what was sent.
    pub(super) fn differs(&mut self, words: &'static str) {
        let refusal = Refusal { code: Code::Integrity, words };
        self.end(ReceiveEvent::EndWrong, Due::Done, refusal, Owes::REPORT.and(Owes::DISCARD));
    }

    /// The peer ends it; whether it can. The words of its frame are to be told.
    pub(super) fn aborted(&mut self, code: Code, part: Owes) -> bool {
        self.end(ReceiveEvent::Aborted, Due::Nothing, code.into(), Owes::WORDS.and(part))
    }

    /// The peer has ended it, and its word was lost.
    pub(super) fn left_alone(&mut self) {
        if self.state == ReceiveState::Receiving {
            let owes = Owes::REPORT.and(Owes::KEEP);
            self.end(ReceiveEvent::Aborted, Due::Nothing, Code::Cancelled.into(), owes);
        }
    }

    /// The storage failed.
    pub(super) fn store_failed(&mut self, refusal: Refusal) {
        self.fail(refusal, Owes::KEEP);
    }

    /// It is given up here.
    pub(super) fn fail(&mut self, refusal: Refusal, part: Owes) -> bool {
        self.end(ReceiveEvent::Failed, Due::Abort, refusal.failed(), Owes::REPORT.and(part))
    }

    /// The link is gone: its part is kept for the next one.
    pub(super) fn lost(&mut self) {
        let kept = Owes::KEEP.and(Owes::DISCARD).and(Owes::REPORT);
        self.due = Due::Nothing;
        self.owes = match self.state {
            ReceiveState::Receiving | ReceiveState::Deciding => Owes::KEEP,
            _ => Owes(self.owes.0 & kept.0),
        };
        if self.state == ReceiveState::Receiving {
            self.step(ReceiveEvent::Aborted);
            log!(warn, "receives {=u32}: cut off at {=u64}", self.id, self.received);
        }
        self.settle();
    }

    /// Frees the slot of what is over, once nothing is owed.
    fn settle(&mut self) {
        let settled = self.due == Due::Nothing && self.owes == Owes::NOTHING;
        // Its id and how it ended are remembered as long as nothing else needs the slot (§8.5).
        if settled && self.step(ReceiveEvent::Clear) {
            self.want = 0;
        }
    }
}

impl Slot for Incoming {
    fn is_free(&self) -> bool {
        self.state == ReceiveState::Free
    }
}

impl Default for Incoming {
    fn default() -> Self {
        Self::FREE
    }
}
