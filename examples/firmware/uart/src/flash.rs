//! A NOR flash whose contents are a file of the computer's, so that they outlive the emulator.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

use crate::semihosting::{self, Failed, File, Mode};

/// Bytes of a sector.
pub const SECTOR: u32 = 4_096;
/// Bytes of it all.
pub const CAPACITY: u32 = 548 * SECTOR;

const NAME: &core::ffi::CStr = c"flash.bin";
const PIECE: usize = 256;
const ERASED: [u8; PIECE] = [0xFF; PIECE];

/// The flash in the file `flash.bin`, which is made if it is not there. Bits are set by an erase only, and writes are whole words.
#[derive(Debug)]
pub struct FileFlash(File);

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

impl FileFlash {
    /// The flash as the board before has left it.
    pub fn open() -> Self {
        let file = File::open(NAME, Mode::Existing).or_else(|| File::open(NAME, Mode::New));
        let Some(file) = file else { semihosting::fail(c"flash.bin cannot be opened\n") };
        let mut made = file.length() / PIECE as u32 * PIECE as u32;
        let mut flash = Self(file);
        while made < CAPACITY {
            if flash.put(made, &ERASED).is_err() {
                semihosting::fail(c"flash.bin cannot be made\n");
            }
            made += PIECE as u32;
        }
        flash
    }

    fn put(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Failed> {
        self.0.seek(offset)?;
        self.0.write(bytes)
    }

    fn get(&mut self, offset: u32, into: &mut [u8]) -> Result<(), Failed> {
        self.0.seek(offset)?;
        self.0.read(into)
    }
}

impl ErrorType for FileFlash {
    type Error = FlashError;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        check_read(self, offset, bytes.len())?;
        Ok(self.get(offset, bytes)?)
    }

    fn capacity(&self) -> usize {
        CAPACITY as usize
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = SECTOR as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        check_erase(self, from, to)?;
        for offset in (from..to).step_by(PIECE) {
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
            self.put(offset, bytes)?;
        }
        Ok(())
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
