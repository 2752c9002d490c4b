//! The store: a few named files in flash, for whoever the board speaks with.

use heapless::Vec;
use sampan_core::flash::Image;
use sampan_core::wire::{Code, DigestKind, Entry, FileName, Identity, Offer, UncheckedName, Want, Writer};
use sampan_core::{Description, Ending, FileType, Part, Refusal, Start, Storage, TransferId, Verdict};

use crate::flash::File;
use crate::place::{ALL, LONGEST, NAME_LEN, Name, PAGE, PLACES, Place};

/// Whom the board speaks with. With each of them a file may come and another go at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Somebody who has dialled over TCP.
    Tcp,
    /// Somebody who has dialled over UDP.
    Udp,
    /// The server that the board is attached to.
    Server,
}

/// The files.
#[derive(Debug)]
pub struct Files<'p> {
    places: Vec<Place<'p>, PLACES>,
    desks: [Under; 3],
    /// Goes up when what a listing would say becomes another thing.
    edition: u32,
}

/// What is under way with one of them.
#[derive(Debug, Default)]
struct Under {
    /// The place of what comes.
    coming: Option<usize>,
    /// The place of what has come last.
    came: Option<usize>,
    going: Option<Going>,
}

#[derive(Debug)]
enum Going {
    File(usize, Image),
    /// A listing of what begins with this, as it was in this edition.
    Listing(Name, u32),
}

/// The files, as one of those sees them whom the board speaks with.
#[derive(Debug)]
pub struct Desk<'f, 'p> {
    files: &'f mut Files<'p>,
    who: Who,
}

impl<'p> Files<'p> {
    /// The files in the flash. Each place writes through a page of its own.
    pub fn open(pages: &'p mut [[u8; PAGE]; PLACES]) -> Self {
        let file = File::open(ALL);
        let places = pages.iter_mut().zip(0..).map(|(page, index)| Place::open(file, index, page));
        Self { places: places.collect(), desks: Default::default(), edition: 0 }
    }

    /// What one of them does with the files.
    pub fn desk(&mut self, who: Who) -> Desk<'_, 'p> {
        Desk { files: self, who }
    }

    /// How many files there are.
    pub fn count(&self) -> usize {
        self.places.iter().filter(|place| place.is_taken()).count()
    }

    /// The file that came last from there, and its bytes.
    pub fn came(&self, who: Who) -> Option<(&str, u32)> {
        let place = self.places.get(self.desks[who as usize].came?)?;
        Some((&place.name, place.images.whole()?.size))
    }

    /// Nothing goes there any more.
    pub fn sent(&mut self, who: Who) {
        self.desks[who as usize].going = None;
    }

    /// The session with it is over.
    pub fn left(&mut self, who: Who) {
        self.desks[who as usize] = Under::default();
    }

    /// Whether something comes from there, or goes there.
    pub(crate) fn is_busy(&self, who: Who) -> bool {
        let under = &self.desks[who as usize];
        under.coming.is_some() || under.going.is_some()
    }

    /// Whether somebody is sending to this place.
    fn is_written(&self, index: usize) -> bool {
        self.desks.iter().any(|desk| desk.coming == Some(index))
    }

    /// Whether what somebody is reading lies where the next file would go.
    fn would_be_overwritten(&self, index: usize) -> bool {
        let whole = self.places.get(index).and_then(|place| place.images.whole());
        self.desks.iter().any(|desk| match (&desk.going, whole) {
            (Some(Going::File(at, image)), Some(whole)) => *at == index && whole.slot != image.slot,
            _ => false,
        })
    }

    /// Where a file of this name is, or goes: what is begun gives way only if there is no other place.
    fn place_for(&self, name: &Name) -> Option<usize> {
        let begun = |place: &Place<'_>| place.images.begun().is_some();
        let find = |is_it: &dyn Fn(&Place<'_>) -> bool| {
            let mut places = self.places.iter().enumerate();
            places.find(|(index, place)| is_it(place) && !self.is_written(*index)).map(|(index, _)| index)
        };
        self.places
            .iter()
            .position(|place| place.name == *name)
            .or_else(|| find(&|place| !place.is_taken() && !begun(place)))
            .or_else(|| find(&|place| !place.is_taken()))
    }

    fn find(&self, name: &str) -> Option<(usize, Image)> {
        let index = self.places.iter().position(|place| place.is_taken() && place.name == name)?;
        Some((index, *self.places.get(index)?.images.whole()?))
    }

    /// Writes what a listing has from `offset` on.
    fn list(&self, prefix: &str, offset: u64, into: &mut [u8]) -> usize {
        let (mut at, mut filled) = (0, 0);
        for place in self.places.iter().filter(|place| place.is_taken() && place.name.starts_with(prefix)) {
            let Some(image) = place.images.whole() else { continue };
            let mut record = [0; NAME_LEN + 32];
            let mut writer = Writer::new(&mut record);
            let name = UncheckedName::new(place.name.as_bytes());
            let size = Some(image.size.into());
            Entry { size, modified: None, executable: false, directory: false, name }.emit(&mut writer);
            let length = writer.len();
            let skipped = usize::try_from(offset.saturating_sub(at)).unwrap_or(usize::MAX);
            let rest = record.get(..length).and_then(|record| record.get(skipped..)).unwrap_or_default();
            let room = into.get_mut(filled..).unwrap_or_default();
            filled += room.iter_mut().zip(rest).map(|(to, from)| *to = *from).count();
            at += length as u64;
        }
        filled
    }
}

