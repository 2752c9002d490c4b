//! Files, directories and a pipe to send.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sampan_core::wire::{Code, DigestKind, FileName, Identity};
use sampan_core::{Description, Digest as _, FileType, Refusal, Start, Storage, TransferId};

use crate::digests::{self, AnyDigest};
use crate::file_error::{Doing, FileError};
use crate::outbound::OutboundFile;
use crate::pipe::Pipe;
use crate::store::file_io::modified;

/// A file that is larger may have been begun before: nothing of it goes ahead of the answer, or what is there already would be sent again.
const EAGER: u64 = 256 << 10;

/// The sending half of a [`Storage`]: what the user has named.
///
/// A file is opened when its transfer is described, and closed when the transfer is over.
#[derive(Debug, Default)]
pub struct FileSource {
    items: HashMap<TransferId, Outbound>,
    newest: Option<TransferId>,
    /// Files that were described since they were asked for.
    begun: Vec<(String, Option<u64>)>,
    /// Where the standard input is read, if it is sent.
    pipe: Option<Pipe>,
}

/// Something to send, and what it is called at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it is.
    pub path: PathBuf,
    /// A valid name (`docs/protocol.md` §6).
    pub name: String,
    /// What it is.
    pub kind: ItemKind,
    /// Bytes, as far as they are known.
    pub size: Option<u64>,
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A file that the user has named, perhaps by a link.
    Named,
    /// A file that was found in a directory; should it have become a link, it is not followed.
    Found,
    /// A directory itself, without what is in it.
    Directory,
    /// The pipe.
    Pipe,
}

#[derive(Debug)]
struct Outbound {
    item: Item,
    began: Instant,
    fetched: u64,
    open: Option<Open>,
    error: Option<FileError>,
}

#[derive(Debug)]
enum Open {
    File(OutboundFile),
    Directory(DigestKind),
    Pipe(AnyDigest),
}

/// What is known of something that was sent.
#[derive(Debug)]
pub struct Sent {
    /// What it was.
    pub item: Item,
    /// Bytes in all.
    pub size: u64,
    /// `KIND:HEX` of what was read.
    pub digest: Option<String>,
    /// How long it took.
    pub took: Duration,
    /// What was wrong with the file.
    pub error: Option<FileError>,
}

impl FileSource {
    /// Nothing to send yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An item of kind [`Pipe`](ItemKind::Pipe) is read from here.
    #[must_use]
    pub fn with_pipe(self, pipe: Option<Pipe>) -> Self {
        Self { pipe, ..self }
    }

    /// Gives the pipe back.
    pub fn into_pipe(self) -> Option<Pipe> {
        self.pipe
    }

    /// This is what `transfer` sends.
    pub fn add(&mut self, transfer: TransferId, item: Item) {
        let outbound = Outbound { item, began: Instant::now(), fetched: 0, open: None, error: None };
        self.items.insert(transfer, outbound);
    }

    /// The transfer is over: what is known of it, which is then forgotten.
    pub fn remove(&mut self, transfer: TransferId) -> Option<Sent> {
        let Outbound { item, began, fetched, open, error } = self.items.remove(&transfer)?;
        let (size, digest) = match &open {
            Some(Open::File(file)) => (file.size(), (fetched == file.size()).then(|| file.digest())),
            Some(Open::Pipe(digest)) => (fetched, Some(digests::named(digest))),
            Some(Open::Directory(_)) | None => (0, None),
        };
        Some(Sent { item, size, digest, took: began.elapsed(), error })
    }

    /// Names and sizes of the files that were described since this was called last.
    pub fn begun(&mut self) -> Vec<(String, Option<u64>)> {
        std::mem::take(&mut self.begun)
    }

    /// What something was read of last, and how far.
    #[must_use]
    pub fn newest(&self) -> Option<(&Item, u64)> {
        self.items.get(&self.newest?).map(|outbound| (&outbound.item, outbound.fetched))
    }

    fn item(&mut self, transfer: TransferId) -> Result<&mut Outbound, Refusal> {
        self.items.get_mut(&transfer).ok_or(Code::NotFound.into())
    }
}

