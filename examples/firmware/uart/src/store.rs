//! What a board offers: one file, `image.bin`.

use heapless::String;
use sampan_core::flash::Image;
use sampan_core::wire::{Code, DigestKind, Entry, FileName, Identity, Offer, UncheckedName, Want, Writer};
use sampan_core::{Description, Ending, FileType, Part, Refusal, Start, Storage, TransferId, Verdict};

use crate::Slots;

/// What the file is called.
pub const NAME: &str = "image.bin";

/// Bytes of a name that somebody may ask for.
pub const NAME_LEN: usize = 64;

/// The images, of which the whole one can be listed and sent.
#[derive(Debug)]
pub struct Store<'p> {
    images: Slots<'p>,
    going: Option<Going>,
}

#[derive(Debug)]
enum Going {
    Image(Image),
    /// A listing of what begins with this.
    Listing(Prefix),
}

type Prefix = String<NAME_LEN>;

impl<'p> Store<'p> {
    /// Sends nothing yet.
    pub fn new(images: Slots<'p>) -> Self {
        Self { images, going: None }
    }

    /// The images.
    pub fn images(&mut self) -> &mut Slots<'p> {
        &mut self.images
    }

    /// What it was sending has gone, or will not go.
    pub fn sent(&mut self) {
        self.going = None;
    }

    /// The record of the image, if its name has this prefix.
    fn list(&self, prefix: &str, offset: usize, into: &mut [u8]) -> usize {
        let Some(image) = self.images.whole().filter(|_| NAME.starts_with(prefix)) else { return 0 };
        let mut record = [0; 32];
        let mut writer = Writer::new(&mut record);
        let name = UncheckedName::new(NAME.as_bytes());
        Entry { size: Some(image.size.into()), modified: None, executable: false, directory: false, name }
            .emit(&mut writer);
        let length = writer.len();
        let rest = record[..length].get(offset..).unwrap_or_default();
        rest.iter().zip(into).map(|(from, to)| *to = *from).count()
    }
}

impl Storage for Store<'_> {
    fn offered(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Verdict {
        let is_overwritten =
            |image: &Image| self.images.whole().is_some_and(|whole| whole.slot != image.slot);
        match &self.going {
            // It is being sent from where this one would go.
            Some(Going::Image(image)) if is_overwritten(image) => Verdict::Decline(Code::Busy.into()),
            _ if offer.name.check().is_ok_and(|name| name.as_str() == NAME) => {
                self.images.offered(transfer, offer)
            }
            _ => Verdict::Decline(Refusal { code: Code::BadName, words: "there is room for image.bin only" }),
        }
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        self.images.store(transfer, offset, data)
    }

    fn sync(&mut self, transfer: TransferId, offset: u64, check: u32) -> Option<u64> {
        self.images.sync(transfer, offset, check)
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        self.images.commit(transfer, end)
    }

    fn abandon(&mut self, transfer: TransferId, part: Part) {
        self.images.abandon(transfer, part);
    }

    fn wanted(&mut self, _: TransferId, want: &Want<'_>) -> Result<(), Refusal> {
        if self.going.is_some() {
            return Err(Code::Busy.into());
        }
        self.going = Some(if want.listing {
            let prefix = want.name.check_prefix().map_err(|_| Code::BadName)?;
            let prefix = prefix.map_or("", FileName::as_str);
            Going::Listing(Prefix::try_from(prefix).map_err(|_| Code::BadName)?)
        } else {
            let name = want.name.check().map_err(|_| Code::BadName)?;
            let image = self.images.whole().filter(|_| name.as_str() == NAME);
            Going::Image(*image.ok_or(Code::NotFound)?)
        });
        Ok(())
    }

    fn describe(&mut self, _: TransferId, _: DigestKind) -> Result<Description<'_>, Refusal> {
        let (name, file_type, size, identity) = match self.going.as_ref().ok_or(Code::NotFound)? {
            Going::Image(image) => (NAME, FileType::File, Some(image.size.into()), image.key.identity),
            Going::Listing(prefix) => (prefix.as_str(), FileType::Listing, None, Identity::EMPTY),
        };
        Ok(Description {
            // Only the listing of everything has none.
            name: FileName::new(name).ok(),
            file_type,
            size,
            modified: None,
            identity,
            start: Start::AfterAnswer,
        })
    }

    fn fetch(&mut self, _: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let start = u32::try_from(offset).map_err(|_| Code::Storage)?;
        match self.going.as_ref().ok_or(Code::NotFound)? {
            Going::Image(image) => Ok(self.images.read(image, start, into).map_err(|_| Code::Storage)?),
            Going::Listing(prefix) => Ok(self.list(prefix, start as usize, into)),
        }
    }
}