impl<'p> Desk<'_, 'p> {
    fn under(&mut self) -> &mut Under {
        &mut self.files.desks[self.who as usize]
    }

    /// The place of what comes.
    fn coming(&mut self) -> Option<&mut Place<'p>> {
        let index = self.under().coming?;
        self.files.places.get_mut(index)
    }

    fn decide(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Result<Verdict, Refusal> {
        (self.under().coming, self.under().came) = (None, None);
        let name = offer.name.check().map_err(|_| Code::BadName)?;
        if offer.directory {
            // Names have their folders in them, so that there is nothing to make.
            return Ok(Verdict::Have);
        }
        if offer.listing {
            return Err(Code::Unsupported.into());
        }
        if offer.size.is_some_and(|size| size > LONGEST.into()) {
            return Err(Code::TooLarge.into());
        }
        let name = fitting(name.as_str())?;
        let full = Refusal { code: Code::NoSpace, words: "there are as many files as there may be" };
        let index = self.files.place_for(&name).ok_or(full)?;
        if self.files.is_written(index) || self.files.would_be_overwritten(index) {
            return Err(Code::Busy.into());
        }
        let place = self.files.places.get_mut(index).ok_or(Code::Storage)?;
        if place.name != name {
            place.call(&name).map_err(|_| Code::Storage)?;
        }
        let verdict = place.images.offered(transfer, offer);
        if matches!(verdict, Verdict::AcceptInOrder(_) | Verdict::Accept(_)) {
            self.under().coming = Some(index);
        }
        Ok(verdict)
    }
}

impl Storage for Desk<'_, '_> {
    fn offered(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Verdict {
        self.decide(transfer, offer).unwrap_or_else(Verdict::Decline)
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        self.coming().ok_or(Code::Storage)?.images.store(transfer, offset, data)
    }

    fn sync(&mut self, transfer: TransferId, offset: u64, check: u32) -> Option<u64> {
        self.coming().map_or(Some(0), |place| place.images.sync(transfer, offset, check))
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        let result =
            self.coming().map_or(Some(Err(Code::Storage.into())), |place| place.images.commit(transfer, end));
        let under = self.under();
        under.came = under.coming.take();
        self.files.edition = self.files.edition.wrapping_add(1);
        result
    }

    fn abandon(&mut self, transfer: TransferId, part: Part) {
        if let Some(place) = self.coming() {
            place.images.abandon(transfer, part);
        }
        self.under().coming = None;
    }

    fn wanted(&mut self, _: TransferId, want: &Want<'_>) -> Result<(), Refusal> {
        if self.under().going.is_some() {
            return Err(Code::Busy.into());
        }
        let going = if want.listing {
            let prefix = want.name.check_prefix().map_err(|_| Code::BadName)?;
            Going::Listing(fitting(prefix.map_or("", FileName::as_str))?, self.files.edition)
        } else {
            let name = want.name.check().map_err(|_| Code::BadName)?;
            let (index, image) = self.files.find(name.as_str()).ok_or(Code::NotFound)?;
            Going::File(index, image)
        };
        self.under().going = Some(going);
        Ok(())
    }

    fn describe(&mut self, _: TransferId, _: DigestKind) -> Result<Description<'_>, Refusal> {
        let going = self.files.desks[self.who as usize].going.as_ref().ok_or(Code::NotFound)?;
        let (name, file_type, size, identity) = match going {
            Going::File(index, image) => {
                let name = &self.files.places.get(*index).ok_or(Code::NotFound)?.name;
                (name, FileType::File, Some(image.size.into()), image.key.identity)
            }
            Going::Listing(prefix, _) => (prefix, FileType::Listing, None, Identity::EMPTY),
        };
        // Only the listing of everything has no name.
        let name = FileName::new(name).ok();
        Ok(Description { name, file_type, size, modified: None, identity, start: Start::AfterAnswer })
    }

    fn fetch(&mut self, _: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let Files { places, desks, edition } = &mut *self.files;
        match desks[self.who as usize].going.as_ref().ok_or(Code::NotFound)? {
            Going::File(index, image) => {
                let start = u32::try_from(offset).map_err(|_| Code::Storage)?;
                let place = places.get_mut(*index).ok_or(Code::Storage)?;
                Ok(place.images.read(image, start, into).map_err(|_| Code::Storage)?)
            }
            Going::Listing(_, of) if of != edition => Err(Code::Changed.into()),
            Going::Listing(prefix, _) => {
                let prefix = prefix.clone();
                Ok(self.files.list(&prefix, offset, into))
            }
        }
    }
}

/// A name as it is kept, if it is not too long.
fn fitting(name: &str) -> Result<Name, Refusal> {
    Name::try_from(name).map_err(|_| Refusal { code: Code::BadName, words: "the name is too long" })
}
