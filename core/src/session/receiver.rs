//! The receiver's half of a session (§10).

use super::outbox::Sealed;
use super::shared::Shared;
use super::transitions::{ReceiveEvent, ReceiveState};
use crate::action::{Answer, By, Refusal, ResumePoint};
use crate::error::PeerError;
use crate::storage::Part;
use crate::units::{Instant, WantId};
use crate::wire::{
    Abort, Accept, Ack, Answered, Code, Crc32, Data, Decline, DigestKind, Done, End, Gaps, Kind, Offer, Scope,
    Shift, Writer,
};

/// One transfer to this end, or a WANT that is to become one.
///
/// The caller lends as many as may be open at a time; their number is what HELLO tells the peer.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Incoming {
    state: ReceiveState,
    id: u32,
    want: u32,
    size: Option<u64>,
    /// Everything below has been stored, and `check` is the CRC-32 of it.
    received: u64,
    check: u32,
    durable: u64,
    /// What the last Sync was asked for.
    syncing: u64,
    /// When the first byte after that was stored.
    unsynced_since: Instant,
    /// What the last ACK said.
    told: u64,
    digest: DigestKind,
    credit: Credit,
    owes: Owes,
    last: Last,
    by: By,
    refusal: Refusal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Credit {
    Open,
    /// The sink is busy: the peer is told to wait.
    Closed,
}

/// The frame that ends a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Last {
    Accept,
    Decline,
    Done,
    Abort,
}

/// What is still to be done for a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Owes(u8);

impl Owes {
    const NOTHING: Self = Self(0);
    /// The frame of the state: WANT, ACCEPT, or the last one.
    const FRAME: Self = Self(1);
    const ACK: Self = Self(2);
    /// An event for the application.
    const REPORT: Self = Self(4);
    const KEEP: Self = Self(8);
    const DISCARD: Self = Self(16);
    /// An event for the application, with the words of the frame in hand.
    const WORDS: Self = Self(32);

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    const fn and(self, other: Self) -> Self {
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
        size: None,
        received: 0,
        check: 0,
        durable: 0,
        syncing: 0,
        unsynced_since: Instant::ZERO,
        told: 0,
        digest: DigestKind::Crc32,
        credit: Credit::Open,
        owes: Owes::NOTHING,
        last: Last::Done,
        by: By::Us,
        refusal: Refusal { code: Code::Ok, words: "" },
    };

    fn step(&mut self, event: ReceiveEvent) -> bool {
        match self.state.after(event) {
            Some(state) => {
                self.state = state;
                true
            }
            None => false,
        }
    }

    fn end(&mut self, last: Last, refusal: Refusal, owes: Owes) {
        self.last = last;
        self.refusal = refusal;
        self.owes = owes;
        self.by = By::Us;
    }

    fn settle(&mut self) {
        if self.state == ReceiveState::Over && self.owes == Owes::NOTHING && self.step(ReceiveEvent::Clear) {
            *self = Self::FREE;
        }
    }

    fn begin(&mut self, from: ResumePoint, now: Instant) {
        self.received = from.offset;
        self.check = from.check;
        self.durable = from.offset;
        self.syncing = from.offset;
        self.told = from.offset;
        self.unsynced_since = now;
        self.credit = Credit::Open;
    }
}

/// What the frame in hand asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Nothing,
    /// The storage decides on an offer.
    Decide { slot: usize },
    /// The storage takes the `payload` bytes at the end of the frame, but for the first `skip` of them.
    Store { slot: usize, payload: usize, skip: usize },
    /// The storage commits.
    Commit { slot: usize },
    /// The application is told that a WANT is refused, or a transfer given up.
    Failed { slot: usize },
}

/// What the storage or the application is to be asked or told, apart from frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chore {
    Sync { id: u32, offset: u64, check: u32 },
    Abandon { id: u32, part: Part },
    Received { id: u32 },
    Failed { id: u32, refusal: Refusal },
    WantFailed { want: WantId, refusal: Refusal },
}

