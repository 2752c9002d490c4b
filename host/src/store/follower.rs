//! The digest of a part that was resumed: a thread reads the file behind the writer, so that neither the peer's offer nor its data
//! wait for the beginning to be read again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use sampan_core::wire::{Code, Crc32 as _, DigestKind};
use sampan_core::{Digest as _, Refusal, ResumePoint};

use super::committer::{Committer, Job};
use super::file_io::read_at;
use super::part::Part;
use crate::checks::FastCrc32;
use crate::digests::AnyDigest;

const PIECE: usize = 128 << 10;
/// How often it looks whether more has been stored.
const PAUSE: Duration = Duration::from_millis(20);

/// The digest, or the part that was resumed, is not what it should be.
pub(super) const DIFFERS: Refusal = Refusal { code: Code::Integrity, words: "the digest differs" };
const UNREADABLE: Refusal = Refusal { code: Code::Storage, words: "reading it again failed" };

/// The thread; what it has read is thrown away when this is dropped.
#[derive(Debug)]
pub(super) struct Follower {
    stored: Arc<AtomicU64>,
    end: SyncSender<End>,
}

/// What is to be compared, and committed if it is equal.
#[derive(Debug)]
pub(super) struct End {
    pub(super) job: Job,
    pub(super) value: Vec<u8>,
    pub(super) committer: Arc<Committer>,
}

impl Follower {
    /// Reads `part`, whose first bytes should have the check of `from`.
    pub(super) fn start(part: Arc<Part>, from: ResumePoint, kind: DigestKind) -> io::Result<Self> {
        let stored = Arc::new(AtomicU64::new(from.offset));
        let (end, ends) = sync_channel(1);
        let reader = Reader {
            part,
            from,
            stored: Arc::clone(&stored),
            digest: AnyDigest::new(kind),
            check: 0,
            at: 0,
            piece: vec![0; PIECE],
        };
        let thread = thread::Builder::new().name("follower".into()).stack_size(128 << 10);
        thread.spawn(move || reader.run(&ends))?;
        Ok(Self { stored, end })
    }

    /// Everything below `offset` is stored.
    pub(super) fn stored(&self, offset: u64) {
        self.stored.store(offset, Ordering::Release);
    }

    /// All of it is stored: compares the digest and has it committed. The job is answered, whatever happens.
    pub(super) fn finish(self, end: End) {
        if let Err(unsent) = self.end.send(end) {
            unsent.0.job.answer(Err(UNREADABLE.into()));
        }
    }
}

struct Reader {
    part: Arc<Part>,
    from: ResumePoint,
    stored: Arc<AtomicU64>,
    digest: AnyDigest,
    /// CRC-32 of what was read, up to where it was resumed.
    check: u32,
    at: u64,
    piece: Vec<u8>,
}

impl Reader {
    fn run(mut self, ends: &Receiver<End>) {
        let mut end: Option<End> = None;
        let mut outcome = Ok(());
        loop {
            let to = match &end {
                Some(end) => end.job.size,
                None => self.stored.load(Ordering::Acquire),
            };
            let idle = outcome.is_err() || self.at >= to;
            if !idle {
                outcome = self.read(to);
            }
            let news = match (end.is_some(), idle) {
                (true, true) => break,
                (true, false) => continue,
                (false, true) => ends.recv_timeout(PAUSE),
                (false, false) => ends.try_recv().map_err(|error| match error {
                    TryRecvError::Empty => RecvTimeoutError::Timeout,
                    TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                }),
            };
            match news {
                Ok(news) => end = Some(news),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        let Some(End { job, value, committer }) = end else { return };
        let mut ours = [0; 32];
        let length = self.digest.value(&mut ours);
        match outcome {
            Ok(()) if ours.get(..length) == Some(&*value) => committer.submit(vec![job]),
            Ok(()) => job.answer(Err(DIFFERS.into())),
            Err(refusal) => job.answer(Err(refusal.into())),
        }
    }

    /// Reads a piece on the way to `to`, not beyond where it was resumed at one time.
    fn read(&mut self, to: u64) -> Result<(), Refusal> {
        let border = if self.at < self.from.offset { self.from.offset } else { to };
        let room = usize::try_from(border.saturating_sub(self.at)).unwrap_or(PIECE).min(PIECE);
        let Ok(n @ 1..) = read_at(self.part.file(), &mut self.piece[..room], self.at) else {
            return Err(UNREADABLE);
        };
        let bytes = &self.piece[..n];
        self.digest.update(bytes);
        if self.at < self.from.offset {
            self.check = FastCrc32.update(self.check, bytes);
        }
        self.at += n as u64;
        if self.at == self.from.offset && self.check != self.from.check {
            return Err(DIFFERS);
        }
        Ok(())
    }
}
