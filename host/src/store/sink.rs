//! The receiving half of a storage: transfers of one connection become files of a store.

mod asking;
mod deciding;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cap_std::fs::Dir;
use sampan_core::wire::{Code, FileName, Identity, Offer};
use sampan_core::{
    Asked, Completion, Digest as _, Ending, Refusal, ResumePoint, Storage, TransferId, Verdict, WantId,
};

use super::committer::{Job, What};
use super::file_io::{modified, time, write_all_at, write_at};
use super::follower::{DIFFERS, End, Follower};
use super::gathered::Gathered;
use super::key::Key;
use super::late::{Answer, Answers, Stored};
use super::part::Part;
use super::stamp::Stamp;
use super::{OnConflict, Store, refusal, sweep};
use crate::control::Control;
use crate::digests;
use crate::file_error::{Doing, FileError};
use deciding::Decision;

/// The receiving half of a [`Storage`].
#[derive(Debug)]
pub struct StoreSink {
    store: Store,
    dir: Arc<Dir>,
    accepts: Accepts,
    on_conflict: OnConflict,
    answers: Arc<Answers>,
    transfers: HashMap<TransferId, Inbound>,
    wants: HashMap<WantId, Wanted>,
    /// The transfer that stored something last.
    newest: TransferId,
    /// Those that were accepted since they were asked for.
    begun: Vec<(String, Option<u64>)>,
    moved: u64,
    /// Files that are to go to the committer together.
    ready: Vec<Job>,
    /// Directories, which wait for the files before them: those would change their times.
    held: Vec<Job>,
    /// Files on their way into their places.
    placing: usize,
}

/// So many files go to the committer even while more come.
const TOGETHER: usize = 64;

/// Which offers are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// Whatever the peer offers of itself.
    Anything,
    /// What was [wanted](StoreSink::want), and nothing else.
    Wanted,
    /// Nothing.
    Nothing,
}

#[derive(Debug)]
struct Wanted {
    remote: String,
    local: String,
}

/// One transfer to this store.
#[derive(Debug)]
struct Inbound {
    receipt: Receipt,
    began: Instant,
    local: String,
    modified: Option<i64>,
    identity: Identity,
    state: State,
}

#[derive(Debug)]
enum State {
    File {
        part: Arc<Part>,
        gathered: Box<Gathered>,
        digest: Digesting,
    },
    Directory,
    /// A file is on its way into its place.
    Placing(Option<Key>),
    /// A directory is to be made.
    Making,
    Over,
}

/// How the digest comes along.
#[derive(Debug)]
enum Digesting {
    /// With what is stored.
    AsItComes,
    Behind(Follower),
}

/// What a store knows of a transfer.
#[derive(Debug, Default)]
pub struct Receipt {
    /// The name that the peer gave it; it may break any rule.
    pub name: String,
    /// Bytes in all, if that is known.
    pub size: Option<u64>,
    /// Bytes that are here.
    pub stored: u64,
    /// Bytes that were here before.
    pub resumed_from: u64,
    /// `KIND:HEX`, once it was compared.
    pub digest: Option<String>,
    /// The name it has got, if that is another one.
    pub stored_as: Option<String>,
    /// How long it took.
    pub took: Duration,
    /// What went wrong here.
    pub trouble: Option<String>,
}

const TOO_LARGE: Refusal = Refusal { code: Code::TooLarge, words: "larger than this server takes" };

impl StoreSink {
    pub(super) fn new(
        store: Store,
        accepts: Accepts,
        on_conflict: OnConflict,
        control: &Arc<Control>,
    ) -> Self {
        let dir = store.shared.root.refresh();
        let answers = Arc::new(Answers::new(Arc::clone(control)));
        let newest = TransferId(0);
        let (transfers, wants, begun) = Default::default();
        Self {
            store,
            dir,
            accepts,
            on_conflict,
            answers,
            transfers,
            wants,
            newest,
            begun,
            moved: 0,
            ready: Vec::new(),
            held: Vec::new(),
            placing: 0,
        }
    }
}

fn note(receipt: &mut Receipt, doing: Doing, name: &str, cause: io::Error) -> Refusal {
    let refusal = refusal(doing, &cause);
    receipt.trouble = Some(FileError::new(doing, Path::new(name), cause).to_string());
    refusal
}

