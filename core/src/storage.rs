//! Where files come from and go to: what drivers ask of the application.

use core::fmt;

use crate::action::{Action, Ending, Refusal, ResumePoint};
use crate::engine::Engine;
use crate::units::{TransferId, WantId};
use crate::wire::{Code, DigestKind, FileName, Identity, Offer, Want};

/// Sources and sinks of the transfers of one session.
///
/// A driver calls these methods, one for each action of the engine. Every method refuses unless it is written, so that an end which only
/// receives writes the first group and one that only sends the second. Ids count separately in each direction: a transfer
/// that is received and one that is sent may bear the same.
pub trait Storage {
    // Receiving.

    /// The peer offers a transfer: look at its name, size and identity, and decide.
    ///
    /// The name is [checked](crate::wire::UncheckedName::check) by whoever uses it.
    fn offered(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Verdict {
        let _ = (transfer, offer);
        Verdict::Decline(Code::NotAllowed.into())
    }

    /// Writes `data` at `offset`, which is the end of what was stored before unless the transfer was [accepted](Verdict::Accept) in any order by a
    /// session that remembers gaps; says how many bytes of it, 0 if the sink is busy now (the peer is then told to wait).
    ///
    /// # Errors
    ///
    /// Whatever keeps the sink from writing; the transfer ends with it, and what is durable stays.
    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        let _ = (transfer, offset, data);
        Err(Code::NotAllowed.into())
    }

    /// Makes durable what was stored, with `check` as the CRC-32 of its first `offset` bytes, and says how much is durable
    /// now; `None` if a [`Completion`] will say it later. Unless it is written nothing is durable before its commit.
    fn sync(&mut self, transfer: TransferId, offset: u64, check: u32) -> Option<u64> {
        let _ = (transfer, offset, check);
        Some(0)
    }

    /// Compares the digest, flushes, puts the file into its final place; `None` if a [`Completion`] will say how it went.
    ///
    /// A digest that differs is `Err(Code::Integrity)`, and the part is thrown away.
    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        let _ = (transfer, end);
        Some(Err(Code::NotAllowed.into()))
    }

    /// The transfer ended without a commit.
    fn abandon(&mut self, transfer: TransferId, part: Part) {
        let _ = (transfer, part);
    }

    /// One thing that was begun by [`sync`](Self::sync) or [`commit`](Self::commit) and is finished now. A driver asks
    /// before it waits, so that a storage which flushes many files at once does it here.
    fn completed(&mut self) -> Option<Completion> {
        None
    }

    /// The name that this end wants, for a WANT it has [announced](crate::Session::want).
    ///
    /// # Errors
    ///
    /// The WANT is given up with it.
    fn ask(&mut self, want: WantId) -> Result<Asked<'_>, Refusal> {
        let _ = want;
        Err(Code::NotFound.into())
    }

    // Sending.

    /// The peer wants something; on `Ok` it will be described and sent under the id `transfer`.
    ///
    /// # Errors
    ///
    /// The refusal that the peer is told.
    fn wanted(&mut self, transfer: TransferId, want: &Want<'_>) -> Result<(), Refusal> {
        let _ = (transfer, want);
        Err(Code::NotAllowed.into())
    }

    /// What the transfer is; `digest` is the one that [`finish`](Self::finish) will be asked for.
    ///
    /// # Errors
    ///
    /// `Code::Wait` if that is not known yet: the transfer stays queued, those behind it wait, and it is asked again in the driver's next round.
    /// With any other the transfer is given up. (So it is with `Code::Wait` too in the classic handshake, here and below.)
    fn describe(&mut self, transfer: TransferId, digest: DigestKind) -> Result<Description<'_>, Refusal> {
        let _ = (transfer, digest);
        Err(Code::NotFound.into())
    }

    /// Reads at `offset`; says how many bytes, 0 at the end. May be asked for the same bytes again.
    ///
    /// # Errors
    ///
    /// `Code::Wait` if the source has nothing now but is not at its end, also where it is read again from the start to compare what the peer
    /// has: it is asked again in the driver's next round. With any other the transfer is given up.
    fn fetch(&mut self, transfer: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let _ = (transfer, offset, into);
        Err(Code::NotAllowed.into())
    }

    /// Everything was fetched: fills `into` with the digest, if the source is still what was described.
    ///
    /// # Errors
    ///
    /// `Code::Wait` if that is not known yet: it is asked again in the driver's next round. With any other, `Code::Changed` if the source is
    /// not what was described, the transfer is given up.
    fn finish(&mut self, transfer: TransferId, into: &mut [u8]) -> Result<usize, Refusal> {
        let _ = (transfer, into);
        Ok(0)
    }

    /// Writes the words of a notice into `into`, and says how many bytes; they must be UTF-8.
    fn say(&mut self, number: u32, into: &mut [u8]) -> usize {
        let _ = (number, into);
        0
    }
}

