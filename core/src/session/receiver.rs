//! The receiver's half of a session (§10): what the sender's frames and the storage's answers do to its transfers.

mod owed;

use super::beyond::{Beyond, Kept, Stretches};
use super::dispatch::Fault;
use super::hand::Begin;
use super::incoming::{Due, Incoming, Owes};
use super::shared::{Order, Shared};
use super::slots::Slots;
use super::transitions::{ReceiveEvent, ReceiveState};
use crate::action::{Answer, Refusal, Takes};
use crate::framing::Reliability;
use crate::units::WantId;
use crate::wire::{Code, Data, End, Offer};

/// The receiver's half of a session.
#[derive(Debug)]
pub struct Receiver<'b> {
    slots: Slots<'b, Incoming>,
    /// What has come beyond gaps, if that is remembered.
    beyond: Option<&'b mut dyn Beyond>,
    /// The highest id that was offered.
    last_id: u32,
    /// The number of the newest WANT.
    last_want: u32,
    /// An offer that is declined without a slot. Until that is told no further frame is taken.
    refused: Option<(u32, Code)>,
    /// A transfer that is over, of which the peer does not know that: how it ended (§8.5).
    ended: Option<(u32, Code)>,
}

/// What is new in a frame of DATA.
pub(super) struct Piece {
    pub(super) slot: usize,
    /// Bytes between all that is received and it.
    pub(super) ahead: u32,
    /// Bytes at its beginning that are there already.
    pub(super) skip: usize,
    /// So many after them are to be stored.
    pub(super) length: usize,
    /// The CRC-32 of all that is there and that it continues.
    pub(super) before: u32,
}

impl<'b> Receiver<'b> {
    /// A receiver of as many transfers at a time as there are `slots`; at least one. It remembers no gaps: where a frame is lost, everything from
    /// there on is sent again.
    pub fn new(slots: &'b mut [Incoming]) -> Self {
        for slot in slots.iter_mut() {
            *slot = Incoming::FREE;
        }
        Self { slots: Slots::new(slots), beyond: None, last_id: 0, last_want: 0, refused: None, ended: None }
    }

    /// The same for links that lose frames: it remembers as many gaps as `stretches` has room for (§5.6), so that only what was lost is sent again.
    /// On a reliable link the memory is not used.
    pub fn with_gaps<const N: usize>(slots: &'b mut [Incoming], stretches: &'b mut Stretches<N>) -> Self {
        stretches.clear();
        Self { beyond: Some(stretches), ..Self::new(slots) }
    }

    /// One in the same memory that has received nothing yet.
    pub(super) fn renewed(self) -> Self {
        let Self { slots, mut beyond, .. } = self;
        if let Some(beyond) = &mut beyond {
            beyond.forget_all();
        }
        Self { beyond, ..Self::new(slots.release()) }
    }

    pub(super) fn capacity(&self) -> u32 {
        self.slots.capacity()
    }

    /// How many gaps are remembered.
    pub(super) fn gaps(&self) -> u32 {
        self.beyond.as_ref().map_or(0, |beyond| beyond.capacity())
    }

    /// Whether a transfer is under way, or wanted.
    pub(super) fn is_active(&self) -> bool {
        self.slots.iter().any(|slot| slot.state != ReceiveState::Free)
    }

    /// Whether a transfer is under way.
    pub(super) fn is_receiving(&self) -> bool {
        self.slots.iter().any(Incoming::is_receiving)
    }

    /// Whether a WANT is to be sent, or its answer awaited.
    pub(super) fn is_asking(&self) -> bool {
        self.slots.iter().any(|slot| slot.state == ReceiveState::Wanted)
    }

    pub(super) fn slot(&mut self, slot: usize) -> Option<&mut Incoming> {
        self.slots.get_mut(slot)
    }

    fn find(&mut self, id: u32) -> Option<(usize, &mut Incoming)> {
        find(&mut self.slots, id)
    }

