//! The records of a listing that is being received (`docs/protocol.md` §12).

use sampan_core::wire::{Code, DigestKind, Entry, FileName, Malformed};
use sampan_core::{Digest as _, Ending, Refusal, Running};

use crate::digests::AnyDigest;

/// More records than this are not taken from one listing: they are kept until the last has come.
const MOST: u64 = 4_000_000;

/// One record whose name is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) size: Option<u64>,
    /// Nanoseconds since 1970.
    pub(super) modified: Option<i64>,
    pub(super) executable: bool,
    pub(super) directory: bool,
}

/// One listing.
#[derive(Debug)]
pub(super) struct Listing {
    /// The beginning of a record whose end has yet to come.
    rest: Vec<u8>,
    listed: Vec<Listed>,
    /// Names that are not valid, escaped.
    invalid: Vec<String>,
    count: u64,
    digest: Running<AnyDigest>,
}

impl Listing {
    pub(super) fn new(kind: DigestKind) -> Self {
        let digest = Running::new(AnyDigest::new(kind));
        Self { rest: Vec::new(), listed: Vec::new(), invalid: Vec::new(), count: 0, digest }
    }

    /// What has come since the last call.
    pub(super) fn take(&mut self) -> (Vec<Listed>, Vec<String>) {
        (std::mem::take(&mut self.listed), std::mem::take(&mut self.invalid))
    }

    pub(super) fn store(&mut self, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        const MALFORMED: Refusal =
            Refusal { code: Code::Unsupported, words: "a record of the listing is malformed" };
        self.digest.absorb(offset, data);
        self.rest.extend_from_slice(data);
        let mut at = 0;
        loop {
            match Entry::parse(self.rest.get(at..).unwrap_or_default()) {
                Ok((entry, length)) => {
                    at += length;
                    self.count += 1;
                    if self.count > MOST {
                        return Err(Refusal { code: Code::TooLarge, words: "the listing is too long" });
                    }
                    match entry.name.check() {
                        Ok(name) => self.listed.push(listed(&entry, name)),
                        Err(_) => self.invalid.push(entry.name.to_string()),
                    }
                }
                Err(Malformed::Truncated) if self.rest.len() - at < Entry::MAX_LEN => break,
                Err(_) => return Err(MALFORMED),
            }
        }
        self.rest.drain(..at);
        Ok(data.len())
    }

    pub(super) fn commit(&self, end: &Ending<'_>) -> Result<(), Refusal> {
        let mut value = [0; 32];
        let length = self.digest.digest().value(&mut value);
        if value.get(..length) != Some(end.value) {
            return Err(Refusal { code: Code::Integrity, words: "the digest differs" });
        }
        if !self.rest.is_empty() {
            return Err(Refusal { code: Code::Unsupported, words: "the listing ends within a record" });
        }
        Ok(())
    }
}

fn listed(entry: &Entry<'_>, name: FileName<'_>) -> Listed {
    Listed {
        name: name.as_str().to_owned(),
        size: entry.size,
        modified: entry.modified,
        executable: entry.executable,
        directory: entry.directory,
    }
}
