//! An MPS2 AN385: UART 0 of Arm's CMSDK.

use crate::{peek, poke};

/// What it is called.
pub const BOARD: &str = "mps2-an385";

pub(super) const INTERRUPT: u32 = 0;
const DATA: u32 = 0x4000_4000;
const STATE: u32 = DATA + 0x04;
const CONTROL: u32 = DATA + 0x08;
const PENDING: u32 = DATA + 0x0C;
const DIVIDER: u32 = DATA + 0x10;

/// It sends and receives, and interrupts when a byte came.
const ON_BYTES: u32 = 0b1011;
#[cfg(not(feature = "superloop"))]
const ON_ROOM: u32 = 0b100;
#[cfg(not(feature = "superloop"))]
const INTERRUPT_ON_ROOM: u32 = 1;

pub(super) fn begin() {
    poke(DIVIDER, 16);
    poke(CONTROL, ON_BYTES);
    #[cfg(not(feature = "superloop"))]
    crate::cpu::listen(INTERRUPT_ON_ROOM);
}

pub(super) fn has_byte() -> bool {
    peek(STATE) & 2 != 0
}

/// Takes a byte that is there.
pub(super) fn take() -> u8 {
    peek(DATA) as u8
}

/// Whether the transmitter has room for a byte.
pub fn has_room() -> bool {
    peek(STATE) & 1 == 0
}

/// Sends a byte that there is room for.
pub fn send(byte: u8) {
    poke(DATA, byte.into());
}

/// Has an interrupt come when the transmitter has room.
#[cfg(not(feature = "superloop"))]
pub fn ask_for_room() {
    poke(CONTROL, ON_BYTES | ON_ROOM);
}

/// Nobody has asked for room any more.
pub(super) fn acknowledge() {
    #[cfg(not(feature = "superloop"))]
    poke(CONTROL, ON_BYTES);
    poke(PENDING, 0b11);
}