    fn first(&mut self, is_it: impl Fn(&Incoming) -> bool) -> Option<(usize, &mut Incoming)> {
        self.slots.iter_mut().enumerate().find(|(_, slot)| is_it(slot))
    }

    // Asking.

    pub(super) fn want(&mut self, peer_takes: u32) -> Option<WantId> {
        let open = self.slots.iter().filter(|slot| slot.want != 0).count();
        if open as u64 >= peer_takes.into() {
            return None;
        }
        let want = self.last_want.saturating_add(1);
        self.slots.free()?.1.ask(want);
        self.last_want = want;
        Some(WantId(want))
    }

    /// The WANT whose name the storage must say.
    pub(super) fn asking(&self) -> Option<WantId> {
        let mut first = None;
        for slot in self.slots.iter().filter(|slot| slot.is(ReceiveState::Wanted, Due::Want)) {
            first = Some(first.map_or(slot.want, |first: u32| first.min(slot.want)));
        }
        first.map(WantId)
    }

    /// The WANT was sent, or cannot be.
    pub(super) fn asked(&mut self, want: WantId, result: Result<(), Refusal>) {
        if let Some((_, slot)) = self.first(|slot| slot.want == want.0) {
            slot.asked(result);
        }
    }

    /// Whether a WANT awaits its answer, or a transfer its DATA.
    pub(super) fn awaits(&self) -> bool {
        let awaits = |slot: &Incoming| {
            slot.is(ReceiveState::Wanted, Due::Nothing) || slot.state == ReceiveState::Receiving
        };
        self.slots.iter().any(awaits)
    }

    /// Says again what may be lost: WANTs, and how far transfers are.
    pub(super) fn repeat(&mut self) {
        for slot in self.slots.iter_mut() {
            slot.repeat();
        }
    }

    /// Says how far it is where that was not said yet, on a link that may lose frames.
    pub(super) fn tell(&mut self) {
        for slot in self.slots.iter_mut() {
            slot.tell();
        }
    }

    // Frames of the sender's.

    /// The slot of an offer that the storage is to decide on, if there is one.
    pub(super) fn offer(
        &mut self,
        offer: &Offer<'_>,
        order: Order,
        link: Reliability,
    ) -> Result<Option<usize>, Fault> {
        let id = offer.transfer;
        // One that was told to wait (§11) comes again, perhaps after later ones; so does one whose answer was lost.
        let late = id <= self.last_id && order == Order::Both && !link.loses();
        self.last_id = self.last_id.max(id);
        if link.loses() && self.said_already(offer) {
            return Ok(None);
        }
        let found = match (self.find(id), offer.want) {
            (Some((_, incoming)), _) if offer.restart && incoming.begun == Begin::AtStart && link.loses() => {
                incoming.accepts_again();
                return Ok(None);
            }
            (Some(found), _) if offer.restart => Some(found),
            (Some((_, incoming)), _) if link.loses() => {
                incoming.accepts_again();
                return Ok(None);
            }
            (Some(_), _) => return Err(Fault::Unexpected),
            (None, _) if late && !offer.restart => return Err(Fault::Unexpected),
            (None, Some(want)) => {
                let wanted =
                    |slot: &Incoming| slot.want == want && slot.is(ReceiveState::Wanted, Due::Nothing);
                let found = self.first(wanted);
                if found.is_none() && link.loses() {
                    self.refuse(id, Code::NotAllowed);
                    return Ok(None);
                }
                Some(found.ok_or(Fault::Unexpected)?)
            }
            (None, None) => self.slots.free(),
        };
        let Some((slot, incoming)) = found else {
            self.refuse(id, Code::Busy);
            return Ok(None);
        };
        if !incoming.offer(offer) {
            return Err(Fault::Unexpected);
        }
        if let (true, Some(beyond)) = (link.loses(), &mut self.beyond) {
            beyond.forget(id);
        }
        Ok(Some(slot))
    }