/// The receiver's half of a session.
#[derive(Debug)]
pub struct Receiver<'b> {
    slots: &'b mut [Incoming],
    /// The highest id that was offered.
    last_id: u32,
    /// The number of the newest WANT.
    last_want: u32,
    /// Offers that are declined without a slot.
    refused: heapless::Deque<(u32, Code), 4>,
}

impl<'b> Receiver<'b> {
    /// A receiver of as many transfers at a time as there are `slots`; at least one.
    pub fn new(slots: &'b mut [Incoming]) -> Self {
        slots.fill(Incoming::FREE);
        Self { slots, last_id: 0, last_want: 0, refused: heapless::Deque::new() }
    }

    pub(super) fn capacity(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// Whether a transfer is under way, or wanted.
    pub(super) fn is_active(&self) -> bool {
        self.slots.iter().any(|slot| slot.state != ReceiveState::Free)
    }

    /// Whether a transfer is under way.
    pub(super) fn is_receiving(&self) -> bool {
        self.slots.iter().any(|slot| {
            !matches!(slot.state, ReceiveState::Free | ReceiveState::Wanted) && slot.owes != Owes::REPORT
        })
    }

    /// Whether a WANT is to be sent, or its answer awaited.
    pub(super) fn is_asking(&self) -> bool {
        self.slots.iter().any(|slot| slot.state == ReceiveState::Wanted)
    }

    fn find(&self, id: u32) -> Option<usize> {
        self.slots.iter().position(|slot| {
            slot.id == id && !matches!(slot.state, ReceiveState::Free | ReceiveState::Wanted | ReceiveState::Over)
        })
    }

    pub(super) fn slot_id(&self, slot: usize) -> u32 {
        self.slots.get(slot).map_or(0, |slot| slot.id)
    }

    pub(super) fn slot_want(&self, slot: usize) -> u32 {
        self.slots.get(slot).map_or(0, |slot| slot.want)
    }

    // Asking.

    pub(super) fn want(&mut self, peer_takes: u32) -> Option<WantId> {
        let open = self.slots.iter().filter(|slot| slot.want != 0).count();
        if open as u64 >= peer_takes.into() {
            return None;
        }
        let slot = self.slots.iter_mut().find(|slot| slot.state == ReceiveState::Free)?;
        slot.step(ReceiveEvent::Ask);
        self.last_want = self.last_want.saturating_add(1);
        slot.want = self.last_want;
        slot.owes = Owes::FRAME;
        Some(WantId(self.last_want))
    }

    /// The WANT whose name the storage must say.
    pub(super) fn asking(&self) -> Option<WantId> {
        let slot = self
            .slots
            .iter()
            .filter(|slot| slot.state == ReceiveState::Wanted && slot.owes.has(Owes::FRAME))
            .min_by_key(|slot| slot.want)?;
        Some(WantId(slot.want))
    }

    /// The WANT was sent, or cannot be.
    pub(super) fn asked(&mut self, want: WantId, result: Result<(), Refusal>) {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.want == want.0) else { return };
        slot.owes = Owes::NOTHING;
        if let Err(refusal) = result {
            slot.step(ReceiveEvent::Failed);
            slot.end(Last::Done, refusal, Owes::REPORT);
        }
    }

    // Frames.

    pub(super) fn offer(&mut self, offer: &Offer<'_>, shared: &mut Shared<'_>) -> Result<Taken, PeerError> {
        let unexpected = PeerError::Unexpected(Kind::Offer);
        let id = offer.transfer;
        let slot = if let Some(slot) = self.find(id) {
            if !offer.restart {
                return Err(unexpected);
            }
            slot
        } else {
            if id <= self.last_id && !offer.restart {
                return Err(unexpected);
            }
            let found = match offer.want {
                Some(want) => self.slots.iter().position(|slot| {
                    slot.want == want && slot.state == ReceiveState::Wanted && !slot.owes.has(Owes::FRAME)
                }),
                None => self.slots.iter().position(|slot| slot.state == ReceiveState::Free),
            };
            self.last_id = self.last_id.max(id);
            let Some(slot) = found else {
                if offer.want.is_some() {
                    return Err(unexpected);
                }
                return self.refuse(id, Code::Busy);
            };
            slot
        };
        let Some(incoming) = self.slots.get_mut(slot) else { return Err(unexpected) };
        if !incoming.step(ReceiveEvent::Offer) {
            return Err(unexpected);
        }
        incoming.id = id;
        incoming.size = if offer.directory { Some(0) } else { offer.size };
        incoming.digest = offer.digest;
        incoming.owes = Owes::NOTHING;
        shared.progress();
        Ok(Taken::Decide { slot })
    }

