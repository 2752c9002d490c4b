//! The few peripherals of an nRF51822 (the first micro:bit) that a receiver of files needs.
//!
//! Everything is polled: no interrupt handler runs, so nothing here is shared.

#![no_std]

use core::convert::Infallible;
use core::ptr::{read_volatile, write_volatile};

use cortex_m_rt as _;
use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};

// By its symbol it is seen whether a panic is left in an image.
#[inline(never)]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

fn peek(address: u32) -> u32 {
    // SAFETY: callers name registers of this chip or words of its flash, and reading those has no effect on memory.
    unsafe { read_volatile(address as *const u32) }
}

fn poke(address: u32, value: u32) {
    // SAFETY: callers name registers of this chip, or words of the flash beyond the image, where no Rust object lies.
    unsafe { write_volatile(address as *mut u32, value) }
}

/// UART 0 at 115,200 baud on the pins that go to the board's USB interface.
///
/// Its hardware holds six bytes. More than that may not arrive while the flash is written, hence the small window in
/// `main.rs`: the sender waits for an answer after every frame.
#[derive(Debug)]
pub struct Uart {
    sending: bool,
}

impl Uart {
    const BASE: u32 = 0x4000_2000;
    const START_RX: u32 = Self::BASE;
    const START_TX: u32 = Self::BASE + 0x008;
    const RX_READY: u32 = Self::BASE + 0x108;
    const TX_READY: u32 = Self::BASE + 0x11C;
    const ENABLE: u32 = Self::BASE + 0x500;
    const PIN_TX: u32 = Self::BASE + 0x50C;
    const PIN_RX: u32 = Self::BASE + 0x514;
    const RX: u32 = Self::BASE + 0x518;
    const TX: u32 = Self::BASE + 0x51C;
    const BAUD: u32 = Self::BASE + 0x524;
    const GPIO_SET: u32 = 0x5000_0508;
    const GPIO_OUTPUT: u32 = 0x5000_0518;
    const TX_PIN: u32 = 24;
    const RX_PIN: u32 = 25;

    /// Switches it on.
    pub fn new() -> Self {
        // The line idles high, before the UART takes it over too.
        poke(Self::GPIO_SET, 1 << Self::TX_PIN);
        poke(Self::GPIO_OUTPUT, 1 << Self::TX_PIN);
        poke(Self::PIN_TX, Self::TX_PIN);
        poke(Self::PIN_RX, Self::RX_PIN);
        poke(Self::BAUD, 0x01D7_E000);
        poke(Self::ENABLE, 4);
        poke(Self::START_RX, 1);
        poke(Self::START_TX, 1);
        Self { sending: false }
    }
}

impl Default for Uart {
    fn default() -> Self {
        Self::new()
    }
}

impl ErrorType for Uart {
    type Error = Infallible;
}

impl ReadReady for Uart {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(peek(Self::RX_READY) != 0)
    }
}

impl Read for Uart {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Infallible> {
        let mut n = 0;
        for byte in into {
            while peek(Self::RX_READY) == 0 {
                if n > 0 {
                    return Ok(n);
                }
            }
            poke(Self::RX_READY, 0);
            *byte = peek(Self::RX) as u8;
            n += 1;
        }
        Ok(n)
    }
}

impl WriteReady for Uart {
    fn write_ready(&mut self) -> Result<bool, Infallible> {
        if self.sending && peek(Self::TX_READY) != 0 {
            poke(Self::TX_READY, 0);
            self.sending = false;
        }
        Ok(!self.sending)
    }
}

impl Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let Some(byte) = bytes.first() else { return Ok(0) };
        self.flush()?;
        poke(Self::TX, (*byte).into());
        self.sending = true;
        Ok(1)
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        while !self.write_ready()? {}
        Ok(())
    }
}

/// Time since it was started, from SysTick at 16 MHz; right if it is asked once a second or more often.
#[derive(Debug)]
pub struct Clock {
    last: u32,
    ticks: u64,
}

impl Clock {
    const CONTROL: u32 = 0xE000_E010;
    const RELOAD: u32 = 0xE000_E014;
    const COUNT: u32 = 0xE000_E018;
    const MASK: u32 = 0x00FF_FFFF;

    /// Starts it.
    pub fn new() -> Self {
        poke(Self::RELOAD, Self::MASK);
        poke(Self::COUNT, 0);
        poke(Self::CONTROL, 0b101);
        Self { last: 0, ticks: 0 }
    }

    /// Microseconds since the start.
    pub fn micros(&mut self) -> u64 {
        let count = peek(Self::COUNT);
        self.ticks += u64::from(self.last.wrapping_sub(count) & Self::MASK);
        self.last = count;
        self.ticks / 16
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// A number from the chip's source of randomness.
pub fn random() -> u64 {
    const START: u32 = 0x4000_D000;
    const READY: u32 = 0x4000_D100;
    const VALUE: u32 = 0x4000_D508;
    poke(START, 1);
    let mut number = 0;
    for _ in 0..8 {
        while peek(READY) == 0 {}
        poke(READY, 0);
        number = number << 8 | u64::from(peek(VALUE) & 0xFF);
    }
    number
}

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
