//! The sender's half of a session (§9): what the application's wishes and the receiver's frames do to its transfers.

mod congestion;
mod frames;
mod length;
mod pace;
mod repairs;
mod tasks;

use heapless::VecView;
pub use repairs::Missing;

use congestion::Congestion;
use length::Length;
use pace::Pace;
use repairs::Repairs;
pub(super) use tasks::{Task, Turn};

use super::outgoing::{Outgoing, Owes};
use super::shared::{Order, Shared};
use super::slots::{Slot, Slots};
use super::transitions::{SendEvent, SendState};
use crate::action::{Answer, By, Event, Refusal};
use crate::units::{Instant, TransferId};
use crate::wire::{Abort, Answered, Code, Decline, DigestKind, Hello, Scope, Writer};

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

    /// One in the same memory that has sent nothing yet.
    pub(super) fn renewed(self) -> Self {
        Self::remembering(self.slots.release(), self.repairs.release())
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
            log!(warn, "wish {=u32} of the peer: refused, {} {=str}", want, refusal.code, refusal.words);
        } else {
            log!(info, "wish {=u32} of the peer: sends {=u32}", want, slot.id);
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
        log!(warn, "wish {=u32} of the peer: refused, there is no room", want);
    }

    /// Whether a WANT of the peer's is being answered.
    pub(super) fn is_answering(&self, want: u32) -> bool {
        self.slots.iter().any(|slot| slot.want == want && slot.state != SendState::Free)
    }

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
