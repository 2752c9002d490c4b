//! A place for one file: its name, and two slots, so that the file that is there stays whole until the next one of its name is.
//!
//! ```text
//!   sector 0     1, 2          3 ..              3 + SLOT ..
//!   | name     | journal     | slot A          | slot B          |
//! ```

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use heapless::String;
use sampan_core::flash::{Images, Layout};
use sampan_core::wire::{Crc32, Nibble};

use crate::flash::{File, FlashError, Region, SECTOR};

/// How many places there are.
pub const PLACES: usize = 8;
/// Bytes of the longest name.
pub const NAME_LEN: usize = 64;

/// Bytes that are written to the flash at a time.
#[cfg(not(feature = "mps2-an385"))]
pub const PAGE: usize = 256;
/// Bytes that are written to the flash at a time.
#[cfg(feature = "mps2-an385")]
pub const PAGE: usize = 2_048;

/// Sectors of a slot: a little more than 1 MiB.
const SLOT: u32 = 272;
const IMAGES: u32 = 2 + 2 * SLOT;
const SECTORS: u32 = 1 + IMAGES;
/// Sectors of all places.
pub(crate) const ALL: u32 = PLACES as u32 * SECTORS;
/// Bytes of the longest file.
pub(crate) const LONGEST: u32 = SLOT * SECTOR;

const LAYOUT: Layout = Layout { journal: 0, slots: [2 * SECTOR, (2 + SLOT) * SECTOR], slot_len: LONGEST };

/// A name with its length and a check, in whole words.
const RECORD: usize = 4 + NAME_LEN + 4;

pub(crate) type Name = String<NAME_LEN>;

/// One of the places.
#[derive(Debug)]
pub(crate) struct Place<'p> {
    label: Region,
    /// What a file in it is called.
    pub(crate) name: Name,
    /// The file, and the one that is to take its place.
    pub(crate) images: Images<'p, Region>,
}

impl<'p> Place<'p> {
    /// The place as it is in the flash.
    pub(crate) fn open(file: File, index: u32, page: &'p mut [u8; PAGE]) -> Self {
        let start = index * SECTORS * SECTOR;
        let mut label = Region::new(file, start, 1);
        let name = read(&mut label).unwrap_or_default();
        let images = Images::open(Region::new(file, start + SECTOR, IMAGES), LAYOUT, page);
        Self { label, name, images: images.expect("the layout suits the flash") }
    }

    /// Whether a file is in it.
    pub(crate) fn is_taken(&self) -> bool {
        !self.name.is_empty() && self.images.whole().is_some()
    }

    /// Gives a place in which no file is another name. What has begun to come under the old one is of no use any more: the journal knows it by its name.
    pub(crate) fn call(&mut self, name: &Name) -> Result<(), FlashError> {
        let mut record = [0; RECORD];
        let (covered, check) = record.split_at_mut(RECORD - 4);
        covered[0] = name.len() as u8;
        covered[4..4 + name.len()].copy_from_slice(name.as_bytes());
        check.copy_from_slice(&Nibble.update(0, covered).to_le_bytes());
        self.name.clear();
        self.label.erase(0, SECTOR)?;
        self.label.write(0, &record)?;
        self.name = read(&mut self.label).ok_or(FlashError::File)?;
        Ok(())
    }
}

/// The name, if all of it was written.
fn read(label: &mut Region) -> Option<Name> {
    let mut record = [0; RECORD];
    label.read(0, &mut record).ok()?;
    let (covered, check) = record.split_at(RECORD - 4);
    let name = covered.get(4..4 + usize::from(*covered.first()?))?;
    let is_right = Nibble.update(0, covered).to_le_bytes() == check;
    Name::try_from(core::str::from_utf8(name).ok()?).ok().filter(|_| is_right)
}