    /// Declines an offer that has no slot.
    pub(super) fn refuse(&mut self, id: u32, code: Code) -> Result<Taken, PeerError> {
        match self.refused.push_back((id, code)) {
            Ok(()) => Ok(Taken::Nothing),
            Err(_) => Err(PeerError::TooManyOpen),
        }
    }

    /// The storage has decided.
    pub(super) fn decided(&mut self, slot: usize, answer: Answer, restart: bool, shared: &mut Shared<'_>) {
        let Some(incoming) = self.slots.get_mut(slot) else { return };
        shared.progress();
        match answer {
            Answer::Accept(from) => {
                incoming.step(ReceiveEvent::Accept);
                let beyond = incoming.size.is_some_and(|size| from.offset > size);
                incoming.begin(if restart || beyond { ResumePoint::START } else { from }, shared.now);
                incoming.owes = Owes::FRAME;
            }
            Answer::Have => {
                incoming.step(ReceiveEvent::Have);
                incoming.end(Last::Accept, Code::Ok.into(), Owes::FRAME.and(Owes::REPORT));
            }
            Answer::Refuse(refusal) => {
                incoming.step(ReceiveEvent::Decline);
                incoming.end(Last::Decline, refusal, Owes::FRAME.and(Owes::REPORT));
            }
        }
    }

    pub(super) fn data(&mut self, data: &Data<'_>) -> Result<Taken, PeerError> {
        let Some(slot) = self.find(data.transfer) else {
            return self.late(data.transfer, Kind::Data);
        };
        let Some(incoming) = self.slots.get_mut(slot) else { return Ok(Taken::Nothing) };
        if incoming.state != ReceiveState::Receiving {
            return Err(PeerError::Unexpected(Kind::Data));
        }
        let end = data.offset.saturating_add(data.payload.len() as u64);
        if end == u64::MAX || incoming.size.is_some_and(|size| end > size) {
            incoming.step(ReceiveEvent::Failed);
            incoming.end(
                Last::Abort,
                Refusal { code: Code::TooLarge, words: "more bytes than announced" },
                Owes::FRAME.and(Owes::REPORT).and(Owes::DISCARD),
            );
            return Ok(Taken::Nothing);
        }
        if end <= incoming.received {
            return Ok(Taken::Nothing);
        }
        let Some(skip) = incoming.received.checked_sub(data.offset) else {
            return Err(PeerError::Unexpected(Kind::Data));
        };
        let payload = data.payload.len();
        Ok(Taken::Store { slot, payload, skip: usize::try_from(skip).unwrap_or(payload) })
    }

    /// A frame for a transfer that is over here, or that never was.
    fn late(&self, id: u32, kind: Kind) -> Result<Taken, PeerError> {
        if id <= self.last_id { Ok(Taken::Nothing) } else { Err(PeerError::Unexpected(kind)) }
    }

