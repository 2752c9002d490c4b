//! The sender's half of a session (§9).

use super::outbox::Sealed;
use super::shared::Shared;
use super::transitions::{SendEvent, SendState};
use crate::action::{Answer, Refusal, Sent};
use crate::error::PeerError;
use crate::storage::{Description, FileType, Start};
use crate::units::TransferId;
use crate::wire::{
    Abort, Accept, Ack, Answered, Code, Crc32, Data, Decline, Done, End, Kind, MIN_FRAME, Offer, Scope, Shift,
    UncheckedName, Want, Writer,
};

/// One transfer from this end.
///
/// The caller lends as many as may be queued or under way at a time.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Outgoing {
    state: SendState,
    id: u32,
    want: u32,
    size: Option<u64>,
    /// DATA up to here was sent, and `check` is the CRC-32 of it.
    sent: u64,
    check: u32,
    acked: u64,
    /// DATA may go up to here.
    limit: u64,
    /// What the receiver's part is to be compared with.
    prefix: u64,
    prefix_check: u32,
    start: Start,
    answered: Reply,
    attempt: Attempt,
    source: SourceEnd,
    owes: Owes,
    refusal: Refusal,
    how: Sent,
}

/// Whether the receiver has answered the OFFER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Reply {
    Awaited,
    Given,
}

/// How often a transfer was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Attempt {
    First,
    /// The receiver's part was of other contents.
    Restart,
    /// The receiver found it wrong once; a second time is an error (§9.5).
    AfterIntegrity,
}

/// What is known of the source's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum SourceEnd {
    Ahead,
    Reached,
}

/// What is still to be done for a transfer that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Owes {
    Nothing,
    /// DECLINE of a WANT.
    Decline,
    /// ABORT, then the report.
    Abort,
    /// The application is to be told.
    Report,
}

impl Outgoing {
    /// A slot for a transfer.
    pub const FREE: Self = Self {
        state: SendState::Free,
        id: 0,
        want: 0,
        size: None,
        sent: 0,
        check: 0,
        acked: 0,
        limit: 0,
        prefix: 0,
        prefix_check: 0,
        start: Start::AfterAnswer,
        answered: Reply::Awaited,
        attempt: Attempt::First,
        source: SourceEnd::Ahead,
        owes: Owes::Nothing,
        refusal: Refusal { code: Code::Ok, words: "" },
        how: Sent::Stored,
    };

    fn step(&mut self, event: SendEvent) -> bool {
        match self.state.after(event) {
            Some(state) => {
                self.state = state;
                true
            }
            None => false,
        }
    }

    fn settle(&mut self) {
        if self.owes == Owes::Nothing && self.step(SendEvent::Clear) {
            *self = Self::FREE;
        }
    }

    /// Bytes sent and not yet acknowledged.
    fn flight(&self) -> u64 {
        match self.state {
            SendState::Offered | SendState::Sending | SendState::Ended => self.sent.saturating_sub(self.acked),
            _ => 0,
        }
    }

    fn again(&mut self, attempt: Attempt) {
        self.attempt = attempt;
        self.sent = 0;
        self.check = 0;
        self.acked = 0;
        self.source = SourceEnd::Ahead;
    }
}

/// Whose direction may carry DATA, where only one may (§11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Ours,
    Peers,
}

/// What the sender asks of its storage next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Describe { slot: usize },
    /// Read for a DATA frame.
    Fetch { slot: usize, offset: u64, room: usize },
    /// Read to compare the prefix.
    Verify { slot: usize, offset: u64, room: usize },
    Finish { slot: usize },
}

/// What the application is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    Sent { transfer: TransferId, how: Sent },
    Failed { transfer: TransferId, refusal: Refusal },
}

/// What a frame of the receiver's has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Nothing,
    /// The application is told of the failure, with the frame's words.
    Failed { slot: usize },
}

/// The sender's half of a session.
#[derive(Debug)]
pub struct Sender<'b> {
    slots: &'b mut [Outgoing],
    last_id: u32,
    /// WANTs refused for want of a slot.
    refused: heapless::Deque<u32, 4>,
    /// Bytes sent and not acknowledged, over all transfers.
    flight: u64,
}

