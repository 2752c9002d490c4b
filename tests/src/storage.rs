//! A storage in memory, with faults on demand.

use std::collections::{BTreeMap, VecDeque};

use sampan_core::wire::{Code, DigestKind, FileName, Identity, Want};
use sampan_core::{
    Asked, Completion, Description, Ending, FileType, Part, Refusal, ResumePoint, Start, Storage, TransferId,
    Verdict, WantId,
};

use crate::disk::{Disk, Operation, PartFile};

/// A file to send.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Its name.
    pub name: String,
    /// Its contents.
    pub data: Vec<u8>,
    /// Its identity, at most 16 bytes.
    pub identity: Vec<u8>,
    /// What it is.
    pub file_type: FileType,
    /// Whether the size is told.
    pub sized: bool,
    /// Whether DATA may go ahead.
    pub start: Start,
}

impl Offer {
    /// A file whose size is known and whose identity is its name and contents.
    pub fn file(name: &str, data: Vec<u8>) -> Self {
        let mut crc = 0;
        let mut nibble = sampan_core::wire::Nibble;
        crc = sampan_core::wire::Crc32::update(&mut nibble, crc, &data);
        let mut identity = crc.to_le_bytes().to_vec();
        identity.extend_from_slice(&(data.len() as u64).to_le_bytes());
        Self {
            name: name.into(),
            data,
            identity,
            file_type: FileType::File,
            sized: true,
            start: Start::Eager,
        }
    }

    /// The same, but nothing goes ahead of the answer.
    pub fn patient(self) -> Self {
        Self { start: Start::AfterAnswer, ..self }
    }

    /// The same, but its size is not told.
    pub fn unsized_(self) -> Self {
        Self { sized: false, ..self }
    }
}

/// How a storage behaves.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What is said to every offer instead of looking at it.
    pub decline: Option<Refusal>,
    /// Whether Sync is answered at once.
    pub late_sync: bool,
    /// Whether Commit is answered at once; if not, all are answered together when there is nothing else to do.
    pub late_commit: bool,
    /// Whether Commit is never answered at all.
    pub never_commit: bool,
    /// Every so many calls of `store` are answered with *busy*.
    pub busy_every: Option<u32>,
    /// The most that one `store` or `fetch` moves.
    pub at_most: usize,
    /// The call of `store` that fails.
    pub fail_store: Option<u32>,
    /// What every commit comes to, if not success.
    pub fail_commit: Option<Refusal>,
    /// What `finish` says of the source, if it has changed.
    pub changed: bool,
    /// The next questions to sources, lowest bit first: where one is set, the answer is *not now*; -1 for all there will be.
    pub dry: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            decline: None,
            late_sync: false,
            late_commit: false,
            never_commit: false,
            busy_every: None,
            at_most: usize::MAX,
            fail_store: None,
            fail_commit: None,
            changed: false,
            dry: 0,
        }
    }
}

/// Files to send, and a disk for what comes.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    /// How it behaves.
    pub policy: Policy,
    /// What survives.
    pub disk: Disk,
    /// What the peer may want, by name.
    pub offers_on_want: BTreeMap<String, Offer>,
    /// What this end wants, by number.
    pub wants: BTreeMap<WantId, (String, bool)>,
    /// What a notice says.
    pub words: String,
    /// How many late answers came together, each time.
    pub groups: Vec<usize>,
    /// Bytes that `store` took.
    pub stored: u64,
    /// Bytes that `fetch` gave.
    pub fetched: u64,
    /// Transfers that were accepted, with the offset they began at.
    pub accepted: Vec<(String, u64)>,
    /// What the peer wanted, whatever came of it.
    pub wanted: Vec<String>,
    /// Parts that were let go of.
    pub abandoned: Vec<(String, Part)>,
    outgoing: BTreeMap<TransferId, Offer>,
    incoming: BTreeMap<TransferId, String>,
    late: VecDeque<Completion>,
    draining: bool,
    stores: u32,
}

