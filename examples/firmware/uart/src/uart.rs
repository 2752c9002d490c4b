//! UART 0 of either board: its interrupt routine fills a ring, the program writes as much as the transmitter has room for.

use cortex_m_rt::exception;

use crate::ring::Ring;
use crate::{peek, poke};

#[cfg(feature = "mps2-an385")]
pub use cmsdk::BOARD;
#[cfg(not(feature = "mps2-an385"))]
pub use pl011::BOARD;

#[cfg(feature = "mps2-an385")]
use cmsdk as chip;
#[cfg(not(feature = "mps2-an385"))]
use pl011 as chip;

/// What the clock counts in two microseconds.
pub(crate) const HALF_MEGAHERTZ: u32 = chip::HALF_MEGAHERTZ;

static RECEIVED: Ring = Ring::NEW;

const ENABLE: u32 = 0xE000_E100;
const DISABLE: u32 = 0xE000_E180;

/// Switches it on.
pub(crate) fn begin() {
    chip::begin();
    listen();
}

/// Has the interrupt routine run when a byte comes.
fn listen() {
    poke(ENABLE, 1 << chip::INTERRUPT);
}

pub(crate) fn has_received() -> bool {
    !RECEIVED.is_empty()
}

/// The next byte that came.
pub(crate) fn take() -> Option<u8> {
    let byte = RECEIVED.take();
    if byte.is_some() {
        listen();
    }
    byte
}

/// Whether the transmitter has room for a byte.
pub(crate) fn has_room() -> bool {
    chip::has_room()
}

/// Sends a byte that there is room for.
pub(crate) fn send(byte: u8) {
    poke(chip::DATA, byte.into());
}

/// Every interrupt comes here; there is only the one.
#[exception]
unsafe fn DefaultHandler(_: i16) {
    chip::acknowledge();
    while chip::has_byte() {
        if RECEIVED.is_full() {
            // The hardware keeps what it can, until the program has taken some.
            poke(DISABLE, 1 << chip::INTERRUPT);
            return;
        }
        RECEIVED.put(peek(chip::DATA) as u8);
    }
}

#[cfg(not(feature = "mps2-an385"))]
mod pl011 {
    use super::{peek, poke};

    /// What it is called.
    pub const BOARD: &str = "lm3s6965evb";
    pub(super) const HALF_MEGAHERTZ: u32 = 25;
    pub(super) const INTERRUPT: u32 = 5;
    pub(super) const DATA: u32 = 0x4000_C000;
    const FLAGS: u32 = DATA + 0x18;
    const LINE: u32 = DATA + 0x2C;
    const CONTROL: u32 = DATA + 0x30;
    const INTERRUPTS: u32 = DATA + 0x38;

    pub(super) fn begin() {
        poke(CONTROL, 0);
        poke(LINE, 0x70);
        poke(INTERRUPTS, 0x50);
        poke(CONTROL, 0x301);
    }

    pub(super) fn has_byte() -> bool {
        peek(FLAGS) & 1 << 4 == 0
    }

    pub(super) fn has_room() -> bool {
        peek(FLAGS) & 1 << 5 == 0
    }

    /// Reading is enough.
    pub(super) fn acknowledge() {}
}

#[cfg(feature = "mps2-an385")]
mod cmsdk {
    use super::{peek, poke};

    /// What it is called.
    pub const BOARD: &str = "mps2-an385";
    pub(super) const HALF_MEGAHERTZ: u32 = 50;
    pub(super) const INTERRUPT: u32 = 0;
    pub(super) const DATA: u32 = 0x4000_4000;
    const STATE: u32 = DATA + 0x04;
    const CONTROL: u32 = DATA + 0x08;
    const PENDING: u32 = DATA + 0x0C;
    const DIVIDER: u32 = DATA + 0x10;

    pub(super) fn begin() {
        poke(DIVIDER, 16);
        poke(CONTROL, 0b1011);
    }

    pub(super) fn has_byte() -> bool {
        peek(STATE) & 2 != 0
    }

    pub(super) fn has_room() -> bool {
        peek(STATE) & 1 == 0
    }

    pub(super) fn acknowledge() {
        poke(PENDING, 2);
    }
}
