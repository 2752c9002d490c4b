//! The sender's half of a session (§9): what the application's wishes and the receiver's frames do to its transfers.

mod congestion;
mod length;
mod pace;
mod repairs;
mod tasks;

use heapless::VecView;
pub use repairs::Missing;

use congestion::Congestion;
use length::Length;
use pace::Pace;
use repairs::{Repairs, Rules};
pub(super) use tasks::{Task, Turn};

use super::dispatch::Fault;
use super::outgoing::{Attempt, Outgoing, Owes, Reply};
use super::shared::{Order, Shared};
use super::slots::{Slot, Slots};
use super::transitions::{SendEvent, SendState};
use crate::action::{Answer, By, Event, Refusal, Sent};
use crate::framing::Reliability;
use crate::units::{Instant, TransferId};
use crate::wire::{
    Abort, Accept, Ack, Answered, Code, Decline, DigestKind, Done, Gaps, Hello, Scope, Writer,
};

/// The sender's half of a session.
#[derive(Debug)]
pub struct Sender<'b> {
    slots: Slots<'b, Outgoing>,
    last_id: u32,
    /// A WANT that is refused for want of a slot. Until that is told no further frame is taken.
    refused: Option<u32>,
    /// A transfer that is over, of which the receiver does not know that (§8.5).
    over: Option<u32>,
    turn: Told,
    peer: Peer,
    /// What is lost, and what arrives, say how long frames should be.
    pace: Pace,
    repairs: Repairs<'b>,
    /// What the path carries, where frames are datagrams.
    congestion: Congestion,
    length: Length,
}

/// What the peer has said of whose turn it is, where DATA flows in one direction only (§11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    /// To wait for its own offer, which has not come yet and may be lost (§8.5).
    Wait,
}

/// What the peer's HELLO says to a sender (§4.1).
#[derive(Clone, Copy, Debug)]
struct Peer {
    window: u32,
    eager: u32,
    gaps: u32,
    digest: DigestKind,
}

impl<'b> Sender<'b> {
    /// A sender of as many transfers at a time as there are `slots`; at least one.
    ///
    /// On a link that loses frames it sends everything again from the first that is missing on.
    pub fn new(slots: &'b mut [Outgoing]) -> Self {
        Self::remembering(slots, None)
    }

    /// The same, which on a link that loses frames sends again only what is missing, as far as `repairs` can remember that.
    pub fn with_repairs(slots: &'b mut [Outgoing], repairs: &'b mut VecView<Missing>) -> Self {
        Self::remembering(slots, Some(repairs))
    }

    fn remembering(slots: &'b mut [Outgoing], repairs: Option<&'b mut VecView<Missing>>) -> Self {
        slots.fill(Outgoing::FREE);
        Self {
            slots: Slots::new(slots),
            last_id: 0,
            refused: None,
            over: None,
            turn: Told::Nothing,
            peer: Peer { window: 0, eager: 0, gaps: 0, digest: DigestKind::Crc32 },
            pace: Pace::new(),
            repairs: Repairs::new(repairs),
            congestion: Congestion::new(),
            length: Length::new(),
        }
    }

    /// The peer has said what it takes.
    pub(super) fn greeted(&mut self, hello: &Hello, shared: &Shared<'_>) {
        self.peer = Peer {
            window: hello.window,
            // Nothing goes ahead of an answer where it may be lost (§8.5).
            eager: if shared.peer.order == Order::Both && !shared.is_lossy() { hello.eager } else { 0 },
            gaps: hello.gaps,
            digest: hello.digests.choose(shared.limits.makes),
        };
    }