impl Storage for StoreSink {
    fn offered(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Verdict {
        let mut receipt = Receipt { name: offer.name.to_string(), size: offer.size, ..Receipt::default() };
        if let Ok(name) = offer.name.check() {
            receipt.name = name.as_str().to_owned();
        }
        let (inbound, verdict) = match self.decide(transfer, offer, &mut receipt) {
            Ok((inbound, from)) => (Some(inbound), Verdict::Accept(from)),
            Err(Decision::Have(size)) => {
                receipt.size = Some(size);
                receipt.stored = size;
                receipt.resumed_from = size;
                (None, Verdict::Have)
            }
            Err(Decision::Refuse(refusal)) => (None, Verdict::Decline(refusal)),
        };
        let inbound = match inbound {
            Some(inbound) => {
                if let State::File { .. } = inbound.state {
                    self.begun.push((receipt.name.clone(), receipt.size));
                }
                Inbound { receipt, ..inbound }
            }
            None => Inbound {
                receipt,
                began: Instant::now(),
                local: String::new(),
                modified: None,
                identity: Identity::EMPTY,
                state: State::Over,
            },
        };
        self.transfers.insert(transfer, inbound);
        verdict
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        let Some(inbound) = self.transfers.get_mut(&transfer) else { return Err(Code::Storage.into()) };
        let State::File { part, gathered, digest } = &mut inbound.state else {
            return Err(Code::Storage.into());
        };
        let end = offset.saturating_add(data.len() as u64);
        let result = match self.store.shared.options.max_file_size {
            Some(most) if end > most => Err(TOO_LARGE),
            _ => write(part, gathered, offset, data)
                .map_err(|error| note(&mut inbound.receipt, Doing::Write, &inbound.local, error)),
        };
        let n = match result {
            Ok(n) => n,
            Err(refusal) => {
                // What does not find room must not keep it.
                if matches!(refusal.code, Code::NoSpace | Code::TooLarge) {
                    part.remove();
                    inbound.state = State::Over;
                }
                return Err(refusal);
            }
        };
        part.is_active();
        inbound.receipt.stored = inbound.receipt.stored.saturating_add(n as u64);
        self.moved = self.moved.saturating_add(n as u64);
        self.newest = transfer;
        if let Digesting::Behind(follower) = digest {
            follower.stored(gathered.position());
        }
        Ok(n)
    }

    fn sync(&mut self, transfer: TransferId, offset: u64, check: u32) -> Option<u64> {
        if let Some(Inbound { state: State::File { part, .. }, .. }) = self.transfers.get(&transfer) {
            let to = ResumePoint { offset, check };
            self.store.shared.syncer.sync(part, to, transfer, &self.answers);
        }
        None
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        let Some(inbound) = self.transfers.get_mut(&transfer) else { return Some(Err(Code::Storage.into())) };
        let state = std::mem::replace(&mut inbound.state, State::Over);
        let (what, digest) = match state {
            State::File { part, gathered, digest } => {
                if !is_whole(&gathered, end) {
                    part.remove();
                    return Some(Err(DIFFERS));
                }
                (What::File(part), Some(digest))
            }
            State::Directory => (What::Directory(Arc::clone(&self.dir)), None),
            State::Placing(_) | State::Making | State::Over => return Some(Err(Code::Storage.into())),
        };
        inbound.state = match &what {
            What::File(part) => {
                inbound.receipt.digest = digests::of_end(end);
                inbound.receipt.size = Some(end.size);
                dress(part, inbound.modified, end.size, inbound.identity);
                part.lets_go();
                State::Placing(part.key())
            }
            What::Directory(_) => State::Making,
        };
        let job = Job {
            what,
            name: inbound.local.clone(),
            size: end.size,
            modified: inbound.modified,
            on_conflict: self.on_conflict,
            transfer,
            answers: Arc::clone(&self.answers),
        };
        match (digest, &job.what) {
            (Some(Digesting::Behind(follower)), _) => {
                self.placing += 1;
                let committer = Arc::clone(&self.store.shared.committer);
                follower.finish(End { job, value: end.value.to_vec(), committer });
            }
            (_, What::File(_)) => {
                self.placing += 1;
                self.ready.push(job);
            }
            (_, What::Directory(_)) => self.held.push(job),
        }
        if self.ready.len() >= TOGETHER {
            self.place();
        }
        None
    }

    fn abandon(&mut self, transfer: TransferId, what: sampan_core::Part) {
        let Some(inbound) = self.transfers.get_mut(&transfer) else { return };
        if let State::File { part, gathered, .. } = std::mem::replace(&mut inbound.state, State::Over) {
            if what == sampan_core::Part::Discard || part.key().is_none() || gathered.position() == 0 {
                part.remove();
                if let Some(key) = part.key() {
                    self.store.shared.known.remove(key);
                }
            }
            part.lets_go();
        }
    }

    fn completed(&mut self) -> Option<Completion> {
        self.place();
        let answer = self.answers.take()?;
        if let Answer::Committed { transfer, result } = &answer
            && let Some(inbound) = self.transfers.get_mut(transfer)
        {
            let state = std::mem::replace(&mut inbound.state, State::Over);
            match result {
                Ok(Stored::As(name)) => inbound.receipt.stored_as = Some(name.clone()),
                Ok(Stored::AsNamed) => {}
                Err(setback) => inbound.receipt.trouble.clone_from(&setback.trouble),
            }
            if let State::Placing(key) = state {
                self.placing = self.placing.saturating_sub(1);
                if result.is_ok() {
                    let key = key.unwrap_or_else(|| Key::of(&inbound.local, b""));
                    self.forget(key);
                }
                self.place();
            }
        }
        Some(answer.completion())
    }

    fn ask(&mut self, want: WantId) -> Result<Asked<'_>, Refusal> {
        let wanted = self.wants.get(&want).ok_or(Refusal::from(Code::NotFound))?;
        FileName::new(&wanted.remote).map(Asked::File).map_err(|_| Code::BadName.into())
    }
}