impl<'b> Sender<'b> {
    /// A sender of as many transfers at a time as there are `slots`; at least one.
    pub fn new(slots: &'b mut [Outgoing]) -> Self {
        slots.fill(Outgoing::FREE);
        Self { slots, last_id: 0, refused: heapless::Deque::new(), flight: 0 }
    }

    /// Whether a transfer is queued, under way, or not yet reported.
    pub(super) fn is_active(&self) -> bool {
        self.slots.iter().any(|slot| slot.state != SendState::Free)
    }

    /// Whether a transfer is queued or under way.
    pub(super) fn is_busy(&self) -> bool {
        self.slots.iter().any(|slot| !matches!(slot.state, SendState::Free | SendState::Over))
    }

    /// Whether something was offered that is not over.
    pub(super) fn is_open(&self) -> bool {
        self.open() > 0
    }

    /// Whether the receiver has taken something that is not over.
    pub(super) fn is_accepted(&self) -> bool {
        self.slots
            .iter()
            .any(|slot| matches!(slot.state, SendState::Verifying | SendState::Sending | SendState::Ended))
    }

    fn open(&self) -> usize {
        let open = |slot: &&Outgoing| {
            matches!(
                slot.state,
                SendState::Offered | SendState::Verifying | SendState::Sending | SendState::Ended
            )
        };
        self.slots.iter().filter(open).count()
    }

    fn find(&mut self, id: u32) -> Option<(usize, &mut Outgoing)> {
        self.slots
            .iter_mut()
            .enumerate()
            .find(|(_, slot)| slot.id == id && !matches!(slot.state, SendState::Free | SendState::Over))
    }

    pub(super) fn slot_id(&self, slot: usize) -> TransferId {
        TransferId(self.slots.get(slot).map_or(0, |slot| slot.id))
    }

    fn take(&mut self, event: SendEvent) -> Option<&mut Outgoing> {
        let slot = self.slots.iter_mut().find(|slot| slot.state == SendState::Free)?;
        slot.step(event);
        Some(slot)
    }

    /// Queues a transfer; `None` if every slot is taken.
    pub(super) fn queue(&mut self) -> Option<TransferId> {
        let id = self.last_id.checked_add(1)?;
        self.take(SendEvent::Ask)?.id = id;
        self.last_id = id;
        Some(TransferId(id))
    }

    /// Gives a transfer up.
    pub(super) fn cancel(&mut self, id: u32, refusal: Refusal) {
        if let Some((slot, _)) = self.find(id) {
            self.abort(slot, refusal);
        }
    }

    /// The id that the next transfer will have.
    pub(super) fn next_id(&self) -> TransferId {
        TransferId(self.last_id.saturating_add(1))
    }

    /// The storage has decided on a WANT of the peer's.
    pub(super) fn wanted(&mut self, want: &Want<'_>, answer: Answer) -> Result<(), PeerError> {
        let queued = match answer {
            Answer::Refuse(refusal) => match self.take(SendEvent::Refuse) {
                Some(slot) => {
                    slot.want = want.number;
                    slot.refusal = refusal;
                    slot.owes = Owes::Decline;
                    return Ok(());
                }
                None => None,
            },
            Answer::Accept(_) | Answer::Have => self.queue(),
        };
        match queued.and_then(|id| self.find(id.0)) {
            Some((_, slot)) => slot.want = want.number,
            None => self.refused.push_back(want.number).map_err(|_| PeerError::TooManyOpen)?,
        }
        Ok(())
    }

    // Frames of the receiver's.

    pub(super) fn accepted(&mut self, accept: &Accept, shared: &mut Shared<'_>) -> Result<(), PeerError> {
        let unexpected = PeerError::Unexpected(Kind::Accept);
        let Some((_, slot)) = self.find(accept.transfer) else {
            return self.late(accept.transfer, unexpected);
        };
        shared.progress();
        let flight = slot.flight();
        if accept.have {
            if !slot.step(SendEvent::Stored) {
                return Err(unexpected);
            }
            slot.how = Sent::HadIt;
            slot.owes = Owes::Report;
            self.flight = self.flight.saturating_sub(flight);
            return Ok(());
        }
        if slot.size.is_some_and(|size| accept.offset > size) {
            return Err(unexpected);
        }
        let resumed = accept.offset > slot.sent;
        let event = if resumed { SendEvent::Resumed } else { SendEvent::Accepted };
        if !slot.step(event) {
            return Err(unexpected);
        }
        slot.answered = Reply::Given;
        if slot.state != SendState::Ended {
            slot.limit = accept.offset.saturating_add(accept.credit.into());
            slot.acked = slot.acked.max(accept.offset.min(slot.sent));
        }
        if resumed {
            slot.prefix = accept.offset;
            slot.prefix_check = accept.check;
        }
        let left = slot.flight();
        self.flight = self.flight.saturating_sub(flight).saturating_add(left);
        Ok(())
    }

