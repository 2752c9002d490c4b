//! A flash in memory, with the rules of NOR and a power supply that can be cut.

use std::cell::{Ref, RefCell};
use std::rc::Rc;

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

/// Bytes of a sector.
pub const SECTOR: usize = 512;
/// Bytes that are written at a time.
pub const UNIT: usize = 8;

/// A flash that outlives whoever uses it; clones are the same flash.
///
/// A bit goes back to 1 by an erase only, and a unit is written once between two erases: whoever breaks that fails the test.
#[derive(Clone, Debug)]
pub struct FakeFlash(Rc<RefCell<Contents>>);

#[derive(Debug)]
struct Contents {
    bytes: Vec<u8>,
    written: Vec<bool>,
    erases: Vec<u32>,
    operations: u64,
    cut_at: Option<u64>,
    is_on: bool,
    seed: u64,
}

impl FakeFlash {
    /// So many sectors, none of them erased yet.
    pub fn new(sectors: usize) -> Self {
        let length = sectors * SECTOR;
        Self(Rc::new(RefCell::new(Contents {
            bytes: crate::content(99, length),
            written: vec![true; length / UNIT],
            erases: vec![0; sectors],
            operations: 0,
            cut_at: None,
            is_on: true,
            seed: 1,
        })))
    }

    /// Another flash with the same contents.
    pub fn fork(&self) -> Self {
        let Contents { bytes, written, erases, .. } = &*self.0.borrow();
        let (bytes, written, erases) = (bytes.clone(), written.clone(), erases.clone());
        Self(Rc::new(RefCell::new(Contents {
            bytes,
            written,
            erases,
            operations: 0,
            cut_at: None,
            is_on: true,
            seed: 1,
        })))
    }

    /// Cuts the power in the middle of the write or erase that is the n-th from now; what becomes of it follows from the seed.
    pub fn cut_at(&self, n: u64, seed: u64) {
        let mut contents = self.0.borrow_mut();
        contents.cut_at = Some(contents.operations + n);
        contents.seed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    }

    /// Whether there is power.
    pub fn is_on(&self) -> bool {
        self.0.borrow().is_on
    }

    /// Gives it power again, for good.
    pub fn switch_on(&self) {
        let mut contents = self.0.borrow_mut();
        contents.is_on = true;
        contents.cut_at = None;
    }

    /// Writes and erases so far.
    pub fn operations(&self) -> u64 {
        self.0.borrow().operations
    }

    /// How often each sector was erased.
    pub fn erases(&self) -> Ref<'_, [u32]> {
        Ref::map(self.0.borrow(), |contents| contents.erases.as_slice())
    }

    /// Turns a bit, as age does.
    pub fn damage(&self, offset: usize) {
        self.0.borrow_mut().bytes[offset] ^= 4;
    }
}

impl Contents {
    fn random(&mut self) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed
    }

    /// Whether this operation is the one that is torn.
    fn begin(&mut self) -> Result<bool, NorFlashErrorKind> {
        if !self.is_on {
            return Err(NorFlashErrorKind::Other);
        }
        let torn = self.cut_at == Some(self.operations);
        self.operations += 1;
        self.is_on = !torn;
        Ok(torn)
    }
}

impl ErrorType for FakeFlash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for FakeFlash {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        let contents = self.0.borrow();
        if !contents.is_on {
            return Err(NorFlashErrorKind::Other);
        }
        let offset = offset as usize;
        assert!(
            offset.is_multiple_of(Self::READ_SIZE) && bytes.len().is_multiple_of(Self::READ_SIZE),
            "a read is not aligned"
        );
        bytes.copy_from_slice(&contents.bytes[offset..offset + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.borrow().bytes.len()
    }
}

impl NorFlash for FakeFlash {
    const WRITE_SIZE: usize = UNIT;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        let mut contents = self.0.borrow_mut();
        let (from, to) = (from as usize, to as usize);
        assert!(from % SECTOR == 0 && to == from + SECTOR, "not one sector: {from}..{to}");
        let torn = contents.begin()?;
        contents.erases[from / SECTOR] += 1;
        contents.written[from / UNIT..to / UNIT].fill(torn);
        for at in from..to {
            contents.bytes[at] = match if torn { contents.random() % 4 } else { 0 } {
                0 => 0xFF,
                1 => contents.bytes[at] | contents.random() as u8,
                _ => contents.bytes[at],
            };
        }
        if torn { Err(NorFlashErrorKind::Other) } else { Ok(()) }
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let mut contents = self.0.borrow_mut();
        let (from, to) = (offset as usize, offset as usize + bytes.len());
        assert!(from % UNIT == 0 && to % UNIT == 0, "a write is not aligned: {from}..{to}");
        assert_eq!(from / SECTOR, (to - 1) / SECTOR, "a write across sectors");
        let torn = contents.begin()?;
        // A torn write ends anywhere, and its last unit anyhow.
        let whole = if torn { contents.random() as usize % (bytes.len() + 1) } else { bytes.len() };
        for (at, byte) in (from..to).zip(bytes) {
            let unit = at / UNIT;
            assert!(at % UNIT != 0 || !contents.written[unit], "{at} is written twice");
            if at % UNIT == 0 && at - from < whole {
                contents.written[unit] = true;
            }
            let reached = at - from;
            let byte = if reached < whole {
                *byte
            } else if reached / UNIT == whole / UNIT {
                *byte | contents.random() as u8
            } else {
                continue;
            };
            assert_eq!(contents.bytes[at] & byte, byte, "{at}: a bit goes back to 1 without an erase");
            contents.bytes[at] &= byte;
        }
        if torn { Err(NorFlashErrorKind::Other) } else { Ok(()) }
    }
}
