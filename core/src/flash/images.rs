//! The sink: the image that is whole, and the one that comes.

use core::fmt;

use embedded_storage::nor_flash::NorFlash;

use super::journal::{Journal, Written};
use super::layout::{Layout, LayoutError, Slot};
use super::record::{Begun, Image, Key, State};
use super::{PIECE, crc};
use crate::action::{Ending, Refusal, ResumePoint};
use crate::storage::{Part, Storage, Verdict};
use crate::units::TransferId;
use crate::wire::{Code, Crc32, Nibble, Offer};

/// What a byte of flash holds that was erased.
const ERASED: u8 = 0xFF;

/// Two slots for images, and a journal that says what is in them.
///
/// As a [`Storage`] it takes one transfer at a time, of any name: lend the receiver one [`Incoming`](crate::Incoming). A `store` takes no
/// longer than the erase of a sector, or the writing of one frame; before an erase it says *busy* once, so that the peer hears of it first. A
/// `sync` that notes progress may erase a sector of the journal.
#[derive(Debug)]
pub struct Images<'p, F> {
    flash: F,
    layout: Layout,
    page: &'p mut [u8],
    journal: Journal,
    state: State,
    writing: Option<Writing>,
}

/// The transfer that is being written.
#[derive(Clone, Copy, Debug)]
struct Writing {
    transfer: TransferId,
    slot: Slot,
    /// Bytes that were taken.
    taken: u32,
    /// The last of these, which are in the page still.
    in_page: usize,
    /// Everything from what was taken up to here is erased: the end of a sector.
    erased: u32,
    /// Whether the peer was told that a sector is to be erased.
    told: Told,
    /// The CRC-32 of what the flash holds: what was taken but for the page.
    check: u32,
    /// The last whole sector's end, and the CRC-32 up to there.
    durable: (u32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    NotYet,
    Busy,
}

/// Why the slots could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum OpenError<E> {
    /// They do not suit this flash.
    Layout(LayoutError),
    /// It cannot be read.
    Flash(E),
}

#[cfg(feature = "defmt")]
impl<F> defmt::Format for Images<'_, F> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Images {{ whole: {}, begun: {} }}", self.state.whole, self.state.begun);
    }
}

impl<'p, F: NorFlash> Images<'p, F> {
    /// Reads the journal, and what has come of an image that is not whole: it is resumed only if it is still what it was. `page` is what is
    /// written at a time: a multiple of `WRITE_SIZE` that divides a sector.
    ///
    /// # Errors
    ///
    /// A layout that does not suit the flash, or a flash that cannot be read.
    pub fn open(mut flash: F, layout: Layout, page: &'p mut [u8]) -> Result<Self, OpenError<F::Error>> {
        layout.check(&flash, page.len()).map_err(OpenError::Layout)?;
        let (journal, state) = Journal::open(&mut flash, layout.journal).map_err(OpenError::Flash)?;
        let mut images = Self { flash, layout, page, journal, state, writing: None };
        if let Some(begun) = state.begun {
            let held = images.check_of(state.spare(), begun.offset).map_err(OpenError::Flash)?;
            if held != begun.check {
                log!(warn, "image: what has come in part is not what it was");
                images.state.begun = None;
            }
        }
        Ok(images)
    }

    /// The image that is whole: the newest that was committed.
    pub fn whole(&self) -> Option<&Image> {
        self.state.whole.as_ref()
    }

    /// The image that has come in part.
    pub fn begun(&self) -> Option<&Begun> {
        self.state.begun.as_ref()
    }

    /// Where everything lies.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Reads from an image; how many bytes, 0 at its end. Offset and length must be multiples of the flash's
    /// [`READ_SIZE`](embedded_storage::nor_flash::ReadNorFlash::READ_SIZE).
    ///
    /// # Errors
    ///
    /// Those of the flash.
    pub fn read(&mut self, image: &Image, offset: u32, into: &mut [u8]) -> Result<usize, F::Error> {
        let left = image.size.saturating_sub(offset) as usize;
        if left == 0 {
            return Ok(0);
        }
        let asked = left.checked_next_multiple_of(F::READ_SIZE).unwrap_or(left).min(into.len());
        let into = into.get_mut(..asked).unwrap_or_default();
        self.flash.read(self.layout.start(image.slot).saturating_add(offset), into)?;
        Ok(left.min(asked))
    }