    pub(super) fn declined(&mut self, decline: &Decline<'_>, shared: &mut Shared<'_>) -> Heard {
        let Some((index, slot)) = self.find(decline.number) else { return Heard::Nothing };
        shared.progress();
        let flight = slot.flight();
        let heard = if decline.code == Code::Wait {
            if slot.step(SendEvent::Wait) {
                slot.again(slot.attempt);
            }
            Heard::Nothing
        } else {
            slot.step(SendEvent::Refused);
            Heard::Failed { slot: index }
        };
        self.flight = self.flight.saturating_sub(flight);
        heard
    }

    pub(super) fn acked(&mut self, ack: &Ack<'_>, shared: &mut Shared<'_>) -> Result<(), PeerError> {
        let unexpected = PeerError::Unexpected(Kind::Ack);
        let Some((_, slot)) = self.find(ack.transfer) else {
            return self.late(ack.transfer, unexpected);
        };
        if ack.received > slot.sent.max(slot.prefix) || ack.durable > ack.received {
            return Err(unexpected);
        }
        let before = slot.flight();
        if ack.received > slot.acked && ack.received <= slot.sent {
            slot.acked = ack.received;
            shared.progress();
        }
        slot.limit = ack.received.saturating_add(ack.credit.into());
        let left = slot.flight();
        self.flight = self.flight.saturating_sub(before).saturating_add(left);
        Ok(())
    }

    pub(super) fn done(&mut self, done: &Done<'_>, shared: &mut Shared<'_>) -> Result<Heard, PeerError> {
        let unexpected = PeerError::Unexpected(Kind::Done);
        let Some((index, slot)) = self.find(done.transfer) else {
            return self.late(done.transfer, unexpected).map(|()| Heard::Nothing);
        };
        if slot.state != SendState::Ended {
            return Err(unexpected);
        }
        shared.progress();
        let flight = slot.flight();
        let heard = match (done.code, slot.attempt) {
            (Code::Ok, _) => {
                slot.step(SendEvent::Stored);
                slot.how = Sent::Stored;
                slot.owes = Owes::Report;
                Heard::Nothing
            }
            (Code::Integrity, Attempt::First | Attempt::Restart) => {
                slot.step(SendEvent::Again);
                slot.again(Attempt::AfterIntegrity);
                Heard::Nothing
            }
            (Code::Unknown, Attempt::First) => {
                slot.step(SendEvent::Again);
                slot.again(Attempt::Restart);
                Heard::Nothing
            }
            _ => {
                slot.step(SendEvent::Refused);
                Heard::Failed { slot: index }
            }
        };
        self.flight = self.flight.saturating_sub(flight);
        Ok(heard)
    }

    pub(super) fn aborted(&mut self, abort: &Abort<'_>, shared: &mut Shared<'_>) -> Heard {
        let Some((index, slot)) = self.find(abort.transfer) else { return Heard::Nothing };
        shared.progress();
        let flight = slot.flight();
        let heard = if slot.step(SendEvent::Refused) { Heard::Failed { slot: index } } else { Heard::Nothing };
        self.flight = self.flight.saturating_sub(flight);
        heard
    }

    /// A frame for a transfer that is over here is late; for one that never was it is wrong.
    fn late(&self, id: u32, unexpected: PeerError) -> Result<(), PeerError> {
        if id <= self.last_id { Ok(()) } else { Err(unexpected) }
    }

