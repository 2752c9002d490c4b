//! QEMU's RISC-V board: a 16550, whose registers are bytes.

use core::ptr::{read_volatile, write_volatile};

/// What it is called.
pub const BOARD: &str = "virt";

pub(super) const INTERRUPT: u32 = 10;
const DATA: u32 = 0x1000_0000;
const INTERRUPTS: u32 = DATA + 1;
const FIFO: u32 = DATA + 2;
const STATE: u32 = DATA + 5;

fn peek(address: u32) -> u8 {
    // SAFETY: only registers of the UART are read.
    unsafe { read_volatile(address as *const u8) }
}

fn poke(address: u32, value: u8) {
    // SAFETY: only registers of the UART are written.
    unsafe { write_volatile(address as *mut u8, value) }
}

pub(super) fn begin() {
    // It interrupts for 14 bytes, or for fewer when no more come.
    poke(FIFO, 0xC1);
    poke(INTERRUPTS, 1);
}

pub(super) fn has_byte() -> bool {
    peek(STATE) & 1 != 0
}

/// Takes a byte that is there.
pub(super) fn take() -> u8 {
    peek(DATA)
}

/// Whether the transmitter has room for a byte.
pub fn has_room() -> bool {
    peek(STATE) & 1 << 5 != 0
}

/// Sends a byte that there is room for.
pub fn send(byte: u8) {
    poke(DATA, byte);
}

/// Reading is enough.
pub(super) fn acknowledge() {}
