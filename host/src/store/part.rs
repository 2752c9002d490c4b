//! A file that is being received: hidden, locked, and resumable if the peer says what contents it has.

use std::fs::{File, TryLockError};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use cap_std::fs::Dir;
use sampan_core::ResumePoint;
use sampan_core::wire::{FileName, Identity};

use super::file_io::is_executable;
use super::key::Key;
use super::record::Record;
use super::root;
use super::writers::Claim;

/// The part of a file. Its lock, and the claim to it, last until the last of its users lets go.
#[derive(Debug)]
pub(super) struct Part {
    dir: Arc<Dir>,
    /// What it is called in `dir`.
    called: String,
    file: File,
    record: Option<Mutex<Kept>>,
    /// A flush of it has failed: what is on the disk is not known, and it never becomes a file.
    spoiled: AtomicBool,
    claim: Option<Claim>,
}

/// What is kept of it.
#[derive(Debug)]
struct Kept {
    /// Made when there is something to write.
    file: Option<File>,
    record: Record,
    /// How far it is to be made durable, if that was asked for and has not been done.
    wanted: Option<ResumePoint>,
}

/// Whether a part may run once it is a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Plain,
    Executable,
}

impl Part {
    /// A part that cannot be resumed.
    pub(super) fn temporary(dir: Arc<Dir>, mode: Mode) -> io::Result<Self> {
        let number = u128::from(getrandom::u64()?) << 64 | u128::from(getrandom::u64()?);
        let called = Key::temporary(number);
        let (file, _) = open_locked(&dir, &called, mode)?;
        Ok(Self { dir, called, file, record: None, spoiled: AtomicBool::new(false), claim: None })
    }

    /// The part of these contents of a name, and how far it has come.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if another process writes it.
    pub(super) fn resumable(
        dir: Arc<Dir>,
        (name, identity): (FileName<'_>, Identity),
        mode: Mode,
        claim: Claim,
    ) -> io::Result<(Self, ResumePoint)> {
        let key = claim.key();
        let called = key.part();
        let (file, made) = open_locked(&dir, &called, mode)?;
        let kept = if made { None } else { root::open(&dir, &key.record()).ok() };
        let known = kept.as_ref().and_then(Record::read).filter(|record| {
            record.name == name.as_str() && record.identity == identity && reaches(&file, record, mode)
        });
        let from = known.as_ref().map_or(ResumePoint::START, |record| record.durable);
        if !made {
            file.set_len(from.offset)?;
        }
        let record = known.unwrap_or_else(|| Record::new(name, identity));
        let record = Some(Mutex::new(Kept { file: kept, record, wanted: None }));
        let part = Self { dir, called, file, record, spoiled: AtomicBool::new(false), claim: Some(claim) };
        Ok((part, from))
    }

    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    pub(super) const fn dir(&self) -> &Arc<Dir> {
        &self.dir
    }

    pub(super) fn called(&self) -> &str {
        &self.called
    }

    pub(super) fn key(&self) -> Option<Key> {
        self.claim.as_ref().map(Claim::key)
    }

    /// Something was stored.
    pub(super) fn is_active(&self) {
        if let Some(claim) = &self.claim {
            claim.is_active();
        }
    }

    /// Its connection is through with it.
    pub(super) fn lets_go(&self) {
        if let Some(claim) = &self.claim {
            claim.lets_go();
        }
    }

    /// Begins from nothing again.
    pub(super) fn restart(&self) -> io::Result<()> {
        if let Some(mut kept) = self.kept() {
            kept.wanted = None;
            kept.record.durable = ResumePoint::START;
            kept.file = None;
            self.remove_record();
        }
        self.file.set_len(0)
    }

    /// Asks for everything up to a point to be made durable; whether nothing had been asked for that is not done yet.
    pub(super) fn want_durable(&self, to: ResumePoint) -> bool {
        self.kept().is_some_and(|mut kept| kept.wanted.replace(to).is_none())
    }

    /// Makes durable what was asked for: first the contents, then the record of how much of them there is. How much that is now.
    pub(super) fn make_durable(&self) -> Option<u64> {
        let to = self.kept()?.wanted.take()?;
        self.flush().ok()?;
        let mut kept = self.kept()?;
        let Kept { file, record, .. } = &mut *kept;
        if file.is_none() {
            let called = self.key()?.record();
            *file = root::open(&self.dir, &called).or_else(|_| root::create(&self.dir, &called, false)).ok();
        }
        record.write(file.as_ref()?, to).ok()?;
        Some(to.offset)
    }

    /// Flushes it. Once that has failed it fails for ever: the system may have dropped what it could not write.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.check()?;
        self.file.sync_all().inspect_err(|_| self.spoil())
    }

    /// Whether every flush has succeeded so far.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.spoiled.load(Ordering::Relaxed) {
            return Err(io::Error::other("an earlier flush of it failed"));
        }
        Ok(())
    }

    /// A flush that covers it has failed.
    pub(super) fn spoil(&self) {
        self.spoiled.store(true, Ordering::Relaxed);
    }

    /// Throws it away.
    pub(super) fn remove(&self) {
        let _ = self.dir.remove_file(&self.called);
        self.remove_record();
    }

    /// Throws away what was kept beside it.
    pub(super) fn remove_record(&self) {
        if let Some(key) = self.key() {
            let _ = self.dir.remove_file(key.record());
        }
    }

    fn kept(&self) -> Option<MutexGuard<'_, Kept>> {
        self.record.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether the file is as long as its record says, and of this mode.
fn reaches(file: &File, record: &Record, mode: Mode) -> bool {
    file.metadata().is_ok_and(|metadata| {
        let right = cfg!(not(unix)) || is_executable(&metadata) == (mode == Mode::Executable);
        metadata.len() >= record.durable.offset && right
    })
}

/// Opens and locks a part, and says whether it is new.
fn open_locked(dir: &Dir, called: &str, mode: Mode) -> io::Result<(File, bool)> {
    loop {
        let (file, made) = match root::create(dir, called, mode == Mode::Executable) {
            Ok(file) => (file, true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match root::open(dir, called) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => (file?, false),
            },
            Err(error) => return Err(error),
        };
        lock_soon(&file)?;
        // Whoever had the lock may have moved it to its final place meanwhile, or swept it away.
        if is_at(&file, dir, called) {
            let wrong = !made && cfg!(unix) && is_executable(&file.metadata()?) != (mode == Mode::Executable);
            if !wrong {
                return Ok((file, made));
            }
            dir.remove_file(called)?;
        }
    }
}

/// Locks a part. Another process that sweeps has the lock for a moment only; one that writes keeps it.
fn lock_soon(file: &File) -> io::Result<()> {
    const TRIES: u32 = 40;
    for _ in 0..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(5)),
            result => return result.map_err(io::Error::from),
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// Whether the file is still the one of this name.
#[cfg(unix)]
pub(super) fn is_at(file: &File, dir: &Dir, called: &str) -> bool {
    use rustix::fs::{AtFlags, fstat, statat};
    match (fstat(file), statat(dir, called, AtFlags::SYMLINK_NOFOLLOW)) {
        (Ok(ours), Ok(there)) => (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino),
        _ => false,
    }
}

#[cfg(not(unix))]
pub(super) fn is_at(_: &File, _: &Dir, _: &str) -> bool {
    true
}