    /// Answers an offer of a transfer that is over as before, if that is remembered: it has come late, or its answer was lost (§8.5).
    fn said_already(&mut self, offer: &Offer<'_>) -> bool {
        let id = offer.transfer;
        let over = self.slots.all().iter().find(|slot| slot.id == id && !slot.is_live());
        let code = match over.map(Incoming::ended_with) {
            None | Some(Some(Code::Wait)) => return false,
            Some(Some(Code::Integrity)) if offer.restart => return false,
            Some(code) => code,
        };
        self.ended = code.map(|code| (id, code)).or(self.ended);
        true
    }

    /// Declines an offer whose digest this end did not say it checks (§5.1).
    pub(super) fn unsupported(&mut self, id: u32) {
        self.last_id = self.last_id.max(id);
        self.refuse(id, Code::Unsupported);
    }

    /// Declines an offer that has no slot.
    pub(super) fn refuse(&mut self, id: u32, code: Code) {
        self.refused = Some((id, code));
        log!(warn, "receives {=u32}: refused, {}", id, code);
    }

    /// Whether no offer waits to be declined.
    pub(super) fn takes_frames(&self) -> bool {
        self.refused.is_none()
    }

    /// What of a frame's payload the storage is to take, if any.
    pub(super) fn data(
        &mut self,
        data: &Data<'_>,
        window: u32,
        link: Reliability,
    ) -> Result<Option<Piece>, Fault> {
        let Some((slot, incoming)) = find(&mut self.slots, data.transfer) else {
            return self.late(data.transfer, link);
        };
        if incoming.state != ReceiveState::Receiving {
            return Err(Fault::Unexpected);
        }
        let end = data.offset.saturating_add(data.payload.len() as u64);
        if end > incoming.size {
            let refusal = Refusal { code: Code::TooLarge, words: "more bytes than announced" };
            incoming.fail(refusal, Owes::DISCARD);
            return Ok(None);
        }
        if end <= incoming.received {
            log!(trace, "receives {=u32}: has what ends at {=u64}", incoming.id, end);
            if link.loses() {
                // The peer has not heard how far this end is.
                incoming.owe_ack();
            }
            return Ok(None);
        }
        if link.loses() {
            match &mut self.beyond {
                Some(beyond) if incoming.takes == Takes::AnyOrder => {
                    return Ok(beyond.place(&mut self.slots, slot, data, window));
                }
                _ if data.offset > incoming.received => {
                    incoming.misses(incoming.received);
                    return Ok(None);
                }
                _ => {}
            }
        }
        // Less than the payload has bytes.
        let skip = incoming.received.checked_sub(data.offset).ok_or(Fault::Unexpected)? as usize;
        let length = data.payload.len().saturating_sub(skip);
        Ok(Some(Piece { slot, ahead: 0, skip, length, before: incoming.check }))
    }

    /// A frame for a transfer that is over here, or that never was.
    fn late<T>(&mut self, id: u32, link: Reliability) -> Result<Option<T>, Fault> {
        if id > self.last_id {
            return Err(Fault::Unexpected);
        }
        log!(debug, "receives {=u32}: a frame has come late", id);
        if link.loses() {
            let code = self.slots.all().iter().find(|slot| slot.id == id).map(Incoming::ended_with);
            // That of one whose report or last frame is still to come follows by itself.
            self.ended = code.map_or(Some((id, Code::Unknown)), |code| code.map(|code| (id, code)));
        }
        Ok(None)
    }

    /// The slot of a transfer that the storage is to commit, if it is all there.
    pub(super) fn end(&mut self, end: &End<'_>, link: Reliability) -> Result<Option<usize>, Fault> {
        let Some((slot, incoming)) = find(&mut self.slots, end.transfer) else {
            return self.late(end.transfer, link);
        };
        if incoming.state != ReceiveState::Receiving || end.digest != incoming.digest {
            return Err(Fault::Unexpected);
        }
        if link.loses() && end.size > incoming.received && incoming.may_end_at(end.size) {
            match &self.beyond {
                Some(beyond) => beyond.ends(incoming, end.size),
                None => incoming.lacks(incoming.received),
            }
            return Ok(None);
        }
        if end.size != incoming.received || !incoming.may_end_at(end.size) {
            incoming.differs("size differs");
        } else if end.check != incoming.check {
            incoming.differs("check differs");
        } else {
            incoming.step(ReceiveEvent::EndRight);
            return Ok(Some(slot));
        }
        Ok(None)
    }