/// A storage that refuses everything.
impl Storage for () {}

/// What a receiver says to an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Verdict {
    /// Take it, from what the part holds already. Where the session remembers gaps, [`Storage::store`] may be given bytes beyond those that are missing.
    Accept(ResumePoint),
    /// Take it likewise, for a sink that takes bytes only one after the other.
    AcceptInOrder(ResumePoint),
    /// All of it is here already (§5.3).
    Have,
    /// Decline it.
    Decline(Refusal),
}

/// What becomes of the part of a transfer that was not committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Part {
    /// It may be resumed.
    Keep,
    /// It is wrong: throw it away.
    Discard,
}

/// A late answer to [`Storage::sync`] or [`Storage::commit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Completion {
    /// Everything below `durable` survives a power cut.
    Synced {
        /// The transfer.
        transfer: TransferId,
        /// Offset below which all is durable.
        durable: u64,
    },
    /// The commit has ended.
    Committed {
        /// The transfer.
        transfer: TransferId,
        /// Whether it is in place.
        result: Result<(), Refusal>,
    },
}

/// What a transfer is, for its OFFER (§5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Description<'a> {
    /// Its name; `None` only for a listing of everything.
    pub name: Option<FileName<'a>>,
    /// What it is.
    pub file_type: FileType,
    /// Bytes in all, if that is known.
    pub size: Option<u64>,
    /// Modification time in nanoseconds since 1970, if it is known.
    pub modified: Option<i64>,
    /// What tells these contents from others of the same name; empty if it cannot be resumed.
    pub identity: Identity,
    /// Whether DATA may go ahead of the answer.
    pub start: Start,
}

/// What is transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FileType {
    /// A file.
    File,
    /// A file that may be executed.
    Executable,
    /// A directory: a name without contents.
    Directory,
    /// Records of what there is (§12).
    Listing,
}

/// Whether DATA may go ahead of the receiver's answer (§9.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Start {
    /// As far as the peer's HELLO allows: saves a round trip.
    Eager,
    /// Not before the answer: for a transfer that was begun on an earlier link, so that nothing is sent twice.
    AfterAnswer,
}

/// What a WANT asks for (§5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Asked<'a> {
    /// A file.
    File(FileName<'a>),
    /// A listing of what begins with this, or of everything.
    Listing(Option<FileName<'a>>),
}

/// Does one action of the engine's that concerns the storage, if that is what it asks for next.
pub(crate) fn serve<E: Engine, S: Storage>(engine: &mut E, storage: &mut S, now: crate::Instant) {
    match engine.poll(now) {
        Action::Describe { transfer, digest } => engine.described(storage.describe(transfer, digest)),
        Action::Ask { want } => engine.asked(storage.ask(want)),
        Action::Fetch { transfer, offset, into } => {
            let result = storage.fetch(transfer, offset, into);
            engine.fetched(result);
        }
        Action::Finish { transfer, into } => {
            let result = storage.finish(transfer, into);
            engine.finished(result);
        }
        Action::Say { number, into } => {
            let length = storage.say(number, into);
            engine.said(length);
        }
        Action::Offered(offered) => match storage.offered(offered.transfer, &offered.offer) {
            Verdict::Accept(from) => offered.accept(from),
            Verdict::AcceptInOrder(from) => offered.accept_in_order(from),
            Verdict::Have => offered.have(),
            Verdict::Decline(refusal) => offered.decline(refusal),
        },
        Action::Wanted(wanted) => match storage.wanted(wanted.transfer, &wanted.want) {
            Ok(()) => wanted.serve(),
            Err(refusal) => wanted.refuse(refusal),
        },
        Action::Store { transfer, offset, data } => {
            let result = storage.store(transfer, offset, data);
            engine.stored(result);
        }
        Action::Sync { transfer, offset, check } => {
            if let Some(durable) = storage.sync(transfer, offset, check) {
                engine.synced(transfer, durable);
            }
        }
        Action::Commit { transfer, end } => {
            if let Some(result) = storage.commit(transfer, &end) {
                engine.committed(transfer, result);
            }
        }
        Action::Abandon { transfer, part } => storage.abandon(transfer, part),
        Action::Transmit(_) | Action::Event(_) | Action::Wait { .. } | Action::Closed(_) => {}
    }
}

/// Passes the late answers of the storage's to the engine, all at once so that what they cause can leave together; whether there was any.
pub(crate) fn complete<E: Engine, S: Storage>(engine: &mut E, storage: &mut S) -> bool {
    let mut any = false;
    while let Some(completion) = storage.completed() {
        any = true;
        match completion {
            Completion::Synced { transfer, durable } => engine.synced(transfer, durable),
            Completion::Committed { transfer, result } => engine.committed(transfer, result),
        }
    }
    any
}

impl fmt::Display for FileType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "file",
            Self::Executable => "executable",
            Self::Directory => "directory",
            Self::Listing => "listing",
        })
    }
}