    /// The digest of a transfer from here to the peer (§5.1).
    pub(super) fn digest(&self) -> DigestKind {
        self.peer.digest
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

    pub(super) fn slot(&mut self, slot: usize) -> Option<&mut Outgoing> {
        self.slots.get_mut(slot)
    }

    fn take(&mut self, event: SendEvent) -> Option<&mut Outgoing> {
        let (_, slot) = self.slots.free()?;
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

    /// How far the receiver has it.
    pub(super) fn acknowledged(&mut self, id: u32) -> Option<u64> {
        let (_, slot) = self.find(id)?;
        // While its beginning is compared, that is what it has.
        Some(slot.acked.max(slot.prefix))
    }

    /// Whether something awaits an answer.
    pub(super) fn awaits(&self) -> bool {
        self.turn == Told::Wait || self.slots.iter().any(Outgoing::awaits)
    }

    /// Sends again what may be lost; whether the receiver is to be asked how far it is.
    pub(super) fn repeat(&mut self, now: Instant) -> bool {
        self.turn = Told::Nothing;
        // What is not DATA says nothing of how long frames may be.
        if self.flight() > 0 {
            self.pace.ran_out();
            self.length.ran_out(now);
        }
        let mut asks = false;
        for slot in self.slots.iter_mut().filter(|slot| slot.awaits()) {
            self.repairs.ran_out(slot.id);
            asks |= slot.repeat();
        }
        asks
    }

    /// The peer's offer has come: once that is received, it is this end's turn.
    pub(super) fn gives_way(&mut self) {
        self.turn = Told::Nothing;
    }

    /// The application gives a transfer up.
    pub(super) fn cancel(&mut self, id: u32, refusal: Refusal) {
        if let Some((_, slot)) = self.find(id) {
            slot.abort(refusal);
            self.forget(id);
        }
    }

    /// The peer takes no transfers at all: nothing will ever be offered to it (§8.1).
    pub(super) fn give_up_all(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| slot.state == SendState::Queued) {
            slot.abort(Refusal { code: Code::NotAllowed, words: "the peer takes no transfers" });
        }
    }

    /// The id that the next transfer will have.
    pub(super) fn next_id(&self) -> TransferId {
        TransferId(self.last_id.saturating_add(1))
    }

    /// The storage has decided on a WANT of the peer's.
    pub(super) fn wanted(&mut self, want: u32, answer: Answer) {
        let slot = match answer {
            Answer::Refuse(_) => self.take(SendEvent::Refuse),
            Answer::Accept(..) | Answer::Have => {
                self.queue().and_then(|id| self.find(id.0)).map(|(_, slot)| slot)
            }
        };
        let Some(slot) = slot else {
            self.refused = Some(want);
            return;
        };
        slot.want = want;
        if let Answer::Refuse(refusal) = answer {
            slot.refusal = refusal;
            slot.owes = Owes::Decline;
        }
    }

    /// Whether no WANT waits to be refused.
    pub(super) fn takes_frames(&self) -> bool {
        self.refused.is_none()
    }

    /// Whether a WANT can be answered now.
    pub(super) fn has_room(&self) -> bool {
        self.slots.all().iter().any(Slot::is_free)
    }

    /// A WANT for which there is no slot is declined, and the storage is not asked.
    pub(super) fn refuse(&mut self, want: u32) {
        self.refused = Some(want);
    }

    /// Whether a WANT of the peer's is being answered.
    pub(super) fn is_answering(&self, want: u32) -> bool {
        self.slots.iter().any(|slot| slot.want == want && slot.state != SendState::Free)
    }

    // Frames of the receiver's.

    pub(super) fn accepted(&mut self, accept: &Accept, shared: &mut Shared<'_>) -> Result<(), Fault> {
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
        let resumed = accept.offset > slot.sent;
        allowed(slot.step(if resumed { SendEvent::Resumed } else { SendEvent::Accepted }))?;
        slot.answered = Reply::Given;
        if slot.state != SendState::Ended {
            slot.limit = accept.offset.saturating_add(accept.credit.into());
            slot.acked = slot.acked.max(accept.offset.min(slot.sent));
        }
        slot.prefix = accept.offset;
        slot.prefix_check = accept.check;
        Ok(())
    }

    /// An OFFER is declined: its slot, if there is something to tell.
    pub(super) fn declined(&mut self, id: u32, code: Code, shared: &mut Shared<'_>) -> Option<usize> {
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

    pub(super) fn acked(&mut self, ack: &Ack<'_>, shared: &mut Shared<'_>) -> Result<(), Fault> {
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
    fn rules(&self, shared: &Shared<'_>) -> Rules {
        let (overtaken, allowance) = match shared.link {
            Reliability::Datagrams => {
                (self.length.proven().saturating_mul(3), shared.repeats.round_trip() / 4)
            }
            Reliability::Reliable | Reliability::Lossy => (0, 0),
        };
        Rules { now: shared.now, overtaken, allowance, span: shared.repeats.answered_after() }
    }

    /// When something is to be sent that is not yet.
    pub(super) fn wakes_at(&self, shared: &Shared<'_>) -> Option<Instant> {
        let paced = Some(self.congestion.next_at()).filter(|at| *at > shared.now && self.is_accepted());
        self.repairs.due_at(&self.rules(shared)).into_iter().chain(paced).min()
    }

    /// Nothing of a transfer is under way any more.
    fn forget(&mut self, id: u32) {
        self.repairs.forget(id);
        self.pace.forget(id);
        self.congestion.forget(id);
        self.length.forget(id);
    }

    /// DONE came: the transfer's slot, if there is a failure to tell.
    pub(super) fn done(&mut self, done: &Done<'_>, shared: &mut Shared<'_>) -> Result<Option<usize>, Fault> {
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
    pub(super) fn aborted(&mut self, id: u32, code: Code, shared: &mut Shared<'_>) -> Option<usize> {
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

    // Doing what is owed.

    /// Writes one frame that is owed; whether there was one.
    pub(super) fn emit(&mut self, w: &mut Writer<'_>) -> bool {
        let what = Answered::Want;
        if let Some(number) = self.refused.take() {
            Decline { what, number, code: Code::Busy, words: "no more transfers at a time" }.emit(w);
            return true;
        }
        if let Some(transfer) = self.over.take() {
            Abort { scope: Scope::Sending, transfer, code: Code::Cancelled, words: "" }.emit(w);
            return true;
        }
        self.slots.trim();
        let owing =
            |slot: &&mut Outgoing| matches!(slot.owes, Owes::Decline | Owes::Unanswered | Owes::Abort);
        let Some(slot) = self.slots.iter_mut().find(owing) else { return false };
        let Refusal { code, words } = slot.refusal;
        if slot.owes == Owes::Abort {
            Abort { scope: Scope::Sending, transfer: slot.id, code, words }.emit(w);
            slot.owes = Owes::Report;
        } else {
            Decline { what, number: slot.want, code, words }.emit(w);
            slot.owes = if slot.owes == Owes::Unanswered { Owes::Report } else { Owes::Nothing };
        }
        slot.settle();
        true
    }

    /// The slot of a transfer that the application is to be told of.
    pub(super) fn report(&self) -> Option<usize> {
        self.slots.iter().position(|slot| slot.owes == Owes::Report)
    }

    /// Hands the report out.
    pub(super) fn lend<'a>(&mut self, slot: usize) -> Option<Event<'a>> {
        let slot = self.slot(slot)?;
        let event = match slot.refusal {
            Refusal { code: Code::Ok, .. } => {
                Event::Sent { transfer: TransferId(slot.id), how: slot.how, resumed_from: slot.prefix }
            }
            Refusal { words, .. } => slot.failed(words, By::Us),
        };
        slot.owes = Owes::Nothing;
        slot.settle();
        Some(event)
    }
}

fn allowed(is_it: bool) -> Result<(), Fault> {
    if is_it { Ok(()) } else { Err(Fault::Unexpected) }
}
