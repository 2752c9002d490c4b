//! A file that is being sent: what it is, and whether it still is that at its end.

use std::fs::{File, Metadata};
use std::io;
use std::sync::Arc;

use sampan_core::wire::{Code, DigestKind, FileName, Identity};
use sampan_core::{Description, Digest as _, FileType, Refusal, Running, Start};

use crate::digests::{self, AnyDigest};
use crate::store::file_io::{is_executable, modified, read_at};

/// An open file, and the digest of what was read of it.
#[derive(Debug)]
pub(crate) struct OutboundFile {
    file: Arc<File>,
    version: Version,
    file_type: FileType,
    digest: Running<AnyDigest>,
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) size: u64,
    modified: i64,
}

const CHANGED: Refusal = Refusal { code: Code::Changed, words: "the file changed while it was sent" };

impl OutboundFile {
    pub(crate) fn new(file: File, metadata: &Metadata) -> Self {
        let file_type = if is_executable(metadata) { FileType::Executable } else { FileType::File };
        Self::shared(Arc::new(file), Version::of(metadata), file_type)
    }

    /// A file that others send too, which was this when it was opened.
    pub(crate) fn shared(file: Arc<File>, version: Version, file_type: FileType) -> Self {
        Self { file, version, file_type, digest: Running::new(AnyDigest::new(DigestKind::Crc32)) }
    }

    pub(crate) const fn size(&self) -> u64 {
        self.version.size
    }

    /// What it is, under this name; from now on its digest is of this kind.
    pub(crate) fn describe<'a>(
        &mut self,
        name: FileName<'a>,
        digest: DigestKind,
        start: Start,
    ) -> Description<'a> {
        self.digest = Running::new(AnyDigest::new(digest));
        let Version { size, modified } = self.version;
        Description {
            name: Some(name),
            file_type: self.file_type,
            size: Some(size),
            modified: Some(modified),
            identity: self.version.identity(),
            start,
        }
    }

    pub(crate) fn fetch(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let n = read_at(&self.file, into, offset)?;
        self.digest.absorb(offset, into.get(..n).unwrap_or_default());
        Ok(n)
    }

    /// Everything was read: the digest, if it is still the file that was described.
    pub(crate) fn finish(&self, into: &mut [u8]) -> io::Result<Result<usize, Refusal>> {
        let now = Version::of(&self.file.metadata()?);
        if now != self.version || self.digest.position() != self.version.size {
            return Ok(Err(CHANGED));
        }
        Ok(Ok(self.digest.digest().value(into)))
    }

    /// The digest of what was read, `KIND:HEX`.
    pub(crate) fn digest(&self) -> String {
        digests::named(self.digest.digest())
    }
}

impl Version {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { size: metadata.len(), modified: modified(metadata) }
    }

    fn identity(self) -> Identity {
        let mut bytes = [0; Identity::MAX_LEN];
        let (size, modified) = bytes.split_at_mut(8);
        size.copy_from_slice(&self.size.to_le_bytes());
        modified.copy_from_slice(&self.modified.to_le_bytes());
        Identity::new(&bytes).unwrap_or(Identity::EMPTY)
    }
}
