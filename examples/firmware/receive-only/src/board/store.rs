//! The flash as an engine sees it.

#[cfg(any(feature = "both", feature = "lean"))]
use sampan_core::FileType;
#[cfg(feature = "lean")]
use sampan_core::lean;
#[cfg(all(feature = "lean", feature = "both"))]
use sampan_core::wire::UncheckedName;
use sampan_core::wire::{Code, Offer};
#[cfg(feature = "both")]
use sampan_core::{
    Description, Start,
    wire::{DigestKind, FileName, Identity, Want},
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
fn key(bytes: &[u8]) -> [u8; Flash::IDENTITY] {
    let mut bytes = bytes.iter();
    let mut length = Some(bytes.len() as u8);
    [(); Flash::IDENTITY].map(|()| length.take().or_else(|| bytes.next().copied()).unwrap_or_default())
}

/// What the store has of a file.
enum Place {
    Whole,
    /// So many bytes, with this check.
    Part(u32, u32),
    Refused(Code),
}

impl Store {
    fn place(&mut self, size: Option<u64>, identity: &[u8], begin: Begin) -> Place {
        let Some(size) =
            size.and_then(|size| u32::try_from(size).ok()).filter(|size| *size <= Flash::CAPACITY)
        else {
            return Place::Refused(Code::TooLarge);
        };
        let key = key(identity);
        if begin == Begin::AtStart {
            self.0.discard();
        }
        if self.0.is_complete(&key, size) {
            return Place::Whole;
        }
        match self.0.open(&key) {
            Ok((offset, check)) => Place::Part(offset, check),
            Err(worn) => Place::Refused(self.failed(worn).code),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Begin {
    Anywhere,
    AtStart,
}

impl Begin {
    fn of(restart: bool) -> Self {
        if restart { Self::AtStart } else { Self::Anywhere }
    }
}

impl Storage for Store {
    #[inline(never)]
    fn offered(&mut self, _: TransferId, offer: &Offer<'_>) -> Verdict {
        #[cfg(feature = "names")]
        if offer.name.check().is_err() {
            return Verdict::Decline(Code::BadName.into());
        }
        if offer.directory || offer.listing {
            return Verdict::Decline(Code::Unsupported.into());
        }
        match self.place(offer.size, offer.identity.as_bytes(), Begin::of(offer.restart)) {
            Place::Whole => Verdict::Have,
            Place::Part(offset, check) => {
                Verdict::AcceptInOrder(ResumePoint { offset: offset.into(), check })
            }
            Place::Refused(code) => Verdict::Decline(code.into()),
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

#[cfg(feature = "lean")]
impl lean::Store for Store {
    #[inline(never)]
    fn offered(&mut self, offer: &lean::Offer<'_>) -> lean::Verdict {
        #[cfg(feature = "names")]
        if offer.name.check().is_err() {
            return lean::Verdict::Decline(Code::BadName);
        }
        if matches!(offer.file_type(), FileType::Directory | FileType::Listing) {
            return lean::Verdict::Decline(Code::Unsupported);
        }
        match self.place(offer.size.map(u64::from), offer.identity, Begin::of(offer.restarts())) {
            Place::Whole => lean::Verdict::Have,
            Place::Part(offset, check) => lean::Verdict::Accept { offset, check },
            Place::Refused(code) => lean::Verdict::Decline(code),
        }
    }

    #[inline(never)]
    fn store(&mut self, _: u32, data: &[u8]) -> Result<usize, Code> {
        self.0.write(data).map_err(|worn| self.failed(worn).code)?;
        Ok(data.len())
    }

    #[inline(never)]
    fn sync(&mut self, offset: u32, check: u32) -> u32 {
        if self.0.sync(check) == Ok(true) { offset } else { 0 }
    }

    #[inline(never)]
    fn commit(&mut self, _: u32, _: u32) -> Result<(), Code> {
        self.0.commit().map_err(|worn| self.failed(worn).code)
    }

    #[inline(never)]
    fn abandon(&mut self, part: Part) {
        Storage::abandon(self, TransferId(1), part);
    }

    #[cfg(feature = "both")]
    #[inline(never)]
    fn wanted(&mut self, wish: &lean::Wish<'_>) -> Result<(), Code> {
        if wish.contents == lean::Contents::Listing {
            return Err(Code::Unsupported);
        }
        self.0.size().map(|_| ()).ok_or(Code::NotFound)
    }

    #[cfg(feature = "both")]
    #[inline(never)]
    fn describe(&mut self) -> Result<lean::Description<'_>, Code> {
        let size = Some(self.0.size().ok_or(Code::NotFound)?);
        let name = UncheckedName::new(b"file");
        Ok(lean::Description { name, size, identity: &[], contents: lean::Contents::File })
    }

    #[cfg(feature = "both")]
    #[inline(never)]
    fn fetch(&mut self, offset: u32, into: &mut [u8]) -> Result<usize, Code> {
        self.0.read(offset, into).ok_or(Code::Changed)
    }
}