    pub(super) fn end(&mut self, end: &End<'_>, shared: &mut Shared<'_>) -> Result<Taken, PeerError> {
        let Some(slot) = self.find(end.transfer) else {
            return self.late(end.transfer, Kind::End);
        };
        let Some(incoming) = self.slots.get_mut(slot) else { return Ok(Taken::Nothing) };
        if incoming.state != ReceiveState::Receiving || end.digest != incoming.digest {
            return Err(PeerError::Unexpected(Kind::End));
        }
        shared.progress();
        let announced = incoming.size.is_none_or(|size| size == end.size);
        if announced && end.size == incoming.received && end.check == incoming.check {
            incoming.step(ReceiveEvent::EndRight);
            return Ok(Taken::Commit { slot });
        }
        incoming.step(ReceiveEvent::EndWrong);
        let words = if announced && end.size == incoming.received { "check differs" } else { "size differs" };
        incoming.end(
            Last::Done,
            Refusal { code: Code::Integrity, words },
            Owes::FRAME.and(Owes::REPORT).and(Owes::DISCARD),
        );
        Ok(Taken::Nothing)
    }

    /// The sender has given the transfer up.
    pub(super) fn aborted(&mut self, abort: &Abort<'_>) -> Taken {
        let Some(slot) = self.find(abort.transfer) else { return Taken::Nothing };
        let Some(incoming) = self.slots.get_mut(slot) else { return Taken::Nothing };
        if !incoming.step(ReceiveEvent::Aborted) {
            return Taken::Nothing;
        }
        let part = if matches!(abort.code, Code::Changed | Code::Integrity) { Owes::DISCARD } else { Owes::KEEP };
        incoming.end(Last::Abort, abort.code.into(), part.and(Owes::WORDS));
        incoming.by = By::Peer;
        Taken::Failed { slot }
    }

    pub(super) fn declined(&mut self, decline: &Decline<'_>) -> Taken {
        let wanted =
            |slot: &Incoming| slot.want == decline.number && slot.state == ReceiveState::Wanted;
        let Some(slot) = self.slots.iter().position(wanted) else { return Taken::Nothing };
        let Some(incoming) = self.slots.get_mut(slot) else { return Taken::Nothing };
        incoming.step(ReceiveEvent::Aborted);
        incoming.end(Last::Done, decline.code.into(), Owes::WORDS);
        incoming.by = By::Peer;
        Taken::Failed { slot }
    }

    /// What [`Taken::Failed`] is about has been told.
    pub(super) fn told(&mut self, slot: usize) {
        if let Some(incoming) = self.slots.get_mut(slot) {
            incoming.owes = incoming.owes.without(Owes::WORDS);
            incoming.settle();
        }
    }