    /// Whether the flash still holds what was committed: reads all of it. For the boot, before it is started.
    ///
    /// # Errors
    ///
    /// Those of the flash.
    pub fn holds(&mut self, image: &Image) -> Result<bool, F::Error> {
        Ok(self.check_of(image.slot, image.size)? == image.check)
    }

    /// The CRC-32 of the beginning of a slot.
    fn check_of(&mut self, slot: Slot, length: u32) -> Result<u32, F::Error> {
        let (mut address, mut left, mut check) = (self.layout.start(slot), length as usize, 0);
        let mut piece = [0; PIECE];
        while left > 0 {
            self.flash.read(address, &mut piece)?;
            let n = left.min(PIECE);
            check = Nibble.update(check, piece.get(..n).unwrap_or_default());
            address = address.saturating_add(PIECE as u32);
            left = left.saturating_sub(n);
        }
        Ok(check)
    }

    /// The flash, as it is.
    pub fn release(self) -> F {
        self.flash
    }

    /// Writes a record that says this.
    fn note(&mut self, state: State) -> Result<(), Refusal> {
        match self.journal.append(&mut self.flash, &state) {
            Ok(Written::Well) => {
                self.state = state;
                Ok(())
            }
            Ok(Written::Badly) | Err(_) => {
                log!(warn, "image: the journal cannot be written");
                Err(Code::Storage.into())
            }
        }
    }