impl MemoryStorage {
    /// An empty one over `disk`.
    pub fn on(disk: &Disk) -> Self {
        Self { disk: disk.clone(), ..Self::default() }
    }

    /// Has `offer` ready under the id that the session gave.
    pub fn put(&mut self, transfer: TransferId, offer: Offer) {
        self.outgoing.insert(transfer, offer);
    }

    /// A source is asked something: whether it can answer now.
    fn ready(&mut self) -> Result<(), Refusal> {
        self.disk.operate();
        let is_dry = self.policy.dry & 1 == 1;
        self.policy.dry >>= 1;
        if is_dry { Err(Code::Wait.into()) } else { Ok(()) }
    }

    fn name(&self, transfer: TransferId) -> String {
        self.incoming.get(&transfer).cloned().unwrap_or_default()
    }
}

impl Storage for MemoryStorage {
    fn offered(&mut self, transfer: TransferId, offer: &sampan_core::wire::Offer<'_>) -> Verdict {
        if let Some(refusal) = self.policy.decline {
            return Verdict::Decline(refusal);
        }
        let name = if offer.listing {
            "listing".to_string()
        } else {
            match offer.name.check() {
                Ok(name) => name.as_str().to_string(),
                Err(_) => return Verdict::Decline(Code::BadName.into()),
            }
        };
        self.incoming.insert(transfer, name.clone());
        if self.disk.has(&name, &offer.identity) {
            return Verdict::Have;
        }
        let resume = self
            .disk
            .part(&name)
            .filter(|part| part.identity == offer.identity && !offer.identity.is_empty() && !offer.restart)
            .map_or(ResumePoint::START, |part| part.durable);
        if self.disk.operate() == Operation::Done {
            let mut data = self.disk.part(&name).map_or(Vec::new(), |part| part.data);
            data.truncate(resume.offset as usize);
            self.disk.put_part(&name, PartFile { identity: offer.identity, data, durable: resume });
            self.disk.begin(&name, resume.offset);
        }
        self.accepted.push((name, resume.offset));
        Verdict::Accept(resume)
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        self.stores += 1;
        if self.policy.fail_store == Some(self.stores) {
            return Err(Code::NoSpace.into());
        }
        if self.policy.busy_every.is_some_and(|every| self.stores.is_multiple_of(every)) {
            return Ok(0);
        }
        let taken = data.len().min(self.policy.at_most);
        if self.disk.operate() == Operation::NotBegun {
            return Ok(taken);
        }
        let name = self.name(transfer);
        self.disk
            .with_part(&name, |part| {
                let (start, end) = (offset as usize, offset as usize + taken);
                part.data.resize(part.data.len().max(end), 0);
                part.data[start..end].copy_from_slice(&data[..taken]);
            })
            .expect("a store without an accepted offer");
        self.stored += taken as u64;
        Ok(taken)
    }

    fn sync(&mut self, transfer: TransferId, offset: u64, check: u32) -> Option<u64> {
        let name = self.name(transfer);
        self.disk.with_part(&name, |part| {
            let mut nibble = sampan_core::wire::Nibble;
            let held = sampan_core::wire::Crc32::update(&mut nibble, 0, &part.data[..offset as usize]);
            assert_eq!(held, check, "a prefix check that is not that of the prefix");
        });
        if self.disk.operate() == Operation::Done {
            self.disk.flush(&name);
            // The record is written whole, or not at all.
            if self.disk.operate() != Operation::NotBegun {
                self.disk.with_part(&name, |part| part.durable = ResumePoint { offset, check });
            }
        }
        if self.policy.late_sync {
            self.late.push_back(Completion::Synced { transfer, durable: offset });
            return None;
        }
        Some(offset)
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        let name = self.name(transfer);
        let size = self.disk.part(&name).map(|part| part.data.len() as u64);
        assert_eq!(size, Some(end.size), "a commit of something else than was stored");
        let result = self.policy.fail_commit.map_or(Ok(()), Err);
        if self.policy.never_commit {
            return None;
        }
        if self.policy.late_commit {
            self.late.push_back(Completion::Committed { transfer, result });
            return None;
        }
        if result.is_ok() && self.disk.operate() == Operation::Done {
            self.disk.flush(&name);
            if self.disk.operate() != Operation::NotBegun {
                self.disk.publish(&name);
            }
        }
        Some(result)
    }