impl StoreSink {
    /// Has everything that is ready put into its place.
    fn place(&mut self) {
        if self.placing == 0 {
            self.ready.append(&mut self.held);
        }
        if !self.ready.is_empty() {
            self.store.shared.committer.submit(std::mem::take(&mut self.ready));
        }
    }

    /// A file is in its place: its part is no more, and others of its name lead nowhere if it has replaced what was there.
    fn forget(&self, key: Key) {
        let known = &self.store.shared.known;
        if self.on_conflict == OnConflict::Replace {
            for other in known.take_others(key) {
                sweep::remove_part(&self.dir, other);
            }
        } else {
            known.remove(key);
        }
    }
}

impl Drop for StoreSink {
    fn drop(&mut self) {
        let transfers: Vec<_> = self.transfers.keys().copied().collect();
        for transfer in transfers {
            self.abandon(transfer, sampan_core::Part::Keep);
        }
        self.ready.append(&mut self.held);
        self.place();
    }
}

/// Writes what has come. Beyond a gap all of it or nothing: what is there is remembered piece by piece.
fn write(part: &Part, gathered: &mut Gathered, offset: u64, data: &[u8]) -> io::Result<usize> {
    let n = if offset == gathered.position() {
        write_at(part.file(), data, offset)?
    } else {
        write_all_at(part.file(), data, offset)?;
        data.len()
    };
    gathered.stored(part.file(), offset, data.get(..n).unwrap_or_default())?;
    Ok(n)
}

/// Whether all of it is there, with this digest if it was made as it came.
fn is_whole(gathered: &Gathered, end: &Ending<'_>) -> bool {
    let mut value = [0; 32];
    gathered.position() == end.size
        && gathered.digest().is_none_or(|digest| {
            let length = digest.value(&mut value);
            value.get(..length) == Some(end.value)
        })
}

/// Gives a part what it will have as a file: its time, and the stamp that says what it is.
fn dress(part: &Part, modified_at: Option<i64>, size: u64, identity: Identity) {
    if let Some(time) = modified_at.and_then(time) {
        // A file system that cannot hold this time keeps another one.
        let _ = part.file().set_modified(time);
    }
    if !identity.is_empty()
        && let Ok(metadata) = part.file().metadata()
    {
        Stamp { identity, size, modified: modified(&metadata) }.put(part.file());
    }
}
