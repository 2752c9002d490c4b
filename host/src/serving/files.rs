//! The storage of a connection that serves: what it takes and what it gives, for itself and for others.

use std::sync::Arc;

use sampan_core::wire::{DigestKind, Offer, Want};
use sampan_core::{
    Asked, Completion, Description, Ending, Part, Refusal, Storage, TransferId, Verdict, WantId,
};

use super::pushes::Pushes;
use super::relayed::Relayed;
use crate::server::{TransferStatus, Way};
use crate::store::{StoreSink, StoreSource};

/// All of them.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) sink: StoreSink,
    pub(super) source: StoreSource,
    pub(super) pushes: Pushes,
    pub(super) relayed: Relayed,
    /// The words of the notice that is being sent.
    pub(super) words: Arc<str>,
}

impl Files {
    pub(super) fn new(sink: StoreSink, source: StoreSource) -> Self {
        let (pushes, relayed) = Default::default();
        Self { sink, source, pushes, relayed, words: "".into() }
    }

    /// Bytes of contents that have moved so far.
    pub(super) const fn moved(&self) -> u64 {
        self.sink.moved() + self.source.moved() + self.pushes.moved
    }

    /// Whether contents are on their way.
    pub(super) fn are_moving(&self) -> bool {
        let sending = self.source.is_sending() || !self.pushes.is_empty();
        sending || self.sink.is_receiving() || !self.relayed.is_empty()
    }

    /// What is under way.
    pub(super) fn under_way(&self) -> impl Iterator<Item = TransferStatus> {
        let pushed = self.pushes.under_way();
        let pushed =
            pushed.map(|(name, bytes, size)| TransferStatus::new(name, Way::Send, bytes, Some(size)));
        let sent = self.source.under_way();
        let sent = sent.map(|(name, bytes, size)| TransferStatus::new(name, Way::Send, bytes, size));
        let received = self.sink.under_way();
        let received = received
            .map(|receipt| TransferStatus::new(&receipt.name, Way::Receive, receipt.stored, receipt.size));
        pushed.chain(sent).chain(received)
    }
}

impl Storage for Files {
    fn offered(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Verdict {
        match offer.want {
            Some(_) => self.relayed.offered(transfer, offer),
            None => self.sink.offered(transfer, offer),
        }
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        self.receiving(transfer).store(transfer, offset, data)
    }

    fn sync(&mut self, transfer: TransferId, offset: u64, check: u32) -> Option<u64> {
        self.receiving(transfer).sync(transfer, offset, check)
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        self.receiving(transfer).commit(transfer, end)
    }

    fn abandon(&mut self, transfer: TransferId, part: Part) {
        self.receiving(transfer).abandon(transfer, part);
    }

    fn completed(&mut self) -> Option<Completion> {
        self.sink.completed().or_else(|| self.relayed.completed())
    }

    fn ask(&mut self, want: WantId) -> Result<Asked<'_>, Refusal> {
        self.relayed.ask(want)
    }

    fn wanted(&mut self, transfer: TransferId, want: &Want<'_>) -> Result<(), Refusal> {
        self.source.wanted(transfer, want)
    }

    fn describe(&mut self, transfer: TransferId, digest: DigestKind) -> Result<Description<'_>, Refusal> {
        self.sending(transfer).describe(transfer, digest)
    }

    fn fetch(&mut self, transfer: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        self.sending(transfer).fetch(transfer, offset, into)
    }

    fn finish(&mut self, transfer: TransferId, into: &mut [u8]) -> Result<usize, Refusal> {
        self.sending(transfer).finish(transfer, into)
    }

    fn say(&mut self, _: u32, into: &mut [u8]) -> usize {
        say(&self.words, into)
    }
}

impl Files {
    fn receiving(&mut self, transfer: TransferId) -> &mut dyn Storage {
        if self.relayed.has(transfer) { &mut self.relayed } else { &mut self.sink }
    }

    fn sending(&mut self, transfer: TransferId) -> &mut dyn Storage {
        if self.pushes.has(transfer) { &mut self.pushes } else { &mut self.source }
    }
}

/// Writes as much of the words as there is room for.
pub(crate) fn say(words: &str, into: &mut [u8]) -> usize {
    let mut end = words.len().min(into.len());
    while !words.is_char_boundary(end) {
        end -= 1;
    }
    let said = words.as_bytes().get(..end).unwrap_or_default();
    if let Some(into) = into.get_mut(..said.len()) {
        into.copy_from_slice(said);
    }
    said.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_between_characters() {
        let mut into = [0; 4];
        assert_eq!((say("a\u{e9}\u{e9}", &mut into), &into[..3]), (3, "a\u{e9}".as_bytes()));
        assert_eq!(say("", &mut into), 0);
    }
}