    /// PING: every ACK in force follows the PONG (§4.2).
    pub(super) fn pinged(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| slot.state == ReceiveState::Receiving) {
            slot.owes = slot.owes.and(Owes::ACK);
        }
    }

    // Answers of the storage.

    pub(super) fn received(&self, slot: usize) -> u64 {
        self.slots.get(slot).map_or(0, |slot| slot.received)
    }

    pub(super) fn awaits_data(&self, slot: usize) -> bool {
        self.slots.get(slot).is_some_and(|slot| slot.state == ReceiveState::Receiving)
    }

    /// The sink took some of a frame's payload.
    pub(super) fn storing(&mut self, slot: usize, shared: &mut Shared<'_>) {
        shared.progress();
        if let Some(incoming) = self.slots.get_mut(slot) {
            if incoming.credit == Credit::Closed {
                incoming.credit = Credit::Open;
                incoming.owes = incoming.owes.and(Owes::ACK);
            }
        }
    }

    /// The sink is busy: credit 0 is told once (§10.3).
    pub(super) fn busy(&mut self, slot: usize) {
        if let Some(incoming) = self.slots.get_mut(slot) {
            if incoming.credit == Credit::Open {
                incoming.credit = Credit::Closed;
                incoming.owes = incoming.owes.and(Owes::ACK);
            }
        }
    }

    /// All of `payload` is stored, a whole frame's if `sealed` says so, else what was wanted of it.
    pub(super) fn stored<C: Crc32>(
        &mut self,
        slot: usize,
        payload: &[u8],
        sealed: Option<(Sealed, &mut Shift)>,
        crc: &mut C,
        shared: &Shared<'_>,
    ) {
        let Some(incoming) = self.slots.get_mut(slot) else { return };
        let length = payload.len() as u64;
        incoming.check = match sealed {
            Some((sealed, shift)) => {
                if shift.len() != length {
                    *shift = Shift::new(length);
                }
                sealed.extend(incoming.check, shift)
            }
            None => crc.update(incoming.check, payload),
        };
        if incoming.received == incoming.syncing {
            incoming.unsynced_since = shared.now;
        }
        incoming.received = incoming.received.saturating_add(length);
        let untold = incoming.received.saturating_sub(incoming.told);
        if untold >= u64::from(shared.limits.window / 2) {
            incoming.owes = incoming.owes.and(Owes::ACK);
        }
    }

    /// The storage failed.
    pub(super) fn failed(&mut self, slot: usize, refusal: Refusal) {
        if let Some(incoming) = self.slots.get_mut(slot) {
            incoming.step(ReceiveEvent::Failed);
            incoming.end(Last::Abort, refusal, Owes::FRAME.and(Owes::REPORT).and(Owes::KEEP));
        }
    }

    /// The application gives a transfer up.
    pub(super) fn cancel(&mut self, id: u32, refusal: Refusal) {
        if let Some(slot) = self.find(id).filter(|slot| self.awaits_data(*slot)) {
            self.failed(slot, refusal);
        }
    }

    pub(super) fn synced(&mut self, id: u32, durable: u64) {
        let Some(slot) = self.find(id) else { return };
        let Some(incoming) = self.slots.get_mut(slot) else { return };
        if incoming.state == ReceiveState::Receiving && durable > incoming.durable {
            incoming.durable = durable.min(incoming.received);
            incoming.owes = incoming.owes.and(Owes::ACK);
        }
    }

    pub(super) fn committed(&mut self, id: u32, result: Result<(), Refusal>, shared: &mut Shared<'_>) {
        let Some(slot) = self.find(id) else { return };
        let Some(incoming) = self.slots.get_mut(slot) else { return };
        if incoming.step(ReceiveEvent::Committed) {
            shared.progress();
            let part = match result {
                Ok(()) => Owes::NOTHING,
                Err(refusal) if refusal.code == Code::Integrity => Owes::DISCARD,
                Err(_) => Owes::KEEP,
            };
            let refusal = result.err().unwrap_or(Code::Ok.into());
            incoming.end(Last::Done, refusal, Owes::FRAME.and(Owes::REPORT).and(part));
        }
    }

    /// The session is over: parts are kept for the next one.
    pub(super) fn lost(&mut self) {
        self.refused.clear();
        for slot in self.slots.iter_mut() {
            let live = matches!(slot.state, ReceiveState::Receiving | ReceiveState::Deciding);
            let part = slot.owes.0 & (Owes::KEEP.0 | Owes::DISCARD.0 | Owes::REPORT.0);
            if slot.state == ReceiveState::Receiving {
                slot.step(ReceiveEvent::Aborted);
            }
            slot.owes = if live { Owes::KEEP } else { Owes(part) };
            slot.settle();
        }
    }

    // Doing what is owed.

    /// Writes one frame that is owed; whether there was one.
    pub(super) fn emit(&mut self, w: &mut Writer<'_>, shared: &Shared<'_>) -> bool {
        if let Some((number, code)) = self.refused.pop_front() {
            Decline { what: Answered::Offer, number, code, words: "" }.emit(w);
            return true;
        }
        let owing = |slot: &&mut Incoming| {
            slot.owes.has(Owes::ACK) || (slot.owes.has(Owes::FRAME) && slot.state != ReceiveState::Wanted)
        };
        let Some(slot) = self.slots.iter_mut().find(owing) else { return false };
        let transfer = slot.id;
        let Refusal { code, words } = slot.refusal;
        let credit = match slot.credit {
            Credit::Open => shared.limits.window,
            Credit::Closed => 0,
        };
        if slot.owes.has(Owes::FRAME) {
            slot.owes = slot.owes.without(Owes::FRAME);
            match (slot.state, slot.last) {
                (ReceiveState::Receiving | ReceiveState::Committing, _) => {
                    let (offset, check) = (slot.received, slot.check);
                    Accept { transfer, have: false, offset, check, credit }.emit(w);
                }
                (_, Last::Accept) => {
                    Accept { transfer, have: true, offset: 0, check: 0, credit: 0 }.emit(w);
                }
                (_, Last::Decline) => {
                    Decline { what: Answered::Offer, number: transfer, code, words }.emit(w);
                }
                (_, Last::Done) => Done { transfer, code, words }.emit(w),
                (_, Last::Abort) => Abort { scope: Scope::Receiving, transfer, code, words }.emit(w),
            }
            slot.settle();
            return true;
        }
        slot.owes = slot.owes.without(Owes::ACK);
        slot.told = slot.received;
        let (received, durable) = (slot.received, slot.durable);
        Ack { transfer, received, durable, credit, gaps: Gaps::NONE }.emit(w);
        true
    }

    /// What the storage or the application is to be asked or told next. A Sync may be asked for only `between` frames.
    pub(super) fn chore(&self, between: bool, shared: &Shared<'_>) -> Option<Chore> {
        self.slots.iter().find_map(|slot| slot.chore(between, shared))
    }

    /// The chore has been handed out.
    pub(super) fn did(&mut self, chore: Chore) {
        let (done, id) = match chore {
            Chore::Sync { id, .. } => (Owes::NOTHING, id),
            Chore::Abandon { id, .. } => (Owes::KEEP.and(Owes::DISCARD), id),
            Chore::Received { id } | Chore::Failed { id, .. } => (Owes::REPORT, id),
            Chore::WantFailed { want, .. } => {
                if let Some(slot) = self.slots.iter_mut().find(|slot| slot.want == want.0) {
                    slot.owes = slot.owes.without(Owes::REPORT);
                    slot.settle();
                }
                return;
            }
        };
        let doing = |slot: &&mut Incoming| {
            slot.id == id && (slot.owes.has(done) || (done == Owes::NOTHING && slot.state == ReceiveState::Receiving))
        };
        if let Some(slot) = self.slots.iter_mut().find(doing) {
            if let Chore::Sync { offset, .. } = chore {
                slot.syncing = offset;
            }
            slot.owes = slot.owes.without(done);
            slot.settle();
        }
    }

    /// When a Sync is due.
    pub(super) fn deadline(&self, shared: &Shared<'_>) -> Option<Instant> {
        self.slots.iter().filter_map(|slot| slot.sync_due(shared)).min()
    }
}

