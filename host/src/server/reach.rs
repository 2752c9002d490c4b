//! A session through the server with a node: what is asked here is asked there.

use std::collections::HashMap;
use std::sync::Arc;

use sampan_core::wire::{Code, DigestKind, FileName, Want};
use sampan_core::{
    Description, Digest as _, Error, FileType, Refusal, Running, Speaks, Start, Storage, TransferId,
};

use super::registry::Member;
use crate::clock::Clock;
use crate::control::Control;
use crate::digests::AnyDigest;
use crate::failure::{ErrorName, Failure};
use crate::happened::Happened;
use crate::link::{StreamLink, Waker};
use crate::memory::{Memory, Opening};
use crate::run::Connection;
use crate::serving::{Asks, Errand, Relay, Wanting, What};
use crate::stop::Stop;

/// The way to one node.
#[derive(Debug)]
pub(crate) struct Reach {
    member: Arc<Member>,
}

impl Reach {
    pub(super) const fn new(member: Arc<Member>) -> Self {
        Self { member }
    }

    /// Serves whoever is at the other end of the link until the session has ended, or it is asked to stop.
    pub(crate) fn serve(self, link: StreamLink, stop: &Stop) -> Result<(), Failure> {
        let nothing =
            |error| Failure::new(ErrorName::Other, format!("the system has nothing to give: {error}"));
        let control = Arc::new(Control::new(Waker::new().map_err(nothing)?));
        let link = link.with_waker(control.waker());
        let _registration = stop.register(control.waker().clone());
        let clock = Clock::start();
        let mut memory = Memory::new().map_err(nothing)?;
        let opening = Opening::new(Speaks::Second, clock).map_err(nothing)?;
        // A sender alone would not let itself be asked for anything: it takes no transfers, which bound what may be asked (§5.2).
        let session = memory.both(opening).map_err(|error| Failure::session(error, None))?;
        let files = Reached { member: self.member, control, transfers: HashMap::new() };
        let mut connection = Connection::new(session, link, files, clock);
        loop {
            if stop.is_asked() {
                connection.engine.abort(Code::Closing);
            }
            let happened = match connection.turn() {
                Ok(turn) => Happened::of(turn),
                Err(Error::Link(_)) => return Ok(()),
                Err(error) => return Err(Failure::session(error, None)),
            };
            match happened {
                Happened::Sent(transfer, _) => connection.storage.over(transfer, Ok(())),
                Happened::SendFailed(transfer, why) => {
                    connection.storage.over(transfer, Err(why.code.into()));
                }
                Happened::Closed => return Ok(()),
                _ => {}
            }
        }
    }
}

/// The sending half of a storage: what a node has.
#[derive(Debug)]
struct Reached {
    member: Arc<Member>,
    control: Arc<Control>,
    transfers: HashMap<TransferId, Transfer>,
}

#[derive(Debug)]
struct Transfer {
    relay: Arc<Relay>,
    digest: Running<AnyDigest>,
    described: Described,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Described {
    NotYet,
    /// What is described again is asked for again.
    Once,
}

impl Reached {
    fn seek(&self, name: String, asks: Asks) -> Arc<Relay> {
        let giver = self.member.desk.control.waker().clone();
        let relay = Arc::new(Relay::new(name, asks, Arc::clone(&self.control), giver));
        self.member.desk.leave(Errand::Want(Wanting(Arc::clone(&relay))));
        relay
    }

    fn transfer(&mut self, transfer: TransferId) -> Result<&mut Transfer, Refusal> {
        self.transfers.get_mut(&transfer).ok_or(Code::NotFound.into())
    }

    fn over(&mut self, transfer: TransferId, verdict: Result<(), Refusal>) {
        if let Some(transfer) = self.transfers.remove(&transfer) {
            transfer.relay.judged(verdict);
        }
    }
}

impl Drop for Reached {
    fn drop(&mut self) {
        for transfer in self.transfers.values() {
            transfer.relay.judged(Err(Code::Cancelled.into()));
        }
    }
}

impl Storage for Reached {
    fn wanted(&mut self, transfer: TransferId, want: &Want<'_>) -> Result<(), Refusal> {
        let bad_name = |_| Refusal::from(Code::BadName);
        let (name, asks) = if want.listing {
            let prefix = want.name.check_prefix().map_err(bad_name)?;
            (prefix.map_or("", |prefix| prefix.as_str()), Asks::Listing)
        } else {
            (want.name.check().map_err(bad_name)?.as_str(), Asks::File)
        };
        let relay = self.seek(name.to_owned(), asks);
        let digest = Running::new(AnyDigest::new(DigestKind::Crc32));
        self.transfers.insert(transfer, Transfer { relay, digest, described: Described::NotYet });
        Ok(())
    }

    fn describe(&mut self, transfer: TransferId, digest: DigestKind) -> Result<Description<'_>, Refusal> {
        let again = match self.transfer(transfer)? {
            Transfer { described: Described::Once, relay, .. } => Some((relay.name.clone(), relay.asks)),
            Transfer { described: Described::NotYet, .. } => None,
        };
        if let Some((name, asks)) = again {
            let relay = self.seek(name, asks);
            let before = self.transfer(transfer)?;
            before.relay.judged(Err(Code::Cancelled.into()));
            before.relay = relay;
            before.described = Described::NotYet;
        }
        let transfer = self.transfer(transfer)?;
        let What { file_type, size, modified, identity } = transfer.relay.what()?;
        transfer.described = Described::Once;
        transfer.digest = Running::new(AnyDigest::new(digest));
        let start = if file_type == FileType::File { Start::AfterAnswer } else { Start::Eager };
        let name = FileName::new(&transfer.relay.name).ok();
        Ok(Description { name, file_type, size, modified, identity, start })
    }

    fn fetch(&mut self, transfer: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let transfer = self.transfer(transfer)?;
        let n = transfer.relay.get(offset, into)?;
        transfer.digest.absorb(offset, into.get(..n).unwrap_or_default());
        Ok(n)
    }

    fn finish(&mut self, transfer: TransferId, into: &mut [u8]) -> Result<usize, Refusal> {
        let transfer = self.transfer(transfer)?;
        // The node's end says whether all that came was right.
        transfer.relay.whole()?;
        Ok(transfer.digest.digest().value(into))
    }
}
