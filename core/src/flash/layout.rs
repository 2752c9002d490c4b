//! Where everything lies.

use core::fmt;

use embedded_storage::nor_flash::NorFlash;

use super::{PIECE, journal};

/// Where the journal and the slots lie in the flash, in bytes from its start; all of it in whole sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Layout {
    /// The journal's two sectors.
    pub journal: u32,
    /// The start of either slot.
    pub slots: [u32; 2],
    /// Bytes in a slot, and so in the longest image.
    pub slot_len: u32,
}

/// A place for an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Slot {
    /// The first of [`Layout::slots`].
    A,
    /// The second.
    B,
}

impl Slot {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// Why a layout does not suit a flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LayoutError {
    /// Something does not begin or end with a sector.
    NotWholeSectors,
    /// Something reaches beyond the end of the flash.
    BeyondTheEnd,
    /// Two things lie in one place.
    Overlap,
    /// The page's length is not a multiple of what the flash reads and writes at a time, or a sector is not a multiple of it.
    Page,
    /// A record does not fit what the flash writes at a time, or a sector.
    Record,
}

impl Layout {
    /// Where a slot begins.
    #[must_use]
    pub const fn start(&self, slot: Slot) -> u32 {
        let [a, b] = self.slots;
        match slot {
            Slot::A => a,
            Slot::B => b,
        }
    }

    pub(super) fn check<F: NorFlash>(&self, flash: &F, page: usize) -> Result<(), LayoutError> {
        let sector = F::ERASE_SIZE as u32;
        let [a, b] = self.slots;
        let places = [(self.journal, sector.saturating_mul(2)), (a, self.slot_len), (b, self.slot_len)];
        for (start, length) in places {
            if !is_multiple(start, sector) || !is_multiple(length, sector) {
                return Err(LayoutError::NotWholeSectors);
            }
            if u64::from(start).saturating_add(length.into()) > flash.capacity() as u64 {
                return Err(LayoutError::BeyondTheEnd);
            }
        }
        let apart = |(a, a_len): (u32, u32), (b, b_len): (u32, u32)| {
            a.saturating_add(a_len) <= b || b.saturating_add(b_len) <= a
        };
        let [journal, a, b] = places;
        if !apart(journal, a) || !apart(journal, b) || !apart(a, b) {
            return Err(LayoutError::Overlap);
        }
        let page = page as u32;
        let fits = |unit: usize| is_multiple(page, unit as u32);
        if page == 0 || !fits(F::WRITE_SIZE) || !fits(F::READ_SIZE) || !is_multiple(sector, page) {
            return Err(LayoutError::Page);
        }
        // What is read piece by piece is read in whole sectors.
        if !is_multiple(PIECE as u32, F::READ_SIZE as u32) || !is_multiple(sector, PIECE as u32) {
            return Err(LayoutError::Page);
        }
        if journal::stride::<F>() > journal::LONGEST || journal::stride::<F>() > F::ERASE_SIZE {
            return Err(LayoutError::Record);
        }
        Ok(())
    }
}

fn is_multiple(value: u32, of: u32) -> bool {
    value.checked_rem(of) == Some(0)
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotWholeSectors => "journal and slots must be whole sectors",
            Self::BeyondTheEnd => "the flash ends before the journal or a slot does",
            Self::Overlap => "journal and slots overlap",
            Self::Page => {
                "the page must be a multiple of what is read and written at a time, and divide a sector"
            }
            Self::Record => "this flash writes too much at a time for a record of the journal",
        })
    }
}

impl core::error::Error for LayoutError {}
