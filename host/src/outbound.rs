//! A file that is being sent: what it is, and whether it still is that at its end.

use std::fs::{File, Metadata};
use std::io;
use std::sync::Arc;

use sampan_core::wire::{Code, DigestKind, FileName, Identity};
use sampan_core::{Description, Digest as _, FileType, Refusal, Running, Start};

use crate::digests::{self, AnyDigest};
use crate::identity;
use crate::store::file_io::{is_executable, modified, read_at};

/// An open file, and the digest of what was read of it.
#[derive(Debug)]
pub(crate) struct OutboundFile {
    file: Arc<File>,
    version: Version,
    file_type: FileType,
    digest: Running<AnyDigest>,
}

/// What a file was when it was opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version {
    pub(crate) size: u64,
    modified: i64,
    identity: Identity,
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
        let Version { size, modified, identity } = self.version;
        Description {
            name: Some(name),
            file_type: self.file_type,
            size: Some(size),
            modified: Some(modified),
            identity,
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
        if !self.version.is_that_of(&self.file.metadata()?) || self.digest.position() != self.version.size {
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
        let (size, modified) = (metadata.len(), modified(metadata));
        Self { size, modified, identity: identity::of_file(metadata) }
    }

    /// Whether the contents are what they were. The identity may be another one: that of a file that was moved or removed meanwhile is.
    fn is_that_of(self, metadata: &Metadata) -> bool {
        (self.size, self.modified) == (metadata.len(), modified(metadata))
    }
}