    fn abandon(&mut self, transfer: TransferId, part: Part) {
        let name = self.name(transfer);
        if part == Part::Discard && self.disk.operate() != Operation::NotBegun {
            self.disk.discard(&name);
        }
        self.abandoned.push((name, part));
    }

    fn completed(&mut self) -> Option<Completion> {
        if !self.late.is_empty() && !self.draining {
            self.groups.push(self.late.len());
        }
        self.draining = self.late.len() > 1;
        let completion = self.late.pop_front()?;
        if let Completion::Committed { transfer, result: Ok(()) } = completion {
            self.disk.publish(&self.name(transfer));
        }
        Some(completion)
    }

    fn ask(&mut self, want: WantId) -> Result<Asked<'_>, Refusal> {
        let (name, listing) = self.wants.get(&want).ok_or(Code::NotFound)?;
        let name = if name.is_empty() { None } else { Some(FileName::new(name).map_err(|_| Code::BadName)?) };
        match (listing, name) {
            (true, prefix) => Ok(Asked::Listing(prefix)),
            (false, Some(name)) => Ok(Asked::File(name)),
            (false, None) => Err(Code::BadName.into()),
        }
    }

    fn wanted(&mut self, transfer: TransferId, want: &Want<'_>) -> Result<(), Refusal> {
        let name = match want.name.check_prefix() {
            Ok(name) => name.map_or("", |name| name.as_str()).to_string(),
            Err(_) => return Err(Code::BadName.into()),
        };
        self.wanted.push(name.clone());
        let offer = self
            .offers_on_want
            .get(&name)
            .filter(|offer| (offer.file_type == FileType::Listing) == want.listing);
        self.outgoing.insert(transfer, offer.ok_or(Code::NotFound)?.clone());
        Ok(())
    }

    fn describe(&mut self, transfer: TransferId, digest: DigestKind) -> Result<Description<'_>, Refusal> {
        assert_eq!(digest, DigestKind::Crc32);
        self.ready()?;
        let offer = self.outgoing.get(&transfer).ok_or(Code::NotFound)?;
        Ok(Description {
            name: if offer.name.is_empty() {
                None
            } else {
                Some(FileName::new(&offer.name).map_err(|_| Code::BadName)?)
            },
            file_type: offer.file_type,
            size: offer.sized.then_some(offer.data.len() as u64),
            modified: Some(1_700_000_000_000_000_000),
            identity: Identity::new(&offer.identity).expect("at most 16 bytes"),
            start: offer.start,
        })
    }

    fn fetch(&mut self, transfer: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        self.ready()?;
        let offer = self.outgoing.get(&transfer).ok_or(Code::NotFound)?;
        let rest = offer.data.get(offset as usize..).unwrap_or_default();
        let taken = rest.len().min(into.len()).min(self.policy.at_most);
        into[..taken].copy_from_slice(&rest[..taken]);
        self.fetched += taken as u64;
        Ok(taken)
    }

    fn finish(&mut self, transfer: TransferId, into: &mut [u8]) -> Result<usize, Refusal> {
        assert!(into.is_empty(), "CRC-32 needs no room");
        self.ready()?;
        self.outgoing.get(&transfer).ok_or(Code::NotFound)?;
        if self.policy.changed { Err(Code::Changed.into()) } else { Ok(0) }
    }

    fn say(&mut self, _: u32, into: &mut [u8]) -> usize {
        let length = self.words.len().min(into.len());
        into[..length].copy_from_slice(&self.words.as_bytes()[..length]);
        length
    }
}

impl Policy {
    /// Declines every offer with `code`.
    pub fn declining(code: Code) -> Self {
        Self { decline: Some(code.into()), ..Self::default() }
    }
}
