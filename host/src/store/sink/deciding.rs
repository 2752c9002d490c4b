//! What a store says to an offer (`docs/protocol.md` §10.2).

use std::io;
use std::sync::Arc;
use std::time::Instant;

use cap_std::fs::Dir;
use sampan_core::wire::{Code, FileName, Identity, Offer, is_portable};
use sampan_core::{Refusal, ResumePoint, TransferId, WantId};

use super::{Accepts, Digesting, Inbound, Receipt, State, StoreSink, TOO_LARGE, note};
use crate::digests::AnyDigest;
use crate::file_error::Doing;
use crate::identity;
use crate::store::follower::Follower;
use crate::store::gathered::Gathered;
use crate::store::key::Key;
use crate::store::part::{Mode, Part};
use crate::store::root::{self, Found};
use crate::store::stamp::Stamp;
use crate::store::{Names, OnConflict};

impl StoreSink {
    pub(super) fn decide(
        &mut self,
        transfer: TransferId,
        offer: &Offer<'_>,
        receipt: &mut Receipt,
    ) -> Result<(Inbound, ResumePoint), Decision> {
        let name = offer.name.check().map_err(|error| {
            receipt.trouble = Some(error.to_string());
            Refusal::from(Code::BadName)
        })?;
        let (local, identity) = self.kept_as(offer, name)?;
        let name = FileName::new(&local).map_err(|_| Refusal::from(Code::BadName))?;
        if self.store.shared.options.names == Names::Portable {
            is_portable(name).map_err(|error| {
                receipt.trouble = Some(error.to_string());
                Refusal { code: Code::BadName, words: "some systems cannot hold this name" }
            })?;
        }
        if offer.listing {
            return Err(Refusal { code: Code::Unsupported, words: "no listing was asked for" }.into());
        }
        let mut inbound = Inbound {
            receipt: Receipt::default(),
            began: Instant::now(),
            local: local.clone(),
            modified: offer.modified,
            identity,
            state: State::Directory,
        };
        if offer.directory {
            return Ok((inbound, ResumePoint::START));
        }
        if offer.size > self.store.shared.options.max_file_size.or(offer.size) {
            return Err(TOO_LARGE.into());
        }
        let trouble = |error: io::Error, receipt: &mut Receipt| note(receipt, Doing::Create, &local, error);
        match root::find(&self.dir, name).map_err(|error| trouble(error, receipt))? {
            Found::File(file) => self.look_at(&file, (name, identity), offer)?,
            Found::Directory(_) => {
                return Err(Refusal { code: Code::Exists, words: "a directory has this name" }.into());
            }
            Found::Other => {
                let words = "something other than a file has this name";
                return Err(Refusal { code: Code::Exists, words }.into());
            }
            Found::Nothing => {}
        }
        let mode = if offer.executable { Mode::Executable } else { Mode::Plain };
        let opened = self.open(transfer, (name, identity), mode);
        let (part, mut from) = opened.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::ResourceBusy => {
                Refusal { code: Code::Busy, words: "somebody else writes this file" }
            }
            _ => trouble(error, receipt),
        })?;
        if offer.restart || offer.size.is_some_and(|size| from.offset > size) {
            part.restart().map_err(|error| trouble(error, receipt))?;
            from = ResumePoint::START;
        }
        if !fits(&self.dir, offer.size.unwrap_or(0).saturating_sub(from.offset)) {
            if from == ResumePoint::START {
                part.remove();
            }
            return Err(Refusal { code: Code::NoSpace, words: "no space left" }.into());
        }
        let (gathered, digest) = if from == ResumePoint::START {
            (Gathered::new(AnyDigest::new(offer.digest)), Digesting::AsItComes)
        } else {
            let follower = Follower::start(Arc::clone(&part), from, offer.digest);
            let follower = follower.map_err(|error| trouble(error, receipt))?;
            (Gathered::from(from.offset), Digesting::Behind(follower))
        };
        receipt.resumed_from = from.offset;
        receipt.stored = from.offset;
        inbound.state = State::File { part, gathered: Box::new(gathered), digest };
        self.newest = transfer;
        Ok((inbound, from))
    }

    /// What the file is called here, and by what its contents are known again.
    fn kept_as(&self, offer: &Offer<'_>, name: FileName<'_>) -> Result<(String, Identity), Refusal> {
        const UNASKED: Refusal = Refusal { code: Code::NotAllowed, words: "nobody asked for it" };
        match self.accepts {
            Accepts::Anything => Ok((name.as_str().to_owned(), offer.identity)),
            Accepts::Nothing => Err(Refusal { code: Code::NotAllowed, words: "files are not taken here" }),
            Accepts::Wanted => {
                let want = WantId(offer.want.ok_or(UNASKED)?);
                let wanted = self.wants.get(&want).ok_or(UNASKED)?;
                if wanted.remote != name.as_str() {
                    return Err(Refusal { code: Code::NotAllowed, words: "another name was asked for" });
                }
                Ok((wanted.local.clone(), identity::of_wanted(name, offer.identity)))
            }
        }
    }

    /// A file of this name exists.
    fn look_at(
        &self,
        file: &std::fs::File,
        (name, identity): (FileName<'_>, Identity),
        offer: &Offer<'_>,
    ) -> Result<(), Decision> {
        if let Some(stamp) = Stamp::of(file)
            && !offer.restart
            && !identity.is_empty()
            && stamp.identity == identity
            && offer.size.is_none_or(|size| size == stamp.size)
        {
            // Should the process have ended just after the file came into its place.
            let _ = self.dir.remove_file(Key::of(name.as_str(), identity.as_bytes()).record());
            return Err(Decision::Have(stamp.size));
        }
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        if self.on_conflict == OnConflict::Refuse && offer.size.is_some_and(|offered| offered != size) {
            return Err(Refusal { code: Code::Exists, words: "the name is taken" }.into());
        }
        Ok(())
    }

    fn open(
        &mut self,
        transfer: TransferId,
        (name, identity): (FileName<'_>, Identity),
        mode: Mode,
    ) -> io::Result<(Arc<Part>, ResumePoint)> {
        // Offered again under the same id: what there is of it is let go first, and waited for.
        if let Some(Inbound { state: State::File { part, .. }, .. }) = self.transfers.remove(&transfer) {
            part.lets_go();
        }
        let dir = Arc::clone(&self.dir);
        if identity.is_empty() {
            return Ok((Arc::new(Part::temporary(dir, mode)?), ResumePoint::START));
        }
        let key = Key::of(name.as_str(), identity.as_bytes());
        let claim = self.store.shared.writers.claim(key, self.answers.control());
        let claim = claim.ok_or(io::ErrorKind::ResourceBusy)?;
        let (part, from) = Part::resumable(dir, (name, identity), mode, claim)?;
        self.store.shared.known.add(key);
        Ok((Arc::new(part), from))
    }
}

/// Why nothing has to be sent.
pub(super) enum Decision {
    Have(u64),
    Refuse(Refusal),
}

impl From<Refusal> for Decision {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

/// Whether so many bytes find room.
#[cfg(unix)]
fn fits(dir: &Dir, bytes: u64) -> bool {
    match rustix::fs::fstatvfs(dir) {
        // Some file systems do not count.
        Ok(there) if there.f_blocks > 0 => bytes <= there.f_bavail.saturating_mul(there.f_frsize),
        _ => true,
    }
}

#[cfg(not(unix))]
fn fits(_: &Dir, _: u64) -> bool {
    true
}