    /// What [`Heard::Failed`] is about has been told.
    pub(super) fn told(&mut self, slot: usize) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.settle();
        }
    }

    // Doing what is owed.

    /// Writes one frame that is owed; whether there was one.
    pub(super) fn emit(&mut self, w: &mut Writer<'_>) -> bool {
        let what = Answered::Want;
        if let Some(number) = self.refused.pop_front() {
            Decline { what, number, code: Code::Busy, words: "no more transfers at a time" }.emit(w);
            return true;
        }
        let owing = |slot: &&mut Outgoing| matches!(slot.owes, Owes::Decline | Owes::Abort);
        let Some(slot) = self.slots.iter_mut().find(owing) else { return false };
        let Refusal { code, words } = slot.refusal;
        if slot.owes == Owes::Abort {
            Abort { scope: Scope::Sending, transfer: slot.id, code, words }.emit(w);
            slot.owes = Owes::Report;
        } else {
            Decline { what, number: slot.want, code, words }.emit(w);
            slot.owes = Owes::Nothing;
        }
        slot.settle();
        true
    }

    pub(super) fn report(&self) -> Option<Report> {
        let slot = self.slots.iter().find(|slot| slot.owes == Owes::Report)?;
        let transfer = TransferId(slot.id);
        Some(match slot.refusal.code {
            Code::Ok => Report::Sent { transfer, how: slot.how },
            _ => Report::Failed { transfer, refusal: slot.refusal },
        })
    }

    pub(super) fn reported(&mut self) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.owes == Owes::Report) {
            slot.owes = Owes::Nothing;
            slot.settle();
        }
    }

    /// What is to be done for the transfer that is sending, or else for the next that can be offered. `room` is the longest
    /// frame that can be built now, `whole` the longest in an empty transmit buffer; `turn` says whose direction it is.
    pub(super) fn task(&self, room: usize, whole: usize, turn: Turn, shared: &Shared<'_>) -> Option<Task> {
        let sending = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| {
                matches!(slot.state, SendState::Offered | SendState::Verifying | SendState::Sending)
            })
            .min_by_key(|(_, slot)| slot.id);
        if let Some((index, slot)) = sending {
            if let Some(task) = self.advance(index, slot, room, whole, shared) {
                return Some(task);
            }
        }
        let held = turn == Turn::Peers || self.open() as u64 >= shared.peer.transfers.into();
        if held || (room < shared.control_frame() && room < whole) {
            return None;
        }
        let (slot, _) = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.state == SendState::Queued)
            .min_by_key(|(_, slot)| slot.id)?;
        Some(Task::Describe { slot })
    }

    fn advance(
        &self,
        slot: usize,
        outgoing: &Outgoing,
        room: usize,
        whole: usize,
        shared: &Shared<'_>,
    ) -> Option<Task> {
        if outgoing.state == SendState::Verifying {
            let left = outgoing.prefix.saturating_sub(outgoing.sent);
            let room = room.min(usize::try_from(left).unwrap_or(usize::MAX));
            return (room > 0).then_some(Task::Verify { slot, offset: outgoing.sent, room });
        }
        let at_end = outgoing.source == SourceEnd::Reached || outgoing.size == Some(outgoing.sent);
        if at_end {
            let eager = outgoing.start == Start::Eager && shared.peer.eager > 0;
            let may = eager || outgoing.state == SendState::Sending;
            return (may && room >= MIN_FRAME.min(whole)).then_some(Task::Finish { slot });
        }
        let allowed = self.allowed(outgoing, shared);
        let overhead = Data::overhead(outgoing.id, outgoing.sent);
        let payload = whole.min(shared.peer.frame).saturating_sub(overhead) as u64;
        let left = outgoing.size.map_or(u64::MAX, |size| size.saturating_sub(outgoing.sent));
        let wish = payload.min(left);
        // A small rest of the credit is not worth a frame while there is more to come (§9.3).
        if allowed == 0 || (allowed < wish && self.flight.saturating_mul(2) >= shared.peer.window.into()) {
            return None;
        }
        let length = usize::try_from(wish.min(allowed)).unwrap_or(usize::MAX);
        let needed = length.saturating_add(overhead);
        (room >= needed).then_some(Task::Fetch { slot, offset: outgoing.sent, room: length })
    }

    /// How many bytes of DATA may go now (§9.3).
    fn allowed(&self, outgoing: &Outgoing, shared: &Shared<'_>) -> u64 {
        let window = u64::from(shared.peer.window).saturating_sub(self.flight);
        match (outgoing.state, outgoing.start) {
            (SendState::Sending, _) => window.min(outgoing.limit.saturating_sub(outgoing.sent)),
            (SendState::Offered, Start::Eager) => {
                let ahead: u64 = self
                    .slots
                    .iter()
                    .filter(|slot| slot.answered == Reply::Awaited)
                    .map(Outgoing::flight)
                    .fold(0, u64::saturating_add);
                window.min(u64::from(shared.peer.eager).saturating_sub(ahead))
            }
            _ => 0,
        }
    }

    // Answers of the storage.

    /// The storage has failed, or the application gives up.
    pub(super) fn abort(&mut self, slot: usize, refusal: Refusal) {
        let Some(slot) = self.slots.get_mut(slot) else { return };
        let flight = slot.flight();
        let offered = slot.state != SendState::Queued;
        if slot.step(SendEvent::Abort) {
            slot.refusal = refusal;
            slot.owes = if offered { Owes::Abort } else { Owes::Report };
            self.flight = self.flight.saturating_sub(flight);
        }
    }

    /// Writes the OFFER of a slot.
    pub(super) fn offer(
        &self,
        slot: usize,
        description: &Description<'_>,
        shared: &Shared<'_>,
        w: &mut Writer<'_>,
    ) {
        let Some(slot) = self.slots.get(slot) else { return };
        let name = description.name.map_or(&[][..], |name| name.as_str().as_bytes());
        Offer {
            transfer: slot.id,
            size: description.size,
            modified: description.modified,
            executable: description.file_type == FileType::Executable,
            directory: description.file_type == FileType::Directory,
            listing: description.file_type == FileType::Listing,
            restart: slot.attempt != Attempt::First,
            want: (slot.want != 0).then_some(slot.want),
            digest: shared.digest(),
            identity: description.identity,
            name: UncheckedName::new(name),
        }
        .emit(w);
    }

    /// The OFFER is in the transmit buffer.
    pub(super) fn offered(&mut self, slot: usize, what: &Description<'_>, shared: &mut Shared<'_>) {
        shared.progress();
        let Some(slot) = self.slots.get_mut(slot) else { return };
        slot.step(SendEvent::Offer);
        slot.size = if what.file_type == FileType::Directory { Some(0) } else { what.size };
        slot.start = what.start;
        slot.answered = Reply::Awaited;
    }

    /// A DATA frame with `length` bytes is in the transmit buffer.
    pub(super) fn fetched(&mut self, slot: usize, length: u64, sealed: Sealed, shift: &mut Shift) {
        let Some(slot) = self.slots.get_mut(slot) else { return };
        if shift.len() != length {
            *shift = Shift::new(length);
        }
        slot.check = sealed.extend(slot.check, shift);
        slot.sent = slot.sent.saturating_add(length);
        self.flight = self.flight.saturating_add(length);
    }

    /// The source has ended.
    pub(super) fn ended(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        if slot.size.is_some() {
            self.abort(index, Refusal { code: Code::Changed, words: "the source ended early" });
        } else {
            slot.source = SourceEnd::Reached;
        }
    }

    /// Some of the prefix was read again; nothing if the source is shorter than it.
    pub(super) fn verified<C: Crc32>(&mut self, slot: usize, bytes: &[u8], crc: &mut C, shared: &mut Shared<'_>) {
        let Some(slot) = self.slots.get_mut(slot) else { return };
        shared.progress();
        slot.check = crc.update(slot.check, bytes);
        slot.sent = slot.sent.saturating_add(bytes.len() as u64);
        let differs = if slot.sent < slot.prefix { bytes.is_empty() } else { slot.check != slot.prefix_check };
        if differs {
            slot.step(SendEvent::PrefixDiffers);
            slot.again(slot.attempt.max(Attempt::Restart));
        } else if slot.sent == slot.prefix {
            slot.step(SendEvent::PrefixEqual);
            slot.acked = slot.sent;
        }
    }

    /// Writes the END of a slot.
    pub(super) fn end(&self, slot: usize, value: &[u8], shared: &Shared<'_>, w: &mut Writer<'_>) {
        let Some(slot) = self.slots.get(slot) else { return };
        let (transfer, size, check) = (slot.id, slot.sent, slot.check);
        End { transfer, size, check, digest: shared.digest(), value }.emit(w);
    }

    /// The END is in the transmit buffer.
    pub(super) fn finished(&mut self, slot: usize) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.step(SendEvent::End);
        }
    }
}

impl Default for Outgoing {
    fn default() -> Self {
        Self::FREE
    }
}