impl Incoming {
    fn sync_due(&self, shared: &Shared<'_>) -> Option<Instant> {
        let waiting = self.state == ReceiveState::Receiving && self.received > self.syncing;
        waiting.then(|| self.unsynced_since.after(shared.limits.sync_interval))
    }

    fn chore(&self, between: bool, shared: &Shared<'_>) -> Option<Chore> {
        let id = self.id;
        if self.owes.has(Owes::DISCARD) {
            return Some(Chore::Abandon { id, part: Part::Discard });
        }
        if self.owes.has(Owes::KEEP) {
            return Some(Chore::Abandon { id, part: Part::Keep });
        }
        if self.owes.has(Owes::REPORT) && self.state == ReceiveState::Over {
            let refusal = self.refusal;
            return Some(match (id, refusal.code, self.last) {
                (0, ..) => Chore::WantFailed { want: WantId(self.want), refusal },
                (_, Code::Ok, Last::Done | Last::Accept) => Chore::Received { id },
                _ => Chore::Failed { id, refusal },
            });
        }
        let unsynced = self.received.saturating_sub(self.syncing);
        let due = self.sync_due(shared).is_some_and(|due| due <= shared.now);
        let enough = unsynced >= shared.limits.sync_bytes.into();
        (between && self.state == ReceiveState::Receiving && (due || (enough && unsynced > 0)))
            .then_some(Chore::Sync { id, offset: self.received, check: self.check })
    }
}

impl Default for Incoming {
    fn default() -> Self {
        Self::FREE
    }
}
