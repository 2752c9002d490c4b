//! Where a file is kept.

use crate::{peek, poke};

/// The flash did not take what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worn;

/// Room for one file in the upper half of the flash, and before it a page that says how far the file has come.
///
/// ```text
///   record:   identity (5 words) | size when complete | - | - | offset, check | offset, check | ...
///   contents: the file; each page is erased when its first byte is written
/// ```
///
/// A word is erased to all ones, and a word that was written is read back. What was written since the last sync is no part of the record; after a
/// reset it is written again, and as long as it is the same the flash need not be erased for it.
#[derive(Debug)]
pub struct Flash {
    /// Where the next byte goes.
    at: u32,
    /// The bytes of the word around `at`, ones where it is not written yet.
    word: u32,
    /// Where the next pair of the record goes.
    mark: u32,
}

impl Flash {
    /// Bytes in the longest file.
    pub const CAPACITY: u32 = Self::END - Self::CONTENTS;
    /// Bytes of an identity: its length and up to 16 of its own.
    pub const IDENTITY: usize = 20;

    const PAGE: u32 = 1024;
    const RECORD: u32 = 0x0002_0000;
    const SIZE: u32 = Self::RECORD + Self::IDENTITY as u32;
    const MARKS: u32 = Self::RECORD + 32;
    const CONTENTS: u32 = Self::RECORD + Self::PAGE;
    const END: u32 = 0x0004_0000;
    const ERASED: u32 = u32::MAX;

    const READY: u32 = 0x4001_E400;
    const CONFIG: u32 = 0x4001_E504;
    const ERASE: u32 = 0x4001_E508;

    /// Looks at nothing yet.
    pub const fn new() -> Self {
        Self { at: 0, word: Self::ERASED, mark: Self::MARKS }
    }

    #[inline(never)]
    fn command(mode: u32, address: u32, value: u32) {
        poke(Self::CONFIG, mode);
        poke(address, value);
        while peek(Self::READY) == 0 {}
        poke(Self::CONFIG, 0);
    }

    /// Writes those bits of a word that `mask` has; the others of `value` must be ones.
    fn program(address: u32, value: u32, mask: u32) -> Result<(), Worn> {
        let equal = || (peek(address) ^ value) & mask == 0;
        if !equal() {
            Self::command(1, address, value);
        }
        if equal() { Ok(()) } else { Err(Worn) }
    }

    fn erase(page: u32) {
        Self::command(2, Self::ERASE, page);
    }

    /// Whether the file of this identity is there from its first to its last byte.
    pub fn is_complete(&self, identity: &[u8; Self::IDENTITY], size: u32) -> bool {
        Self::is_of(identity) && peek(Self::SIZE) == size
    }

    fn is_of(identity: &[u8; Self::IDENTITY]) -> bool {
        let mut address = Self::RECORD;
        // An identity without bytes says that its contents cannot be known again.
        identity[0] != 0
            && identity.as_chunks().0.iter().all(|chunk| {
                let equal = peek(address) == u32::from_le_bytes(*chunk);
                address += 4;
                equal
            })
    }

    /// Begins with a file, or goes on with it: says from which offset, and what the check before it is.
    pub fn open(&mut self, identity: &[u8; Self::IDENTITY]) -> Result<(u32, u32), Worn> {
        let (mut offset, mut check) = (0, 0);
        self.mark = Self::MARKS;
        if Self::is_of(identity) && peek(Self::SIZE) == Self::ERASED {
            while self.mark < Self::CONTENTS && peek(self.mark) != Self::ERASED {
                (offset, check) = (peek(self.mark), peek(self.mark + 4));
                self.mark += 8;
            }
        } else {
            self.discard();
            let mut address = Self::RECORD;
            for chunk in identity.as_chunks().0 {
                Self::program(address, u32::from_le_bytes(*chunk), u32::MAX)?;
                address += 4;
            }
        }
        self.at = Self::CONTENTS + offset;
        self.word = Self::ERASED;
        if self.at % 4 != 0 {
            self.word = peek(self.at & !3) | Self::ERASED << (self.at % 4 * 8);
        }
        Ok((offset, check))
    }

    /// Forgets the file.
    pub fn discard(&mut self) {
        Self::erase(Self::RECORD);
        self.at = Self::CONTENTS;
        self.word = Self::ERASED;
        self.mark = Self::MARKS;
    }

    /// Bytes of the file, if it is complete.
    #[cfg(feature = "both")]
    pub fn size(&self) -> Option<u32> {
        Some(peek(Self::SIZE)).filter(|size| *size <= Self::CAPACITY)
    }

    /// Reads from the complete file; says how many bytes, 0 at its end.
    #[cfg(feature = "both")]
    pub fn read(&self, offset: u32, into: &mut [u8]) -> Option<usize> {
        let left = self.size()?.checked_sub(offset)?;
        let mut address = Self::CONTENTS + offset;
        let n = into.len().min(left as usize);
        for to in into.iter_mut().take(n) {
            *to = (peek(address & !3) >> (address % 4 * 8)) as u8;
            address += 1;
        }
        Some(n)
    }

    /// Writes what comes next.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Worn> {
        for byte in bytes {
            if self.at >= Self::END {
                return Err(Worn);
            }
            if self.at % Self::PAGE == 0 {
                Self::erase(self.at);
            }
            let shift = self.at % 4 * 8;
            self.word = self.word & !(0xFF << shift) | u32::from(*byte) << shift;
            if shift == 24 {
                Self::program(self.at & !3, self.word, u32::MAX)?;
                self.word = Self::ERASED;
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Writes the bytes of a word that has only begun.
    fn flush(&mut self) -> Result<(), Worn> {
        Self::program(self.at & !3, self.word, !(Self::ERASED << (self.at % 4 * 8)))
    }

    /// Notes that everything written so far is there to stay; says whether the record had room for that.
    pub fn sync(&mut self, check: u32) -> Result<bool, Worn> {
        if self.mark >= Self::CONTENTS {
            return Ok(false);
        }
        self.flush()?;
        Self::program(self.mark + 4, check, u32::MAX)?;
        // The offset comes last: it makes the pair valid.
        Self::program(self.mark, self.at - Self::CONTENTS, u32::MAX)?;
        self.mark += 8;
        Ok(true)
    }

    /// Notes that the file is complete.
    pub fn commit(&mut self) -> Result<(), Worn> {
        self.flush()?;
        Self::program(Self::SIZE, self.at - Self::CONTENTS, u32::MAX)
    }
}

impl Default for Flash {
    fn default() -> Self {
        Self::new()
    }
}
