//! What the sender asks of its storage, and what comes of the answers.

use super::super::outbox::Sealed;
use super::super::outgoing::{Attempt, Outgoing, Repeated, Reply, SourceEnd};
use super::super::shared::Shared;
use super::super::transitions::{SendEvent, SendState};
use super::repairs::Due;
use super::{Sender, Told};
use crate::action::Refusal;
use crate::framing::Reliability;
use crate::storage::{Description, FileType, Start};
use crate::wire::{Code, Crc32, Data, End, MIN_FRAME, Offer, Shift, UncheckedName, Writer};

/// Whose direction may carry DATA, where only one may (§11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session) enum Turn {
    Ours,
    Peers,
}

/// What the sender asks of its storage next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session) enum Task {
    Describe {
        slot: usize,
    },
    /// Read for a DATA frame.
    Fetch {
        slot: usize,
        offset: u64,
        room: usize,
    },
    /// Read to compare the prefix.
    Verify {
        slot: usize,
        room: usize,
    },
    Finish {
        slot: usize,
    },
}

/// What is to be done about what is missing.
enum Repair {
    Nothing,
    Waits,
    Task(Task),
}

/// A window that is smaller than twice this has frames of its own length.
const SHORT: u64 = 32;

impl Sender<'_> {
    /// What is to be done for the transfer that is sending, or else for the next that can be offered. `room` is the longest
    /// frame that can be built now, `whole` the longest in an empty transmit buffer; `turn` says whose direction it is.
    pub(in crate::session) fn task(
        &self,
        room: usize,
        whole: usize,
        turn: Turn,
        shared: &Shared<'_>,
    ) -> Option<Task> {
        match self.repair(room, whole, shared) {
            Repair::Nothing => {}
            // It goes before anything new.
            Repair::Waits => return self.describe(room, whole, turn, shared),
            Repair::Task(task) => return Some(task),
        }
        let sending = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| {
                let repeats = slot.state == SendState::Ended && slot.repeats == Repeated::Due;
                repeats
                    || matches!(slot.state, SendState::Offered | SendState::Verifying | SendState::Sending)
            })
            .min_by_key(|(_, slot)| slot.id);
        if let Some((index, slot)) = sending {
            if let Some(task) = self.advance(index, slot, room, whole, shared) {
                return Some(task);
            }
        }
        self.describe(room, whole, turn, shared)
    }

    /// The next transfer that can be offered.
    fn describe(&self, room: usize, whole: usize, turn: Turn, shared: &Shared<'_>) -> Option<Task> {
        let held = turn == Turn::Peers
            || self.turn == Told::Wait
            || self.open() as u64 >= shared.peer.transfers.into();
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

    /// What is missing at the receiver, if anything is to be sent again.
    fn repair(&self, room: usize, whole: usize, shared: &Shared<'_>) -> Repair {
        if !shared.is_lossy() {
            return Repair::Nothing;
        }
        let Some(Due { transfer, offset, end }) = self.repairs.due(&self.rules(shared)) else {
            return Repair::Nothing;
        };
        let moving = |slot: &Outgoing| slot.id == transfer && slot.is_moving();
        let Some((slot, outgoing)) = self.slots.iter().enumerate().find(|(_, slot)| moving(slot)) else {
            return Repair::Nothing;
        };
        let overhead = Data::overhead(transfer, offset);
        let wish = self.payload(whole, overhead, shared).min(end.saturating_sub(offset));
        let allowed = self.window(shared).min(outgoing.limit.saturating_sub(offset));
        if allowed == 0 || self.is_paced(shared) || (allowed < wish && self.flight() > 0) {
            return Repair::Waits;
        }
        let length = usize::try_from(wish.min(allowed)).unwrap_or(usize::MAX);
        if room < length.saturating_add(overhead) {
            return Repair::Waits;
        }
        Repair::Task(Task::Fetch { slot, offset, room: length })
    }

    /// The longest payload that a frame is to have.
    fn payload(&self, whole: usize, overhead: usize, shared: &Shared<'_>) -> u64 {
        let payload = whole.min(shared.peer.frame).saturating_sub(overhead) as u64;
        // Two of them at least may be under way, or each would be waited for.
        let half = u64::from(self.peer.window / 2).max(SHORT);
        match shared.link {
            Reliability::Reliable => payload,
            Reliability::Lossy => payload.min(self.pace.longest()).min(half),
            Reliability::Datagrams => {
                payload.min(self.length.proven().saturating_sub(overhead as u64)).min(half)
            }
        }
    }

    /// The payload of a frame that tries whether longer ones arrive, if one is to be sent.
    fn probe(&self, whole: usize, overhead: usize, allowed: u64, shared: &Shared<'_>) -> Option<u64> {
        if shared.link != Reliability::Datagrams {
            return None;
        }
        let most = whole.min(shared.peer.frame) as u64;
        let length = self.length.wanted(most, shared.now)?;
        let payload = length.saturating_sub(overhead as u64);
        let few = self.most(shared) / 4;
        (payload <= allowed && length <= few).then_some(payload)
    }

    /// Whether the next frame must wait for its time.
    fn is_paced(&self, shared: &Shared<'_>) -> bool {
        shared.link == Reliability::Datagrams && shared.now < self.congestion.next_at()
    }

    fn advance(
        &self,
        slot: usize,
        outgoing: &Outgoing,
        room: usize,
        whole: usize,
        shared: &Shared<'_>,
    ) -> Option<Task> {
        if outgoing.repeats == Repeated::Due && outgoing.state == SendState::Offered {
            let fits = room >= shared.control_frame() || room >= whole;
            return fits.then_some(Task::Describe { slot });
        }
        if outgoing.state == SendState::Verifying {
            let left = outgoing.prefix.saturating_sub(outgoing.sent);
            let room = room.min(usize::try_from(left).unwrap_or(usize::MAX));
            return (room > 0).then_some(Task::Verify { slot, room });
        }
        let whole_is_sent = outgoing.sent >= outgoing.summed;
        let at_end =
            (outgoing.source == SourceEnd::Reached && whole_is_sent) || outgoing.size == Some(outgoing.sent);
        if at_end {
            let eager = outgoing.start == Start::Eager && self.peer.eager > 0;
            let may = eager || matches!(outgoing.state, SendState::Sending | SendState::Ended);
            return (may && room >= MIN_FRAME.min(whole)).then_some(Task::Finish { slot });
        }
        let allowed = self.allowed(outgoing, shared);
        let overhead = Data::overhead(outgoing.id, outgoing.sent);
        let payload = self.payload(whole, overhead, shared);
        let left = match outgoing.summed.checked_sub(outgoing.sent) {
            // What was sent before goes again as far as that, and no further.
            Some(before @ 1..) => before,
            _ => outgoing.size.map_or(u64::MAX, |size| size.saturating_sub(outgoing.sent)),
        };
        let probe = self.probe(whole, overhead, allowed, shared).filter(|length| *length <= left);
        let wish = probe.unwrap_or(payload).min(left);
        // A small rest of the credit is not worth a frame while there is more to come (§9.3).
        let rest = allowed < wish && self.flight().saturating_mul(2) >= self.most(shared);
        if allowed == 0 || rest || self.is_paced(shared) {
            return None;
        }
        let length = usize::try_from(wish.min(allowed)).unwrap_or(usize::MAX);
        let needed = length.saturating_add(overhead);
        (room >= needed).then_some(Task::Fetch { slot, offset: outgoing.sent, room: length })
    }

    /// Bytes under way, over all transfers: what has arrived beyond gaps is not, nor what is lost and not sent again yet.
    pub(super) fn flight(&self) -> u64 {
        let again = |slot: &Outgoing| if slot.is_moving() { self.repairs.under_way(slot.id) } else { 0 };
        self.slots.iter().map(|slot| slot.flight().saturating_add(again(slot))).fold(0, u64::saturating_add)
    }

    /// So many bytes may be under way.
    fn most(&self, shared: &Shared<'_>) -> u64 {
        let most = u64::from(self.peer.window).min(self.pace.most());
        if shared.link == Reliability::Datagrams { most.min(self.congestion.window()) } else { most }
    }

    /// So many more bytes may be under way.
    fn window(&self, shared: &Shared<'_>) -> u64 {
        self.most(shared).saturating_sub(self.flight())
    }

    /// How many bytes of DATA may go now (§9.3).
    fn allowed(&self, outgoing: &Outgoing, shared: &Shared<'_>) -> u64 {
        let window = self.window(shared);
        match (outgoing.state, outgoing.start) {
            (SendState::Sending, _) => window.min(outgoing.limit.saturating_sub(outgoing.sent)),
            (SendState::Offered, Start::Eager) => {
                let ahead: u64 = self
                    .slots
                    .iter()
                    .filter(|slot| slot.answered == Reply::Awaited)
                    .map(Outgoing::flight)
                    .fold(0, u64::saturating_add);
                window.min(u64::from(self.peer.eager).saturating_sub(ahead))
            }
            _ => 0,
        }
    }

    // Answers of the storage.

    pub(in crate::session) fn failed(&mut self, slot: usize, refusal: Refusal) {
        let Some(slot) = self.slot(slot) else { return };
        let id = slot.id;
        slot.abort(refusal);
        self.forget(id);
    }

    /// Writes the OFFER of a slot.
    pub(in crate::session) fn offer(&self, slot: usize, description: &Description<'_>, w: &mut Writer<'_>) {
        let Some(slot) = self.slots.get(slot) else { return };
        let name = description.name.map_or(&[][..], |name| name.as_str().as_bytes());
        Offer {
            transfer: slot.id,
            size: description.size.filter(|_| description.file_type != FileType::Directory),
            modified: description.modified,
            executable: description.file_type == FileType::Executable,
            directory: description.file_type == FileType::Directory,
            listing: description.file_type == FileType::Listing,
            restart: slot.attempt != Attempt::First,
            want: (slot.want != 0).then_some(slot.want),
            digest: self.digest(),
            identity: description.identity,
            name: UncheckedName::new(name),
        }
        .emit(w);
    }

    /// The OFFER is in the transmit buffer.
    pub(in crate::session) fn offered(&mut self, slot: usize, what: &Description<'_>) {
        let Some(slot) = self.slots.get_mut(slot) else { return };
        slot.repeats = Repeated::No;
        if slot.step(SendEvent::Offer) {
            log!(info, "sends {=u32}: offered {}, {}", slot.id, what.size, slot.attempt);
        }
        slot.size = if what.file_type == FileType::Directory { Some(0) } else { what.size };
        slot.start = what.start;
        slot.answered = Reply::Awaited;
    }

    /// A DATA frame with `length` bytes is in the transmit buffer.
    pub(in crate::session) fn fetched(
        &mut self,
        (slot, offset): (usize, u64),
        length: usize,
        sealed: Sealed,
        shift: &mut Shift,
        shared: &Shared<'_>,
    ) {
        let rules = self.rules(shared);
        let flight = self.flight();
        let Some(slot) = self.slots.get_mut(slot) else { return };
        let whole = Data::overhead(slot.id, offset).saturating_add(length) as u64;
        let end = offset.saturating_add(length as u64);
        let is_new = offset == slot.summed;
        if is_new {
            slot.check = sealed.extend(slot.check, length, shift);
            slot.summed = end;
            self.pace.sent(slot.id, offset, end, shared.now);
            self.length.sent(slot.id, offset, end, whole);
        }
        if shared.link == Reliability::Datagrams {
            self.congestion.sent(whole, flight, shared.now);
            if is_new {
                self.congestion.samples(slot.id, end, shared.now);
            }
        }
        if offset == slot.sent {
            slot.sent = end;
            return;
        }
        self.repairs.sent(Due { transfer: slot.id, offset, end }, slot.summed, shared.now);
        if slot.state == SendState::Ended && !self.repairs.is_due(slot.id, &rules) {
            // END asks what is still missing.
            slot.repeats = Repeated::Due;
        }
    }

    /// The source has ended at `offset`.
    pub(in crate::session) fn ended(&mut self, slot: usize, offset: u64) {
        let Some(slot) = self.slots.get_mut(slot) else { return };
        if slot.size.is_some() || offset < slot.summed {
            slot.abort(Refusal { code: Code::Changed, words: "the source ended early" });
        } else {
            slot.source = SourceEnd::Reached;
        }
    }

    /// Some of the prefix was read again; nothing if the source is shorter than it.
    pub(in crate::session) fn verified<C: Crc32>(
        &mut self,
        slot: usize,
        bytes: &[u8],
        crc: &mut C,
        shared: &mut Shared<'_>,
    ) {
        let Some(slot) = self.slots.get_mut(slot) else { return };
        shared.progress();
        slot.check = crc.update(slot.check, bytes);
        slot.sent = slot.sent.saturating_add(bytes.len() as u64);
        slot.summed = slot.sent;
        let differs =
            if slot.sent < slot.prefix { bytes.is_empty() } else { slot.check != slot.prefix_check };
        if differs {
            slot.step(SendEvent::PrefixDiffers);
            slot.again(slot.attempt.max(Attempt::Restart));
        } else if slot.sent == slot.prefix {
            slot.step(SendEvent::PrefixEqual);
            log!(info, "sends {=u32}: goes on from {=u64}", slot.id, slot.sent);
            slot.acked = slot.sent;
            slot.delivered = slot.sent;
        }
    }

    /// Writes the END of a slot.
    pub(in crate::session) fn end(&self, slot: usize, w: &mut Writer<'_>) {
        let Some(slot) = self.slots.get(slot) else { return };
        let (transfer, size, check) = (slot.id, slot.summed, slot.check);
        End { transfer, size, check, digest: self.digest(), value: &[] }.emit(w);
    }

    /// The END is in the transmit buffer.
    pub(in crate::session) fn finished(&mut self, slot: usize) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.repeats = Repeated::No;
            slot.step(SendEvent::End);
        }
    }
}
