//! The storage of a client that fetches: listings, files for a directory, and one for the standard output.

use std::collections::HashMap;

use sampan_core::wire::{Code, FileName, Offer};
use sampan_core::{
    Asked, Completion, Ending, Part, Refusal, ResumePoint, Storage, TransferId, Verdict, WantId,
};

use super::listed::Listing;
use super::output::Output;
use crate::store::StoreSink;

/// What was asked for, and where it goes.
#[derive(Debug)]
pub(super) struct WantedFiles {
    /// Files and directories.
    pub(super) sink: Option<StoreSink>,
    pub(super) output: Option<Output>,
    wants: HashMap<WantId, Want>,
    transfers: HashMap<TransferId, Under>,
    listings: HashMap<TransferId, Listing>,
    /// What began to go to the output.
    begun: Vec<(String, Option<u64>)>,
}

#[derive(Clone, Debug)]
enum Want {
    /// By the sink, which knows its name.
    File,
    Output(String),
    Listing(String),
}

/// What a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Under {
    File(WantId),
    Output(WantId),
    Listing(WantId),
}

impl Under {
    pub(super) const fn want(self) -> WantId {
        match self {
            Self::File(want) | Self::Output(want) | Self::Listing(want) => want,
        }
    }
}

impl WantedFiles {
    pub(super) fn new(sink: Option<StoreSink>, output: Option<Output>) -> Self {
        let (wants, transfers, listings, begun) = Default::default();
        Self { sink, output, wants, transfers, listings, begun }
    }

    pub(super) fn want_listing(&mut self, want: WantId, prefix: &str) {
        self.wants.insert(want, Want::Listing(prefix.to_owned()));
    }

    /// `remote` becomes `local`; or goes to the standard output, if there is no directory.
    pub(super) fn want_file(&mut self, want: WantId, remote: FileName<'_>, local: FileName<'_>) {
        let wanted = match &mut self.sink {
            Some(sink) => {
                sink.want(want, remote, local);
                Want::File
            }
            None => Want::Output(remote.as_str().to_owned()),
        };
        self.wants.insert(want, wanted);
    }

    pub(super) fn under(&self, transfer: TransferId) -> Option<Under> {
        self.transfers.get(&transfer).copied()
    }

    /// The listings that are coming, each with what asked for it.
    pub(super) fn listings(&mut self) -> impl Iterator<Item = (WantId, &mut Listing)> {
        let transfers = &self.transfers;
        self.listings.iter_mut().filter_map(|(id, listing)| Some((transfers.get(id)?.want(), listing)))
    }

    /// Names and sizes of the files that began to come since this was called last.
    pub(super) fn begun(&mut self) -> Vec<(String, Option<u64>)> {
        let mut begun = std::mem::take(&mut self.begun);
        begun.extend(self.sink.iter_mut().flat_map(StoreSink::begun));
        begun
    }

    /// The transfer is over.
    pub(super) fn forget(&mut self, transfer: TransferId) {
        self.transfers.remove(&transfer);
        self.listings.remove(&transfer);
    }

    fn decide(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Result<Verdict, Refusal> {
        const UNASKED: Refusal = Refusal { code: Code::NotAllowed, words: "nobody asked for it" };
        const OTHER: Refusal = Refusal { code: Code::NotAllowed, words: "another name was asked for" };
        let want = WantId(offer.want.ok_or(UNASKED)?);
        let wanted = self.wants.get(&want).ok_or(UNASKED)?;
        match wanted {
            Want::File => {
                self.transfers.insert(transfer, Under::File(want));
                Ok(self.sink.as_mut().map_or(Verdict::Decline(UNASKED), |sink| sink.offered(transfer, offer)))
            }
            Want::Listing(prefix) => {
                self.transfers.insert(transfer, Under::Listing(want));
                if !offer.listing || offer.name.as_bytes() != prefix.as_bytes() {
                    return Err(OTHER);
                }
                self.listings.insert(transfer, Listing::new(offer.digest));
                Ok(Verdict::AcceptInOrder(ResumePoint::START))
            }
            Want::Output(name) => {
                self.transfers.insert(transfer, Under::Output(want));
                if offer.listing || offer.name.as_bytes() != name.as_bytes() {
                    return Err(OTHER);
                }
                if offer.directory {
                    let words = "a directory does not go to the standard output";
                    return Err(Refusal { code: Code::Unsupported, words });
                }
                let Some(output) = &mut self.output else { return Err(UNASKED) };
                let from = output.begin(offer.identity.as_bytes(), offer.size, offer.digest)?;
                self.begun.push((name.clone(), offer.size));
                Ok(Verdict::AcceptInOrder(from))
            }
        }
    }
}

impl Storage for WantedFiles {
    fn offered(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Verdict {
        self.decide(transfer, offer).unwrap_or_else(Verdict::Decline)
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        match (self.under(transfer), &mut self.sink, &mut self.output) {
            (Some(Under::File(_)), Some(sink), _) => sink.store(transfer, offset, data),
            (Some(Under::Output(_)), _, Some(output)) => output.store(offset, data),
            (Some(Under::Listing(_)), ..) => match self.listings.get_mut(&transfer) {
                Some(listing) => listing.store(offset, data),
                None => Err(Code::Storage.into()),
            },
            _ => Err(Code::Storage.into()),
        }
    }

    fn sync(&mut self, transfer: TransferId, offset: u64, check: u32) -> Option<u64> {
        match (self.under(transfer), &mut self.sink, &mut self.output) {
            (Some(Under::File(_)), Some(sink), _) => sink.sync(transfer, offset, check),
            (Some(Under::Output(_)), _, Some(output)) => {
                output.checked(ResumePoint { offset, check });
                Some(offset)
            }
            _ => Some(offset),
        }
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        match (self.under(transfer), &mut self.sink, &mut self.output) {
            (Some(Under::File(_)), Some(sink), _) => sink.commit(transfer, end),
            (Some(Under::Output(_)), _, Some(output)) => Some(output.commit(end)),
            (Some(Under::Listing(_)), ..) => self.listings.get(&transfer).map(|listing| listing.commit(end)),
            _ => Some(Err(Code::Storage.into())),
        }
    }

    fn abandon(&mut self, transfer: TransferId, part: Part) {
        if let Some(sink) = &mut self.sink {
            sink.abandon(transfer, part);
        }
    }

    fn completed(&mut self) -> Option<Completion> {
        self.sink.as_mut()?.completed()
    }

    fn ask(&mut self, want: WantId) -> Result<Asked<'_>, Refusal> {
        match self.wants.get(&want) {
            Some(Want::File) => match &mut self.sink {
                Some(sink) => sink.ask(want),
                None => Err(Code::NotFound.into()),
            },
            Some(Want::Output(name)) => {
                FileName::new(name).map(Asked::File).map_err(|_| Code::BadName.into())
            }
            Some(Want::Listing(prefix)) => Ok(Asked::Listing(FileName::new(prefix).ok())),
            None => Err(Code::NotFound.into()),
        }
    }
}
