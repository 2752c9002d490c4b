//! What the receiver owes: frames to the peer, chores to the storage, reports to the application.

use super::super::beyond::Beyond;
use super::super::incoming::Chore;
use super::{Receiver, Shared};
use crate::action::Action;
use crate::units::Instant;
use crate::wire::{Answered, Decline, Done, Writer};

impl Receiver<'_> {
    /// Writes one frame that is owed; whether there was one.
    pub(in crate::session) fn emit(&mut self, w: &mut Writer<'_>, shared: &Shared<'_>) -> bool {
        if let Some((number, code)) = self.refused.take() {
            Decline { what: Answered::Offer, number, code, words: "" }.emit(w);
            return true;
        }
        if let Some((transfer, code)) = self.ended.take() {
            Done { transfer, code, words: "" }.emit(w);
            return true;
        }
        self.slots.trim();
        let beyond = self.beyond.as_deref().filter(|_| shared.is_lossy()).map(|beyond| beyond as &dyn Beyond);
        match self.slots.iter_mut().find(|slot| slot.owes_frame()) {
            Some(slot) => {
                slot.emit(w, shared.limits.window, beyond);
                true
            }
            None => false,
        }
    }

    /// What the storage or the application is to be asked or told next, and for which slot.
    pub(in crate::session) fn chore(&self, shared: &Shared<'_>) -> Option<(usize, Chore)> {
        for (index, slot) in self.slots.iter().enumerate() {
            if let Some(chore) = slot.chore(shared) {
                return Some((index, chore));
            }
        }
        None
    }

    /// Hands a chore out.
    pub(in crate::session) fn lend<'a>(&mut self, slot: usize, chore: Chore) -> Option<Action<'a>> {
        Some(self.slot(slot)?.lend(chore))
    }

    /// When a Sync is due.
    pub(in crate::session) fn deadline(&self, shared: &Shared<'_>) -> Option<Instant> {
        let mut first = None;
        for due in self.slots.iter().filter_map(|slot| slot.sync_due(shared)) {
            first = Some(first.map_or(due, |first: Instant| first.min(due)));
        }
        first
    }

    /// The session is over: parts are kept for the next one.
    pub(in crate::session) fn lost(&mut self) {
        self.refused = None;
        for slot in self.slots.iter_mut() {
            slot.lost();
        }
    }
}
