//! An LM3S6965: a PL011 of Arm's.

use crate::{peek, poke};

/// What it is called.
pub const BOARD: &str = "lm3s6965evb";

pub(super) const INTERRUPT: u32 = 5;
const DATA: u32 = 0x4000_C000;
const FLAGS: u32 = DATA + 0x18;
const LINE: u32 = DATA + 0x2C;
const CONTROL: u32 = DATA + 0x30;
const INTERRUPTS: u32 = DATA + 0x38;

/// A byte came, or some time ago.
const ON_BYTES: u32 = 1 << 4 | 1 << 6;
#[cfg(not(feature = "superloop"))]
const ON_ROOM: u32 = 1 << 5;

pub(super) fn begin() {
    poke(CONTROL, 0);
    poke(LINE, 0x70);
    poke(INTERRUPTS, ON_BYTES);
    poke(CONTROL, 0x301);
}

pub(super) fn has_byte() -> bool {
    peek(FLAGS) & 1 << 4 == 0
}

/// Takes a byte that is there.
pub(super) fn take() -> u8 {
    peek(DATA) as u8
}

/// Whether the transmitter has room for a byte.
pub fn has_room() -> bool {
    peek(FLAGS) & 1 << 5 == 0
}

/// Sends a byte that there is room for.
pub fn send(byte: u8) {
    poke(DATA, byte.into());
}

/// Has an interrupt come when the transmitter has room.
#[cfg(not(feature = "superloop"))]
pub fn ask_for_room() {
    poke(INTERRUPTS, ON_BYTES | ON_ROOM);
}

/// Reading is enough; nobody has asked for room any more.
pub(super) fn acknowledge() {
    #[cfg(not(feature = "superloop"))]
    poke(INTERRUPTS, ON_BYTES);
}