    /// The sender has given the transfer up: its slot, if there is something to tell.
    pub(super) fn aborted(&mut self, id: u32, code: Code) -> Option<usize> {
        let (slot, incoming) = self.find(id)?;
        let wrong = matches!(code, Code::Changed | Code::Integrity);
        incoming.aborted(code, if wrong { Owes::DISCARD } else { Owes::KEEP }).then_some(slot)
    }

    /// A WANT is declined: its slot, if there is one.
    pub(super) fn declined(&mut self, want: u32, code: Code) -> Option<usize> {
        let (slot, incoming) = self.first(|slot| slot.want == want && slot.state == ReceiveState::Wanted)?;
        incoming.aborted(code, Owes::NOTHING).then_some(slot)
    }

    /// BYE: the peer has nothing under way (§4.5), so that what is not all here will not come. Its ABORT was lost.
    pub(super) fn left_alone(&mut self) {
        for slot in self.slots.iter_mut() {
            slot.left_alone();
        }
    }

    /// PING: every ACK in force follows the PONG (§4.2).
    pub(super) fn pinged(&mut self) {
        for slot in self.slots.iter_mut() {
            slot.owe_ack();
        }
    }

    // Answers of the storage.

    /// The storage has decided on an offer.
    pub(super) fn decided(&mut self, slot: usize, answer: Answer, begin: Begin, shared: &mut Shared<'_>) {
        shared.progress();
        if let Some(incoming) = self.slot(slot) {
            incoming.decided(answer, begin, shared.now);
        }
    }

    /// The CRC-32 of what ends so far ahead of all that is received.
    pub(super) fn check(&self, slot: usize, ahead: u32) -> u32 {
        let Some(incoming) = self.slots.get(slot) else { return 0 };
        match &self.beyond {
            Some(beyond) if ahead > 0 => beyond.check(incoming, ahead),
            _ => incoming.check,
        }
    }

    /// The sink has taken `length` bytes so far ahead of all that is received; with what they continue they have this check.
    pub(super) fn stored(
        &mut self,
        (slot, ahead): (usize, u32),
        length: usize,
        check: u32,
        shared: &Shared<'_>,
        link: Reliability,
    ) -> Kept {
        let Some(incoming) = self.slots.get_mut(slot) else { return Kept::No };
        match &mut self.beyond {
            Some(beyond) if ahead > 0 => return beyond.keep(incoming, ahead, length, check, shared),
            Some(beyond) if link.loses() => {
                incoming.stored(length, check, shared);
                beyond.join(incoming);
            }
            _ => incoming.stored(length, check, shared),
        }
        Kept::Yes
    }

    /// The application gives a transfer up: its slot, if that was possible.
    pub(super) fn cancel(&mut self, id: u32, refusal: Refusal) -> Option<usize> {
        let (slot, incoming) = self.find(id)?;
        incoming.fail(refusal, Owes::KEEP).then_some(slot)
    }

    pub(super) fn synced(&mut self, id: u32, durable: u64) {
        if let Some((_, incoming)) = self.find(id) {
            incoming.synced(durable);
        }
    }

    /// The commit has ended; whether one was awaited.
    pub(super) fn committed(&mut self, id: u32, result: Result<(), Refusal>) -> bool {
        self.find(id).is_some_and(|(_, incoming)| incoming.committed(result))
    }
}

#[inline(never)]
fn find<'s>(slots: &'s mut Slots<'_, Incoming>, id: u32) -> Option<(usize, &'s mut Incoming)> {
    slots.iter_mut().enumerate().find(|(_, slot)| slot.id == id && slot.is_live())
}
