//! The storage: a few files, each in a slot of its own.

use heapless::String;
use sampan_core::wire::{Code, DigestKind, Entry, FileName, Identity, Offer, UncheckedName, Want, Writer};
use sampan_core::{
    Completion, Description, Ending, FileType, Part, Refusal, ResumePoint, Start, Storage, TransferId,
    Verdict,
};

/// Slots. One is needed for a new version of a file while the old one is still there.
pub const SLOTS: usize = 3;
/// Bytes in the longest file.
pub const SLOT_LEN: usize = 256 << 10;
/// Bytes in the longest name.
pub const NAME_LEN: usize = 48;

/// Bytes in the longest record of a listing: flags, size, length of the name, name.
const RECORD_LEN: usize = 1 + 10 + 1 + NAME_LEN;

type Name = String<NAME_LEN>;

/// The files that the device has. It has no directories.
pub struct Files<'d> {
    flash: &'d mut [[u8; SLOT_LEN]; SLOTS],
    slots: [Option<File>; SLOTS],
    coming: Option<Coming>,
    going: Option<Going>,
}

/// What is known of the contents of a slot.
struct File {
    name: Name,
    size: u64,
    identity: Identity,
}

/// A file that is being received into a free slot.
struct Coming {
    slot: usize,
    file: File,
    /// All of it is here, and right.
    whole: Option<TransferId>,
}

/// What is being sent.
enum Going {
    /// The file in this slot.
    File(usize),
    /// A listing of what begins with this.
    Listing(Name),
}

impl<'d> Files<'d> {
    /// No files yet.
    pub const fn new(flash: &'d mut [[u8; SLOT_LEN]; SLOTS]) -> Self {
        Self { flash, slots: [const { None }; SLOTS], coming: None, going: None }
    }

    /// The contents of a file.
    pub fn contents(&self, name: &str) -> Option<&[u8]> {
        self.bytes(self.find(name)?.0)
    }

    /// What was being sent is over, well or not.
    pub fn sent(&mut self) {
        self.going = None;
    }

    /// Without what a session had under way.
    pub(crate) fn settled(self) -> Self {
        Self { coming: None, going: None, ..self }
    }

    fn find(&self, name: &str) -> Option<(usize, &File)> {
        let mut files = self.slots.iter().enumerate().filter_map(|(slot, file)| Some((slot, file.as_ref()?)));
        files.find(|(_, file)| file.name == name)
    }

    fn file(&self, slot: usize) -> Option<&File> {
        self.slots.get(slot)?.as_ref()
    }

    fn bytes(&self, slot: usize) -> Option<&[u8]> {
        self.flash.get(slot)?.get(..usize::try_from(self.file(slot)?.size).ok()?)
    }

    fn decide(&mut self, offer: &Offer<'_>) -> Result<Verdict, Refusal> {
        if offer.directory || offer.listing {
            return Err(Code::Unsupported.into());
        }
        let name = offer.name.check().map_err(|_| Code::BadName)?;
        if name.parts().count() > 1 {
            return Err(Refusal { code: Code::BadName, words: "there are no directories here" });
        }
        if offer.size.is_some_and(|size| size > SLOT_LEN as u64) {
            return Err(Code::TooLarge.into());
        }
        let (identity, name) = (offer.identity, fitting(name.as_str())?);
        let same = |(_, file): &(usize, &File)| !identity.is_empty() && file.identity == identity;
        if self.find(&name).filter(same).is_some() {
            return Ok(Verdict::Have);
        }
        let slot = self.slots.iter().position(Option::is_none).ok_or(Code::NoSpace)?;
        self.coming = Some(Coming { slot, file: File { name, size: 0, identity }, whole: None });
        Ok(Verdict::Accept(ResumePoint::START))
    }

    /// Puts what has come into its place, and the older file of this name out of it.
    fn publish(&mut self, Coming { slot, file, .. }: Coming) -> Result<(), Refusal> {
        if let Some((old, _)) = self.find(&file.name) {
            *self.slots.get_mut(old).ok_or(Code::Storage)? = None;
        }
        *self.slots.get_mut(slot).ok_or(Code::Storage)? = Some(file);
        Ok(())
    }

