//! What is owed for a transfer to this end: frames to the peer, chores to the storage, reports to the application.

use super::{Credit, Due, Incoming, Owes, Shared};
use crate::action::{Action, By, Event, Failure, Refusal};
use crate::session::beyond::Beyond;
use crate::session::transitions::ReceiveState;
use crate::storage::Part;
use crate::units::{Instant, TransferId, WantId};
use crate::wire::{Abort, Accept, Ack, Answered, Code, Decline, Done, Gap, Gaps, Scope, Writer};

/// What the storage or the application is to be asked or told, apart from frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session) enum Chore {
    Sync,
    Abandon(Part),
    Report,
}

impl Incoming {
    /// Whether a frame can be written for it.
    pub(in crate::session) fn owes_frame(&self) -> bool {
        self.owes.has(Owes::ACK) || !matches!(self.due, Due::Nothing | Due::Want)
    }

    /// Writes the frame that is owed; `beyond` is what remembers gaps, if something does.
    pub(in crate::session) fn emit(&mut self, w: &mut Writer<'_>, window: u32, beyond: Option<&dyn Beyond>) {
        let transfer = self.id;
        let Refusal { code, words } = self.refusal;
        let credit = if self.credit == Credit::Open { window } else { 0 };
        let (received, check) = (self.received, self.check);
        match core::mem::replace(&mut self.due, Due::Nothing) {
            Due::Nothing | Due::Want => {
                self.emit_ack(w, credit, beyond);
                self.owes = self.owes.without(Owes::ACK.and(Owes::GAP));
                self.untold = 0;
            }
            Due::Accept => Accept { transfer, have: false, offset: received, check, credit }.emit(w),
            Due::Have => Accept { transfer, have: true, offset: 0, check: 0, credit: 0 }.emit(w),
            Due::Decline => Decline { what: Answered::Offer, number: transfer, code, words }.emit(w),
            Due::Done => Done { transfer, code, words }.emit(w),
            Due::Abort => Abort { scope: Scope::Receiving, transfer, code, words }.emit(w),
        }
        self.settle();
    }

    fn emit_ack(&self, w: &mut Writer<'_>, credit: u32, beyond: Option<&dyn Beyond>) {
        let (transfer, received, durable) = (self.id, self.received, self.durable);
        let ack = Ack { transfer, received, durable, credit, gaps: Gaps::NONE };
        if let Some(beyond) = beyond {
            beyond.emit(self, &ack, w);
        } else if self.owes.has(Owes::GAP) {
            let gap = [Gap { start: received, length: 1 }];
            Ack { gaps: Gaps::new(&gap, 0), ..ack }.emit(w);
        } else {
            ack.emit_without_gaps(w);
        }
    }

    /// When a Sync is due.
    pub(in crate::session) fn sync_due(&self, shared: &Shared<'_>) -> Option<Instant> {
        let waiting = self.state == ReceiveState::Receiving && self.unsynced > 0;
        waiting.then(|| {
            let enough = self.unsynced >= shared.limits.sync_bytes;
            if enough { shared.now } else { self.unsynced_since.after(shared.limits.sync_interval) }
        })
    }

    pub(in crate::session) fn chore(&self, shared: &Shared<'_>) -> Option<Chore> {
        if self.owes.has(Owes::DISCARD) {
            Some(Chore::Abandon(Part::Discard))
        } else if self.owes.has(Owes::KEEP) {
            // What has come since the last one is worth keeping too.
            Some(if self.unsynced > 0 { Chore::Sync } else { Chore::Abandon(Part::Keep) })
        } else if self.owes.has(Owes::REPORT) {
            Some(Chore::Report)
        } else {
            self.sync_due(shared).filter(|due| *due <= shared.now).map(|_| Chore::Sync)
        }
    }

    /// Hands the chore out.
    pub(in crate::session) fn lend<'a>(&mut self, chore: Chore) -> Action<'a> {
        let transfer = TransferId(self.id);
        match chore {
            Chore::Sync => {
                self.unsynced = 0;
                Action::Sync { transfer, offset: self.received, check: self.check }
            }
            Chore::Abandon(part) => {
                self.did(Owes::KEEP.and(Owes::DISCARD));
                Action::Abandon { transfer, part }
            }
            Chore::Report => {
                let Refusal { code, words } = self.refusal;
                let event =
                    if code == Code::Ok { Event::Received { transfer } } else { self.failed(words, By::Us) };
                self.did(Owes::REPORT);
                Action::Event(event)
            }
        }
    }

    /// The event that tells of its failure.
    pub(in crate::session) fn failed<'a>(&self, words: &'a str, by: By) -> Event<'a> {
        let code = self.refusal.code;
        match self.id {
            0 => Event::WantFailed { want: WantId(self.want), code, words },
            id => Event::ReceiveFailed(Failure { transfer: TransferId(id), code, words, by }),
        }
    }

    pub(in crate::session) fn did(&mut self, what: Owes) {
        self.owes = self.owes.without(what);
        self.settle();
    }
}
