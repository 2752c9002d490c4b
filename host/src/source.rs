//! Regular files to send.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use sampan_core::wire::{Code, DigestKind, FileName, Identity, NameError};
use sampan_core::{Description, Digest as _, FileType, Refusal, Running, Start, Storage, TransferId};

use crate::digests::{AnyDigest, Shown};
use crate::file_error::{Doing, FileError};

/// The sending half of a [`Storage`]: files that the user has named.
///
/// A file is opened when its transfer is described, and closed when all of it has been read.
#[derive(Debug, Default)]
pub struct FileSource {
    files: HashMap<TransferId, Outbound>,
}

/// One file and how far it has come.
#[derive(Debug)]
struct Outbound {
    path: PathBuf,
    name: String,
    open: Option<Open>,
    digest: Option<Shown>,
    error: Option<FileError>,
}

#[derive(Debug)]
struct Open {
    file: File,
    version: Version,
    digest: Running<AnyDigest>,
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    size: u64,
    modified: i64,
}

impl FileSource {
    /// Nothing to send yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The file at `path` is what `transfer` sends, under the last part of its name.
    ///
    /// # Errors
    ///
    /// If that cannot be the name of a transfer.
    pub fn add(&mut self, transfer: TransferId, path: &Path) -> Result<(), NameError> {
        let last = path.file_name().unwrap_or_default();
        let name = FileName::new(last.to_str().ok_or(NameError::NotUtf8)?)?.as_str().to_owned();
        let file = Outbound { path: path.to_owned(), name, open: None, digest: None, error: None };
        self.files.insert(transfer, file);
        Ok(())
    }

    /// The transfer is over: what is known of it is forgotten. Says what was wrong with the file, if that ended it.
    pub fn remove(&mut self, transfer: TransferId) -> Option<FileError> {
        self.files.remove(&transfer)?.error
    }

    /// The digest of what was sent, once all of it has been read.
    #[must_use]
    pub fn digest(&self, transfer: TransferId) -> Option<Shown> {
        self.files.get(&transfer)?.digest
    }

    fn file(&mut self, transfer: TransferId) -> Result<&mut Outbound, Refusal> {
        self.files.get_mut(&transfer).ok_or(Code::NotFound.into())
    }
}

impl Storage for FileSource {
    fn describe(&mut self, transfer: TransferId, digest: DigestKind) -> Result<Description<'_>, Refusal> {
        let file = self.file(transfer)?;
        let (open, file_type) = file.or_note(Doing::Open, Open::new(&file.path, digest))?;
        let Version { size, modified } = open.version;
        file.open = Some(open);
        Ok(Description {
            name: Some(FileName::new(&file.name).map_err(|_| Refusal::from(Code::BadName))?),
            file_type,
            size: Some(size),
            modified: Some(modified),
            identity: Version { size, modified }.identity(),
            start: Start::Eager,
        })
    }

    fn fetch(&mut self, transfer: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let file = self.file(transfer)?;
        let Some(open) = &mut file.open else { return Err(Code::Storage.into()) };
        match read_at(&open.file, into, offset) {
            Ok(n) => {
                open.digest.absorb(offset, into.get(..n).unwrap_or_default());
                Ok(n)
            }
            Err(error) => file.or_note(Doing::Read, Err(error)),
        }
    }

    fn finish(&mut self, transfer: TransferId, into: &mut [u8]) -> Result<usize, Refusal> {
        const CHANGED: Refusal = Refusal { code: Code::Changed, words: "the file changed while it was sent" };
        let file = self.file(transfer)?;
        let Some(open) = file.open.take() else { return Err(Code::Storage.into()) };
        let now = file.or_note(Doing::Read, open.file.metadata().map(|now| Version::of(&now)))?;
        if now != open.version || open.digest.position() != open.version.size {
            return Err(CHANGED);
        }
        let digest = open.digest.digest();
        file.digest = Some(digest.shown());
        Ok(digest.value(into))
    }
}

impl Outbound {
    fn or_note<T>(&mut self, doing: Doing, result: io::Result<T>) -> Result<T, Refusal> {
        result.map_err(|cause| {
            let error = FileError::new(doing, &self.path, cause);
            let refusal = error.refusal();
            self.error = Some(error);
            refusal
        })
    }
}

impl Open {
    fn new(path: &Path, digest: DigestKind) -> io::Result<(Self, FileType)> {
        let (file, metadata) = open_regular(path)?;
        let version = Version::of(&metadata);
        let digest = Running::new(AnyDigest::new(digest));
        Ok((Self { file, version, digest }, file_type(&metadata)))
    }
}