    /// The records of a listing (§12), from any offset: those before it are made too, and left out.
    fn list(&self, prefix: &str, offset: u64, into: &mut [u8]) -> usize {
        let mut skip = usize::try_from(offset).unwrap_or(usize::MAX);
        let mut filled = 0_usize;
        for file in self.slots.iter().flatten().filter(|file| file.name.starts_with(prefix)) {
            let mut record = [0; RECORD_LEN];
            let mut writer = Writer::new(&mut record);
            let name = UncheckedName::new(file.name.as_bytes());
            Entry { size: Some(file.size), modified: None, executable: false, directory: false, name }
                .emit(&mut writer);
            let length = writer.len();
            let rest = into.get_mut(filled..).unwrap_or_default();
            filled = filled.saturating_add(copy(record.get(skip..length).unwrap_or_default(), rest));
            skip = skip.saturating_sub(length);
        }
        filled
    }
}

impl Storage for Files<'_> {
    fn offered(&mut self, _: TransferId, offer: &Offer<'_>) -> Verdict {
        self.decide(offer).unwrap_or_else(Verdict::Decline)
    }

    fn store(&mut self, _: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        let slot = self.coming.as_ref().ok_or(Code::Storage)?.slot;
        let start = usize::try_from(offset).map_err(|_| Code::TooLarge)?;
        let rest = self.flash.get_mut(slot).and_then(|slot| slot.get_mut(start..)).unwrap_or_default();
        if data.len() > rest.len() {
            return Err(Code::TooLarge.into());
        }
        Ok(copy(data, rest))
    }

    fn sync(&mut self, _: TransferId, _: u64, _: u32) -> Option<u64> {
        // What has begun to come does not outlive its link.
        Some(0)
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        // The engine has compared the CRC-32, and no other digest was asked for.
        let Some(coming) = &mut self.coming else { return Some(Err(Code::Storage.into())) };
        coming.file.size = end.size;
        coming.whole = Some(transfer);
        None
    }

    fn completed(&mut self) -> Option<Completion> {
        // What is being sent, be it a file or a listing, stays as it is until it is sent.
        if self.going.is_some() {
            return None;
        }
        let coming = self.coming.take_if(|coming| coming.whole.is_some())?;
        Some(Completion::Committed { transfer: coming.whole?, result: self.publish(coming) })
    }

    fn abandon(&mut self, _: TransferId, _: Part) {
        self.coming = None;
    }

    fn wanted(&mut self, _: TransferId, want: &Want<'_>) -> Result<(), Refusal> {
        if self.going.is_some() {
            return Err(Code::Busy.into());
        }
        self.going = Some(if want.listing {
            let prefix = want.name.check_prefix().map_err(|_| Code::BadName)?;
            Going::Listing(fitting(prefix.map_or("", FileName::as_str))?)
        } else {
            let name = want.name.check().map_err(|_| Code::BadName)?;
            Going::File(self.find(name.as_str()).ok_or(Code::NotFound)?.0)
        });
        Ok(())
    }

    fn describe(&mut self, _: TransferId, _: DigestKind) -> Result<Description<'_>, Refusal> {
        let (name, file_type, size, identity) = match self.going.as_ref().ok_or(Code::NotFound)? {
            Going::Listing(prefix) => (prefix, FileType::Listing, None, Identity::EMPTY),
            Going::File(slot) => {
                let File { name, size, identity } = self.file(*slot).ok_or(Code::NotFound)?;
                (name, FileType::File, Some(*size), *identity)
            }
        };
        let name = FileName::new(name).ok(); // Only the listing of everything has none.
        Ok(Description { name, file_type, size, modified: None, identity, start: Start::Eager })
    }

    fn fetch(&mut self, _: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        match self.going.as_ref().ok_or(Code::NotFound)? {
            Going::Listing(prefix) => Ok(self.list(prefix, offset, into)),
            Going::File(slot) => {
                let start = usize::try_from(offset).map_err(|_| Code::Storage)?;
                let bytes = self.bytes(*slot).ok_or(Code::Storage)?;
                Ok(copy(bytes.get(start..).unwrap_or_default(), into))
            }
        }
    }
}

/// A name as it is kept, if it is not too long.
fn fitting(name: &str) -> Result<Name, Refusal> {
    Name::try_from(name).map_err(|_| Refusal { code: Code::BadName, words: "the name is too long" })
}

/// As many bytes as fit.
fn copy(from: &[u8], to: &mut [u8]) -> usize {
    from.iter().zip(to).map(|(from, to)| *to = *from).count()
}