impl Storage for FileSource {
    fn describe(&mut self, transfer: TransferId, digest: DigestKind) -> Result<Description<'_>, Refusal> {
        let outbound = self.items.get_mut(&transfer).ok_or(Refusal::from(Code::NotFound))?;
        let kind = outbound.item.kind;
        outbound.fetched = 0;
        let described = match kind {
            ItemKind::Named | ItemKind::Found => {
                let opened = open_regular(&outbound.item.path, kind);
                let (file, metadata) = outbound.or_note(Doing::Open, opened)?;
                let file = outbound.open.insert(Open::File(OutboundFile::new(file, &metadata)));
                let Open::File(file) = file else { return Err(Code::Other.into()) };
                self.begun.push((outbound.item.name.clone(), Some(file.size())));
                let name = FileName::new(&outbound.item.name).map_err(|_| Refusal::from(Code::BadName))?;
                let start = if file.size() > EAGER { Start::AfterAnswer } else { Start::Eager };
                return Ok(file.describe(name, digest, start));
            }
            ItemKind::Directory => {
                let metadata = outbound.or_note(Doing::Open, std::fs::metadata(&outbound.item.path))?;
                outbound.open = Some(Open::Directory(digest));
                (FileType::Directory, Some(modified(&metadata)))
            }
            ItemKind::Pipe => {
                outbound.open = Some(Open::Pipe(AnyDigest::new(digest)));
                self.begun.push((outbound.item.name.clone(), None));
                (FileType::File, None)
            }
        };
        let (file_type, modified) = described;
        Ok(Description {
            name: Some(FileName::new(&outbound.item.name).map_err(|_| Refusal::from(Code::BadName))?),
            file_type,
            size: None,
            modified,
            identity: Identity::EMPTY,
            start: Start::Eager,
        })
    }

    fn fetch(&mut self, transfer: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        self.newest = Some(transfer);
        let outbound = self.items.get_mut(&transfer).ok_or(Refusal::from(Code::NotFound))?;
        let result = match &mut outbound.open {
            Some(Open::File(file)) => file.fetch(offset, into),
            Some(Open::Pipe(digest)) => match &mut self.pipe {
                Some(pipe) => match pipe.read(offset, into) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        return Err(Code::Wait.into());
                    }
                    result => result.inspect(|n| {
                        if offset == outbound.fetched {
                            digest.update(into.get(..*n).unwrap_or_default());
                        }
                    }),
                },
                None => Err(io::ErrorKind::NotFound.into()),
            },
            Some(Open::Directory(_)) | None => Ok(0),
        };
        let n = outbound.or_note(Doing::Read, result)?;
        outbound.fetched = outbound.fetched.max(offset.saturating_add(n as u64));
        Ok(n)
    }

    fn finish(&mut self, transfer: TransferId, into: &mut [u8]) -> Result<usize, Refusal> {
        let outbound = self.item(transfer)?;
        let result = match &outbound.open {
            Some(Open::File(file)) => file.finish(into),
            Some(Open::Pipe(digest)) => Ok(Ok(digest.value(into))),
            Some(Open::Directory(kind)) => Ok(Ok(AnyDigest::new(*kind).value(into))),
            None => return Err(Code::Storage.into()),
        };
        outbound.or_note(Doing::Read, result)?
    }
}

impl Outbound {
    fn or_note<T>(&mut self, doing: Doing, result: io::Result<T>) -> Result<T, Refusal> {
        result.map_err(|cause| {
            let error = FileError::new(doing, &self.item.path, cause);
            let refusal = error.refusal();
            self.error = Some(error);
            refusal
        })
    }
}

/// Opens a regular file; anything else is refused without waiting for it.
///
/// # Errors
///
/// Also if it is a directory, a device, a socket or a pipe, or a link that was not named by the user.
pub fn open_regular(path: &Path, kind: ItemKind) -> io::Result<(File, Metadata)> {
    check_regular(&std::fs::metadata(path)?)?;
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;
        let follow = if kind == ItemKind::Named { OFlags::empty() } else { OFlags::NOFOLLOW };
        options.custom_flags((OFlags::NONBLOCK | follow).bits() as i32);
    }
    #[cfg(not(unix))]
    let _ = kind;
    let file = options.open(path)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::UNIX_EPOCH;

    const ONE: TransferId = TransferId(1);

    fn source(path: &Path) -> FileSource {
        let mut source = FileSource::new();
        let item = Item { path: path.to_owned(), name: "a/b".into(), kind: ItemKind::Named, size: None };
        source.add(ONE, item);
        source
    }

    #[test]
    fn a_file_is_described_read_and_finished() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hello.txt");
        fs::write(&path, b"123456789").unwrap();
        let mut source = source(&path);
        let what = source.describe(ONE, DigestKind::Crc64Nvme).unwrap();
        assert_eq!(what.name.unwrap().as_str(), "a/b");
        assert_eq!((what.size, what.file_type), (Some(9), FileType::File));
        assert_eq!(what.identity, crate::identity::of_file(&fs::metadata(&path).unwrap()));
        let mut into = [0; 6];
        assert_eq!(source.fetch(ONE, 0, &mut into), Ok(6));
        assert_eq!(source.fetch(ONE, 2, &mut into), Ok(6));
        assert_eq!(&into, b"345678");
        assert_eq!(source.fetch(ONE, 8, &mut into), Ok(1));
        let mut value = [0; 8];
        assert_eq!(source.finish(ONE, &mut value), Ok(8));
        assert_eq!(u64::from_le_bytes(value), 0xAE8B_1486_0A79_9888);
        // What was lost is read again.
        assert_eq!(source.fetch(ONE, 2, &mut into), Ok(6));
        assert_eq!(source.remove(ONE).unwrap().digest.unwrap(), "crc64:ae8b14860a799888");
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
        let error = missing.remove(ONE).unwrap().error.unwrap();
        assert_eq!(error.cause.kind(), io::ErrorKind::NotFound);
        let mut folder = source(dir.path());
        assert_eq!(folder.describe(ONE, DigestKind::Crc32).unwrap_err().code, Code::Storage);
        let error = folder.remove(ONE).unwrap().error.unwrap();
        assert_eq!(error.cause.kind(), io::ErrorKind::IsADirectory);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_only_if_the_user_has_named_it() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, b"x").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(open_regular(&link, ItemKind::Named).is_ok());
        assert!(open_regular(&link, ItemKind::Found).is_err());
    }
}
