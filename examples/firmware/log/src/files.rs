//! The one file of either end.

use sampan_core::wire::{Code, DigestKind, FileName, Identity, Offer, Want};
use sampan_core::{
    Asked, Description, Ending, FileType, Refusal, ResumePoint, Start, Storage, TransferId, Verdict, WantId,
};

pub(crate) const SIZE: u64 = 6_000;

/// What an end has of it.
pub(crate) struct Files {
    /// What has come, and has been synced.
    pub(crate) durable: ResumePoint,
    /// What an offer is answered with, if it is not taken.
    pub(crate) refuses: Option<Code>,
    /// What a wish for it is answered with.
    pub(crate) gives: Gives,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gives {
    Nothing,
    File,
}

impl Files {
    pub(crate) const NOTHING: Self =
        Self { durable: ResumePoint::START, refuses: None, gives: Gives::Nothing };
}

fn byte_at(offset: u64) -> u8 {
    (offset % 251) as u8
}

impl Storage for Files {
    fn offered(&mut self, _: TransferId, offer: &Offer<'_>) -> Verdict {
        match self.refuses {
            Some(code) => Verdict::Decline(Refusal { code, words: "not now" }),
            None if offer.restart => Verdict::Accept(ResumePoint::START),
            None => Verdict::Accept(self.durable),
        }
    }

    fn store(&mut self, _: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        let is_right = data.iter().zip(offset..).all(|(byte, at)| *byte == byte_at(at));
        if is_right { Ok(data.len()) } else { Err(Code::Integrity.into()) }
    }

    fn sync(&mut self, _: TransferId, offset: u64, check: u32) -> Option<u64> {
        self.durable = ResumePoint { offset, check };
        Some(offset)
    }

    fn commit(&mut self, _: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        self.durable = ResumePoint { offset: end.size, check: end.check };
        Some(Ok(()))
    }

    fn ask(&mut self, _: WantId) -> Result<Asked<'_>, Refusal> {
        FileName::new("file").map(Asked::File).map_err(|_| Code::BadName.into())
    }

    fn wanted(&mut self, _: TransferId, _: &Want<'_>) -> Result<(), Refusal> {
        match self.gives {
            Gives::Nothing => Err(Code::NotFound.into()),
            Gives::File => Ok(()),
        }
    }

    fn describe(&mut self, _: TransferId, _: DigestKind) -> Result<Description<'_>, Refusal> {
        Ok(Description {
            name: FileName::new("file").ok(),
            file_type: FileType::File,
            size: Some(SIZE),
            modified: None,
            identity: Identity::new(b"1").ok_or(Code::Other)?,
            start: Start::AfterAnswer,
        })
    }

    fn fetch(&mut self, _: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        Ok(into.iter_mut().zip(offset..SIZE).map(|(to, at)| *to = byte_at(at)).count())
    }
}
