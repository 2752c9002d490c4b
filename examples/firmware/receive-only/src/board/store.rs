//! The flash as an engine sees it.

use sampan_core::wire::{Code, Identity, Offer};
#[cfg(feature = "both")]
use sampan_core::{
    Description, FileType, Start,
    wire::{DigestKind, FileName, Want},
};
use sampan_core::{Ending, Part, Refusal, ResumePoint, Storage, TransferId, Verdict};

use crate::flash::{Flash, Worn};

/// Room for one file. Its name is not kept.
#[derive(Debug)]
pub struct Store(Flash);

impl Store {
    /// What the flash of this chip holds.
    pub const fn new() -> Self {
        Self(Flash::new())
    }

    /// What the flash does not take is wrong in it: begin anew next time.
    fn failed(&mut self, _: Worn) -> Refusal {
        self.0.discard();
        Code::Storage.into()
    }
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}

/// An identity as it is kept: its length, then its bytes.
fn key(identity: &Identity) -> [u8; Flash::IDENTITY] {
    let bytes = identity.as_bytes();
    let mut key = [0; Flash::IDENTITY];
    key[0] = bytes.len() as u8;
    for (to, from) in key.iter_mut().skip(1).zip(bytes) {
        *to = *from;
    }
    key
}

impl Storage for Store {
    #[inline(never)]
    fn offered(&mut self, _: TransferId, offer: &Offer<'_>) -> Verdict {
        #[cfg(feature = "names")]
        if offer.name.check().is_err() {
            return Verdict::Decline(Code::BadName.into());
        }
        let Some(size) =
            offer.size.and_then(|size| u32::try_from(size).ok()).filter(|size| *size <= Flash::CAPACITY)
        else {
            return Verdict::Decline(Code::TooLarge.into());
        };
        if offer.directory || offer.listing {
            return Verdict::Decline(Code::Unsupported.into());
        }
        let key = key(&offer.identity);
        if offer.restart {
            self.0.discard();
        }
        if self.0.is_complete(&key, size) {
            return Verdict::Have;
        }
        match self.0.open(&key) {
            Ok((offset, check)) => Verdict::AcceptInOrder(ResumePoint { offset: offset.into(), check }),
            Err(worn) => Verdict::Decline(self.failed(worn)),
        }
    }

    #[inline(never)]
    fn store(&mut self, _: TransferId, _: u64, data: &[u8]) -> Result<usize, Refusal> {
        self.0.write(data).map_err(|worn| self.failed(worn))?;
        Ok(data.len())
    }

    #[inline(never)]
    fn sync(&mut self, _: TransferId, offset: u64, check: u32) -> Option<u64> {
        // Without room in the record nothing more is durable, and 0 says nothing new. What fails here fails again at the next write.
        Some(if self.0.sync(check) == Ok(true) { offset } else { 0 })
    }

    #[inline(never)]
    fn commit(&mut self, _: TransferId, _: &Ending<'_>) -> Option<Result<(), Refusal>> {
        Some(self.0.commit().map_err(|worn| self.failed(worn)))
    }

    #[inline(never)]
    fn abandon(&mut self, _: TransferId, part: Part) {
        if part == Part::Discard {
            self.0.discard();
        }
    }

    /// There is one file, and whatever is asked for, it is that.
    #[cfg(feature = "both")]
    #[inline(never)]
    fn wanted(&mut self, _: TransferId, want: &Want<'_>) -> Result<(), Refusal> {
        if want.listing {
            return Err(Code::Unsupported.into());
        }
        self.0.size().map(|_| ()).ok_or(Code::NotFound.into())
    }

    #[cfg(feature = "both")]
    #[inline(never)]
    fn describe(&mut self, _: TransferId, _: DigestKind) -> Result<Description<'_>, Refusal> {
        Ok(Description {
            name: FileName::new("file").ok(),
            file_type: FileType::File,
            size: Some(self.0.size().ok_or(Code::NotFound)?.into()),
            modified: None,
            identity: Identity::EMPTY,
            start: Start::AfterAnswer,
        })
    }

    #[cfg(feature = "both")]
    #[inline(never)]
    fn fetch(&mut self, _: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let offset = u32::try_from(offset).map_err(|_| Code::Changed)?;
        Ok(self.0.read(offset, into).ok_or(Code::Changed)?)
    }

    #[cfg(feature = "both")]
    #[inline(never)]
    fn finish(&mut self, _: TransferId, _: &mut [u8]) -> Result<usize, Refusal> {
        self.0.size().map(|_| 0).ok_or(Code::Changed.into())
    }
}