/// Opens a regular file; anything else is refused without waiting for it.
///
/// # Errors
///
/// Also if it is a directory, a device, a socket or a pipe.
pub fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    check_regular(&std::fs::metadata(path)?)?;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    check_regular(&metadata)?;
    Ok((file, metadata))
}

fn check_regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_dir() {
        Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"))
    } else if !metadata.is_file() {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
    } else {
        Ok(())
    }
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self { size: metadata.len(), modified: metadata.modified().map_or(0, nanoseconds) }
    }

    fn identity(self) -> Identity {
        let mut bytes = [0; Identity::MAX_LEN];
        let (size, modified) = bytes.split_at_mut(8);
        size.copy_from_slice(&self.size.to_le_bytes());
        modified.copy_from_slice(&self.modified.to_le_bytes());
        Identity::new(&bytes).unwrap_or(Identity::EMPTY)
    }
}

/// Nanoseconds since 1970, which fit from 1678 to 2261.
fn nanoseconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |before| -before),
    }
}

#[cfg(unix)]
fn file_type(metadata: &Metadata) -> FileType {
    use std::os::unix::fs::MetadataExt as _;
    if metadata.mode() & 0o111 == 0 { FileType::File } else { FileType::Executable }
}

#[cfg(not(unix))]
fn file_type(_: &Metadata) -> FileType {
    FileType::File
}

fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match read_once(file, into, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(unix)]
fn read_once(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, offset)
}

#[cfg(not(unix))]
fn read_once(mut file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.read(into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const ONE: TransferId = TransferId(1);

    fn source(path: &Path) -> FileSource {
        let mut source = FileSource::new();
        source.add(ONE, path).unwrap();
        source
    }

    #[test]
    fn a_file_is_described_read_and_finished() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hello.txt");
        fs::write(&path, b"123456789").unwrap();
        let mut source = source(&path);
        let what = source.describe(ONE, DigestKind::Crc64Nvme).unwrap();
        assert_eq!(what.name.unwrap().as_str(), "hello.txt");
        assert_eq!((what.size, what.file_type), (Some(9), FileType::File));
        assert_eq!(what.identity.as_bytes()[..8], 9_u64.to_le_bytes());
        assert_eq!(what.identity.as_bytes()[8..], what.modified.unwrap().to_le_bytes());
        let mut into = [0; 6];
        assert_eq!(source.fetch(ONE, 0, &mut into), Ok(6));
        assert_eq!(source.fetch(ONE, 2, &mut into), Ok(6));
        assert_eq!(&into, b"345678");
        assert_eq!(source.fetch(ONE, 8, &mut into), Ok(1));
        assert_eq!(source.fetch(ONE, 9, &mut into), Ok(0));
        let mut value = [0; 8];
        assert_eq!(source.finish(ONE, &mut value), Ok(8));
        assert_eq!(u64::from_le_bytes(value), 0xAE8B_1486_0A79_9888);
        assert_eq!(source.digest(ONE).unwrap().to_string(), "ae8b14860a799888");
    }

    #[test]
    fn a_change_is_noticed_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let changes: [fn(&Path); 2] = [
            |path| fs::write(path, b"longer than before").unwrap(),
            |path| File::options().append(true).open(path).unwrap().set_modified(UNIX_EPOCH).unwrap(),
        ];
        for change in changes {
            fs::write(&path, b"before").unwrap();
            let mut source = source(&path);
            assert!(source.describe(ONE, DigestKind::Crc32).is_ok());
            assert_eq!(source.fetch(ONE, 0, &mut [0; 6]), Ok(6));
            change(&path);
            assert_eq!(source.finish(ONE, &mut []).unwrap_err().code, Code::Changed);
        }
    }

    #[test]
    fn what_is_no_file_is_refused_and_the_reason_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut missing = source(&dir.path().join("missing"));
        assert_eq!(missing.describe(ONE, DigestKind::Crc32).unwrap_err().code, Code::NotFound);
        assert_eq!(missing.remove(ONE).unwrap().cause.kind(), io::ErrorKind::NotFound);
        let mut folder = source(dir.path());
        assert_eq!(folder.describe(ONE, DigestKind::Crc32).unwrap_err().code, Code::Storage);
        assert_eq!(folder.remove(ONE).unwrap().cause.kind(), io::ErrorKind::IsADirectory);
        assert!(FileSource::new().add(ONE, Path::new("..")).is_err());
    }

    #[test]
    fn times_before_1970_are_negative() {
        assert_eq!(nanoseconds(UNIX_EPOCH - std::time::Duration::from_nanos(5)), -5);
        assert_eq!(nanoseconds(UNIX_EPOCH), 0);
    }
}