    fn decide(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Result<Verdict, Refusal> {
        self.writing = None;
        if offer.directory || offer.listing {
            return Err(Code::Unsupported.into());
        }
        let name = offer.name.check().map_err(|_| Code::BadName)?;
        let size = match offer.size {
            Some(size) => Some(u32::try_from(size).map_err(|_| Code::TooLarge)?),
            None => None,
        };
        if size.is_some_and(|size| size > self.layout.slot_len) {
            return Err(Code::TooLarge.into());
        }
        let key = Key { name: crc(name.as_str().as_bytes()), identity: offer.identity };
        let has = |image: &Image| key.is(&image.key) && size.is_none_or(|size| size == image.size);
        if !offer.restart && self.state.whole.as_ref().is_some_and(has) {
            return Ok(Verdict::Have);
        }
        let from = match &self.state.begun {
            Some(begun)
                if key.is(&begun.key) && size == begun.size && (!offer.restart || begun.offset == 0) =>
            {
                (begun.offset, begun.check)
            }
            _ => {
                // First of all nothing may speak of what the slot had: its sectors will be erased.
                let begun = Some(Begun { key, size, offset: 0, check: 0 });
                self.note(State { begun, ..self.state })?;
                (0, 0)
            }
        };
        let (offset, check) = from;
        self.writing = Some(Writing {
            transfer,
            slot: self.state.spare(),
            taken: offset,
            in_page: 0,
            erased: offset,
            told: Told::NotYet,
            check,
            durable: from,
        });
        Ok(Verdict::AcceptInOrder(ResumePoint { offset: offset.into(), check }))
    }

    fn take(&mut self, writing: &mut Writing, data: &[u8]) -> Result<usize, Refusal> {
        let mut rest = data;
        while !rest.is_empty() {
            if writing.taken >= self.layout.slot_len {
                return Err(Code::TooLarge.into());
            }
            if writing.taken == writing.erased {
                if rest.len() < data.len() {
                    break;
                }
                if writing.told == Told::NotYet {
                    writing.told = Told::Busy;
                    return Ok(0);
                }
                self.erase(writing)?;
            }
            let room = self.page.get_mut(writing.in_page..).unwrap_or_default();
            let n = room.iter_mut().zip(rest).map(|(to, from)| *to = *from).count();
            writing.in_page = writing.in_page.saturating_add(n);
            writing.taken = writing.taken.saturating_add(n as u32);
            rest = rest.get(n..).unwrap_or_default();
            if writing.in_page == self.page.len() {
                self.write_page(writing)?;
            }
        }
        Ok(data.len().saturating_sub(rest.len()))
    }

    fn erase(&mut self, writing: &mut Writing) -> Result<(), Refusal> {
        let from = self.layout.start(writing.slot).saturating_add(writing.erased);
        let length = F::ERASE_SIZE as u32;
        self.flash.erase(from, from.saturating_add(length)).map_err(|_| Code::Storage)?;
        writing.erased = writing.erased.saturating_add(length);
        writing.told = Told::NotYet;
        Ok(())
    }

    /// Writes the page as far as it is filled, and reads it back.
    fn write_page(&mut self, writing: &mut Writing) -> Result<(), Refusal> {
        let start = writing.taken.saturating_sub(writing.in_page as u32);
        let address = self.layout.start(writing.slot).saturating_add(start);
        let unit = F::WRITE_SIZE.max(F::READ_SIZE);
        let length = writing.in_page.checked_next_multiple_of(unit).unwrap_or(writing.in_page);
        let page = self.page.get_mut(..length).ok_or(Code::Storage)?;
        if let Some(rest) = page.get_mut(writing.in_page..) {
            rest.fill(ERASED);
        }
        self.flash.write(address, page).map_err(|_| Code::Storage)?;
        self.flash.read(address, page).map_err(|_| Code::Storage)?;
        writing.check = Nibble.update(writing.check, page.get(..writing.in_page).unwrap_or_default());
        writing.in_page = 0;
        if writing.taken == writing.erased {
            writing.durable = (writing.taken, writing.check);
        }
        Ok(())
    }

    fn publish(&mut self, writing: &mut Writing, end: &Ending<'_>) -> Result<(), Refusal> {
        if writing.in_page > 0 {
            self.write_page(writing)?;
        }
        if u64::from(writing.taken) != end.size || writing.check != end.check {
            return Err(Refusal { code: Code::Integrity, words: "the flash holds something else" });
        }
        let key = self.state.begun.ok_or(Code::Storage)?.key;
        let Writing { slot, taken: size, check, .. } = *writing;
        self.note(State { whole: Some(Image { slot, key, size, check }), begun: None })
    }
}

impl<F: NorFlash> Storage for Images<'_, F> {
    fn offered(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Verdict {
        self.decide(transfer, offer).unwrap_or_else(Verdict::Decline)
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        let is_next = |writing: &Writing| writing.transfer == transfer && u64::from(writing.taken) == offset;
        let mut writing = self.writing.filter(is_next).ok_or(Code::Storage)?;
        let result = self.take(&mut writing, data);
        // After a failure it is not known what the flash holds.
        self.writing = result.is_ok().then_some(writing);
        result
    }

    fn sync(&mut self, transfer: TransferId, _: u64, _: u32) -> Option<u64> {
        let begun = self.state.begun?;
        let durable =
            self.writing.filter(|writing| writing.transfer == transfer).map(|writing| writing.durable);
        if let Some((offset, check)) = durable.filter(|(offset, _)| *offset > begun.offset) {
            // What fails here fails again at the next write, and 0 says nothing new.
            self.note(State { begun: Some(Begun { offset, check, ..begun }), ..self.state }).ok();
        }
        Some(self.state.begun.map_or(0, |begun| begun.offset.into()))
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        let writing = self.writing.take().filter(|writing| writing.transfer == transfer);
        let Some(mut writing) = writing else { return Some(Err(Code::Storage.into())) };
        Some(self.publish(&mut writing, end))
    }

    fn abandon(&mut self, transfer: TransferId, part: Part) {
        if self.writing.is_some_and(|writing| writing.transfer != transfer) {
            return;
        }
        self.writing = None;
        if part == Part::Discard && self.state.begun.is_some() {
            // If that fails, the sender finds the part wrong and has it begun anew.
            self.note(State { begun: None, ..self.state }).ok();
        }
    }
}

impl<E: fmt::Debug> fmt::Display for OpenError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout(error) => error.fmt(f),
            Self::Flash(error) => write!(f, "the flash cannot be read: {error:?}"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for OpenError<E> {}
