//! The sending half of a storage: what is in a store, for those who ask.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cap_std::fs::Dir;
use sampan_core::wire::{Code, DigestKind, FileName, Identity, Want};
use sampan_core::{Description, Digest as _, FileType, Refusal, Start, Storage, TransferId};

use super::file_io::modified;
use super::lister::Lister;
use super::refusal;
use super::root::{self, Found};
use crate::digests::AnyDigest;
use crate::file_error::{Doing, FileError};
use crate::link::Nature;
use crate::outbound::OutboundFile;

/// The sending half of a [`Storage`].
#[derive(Debug)]
pub struct StoreSource {
    dir: Arc<Dir>,
    serves: Serves,
    link: Nature,
    transfers: HashMap<TransferId, Outbound>,
    newest: Option<TransferId>,
    moved: u64,
    /// Files that were described since they were asked for.
    begun: Vec<(String, Option<u64>)>,
}

/// What may be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Serves {
    /// Files and directories.
    pub get: bool,
    /// Listings.
    pub list: bool,
}

#[derive(Debug)]
struct Outbound {
    name: String,
    began: Instant,
    fetched: u64,
    trouble: Option<String>,
    what: What,
}

#[derive(Debug)]
enum What {
    File(Box<OutboundFile>),
    Directory { modified: i64, digest: DigestKind },
    Listing(Box<Lister>),
}

/// What a store knows of something that it has sent.
#[derive(Clone, Debug)]
pub struct Sending {
    /// Its name.
    pub name: String,
    /// Bytes in all; none of a listing.
    pub size: Option<u64>,
    /// Bytes that were read.
    pub fetched: u64,
    /// `KIND:HEX` of a file.
    pub digest: Option<String>,
    /// How long it took.
    pub took: Duration,
    /// What went wrong here.
    pub trouble: Option<String>,
    /// Whether it is a listing.
    pub is_listing: bool,
}

const ABSENT: Refusal = Refusal { code: Code::NotFound, words: "there is no such file" };

impl StoreSource {
    pub(super) fn new(dir: Arc<Dir>, serves: Serves, link: Nature) -> Self {
        Self { dir, serves, link, transfers: HashMap::new(), newest: None, moved: 0, begun: Vec::new() }
    }

    /// The transfer is over: what is known of it, which is then forgotten.
    pub fn take(&mut self, transfer: TransferId) -> Option<Sending> {
        self.transfers.remove(&transfer).map(|outbound| outbound.known())
    }

    /// Names and sizes of the files that were described since this was called last.
    pub fn begun(&mut self) -> Vec<(String, Option<u64>)> {
        std::mem::take(&mut self.begun)
    }

    /// What something was read of last.
    #[must_use]
    pub fn newest(&self) -> Option<Sending> {
        self.transfers.get(&self.newest?).map(Outbound::known)
    }

    /// How far each file is: name, bytes, size.
    pub(crate) fn under_way(&self) -> impl Iterator<Item = (&str, u64, Option<u64>)> {
        self.transfers.values().filter_map(|outbound| match &outbound.what {
            What::File(file) => Some((outbound.name.as_str(), outbound.fetched, Some(file.size()))),
            What::Directory { .. } | What::Listing(_) => None,
        })
    }

    /// Bytes read so far, over all transfers.
    #[must_use]
    pub const fn moved(&self) -> u64 {
        self.moved
    }

    /// Whether something is on its way to the peer.
    #[must_use]
    pub fn is_sending(&self) -> bool {
        !self.transfers.is_empty()
    }

    /// Forgets the files that have not come to an end, and says their names.
    pub fn unfinished(&mut self) -> Vec<String> {
        let files = self.transfers.drain().map(|(_, outbound)| outbound);
        files
            .filter(|outbound| !matches!(outbound.what, What::Listing(_)))
            .map(|outbound| outbound.name)
            .collect()
    }

