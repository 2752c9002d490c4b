//! A directory to receive files into, plainly: nothing is resumed, and a name that exists is replaced.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use sampan_core::wire::{Code, DigestKind, Offer};
use sampan_core::{Digest as _, Ending, Part, Refusal, ResumePoint, Running, Storage, TransferId, Verdict};
use tempfile::NamedTempFile;

use crate::digests::{AnyDigest, Shown};
use crate::file_error::{Doing, FileError};
use crate::flusher::Flusher;

/// What the names of unfinished files begin with. No transfer can have such a name.
const UNFINISHED: &str = ".sampan-";

/// The receiving half of a [`Storage`]: files go into one directory.
///
/// A file is written under a hidden name, and put into its place only when it is whole, verified and flushed.
#[derive(Debug)]
pub struct FileSink {
    directory: PathBuf,
    files: HashMap<TransferId, Inbound>,
    stored: u64,
    committed: Option<Committed>,
    error: Option<FileError>,
    flusher: Flusher,
}

/// A file that is in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Where it is.
    pub path: PathBuf,
    /// How long it is, in bytes.
    pub size: u64,
    /// The digest that this end has computed.
    pub digest: Shown,
}

#[derive(Debug)]
struct Inbound {
    file: NamedTempFile,
    path: PathBuf,
    modified: Option<i64>,
    digest: Running<AnyDigest>,
}

impl FileSink {
    /// Files go into `directory`, which must exist.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            files: HashMap::new(),
            stored: 0,
            committed: None,
            error: None,
            flusher: Flusher::default(),
        }
    }

    /// How many bytes have been written, over all files.
    #[must_use]
    pub const fn stored(&self) -> u64 {
        self.stored
    }

    /// The file that was put into its place last, once.
    pub fn take_committed(&mut self) -> Option<Committed> {
        self.committed.take()
    }

    /// What went wrong last, once.
    pub fn take_error(&mut self) -> Option<FileError> {
        self.error.take()
    }

    fn accept(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Result<(), Refusal> {
        let name = offer.name.check().map_err(|_| Refusal::from(Code::BadName))?;
        if offer.directory || offer.listing {
            return Err(Refusal { code: Code::Unsupported, words: "only files are taken here" });
        }
        if name.last_part() != name.as_str() {
            return Err(Refusal { code: Code::BadName, words: "no folders are taken here" });
        }
        let path = self.directory.join(name.as_str());
        let file = self.or_note(Doing::Create, &path, create_in(&self.directory, offer.executable))?;
        let digest = Running::new(AnyDigest::new(offer.digest));
        self.files.insert(transfer, Inbound { file, path, modified: offer.modified, digest });
        Ok(())
    }

    fn or_note<T>(&mut self, doing: Doing, path: &Path, result: io::Result<T>) -> Result<T, Refusal> {
        result.map_err(|cause| {
            let error = FileError::new(doing, path, cause);
            let refusal = error.refusal();
            self.error = Some(error);
            refusal
        })
    }
}

impl Storage for FileSink {
    fn offered(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Verdict {
        match self.accept(transfer, offer) {
            Ok(()) => Verdict::Accept(ResumePoint::START),
            Err(refusal) => Verdict::Decline(refusal),
        }
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        let Some(inbound) = self.files.get_mut(&transfer) else { return Err(Code::Storage.into()) };
        match write_at(inbound.file.as_file(), data, offset) {
            Ok(n) => {
                inbound.digest.absorb(offset, data.get(..n).unwrap_or_default());
                self.stored = self.stored.saturating_add(n as u64);
                Ok(n)
            }
            Err(error) => {
                let path = inbound.path.clone();
                self.or_note(Doing::Write, &path, Err(error))
            }
        }
    }

    /// Begins to flush, and promises nothing: no part survives here.
    fn sync(&mut self, transfer: TransferId, _: u64, _: u32) -> Option<u64> {
        if let Some(inbound) = self.files.get(&transfer) {
            self.flusher.begin(inbound.file.as_file());
        }
        None
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        let Some(inbound) = self.files.remove(&transfer) else { return Some(Err(Code::Storage.into())) };
        let Inbound { file, path, modified, digest } = inbound;
        if digest.position() != end.size || !agrees(digest.digest(), end) {
            return Some(Err(Refusal { code: Code::Integrity, words: "the digest differs" }));
        }
        let placed = place(file, &path, modified);
        let result = self.or_note(Doing::Finish, &path, placed);
        if result.is_ok() {
            self.committed = Some(Committed { path, size: end.size, digest: digest.digest().shown() });
        }
        Some(result)
    }

    fn abandon(&mut self, transfer: TransferId, _: Part) {
        self.files.remove(&transfer);
    }
}

fn agrees(digest: &AnyDigest, end: &Ending<'_>) -> bool {
    let mut value = [0; 32];
    let length = digest.value(&mut value);
    let shown_too = match (end.digest, digest) {
        (DigestKind::Crc32, AnyDigest::Crc32(check)) => *check == end.check,
        _ => digest.kind() == end.digest,
    };
    shown_too && value.get(..length) == Some(end.value)
}

/// A hidden file with the permissions that a new file has here.
fn create_in(directory: &Path, executable: bool) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(if executable { 0o777 } else { 0o666 }));
    }
    #[cfg(not(unix))]
    let _ = executable;
    builder.tempfile_in(directory)
}

