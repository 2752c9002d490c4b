//! The journal: two sectors that records are appended to in turn.

use embedded_storage::nor_flash::NorFlash;

use super::record::{self, State};

/// Bytes that a record takes at most, with what it is filled up with.
pub(super) const LONGEST: usize = 128;
/// What a byte of flash holds that was erased.
const ERASED: u8 = 0xFF;

/// From one record to the next: both read and written as the flash wants it.
pub(super) fn stride<F: NorFlash>() -> usize {
    let unit = F::WRITE_SIZE.max(F::READ_SIZE);
    record::LEN.checked_next_multiple_of(unit).unwrap_or(usize::MAX)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    First,
    Second,
}

/// Where the next record goes, and under which number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Journal {
    start: u32,
    side: Side,
    /// From the start of that sector.
    next: u32,
    number: u32,
}

impl Journal {
    /// Looks for the newest record.
    pub(super) fn open<F: NorFlash>(flash: &mut F, start: u32) -> Result<(Self, State), F::Error> {
        // Without any, the first record is written as if the second sector were full.
        let mut journal = Self { start, side: Side::Second, next: F::ERASE_SIZE as u32, number: 0 };
        let mut newest = State::default();
        for side in [Side::First, Side::Second] {
            let (mut at, mut used, mut is_here) = (0, 0, false);
            while at < end::<F>() {
                let next = after::<F>(at);
                let mut bytes = [0; LONGEST];
                let bytes = bytes.get_mut(..stride::<F>()).unwrap_or_default();
                flash.read(journal.address::<F>(side, at), bytes)?;
                if bytes.iter().any(|byte| *byte != ERASED) {
                    used = next;
                }
                if let Some((number, state)) = State::parse(bytes) {
                    if number > journal.number {
                        (journal.number, newest, is_here) = (number, state, true);
                    }
                }
                at = next;
            }
            if is_here {
                (journal.side, journal.next) = (side, used);
            }
        }
        Ok((journal, newest))
    }

    /// Writes a record, which from then on is the newest. If that fails the one before is.
    pub(super) fn append<F: NorFlash>(&mut self, flash: &mut F, state: &State) -> Result<Written, F::Error> {
        if self.next >= end::<F>() {
            let side = if self.side == Side::First { Side::Second } else { Side::First };
            let sector = self.address::<F>(side, 0);
            flash.erase(sector, sector.saturating_add(F::ERASE_SIZE as u32))?;
            (self.side, self.next) = (side, 0);
        }
        self.number = self.number.saturating_add(1);
        let mut bytes = [ERASED; LONGEST];
        let bytes = bytes.get_mut(..stride::<F>()).unwrap_or_default();
        state.emit(self.number, bytes);
        let address = self.address::<F>(self.side, self.next);
        self.next = after::<F>(self.next);
        flash.write(address, bytes)?;
        flash.read(address, bytes)?;
        Ok(if State::parse(bytes) == Some((self.number, *state)) { Written::Well } else { Written::Badly })
    }

    fn address<F: NorFlash>(&self, side: Side, at: u32) -> u32 {
        let sector = if side == Side::First { 0 } else { F::ERASE_SIZE as u32 };
        self.start.saturating_add(sector).saturating_add(at)
    }
}

/// Whether a record reads as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Well,
    Badly,
}

fn after<F: NorFlash>(at: u32) -> u32 {
    at.saturating_add(stride::<F>() as u32)
}

/// No record begins here or later.
fn end<F: NorFlash>() -> u32 {
    (F::ERASE_SIZE.saturating_add(1)).saturating_sub(stride::<F>()) as u32
}
