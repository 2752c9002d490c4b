//! The receiving half of a storage: what others have asked of the peer.

use std::collections::HashMap;
use std::sync::Arc;

use sampan_core::wire::{Code, FileName, Offer};
use sampan_core::{
    Asked, Completion, Digest as _, Ending, Refusal, ResumePoint, Running, Storage, TransferId, Verdict,
    WantId,
};

use super::{Asks, Relay, Wanting};
use crate::digests::AnyDigest;

/// Everything that is asked for over one connection.
#[derive(Debug, Default)]
pub(super) struct Relayed {
    wants: HashMap<WantId, Wanting>,
    transfers: HashMap<TransferId, Transfer>,
}

#[derive(Debug)]
struct Transfer {
    want: WantId,
    relay: Arc<Relay>,
    digest: Running<AnyDigest>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Coming,
    /// All of it is here: whoever asked has to say that he has it.
    Whole,
    /// He has said so, or that he does not want it.
    Judged,
}

impl Relayed {
    /// The WANT asks for it.
    pub(super) fn want(&mut self, want: WantId, wanting: Wanting) {
        self.wants.insert(want, wanting);
    }

    pub(super) fn has(&self, transfer: TransferId) -> bool {
        self.transfers.contains_key(&transfer)
    }

    /// Whether nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.wants.is_empty()
    }

    /// The peer does not send what was wanted.
    pub(super) fn refused(&mut self, want: WantId, code: Code) {
        if let Some(wanting) = self.wants.remove(&want) {
            wanting.0.failed(code);
        }
    }

    /// A transfer is over, with this code; whether it was one of these.
    pub(super) fn over(&mut self, transfer: TransferId, code: Code) -> bool {
        let Some(Transfer { want, relay, .. }) = self.transfers.remove(&transfer) else { return false };
        if code != Code::Ok {
            relay.failed(code);
        }
        self.wants.remove(&want);
        true
    }

    /// Those of which whoever asked wants no more, or had all of it already.
    pub(super) fn unwanted(&self) -> Option<TransferId> {
        let unwanted =
            |transfer: &Transfer| transfer.state == State::Coming && transfer.relay.verdict().is_some();
        self.transfers.iter().find(|(_, transfer)| unwanted(transfer)).map(|(id, _)| *id)
    }
}

impl Storage for Relayed {
    fn offered(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Verdict {
        const UNASKED: Refusal = Refusal { code: Code::NotAllowed, words: "nobody asked for it" };
        const OTHER: Refusal = Refusal { code: Code::NotAllowed, words: "another name was asked for" };
        let Some(want) = offer.want.map(WantId) else { return Verdict::Decline(UNASKED) };
        let Some(Wanting(relay)) = self.wants.get(&want) else { return Verdict::Decline(UNASKED) };
        let digest = Running::new(AnyDigest::new(offer.digest));
        let state = State::Coming;
        self.transfers.insert(transfer, Transfer { want, relay: Arc::clone(relay), digest, state });
        if offer.name.as_bytes() != relay.name.as_bytes() || offer.listing != (relay.asks == Asks::Listing) {
            return Verdict::Decline(OTHER);
        }
        match relay.offered(offer) {
            Ok(()) => Verdict::AcceptInOrder(ResumePoint::START),
            Err(refusal) => Verdict::Decline(refusal),
        }
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        let Some(transfer) = self.transfers.get_mut(&transfer) else { return Err(Code::Storage.into()) };
        let n = transfer.relay.put(data)?;
        transfer.digest.absorb(offset, data.get(..n).unwrap_or_default());
        Ok(n)
    }

    /// Nothing of it is resumed; the peer hears that it came, and sends on.
    fn sync(&mut self, _: TransferId, offset: u64, _: u32) -> Option<u64> {
        Some(offset)
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        let Some(transfer) = self.transfers.get_mut(&transfer) else {
            return Some(Err(Code::Storage.into()));
        };
        let mut value = [0; 32];
        let length = transfer.digest.digest().value(&mut value);
        if transfer.digest.position() != end.size || value.get(..length) != Some(end.value) {
            return Some(Err(Refusal { code: Code::Integrity, words: "the digest differs" }));
        }
        transfer.state = State::Whole;
        transfer.relay.ended();
        None
    }

    fn completed(&mut self) -> Option<Completion> {
        self.transfers.iter_mut().filter(|(_, transfer)| transfer.state == State::Whole).find_map(
            |(id, transfer)| {
                let result = transfer.relay.verdict()?;
                transfer.state = State::Judged;
                Some(Completion::Committed { transfer: *id, result })
            },
        )
    }

    fn ask(&mut self, want: WantId) -> Result<Asked<'_>, Refusal> {
        let Wanting(relay) = self.wants.get(&want).ok_or(Refusal::from(Code::NotFound))?;
        match relay.asks {
            Asks::File => FileName::new(&relay.name).map(Asked::File).map_err(|_| Code::BadName.into()),
            Asks::Listing => Ok(Asked::Listing(FileName::new(&relay.name).ok())),
        }
    }
}
