//! What a connection tells a sink, and what it asks of it.

use std::time::{Duration, Instant};

use sampan_core::wire::FileName;
use sampan_core::{Completion, Part, Refusal, Storage as _, TransferId, WantId};

use super::{Receipt, State, StoreSink, Wanted};

impl StoreSink {
    /// The WANT asks for `remote`, which becomes `local` here.
    pub fn want(&mut self, want: WantId, remote: FileName<'_>, local: FileName<'_>) {
        let wanted = Wanted { remote: remote.as_str().to_owned(), local: local.as_str().to_owned() };
        self.wants.insert(want, wanted);
    }

    /// The transfer is over: what is known of it, which is then forgotten.
    pub fn take(&mut self, transfer: TransferId) -> Option<Receipt> {
        let mut inbound = self.transfers.remove(&transfer)?;
        inbound.receipt.took = inbound.began.elapsed();
        Some(inbound.receipt)
    }

    /// The transfer that stored something last, as far as it has come.
    #[must_use]
    pub fn newest(&self) -> Option<(TransferId, &Receipt)> {
        Some((self.newest, &self.transfers.get(&self.newest)?.receipt))
    }

    /// Names and sizes of the files that were accepted since this was called last.
    pub fn begun(&mut self) -> Vec<(String, Option<u64>)> {
        std::mem::take(&mut self.begun)
    }

    /// Bytes stored so far, over all transfers.
    #[must_use]
    pub const fn moved(&self) -> u64 {
        self.moved
    }

    /// Whether a file is on its way from the peer.
    #[must_use]
    pub fn is_receiving(&self) -> bool {
        self.transfers.values().any(|inbound| matches!(inbound.state, State::File { .. }))
    }

    /// The files that are on their way from the peer.
    pub(crate) fn under_way(&self) -> impl Iterator<Item = &Receipt> {
        let under_way = |state: &State| matches!(state, State::File { .. } | State::Placing(_));
        self.transfers
            .values()
            .filter(move |inbound| under_way(&inbound.state))
            .map(|inbound| &inbound.receipt)
    }

    /// The peer was heard: whoever wants to go on with a file of its has to wait.
    pub fn heard(&self) {
        for inbound in self.transfers.values() {
            if let State::File { part, .. } = &inbound.state {
                part.is_active();
            }
        }
    }

    /// Forgets the transfers that have not come to an end, and says their names.
    pub fn unfinished(&mut self) -> Vec<String> {
        let mut transfers: Vec<_> = self.transfers.keys().copied().collect();
        transfers.sort_unstable();
        for transfer in &transfers {
            self.abandon(*transfer, Part::Keep);
        }
        transfers.iter().filter_map(|transfer| self.take(*transfer)).map(|receipt| receipt.name).collect()
    }

    /// Whether it waits for its own disk, not for the peer.
    #[must_use]
    pub fn is_committing(&self) -> bool {
        self.transfers.values().any(|inbound| matches!(inbound.state, State::Placing(_) | State::Making))
    }

    /// The connection has ended: waits for the files that are on their way into their places, and says what they came to.
    pub fn finish(&mut self, within: Duration) -> Vec<(Receipt, Result<(), Refusal>)> {
        let until = Instant::now() + within;
        let mut ended = Vec::new();
        while self.is_committing() && Instant::now() < until {
            match self.completed() {
                Some(Completion::Committed { transfer, result }) => {
                    ended.extend(self.take(transfer).map(|receipt| (receipt, result)));
                }
                Some(Completion::Synced { .. }) => {}
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        ended
    }
}