/// Flushes the file and puts it at `path`, for good.
fn place(file: NamedTempFile, path: &Path, modified: Option<i64>) -> io::Result<()> {
    if let Some(time) = modified.and_then(time) {
        // A file system that cannot hold this time keeps another one.
        let _ = file.as_file().set_modified(time);
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    flush_directory(path.parent().unwrap_or(Path::new(".")))
}

fn time(nanoseconds: i64) -> Option<std::time::SystemTime> {
    let span = Duration::from_nanos(nanoseconds.unsigned_abs());
    if nanoseconds < 0 { UNIX_EPOCH.checked_sub(span) } else { UNIX_EPOCH.checked_add(span) }
}

#[cfg(unix)]
fn flush_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn flush_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

fn write_at(file: &File, data: &[u8], offset: u64) -> io::Result<usize> {
    loop {
        match write_once(file, data, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(unix)]
fn write_once(file: &File, data: &[u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, data, offset)
}

#[cfg(not(unix))]
fn write_once(mut file: &File, data: &[u8], offset: u64) -> io::Result<usize> {
    use std::io::{Seek as _, SeekFrom, Write as _};
    file.seek(SeekFrom::Start(offset))?;
    file.write(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sampan_core::wire::{Identity, UncheckedName};

    const ONE: TransferId = TransferId(1);

    fn offer(name: &str) -> Offer<'_> {
        Offer {
            transfer: 1,
            size: Some(9),
            modified: Some(1_000_000_007),
            executable: false,
            directory: false,
            restart: false,
            want: None,
            listing: false,
            digest: DigestKind::Crc64Nvme,
            identity: Identity::EMPTY,
            name: UncheckedName::new(name.as_bytes()),
        }
    }

    fn ending(value: &[u8]) -> Ending<'_> {
        Ending { size: 9, check: 0, digest: DigestKind::Crc64Nvme, value }
    }

    fn entries(directory: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        fs::read_dir(directory).unwrap().map(name).collect()
    }

    #[test]
    fn a_file_appears_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), b"old").unwrap();
        let mut sink = FileSink::new(dir.path());
        assert_eq!(sink.offered(ONE, &offer("a")), Verdict::Accept(ResumePoint::START));
        assert_eq!(sink.store(ONE, 0, b"12345"), Ok(5));
        assert_eq!(sink.store(ONE, 5, b"6789"), Ok(4));
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"old");
        let value = 0xAE8B_1486_0A79_9888_u64.to_le_bytes();
        assert_eq!(sink.commit(ONE, &ending(&value)), Some(Ok(())));
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"123456789");
        assert_eq!(entries(dir.path()), ["a"]);
        let committed = sink.take_committed().unwrap();
        assert_eq!((committed.size, sink.stored()), (9, 9));
        assert_eq!(committed.digest.to_string(), "ae8b14860a799888");
        let modified = fs::metadata(committed.path).unwrap().modified().unwrap();
        assert_eq!(modified, UNIX_EPOCH + Duration::from_nanos(1_000_000_007));
    }

    #[test]
    fn a_wrong_digest_leaves_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), b"old").unwrap();
        let mut sink = FileSink::new(dir.path());
        let _ = sink.offered(ONE, &offer("a"));
        assert_eq!(sink.store(ONE, 0, b"123456780"), Ok(9));
        let value = 0xAE8B_1486_0A79_9888_u64.to_le_bytes();
        assert_eq!(sink.commit(ONE, &ending(&value)).unwrap().unwrap_err().code, Code::Integrity);
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"old");
        assert_eq!(entries(dir.path()), ["a"]);
    }

    #[test]
    fn what_is_abandoned_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let mut sink = FileSink::new(dir.path());
        let _ = sink.offered(ONE, &offer("a"));
        assert_eq!(entries(dir.path()).len(), 1);
        sink.abandon(ONE, Part::Keep);
        assert_eq!(entries(dir.path()), [""; 0]);
    }

    #[test]
    fn only_plain_names_are_taken() {
        let dir = tempfile::tempdir().unwrap();
        let mut sink = FileSink::new(dir.path());
        for name in ["", "..", "../a", "/a", "a/b", "a\\b", ".sampan-x", "a\nb"] {
            let verdict = sink.offered(ONE, &offer(name));
            assert!(
                matches!(verdict, Verdict::Decline(refusal) if refusal.code == Code::BadName),
                "{name:?}"
            );
        }
        let folder = Offer { directory: true, ..offer("a") };
        assert!(
            matches!(sink.offered(ONE, &folder), Verdict::Decline(refusal) if refusal.code == Code::Unsupported)
        );
        assert_eq!(entries(dir.path()), [""; 0]);
    }

    #[test]
    fn a_directory_that_is_missing_is_named() {
        let mut sink = FileSink::new(Path::new("/nonexistent/sampan"));
        assert!(matches!(sink.offered(ONE, &offer("a")), Verdict::Decline(_)));
        assert_eq!(sink.take_error().unwrap().doing, Doing::Create);
    }
}
