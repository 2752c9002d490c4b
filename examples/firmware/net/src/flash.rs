//! A NOR flash whose contents are a file of the computer's, so that they outlive the emulator.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

use crate::semihosting::{self, Failed, Handle, Mode};

/// Bytes of a sector.
pub const SECTOR: u32 = 4_096;

const NAME: &core::ffi::CStr = c"flash.bin";
static ERASED: [u8; SECTOR as usize] = [0xFF; SECTOR as usize];
/// What is compared at a time.
const PIECE: usize = 256;

/// The flash in the file `flash.bin`.
#[derive(Clone, Copy, Debug)]
pub struct File(Handle);

impl File {
    /// The flash as the board before has left it, of so many sectors; it is made if it is not there.
    pub fn open(sectors: u32) -> Self {
        let file = Handle::open(NAME, Mode::Existing).or_else(|| Handle::open(NAME, Mode::New));
        let Some(file) = file else { semihosting::fail(c"flash.bin cannot be opened\n") };
        for sector in file.length() / SECTOR..sectors {
            if file.seek(sector * SECTOR).and_then(|()| file.write(&ERASED)).is_err() {
                semihosting::fail(c"flash.bin cannot be made\n");
            }
        }
        Self(file)
    }
}

/// A part of the flash. Bits are set by an erase only, and writes are whole words.
#[derive(Debug)]
pub struct Region {
    file: Handle,
    start: u32,
    length: u32,
}

/// What the flash does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlashError {
    /// Something is not aligned, or beyond its end.
    Misused(NorFlashErrorKind),
    /// A bit would have to go back to 1.
    NotErased,
    /// The computer's file failed.
    File,
}

impl Region {
    /// So many sectors of the flash.
    pub const fn new(file: File, start: u32, sectors: u32) -> Self {
        Self { file: file.0, start, length: sectors * SECTOR }
    }

    fn put(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Failed> {
        self.file.seek(self.start + offset)?;
        self.file.write(bytes)
    }

    fn get(&mut self, offset: u32, into: &mut [u8]) -> Result<(), Failed> {
        self.file.seek(self.start + offset)?;
        self.file.read(into)
    }
}

impl ErrorType for Region {
    type Error = FlashError;
}

impl ReadNorFlash for Region {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        check_read(self, offset, bytes.len())?;
        Ok(self.get(offset, bytes)?)
    }

    fn capacity(&self) -> usize {
        self.length as usize
    }
}

impl NorFlash for Region {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = SECTOR as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        check_erase(self, from, to)?;
        for offset in (from..to).step_by(SECTOR as usize) {
            self.put(offset, &ERASED)?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        check_write(self, offset, bytes.len())?;
        let mut there = [0; PIECE];
        for (bytes, offset) in bytes.chunks(PIECE).zip((offset..).step_by(PIECE)) {
            let there = &mut there[..bytes.len()];
            self.get(offset, there)?;
            if there.iter().zip(bytes).any(|(there, byte)| there & byte != *byte) {
                return Err(FlashError::NotErased);
            }
        }
        Ok(self.put(offset, bytes)?)
    }
}

impl From<Failed> for FlashError {
    fn from(_: Failed) -> Self {
        Self::File
    }
}

impl From<NorFlashErrorKind> for FlashError {
    fn from(kind: NorFlashErrorKind) -> Self {
        Self::Misused(kind)
    }
}

impl NorFlashError for FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Misused(kind) => *kind,
            Self::NotErased | Self::File => NorFlashErrorKind::Other,
        }
    }
}
