//! The storage of a classic connection: a sink, and the notices that wait for the last reply (`docs/protocol.md` §14.2).

use sampan_core::classic::Receiver;
use sampan_core::classic::transitions::ReceiverState;
use sampan_core::wire::{Crc32, Offer};
use sampan_core::{Completion, Ending, Part, Refusal, Storage, TransferId, Verdict};

use super::NoticeResult;
use crate::serving::{Desk, Errand, NoticeErrand, say};
use crate::store::StoreSink;

#[derive(Debug)]
pub(super) struct ClassicFiles {
    pub(super) sink: StoreSink,
    notices: Vec<NoticeErrand>,
    told: Told,
}

/// Whether the notices are on the link, and how many of them: a classic client hears no more than so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    NotYet,
    Told(usize),
}

impl ClassicFiles {
    pub(super) const fn new(sink: StoreSink) -> Self {
        Self { sink, notices: Vec::new(), told: Told::NotYet }
    }

    /// Takes the notices that were left; they are told together.
    pub(super) fn notify<C: Crc32>(&mut self, desk: &Desk, engine: &mut Receiver<'_, C>) {
        for errand in desk.take() {
            let Errand::Notice(notice) = errand else { continue };
            let waits = !self.notices.is_empty() && self.told == Told::NotYet;
            if waits || engine.notify().is_some() {
                self.notices.push(notice);
            } else {
                notice.ended(too_late(engine));
            }
        }
    }

    /// The connection has ended: what became of the notices is said.
    pub(super) fn end<C: Crc32>(self, engine: &Receiver<'_, C>) -> StoreSink {
        for (index, notice) in self.notices.into_iter().enumerate() {
            notice.ended(match self.told {
                Told::Told(count) if index < count => NoticeResult::Told,
                Told::Told(_) => NoticeResult::TooLate,
                Told::NotYet => too_late(engine),
            });
        }
        self.sink
    }
}

/// Why a notice cannot be told any more.
fn too_late<C: Crc32>(engine: &Receiver<'_, C>) -> NoticeResult {
    match engine.state() {
        ReceiverState::Refusing | ReceiverState::Draining => NoticeResult::NotPossible,
        _ => NoticeResult::TooLate,
    }
}

impl Storage for ClassicFiles {
    fn offered(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Verdict {
        self.sink.offered(transfer, offer)
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        self.sink.store(transfer, offset, data)
    }

    fn sync(&mut self, transfer: TransferId, offset: u64, check: u32) -> Option<u64> {
        self.sink.sync(transfer, offset, check)
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        self.sink.commit(transfer, end)
    }

    fn abandon(&mut self, transfer: TransferId, part: Part) {
        self.sink.abandon(transfer, part);
    }

    fn completed(&mut self) -> Option<Completion> {
        self.sink.completed()
    }

    fn say(&mut self, _: u32, into: &mut [u8]) -> usize {
        let mut words = String::new();
        let mut told = 0;
        for notice in &self.notices {
            let divider = if told > 0 { "; " } else { "" };
            if told > 0 && words.len() + divider.len() + notice.text.len() > into.len() {
                break;
            }
            words.push_str(divider);
            // An older client shows what it reads as it stands.
            words.extend(notice.text.chars().map(|c| if c.is_control() { ' ' } else { c }));
            told += 1;
        }
        self.told = Told::Told(told);
        say(&words, into)
    }
}