    fn open(&self, want: &Want<'_>) -> Result<What, Refusal> {
        if want.listing {
            if !self.serves.list {
                return Err(Refusal { code: Code::NotAllowed, words: "listings are not given here" });
            }
            let prefix = want.name.check_prefix().map_err(|_| Refusal::from(Code::BadName))?;
            return Ok(What::Listing(Box::new(Lister::new(Arc::clone(&self.dir), prefix, self.link))));
        }
        if !self.serves.get {
            return Err(Refusal { code: Code::NotAllowed, words: "files are not given here" });
        }
        let name = want.name.check().map_err(|_| Refusal::from(Code::BadName))?;
        match root::find(&self.dir, name) {
            Ok(Found::File(file)) => {
                let metadata = file.metadata().map_err(|error| refusal(Doing::Open, &error))?;
                Ok(What::File(Box::new(OutboundFile::new(file, &metadata))))
            }
            Ok(Found::Directory(dir)) => {
                let metadata = root::as_file(&dir)
                    .and_then(|dir| dir.metadata())
                    .map_err(|error| refusal(Doing::Open, &error))?;
                Ok(What::Directory { modified: modified(&metadata), digest: DigestKind::Crc32 })
            }
            // Whoever asks does not learn what else is here.
            Ok(Found::Nothing | Found::Other) => Err(ABSENT),
            Err(error) if too_many(&error) => Err(Code::Busy.into()),
            Err(_) => Err(ABSENT),
        }
    }

    fn outbound(&mut self, transfer: TransferId) -> Result<&mut Outbound, Refusal> {
        self.transfers.get_mut(&transfer).ok_or(Code::NotFound.into())
    }
}

#[cfg(unix)]
fn too_many(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(not(unix))]
fn too_many(_: &io::Error) -> bool {
    false
}

impl Outbound {
    fn known(&self) -> Sending {
        let (size, digest) = match &self.what {
            What::File(file) => (Some(file.size()), Some(file.digest())),
            What::Directory { .. } => (Some(0), None),
            What::Listing(_) => (None, None),
        };
        Sending {
            name: self.name.clone(),
            size,
            fetched: self.fetched,
            digest,
            took: self.began.elapsed(),
            trouble: self.trouble.clone(),
            is_listing: matches!(self.what, What::Listing(_)),
        }
    }

    fn or_note<T>(&mut self, result: io::Result<T>) -> Result<T, Refusal> {
        result.map_err(|cause| {
            let refusal = refusal(Doing::Read, &cause);
            self.trouble = Some(FileError::new(Doing::Read, Path::new(&self.name), cause).to_string());
            refusal
        })
    }
}

impl Storage for StoreSource {
    fn wanted(&mut self, transfer: TransferId, want: &Want<'_>) -> Result<(), Refusal> {
        let what = self.open(want)?;
        let name = String::from_utf8_lossy(want.name.as_bytes()).into_owned();
        let outbound = Outbound { name, began: Instant::now(), fetched: 0, trouble: None, what };
        self.transfers.insert(transfer, outbound);
        Ok(())
    }

    fn describe(&mut self, transfer: TransferId, digest: DigestKind) -> Result<Description<'_>, Refusal> {
        let outbound = self.transfers.get_mut(&transfer).ok_or(Refusal::from(Code::NotFound))?;
        let name = FileName::new(&outbound.name).ok();
        Ok(match &mut outbound.what {
            What::File(file) => {
                self.begun.push((outbound.name.clone(), Some(file.size())));
                file.describe(name.ok_or(Refusal::from(Code::BadName))?, digest, Start::AfterAnswer)
            }
            What::Directory { modified, digest: kind } => {
                *kind = digest;
                Description {
                    name,
                    file_type: FileType::Directory,
                    size: None,
                    modified: Some(*modified),
                    identity: Identity::EMPTY,
                    start: Start::Eager,
                }
            }
            What::Listing(lister) => {
                lister.digest_as(digest);
                Description {
                    name,
                    file_type: FileType::Listing,
                    size: None,
                    modified: None,
                    identity: Identity::EMPTY,
                    start: Start::Eager,
                }
            }
        })
    }

    fn fetch(&mut self, transfer: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        self.newest = Some(transfer);
        let outbound = self.outbound(transfer)?;
        let result = match &mut outbound.what {
            What::File(file) => file.fetch(offset, into),
            What::Directory { .. } => Ok(0),
            What::Listing(lister) => lister.read(offset, into),
        };
        let n = outbound.or_note(result)?;
        outbound.fetched = outbound.fetched.max(offset.saturating_add(n as u64));
        self.moved = self.moved.saturating_add(n as u64);
        Ok(n)
    }

    fn finish(&mut self, transfer: TransferId, into: &mut [u8]) -> Result<usize, Refusal> {
        let outbound = self.outbound(transfer)?;
        let result = match &outbound.what {
            What::File(file) => file.finish(into),
            What::Directory { digest, .. } => Ok(Ok(AnyDigest::new(*digest).value(into))),
            What::Listing(lister) => Ok(Ok(lister.digest(into))),
        };
        outbound.or_note(result)?
    }
}
