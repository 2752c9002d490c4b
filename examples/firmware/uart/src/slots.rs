//! Where images lie in the flash.

use core::fmt;

use sampan_core::flash::{Image, Images, Layout};

use crate::flash::{CAPACITY, FileFlash, SECTOR};

const LENGTH: u32 = (CAPACITY - 2 * SECTOR) / 2;

/// The journal, and two slots for images of a little more than 1 MiB.
pub const LAYOUT: Layout = Layout { journal: 0, slots: [2 * SECTOR, 2 * SECTOR + LENGTH], slot_len: LENGTH };

/// Bytes that are written to the flash at a time.
pub const PAGE: usize = 256;

/// The images of the board.
pub type Slots<'p> = Images<'p, FileFlash>;

/// Opens the flash.
pub fn open(page: &mut [u8; PAGE]) -> Slots<'_> {
    Images::open(FileFlash::open(), LAYOUT, page).expect("it suits the flash")
}

/// An image in words.
#[derive(Debug)]
pub struct Shown<'i>(pub &'i Image);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Image { slot, size, check, .. } = self.0;
        write!(f, "the image at {}, {size} bytes, check {check:08x}", LAYOUT.start(*slot))
    }
}
