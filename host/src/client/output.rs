//! A file that goes to the standard output as it comes.

use std::io::{self, Write as _};
use std::time::Instant;

use sampan_core::wire::{Code, DigestKind};
use sampan_core::{Digest as _, Ending, Refusal, ResumePoint, Running};

use crate::digests::{self, AnyDigest};

/// What was written, which lasts from one link to the next.
#[derive(Debug)]
pub(super) struct Output {
    digest: Running<AnyDigest>,
    /// The contents that were begun, by what the server says of them.
    identity: Vec<u8>,
    /// What was written, when that was last known with its check.
    checked: ResumePoint,
    pub(super) written: u64,
    pub(super) size: Option<u64>,
    pub(super) resumed_from: u64,
    pub(super) shown: Option<String>,
    pub(super) trouble: Option<io::Error>,
    pub(super) began: Instant,
}

impl Output {
    pub(super) fn new() -> Self {
        Self {
            digest: Running::new(AnyDigest::new(DigestKind::Crc32)),
            identity: Vec::new(),
            checked: ResumePoint::START,
            written: 0,
            size: None,
            resumed_from: 0,
            shown: None,
            trouble: None,
            began: Instant::now(),
        }
    }

    /// Goes on where it stopped, if these are the contents that were begun and nothing was written that is not checked.
    pub(super) fn begin(
        &mut self,
        identity: &[u8],
        size: Option<u64>,
        kind: DigestKind,
    ) -> Result<ResumePoint, Refusal> {
        self.size = size;
        if self.written == 0 {
            self.identity = identity.to_vec();
            self.digest = Running::new(AnyDigest::new(kind));
            return Ok(ResumePoint::START);
        }
        let same = !identity.is_empty() && identity == self.identity && self.digest.digest().kind() == kind;
        if !same || self.checked.offset != self.written {
            let words = "what was written to the standard output cannot be taken back";
            return Err(Refusal { code: Code::Changed, words });
        }
        self.resumed_from = self.written;
        Ok(self.checked)
    }

    pub(super) fn store(&mut self, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        match io::stdout().lock().write_all(data) {
            Ok(()) => {
                self.digest.absorb(offset, data);
                self.written = offset + data.len() as u64;
                Ok(data.len())
            }
            Err(error) => {
                self.trouble = Some(error);
                Err(Refusal { code: Code::Cancelled, words: "nobody takes it any more" })
            }
        }
    }

    pub(super) const fn checked(&mut self, at: ResumePoint) {
        self.checked = at;
    }

    pub(super) fn commit(&mut self, end: &Ending<'_>) -> Result<(), Refusal> {
        let mut value = [0; 32];
        let length = self.digest.digest().value(&mut value);
        if value.get(..length) != Some(end.value) {
            // It cannot be taken back: trying again would not help.
            return Err(Refusal { code: Code::Cancelled, words: "the digest differs" });
        }
        self.shown = digests::of_end(end);
        self.size = Some(end.size);
        io::stdout().lock().flush().map_err(|error| {
            self.trouble = Some(error);
            Refusal { code: Code::Cancelled, words: "nobody takes it any more" }
        })
    }
}
