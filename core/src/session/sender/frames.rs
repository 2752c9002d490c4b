//! What the receiver's frames do to the sender's transfers (§9.1, §8.5).

use super::super::dispatch::Fault;
use super::super::outgoing::{Attempt, Reply};
use super::super::shared::{Order, Shared};
use super::super::transitions::{SendEvent, SendState};
use super::repairs::Rules;
use super::{Sender, Told};
use crate::action::Sent;
use crate::framing::Reliability;
use crate::units::Instant;
use crate::wire::{Accept, Ack, Code, Done, Gaps};

impl Sender<'_> {
    pub(in crate::session) fn accepted(
        &mut self,
        accept: &Accept,
        shared: &mut Shared<'_>,
    ) -> Result<(), Fault> {
        let Some((_, slot)) = self.find(accept.transfer) else {
            return self.late(accept.transfer);
        };
        if shared.is_lossy() && matches!(slot.state, SendState::Sending | SendState::Ended) {
            // An answer to an OFFER that was sent again.
            let Accept { transfer, offset: received, credit, .. } = *accept;
            return self.acked(&Ack { transfer, received, durable: 0, credit, gaps: Gaps::NONE }, shared);
        }
        shared.progress();
        if accept.have {
            self.forget(accept.transfer);
            let Some((_, slot)) = self.find(accept.transfer) else { return Ok(()) };
            return allowed(slot.state != SendState::Sending && slot.stored(Sent::HadIt));
        }
        if slot.size.is_some_and(|size| accept.offset > size) {
            return Err(Fault::Unexpected);
        }
        // It asked for a beginning at offset 0 (§9.1).
        if slot.attempt != Attempt::First && accept.offset > 0 {
            return Err(Fault::Unexpected);
        }
        let resumed = accept.offset > slot.sent;
        allowed(slot.step(if resumed { SendEvent::Resumed } else { SendEvent::Accepted }))?;
        slot.answered = Reply::Given;
        log!(info, "sends {=u32}: accepted from {=u64}", slot.id, accept.offset);
        if slot.state != SendState::Ended {
            slot.limit = accept.offset.saturating_add(accept.credit.into());
            slot.acked = slot.acked.max(accept.offset.min(slot.sent));
        }
        slot.prefix = accept.offset;
        slot.prefix_check = accept.check;
        Ok(())
    }

    /// An OFFER is declined: its slot, if there is something to tell.
    pub(in crate::session) fn declined(
        &mut self,
        id: u32,
        code: Code,
        shared: &mut Shared<'_>,
    ) -> Option<usize> {
        let (index, slot) = self.find(id)?;
        if code != Code::Wait || shared.peer.order == Order::Both {
            shared.progress();
            let over = slot.refused(code).then_some(index);
            self.forget(id);
            return over;
        }
        if slot.step(SendEvent::Wait) {
            slot.again(slot.attempt);
            if shared.is_lossy() {
                self.turn = Told::Wait;
            }
        }
        None
    }

    pub(in crate::session) fn acked(&mut self, ack: &Ack<'_>, shared: &mut Shared<'_>) -> Result<(), Fault> {
        let Some((_, slot)) = self.find(ack.transfer) else {
            self.late(ack.transfer)?;
            if shared.is_lossy() {
                self.over = Some(ack.transfer);
            }
            return Ok(());
        };
        allowed(ack.received <= slot.summed.max(slot.prefix))?;
        if ack.received < slot.acked {
            return Ok(());
        }
        let further = ack.received > slot.acked && ack.received <= slot.summed;
        if further {
            slot.acked = ack.received;
            slot.sent = slot.sent.max(slot.acked);
            shared.progress();
        }
        slot.limit = ack.received.saturating_add(ack.credit.into());
        if shared.is_lossy() {
            self.heard(ack, shared);
        }
        Ok(())
    }

    /// An ACK on a link that loses frames (§8.5): what is missing is to be sent again.
    fn heard(&mut self, ack: &Ack<'_>, shared: &mut Shared<'_>) {
        let rules = self.rules(shared);
        let remembers = self.repairs.remembers() && self.peer.gaps > 0;
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.id == ack.transfer && slot.is_moving())
        else {
            return;
        };
        let mut lost = 0;
        if remembers {
            let told = self.repairs.named(ack, slot.summed, &rules);
            slot.known = slot.known.max(told.known).min(told.cut.unwrap_or(u64::MAX));
            slot.sent = slot.sent.max(slot.known);
            lost = told.lost;
        }
        // Nothing is kept from there on, at one of the two ends.
        let tail = match ack.gaps.iter().last() {
            Some(_) if !remembers => Some(ack.received),
            Some(last) if ack.gaps.beyond() == 0 => Some(last.start).filter(|start| *start >= slot.known),
            _ => None,
        };
        if let Some(tail) = tail.filter(|tail| !slot.went_back_to(*tail, rules.span, shared.now)) {
            slot.went_back = (tail, shared.now);
            log!(debug, "sends {=u32}: back to {=u64}", slot.id, tail);
            slot.go_back();
            self.pace.forget(ack.transfer);
            lost = lost.saturating_add(1);
        }
        let known = slot.known();
        let arrived = known.saturating_sub(self.repairs.missing(ack.transfer));
        let more = arrived.saturating_sub(slot.delivered);
        if more > 0 {
            slot.delivered = arrived;
            shared.progress();
            self.pace.arrived(more);
        }
        self.pace.lost(lost);
        let sampled = self.pace.knows(ack.transfer, known, &self.repairs);
        if let Some(sent) = sampled {
            shared.repeats.measured(sent, shared.now);
        }
        if shared.link == Reliability::Datagrams {
            self.steer(ack.transfer, known, (more, lost), sampled, shared.now);
        }
    }

    /// What an ACK says about the path (§8.7): `more` bytes have arrived, `lost` frames have not; the frame that was sent at `sampled` has.
    fn steer(
        &mut self,
        transfer: u32,
        known: u64,
        (more, lost): (u64, u64),
        sampled: Option<Instant>,
        now: Instant,
    ) {
        if more > 0 {
            self.pace.goes_on();
            self.congestion.arrived(more, now);
            self.length.heard(transfer, known, &self.repairs, now);
            self.congestion.frames(self.length.proven());
        }
        if lost > 0 {
            self.congestion.lost();
        }
        if let Some(sent) = sampled {
            let micros = u64::try_from(now.since(sent).as_micros()).unwrap_or(u64::MAX);
            self.congestion.took(micros.max(1), now);
        }
        self.congestion.heard(transfer, known, self.flight(), now);
    }

    /// When what is missing counts as lost (§8.5, §8.6).
    pub(super) fn rules(&self, shared: &Shared<'_>) -> Rules {
        let (overtaken, allowance) = match shared.link {
            Reliability::Datagrams => {
                (self.length.proven().saturating_mul(3), shared.repeats.round_trip() / 4)
            }
            Reliability::Reliable | Reliability::Lossy => (0, 0),
        };
        Rules { now: shared.now, overtaken, allowance, span: shared.repeats.answered_after() }
    }

    /// When something is to be sent that is not yet.
    pub(in crate::session) fn wakes_at(&self, shared: &Shared<'_>) -> Option<Instant> {
        let paced = Some(self.congestion.next_at()).filter(|at| *at > shared.now && self.is_accepted());
        self.repairs.due_at(&self.rules(shared)).into_iter().chain(paced).min()
    }

    /// Nothing of a transfer is under way any more.
    pub(super) fn forget(&mut self, id: u32) {
        self.repairs.forget(id);
        self.pace.forget(id);
        self.congestion.forget(id);
        self.length.forget(id);
    }

    /// DONE came: the transfer's slot, if there is a failure to tell.
    pub(in crate::session) fn done(
        &mut self,
        done: &Done<'_>,
        shared: &mut Shared<'_>,
    ) -> Result<Option<usize>, Fault> {
        let Some((index, slot)) = self.find(done.transfer) else {
            return self.late(done.transfer).map(|()| None);
        };
        let may_end = match slot.state {
            SendState::Ended => true,
            // END may have come before this end went back.
            SendState::Offered | SendState::Sending => shared.is_lossy(),
            _ => false,
        };
        allowed(may_end)?;
        shared.progress();
        self.forget(done.transfer);
        let Some(slot) = self.slots.get_mut(index) else { return Ok(None) };
        let again = match (done.code, slot.attempt) {
            (Code::Ok, _) => {
                slot.stored(Sent::Stored);
                return Ok(None);
            }
            (Code::Integrity, Attempt::First | Attempt::Restart) => Attempt::AfterIntegrity,
            // It may be remembered by its identity, which a restart would not let it say.
            (Code::Unknown, attempt) if shared.is_lossy() => attempt,
            (Code::Unknown, Attempt::First) => Attempt::Restart,
            (code, _) => return Ok(slot.refused(code).then_some(index)),
        };
        slot.step(SendEvent::Again);
        slot.again(again);
        Ok(None)
    }

    /// The receiver has given the transfer up: its slot, if there is something to tell.
    pub(in crate::session) fn aborted(
        &mut self,
        id: u32,
        code: Code,
        shared: &mut Shared<'_>,
    ) -> Option<usize> {
        let (index, slot) = self.find(id)?;
        shared.progress();
        let over = slot.refused(code).then_some(index);
        self.forget(id);
        over
    }

    /// A frame for a transfer that is over here is late; for one that never was it is wrong.
    fn late(&self, id: u32) -> Result<(), Fault> {
        allowed(id <= self.last_id)
    }
}

fn allowed(is_it: bool) -> Result<(), Fault> {
    if is_it { Ok(()) } else { Err(Fault::Unexpected) }
}
