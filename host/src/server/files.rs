//! The storage of a server's connection: what it takes and what it gives.

use sampan_core::wire::{DigestKind, Offer, Want};
use sampan_core::{
    Asked, Completion, Description, Ending, Part, Refusal, Storage, TransferId, Verdict, WantId,
};

use crate::store::{StoreSink, StoreSource};

/// Both halves.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) sink: StoreSink,
    pub(super) source: StoreSource,
}

impl Storage for Files {
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

    fn ask(&mut self, want: WantId) -> Result<Asked<'_>, Refusal> {
        self.sink.ask(want)
    }

    fn wanted(&mut self, transfer: TransferId, want: &Want<'_>) -> Result<(), Refusal> {
        self.source.wanted(transfer, want)
    }

    fn describe(&mut self, transfer: TransferId, digest: DigestKind) -> Result<Description<'_>, Refusal> {
        self.source.describe(transfer, digest)
    }

    fn fetch(&mut self, transfer: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        self.source.fetch(transfer, offset, into)
    }

    fn finish(&mut self, transfer: TransferId, into: &mut [u8]) -> Result<usize, Refusal> {
        self.source.finish(transfer, into)
    }
}
