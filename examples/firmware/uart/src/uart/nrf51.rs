//! A micro:bit: the UART of an nRF51822, on the pins that go to the board's USB interface.

use core::sync::atomic::{AtomicBool, Ordering};

use crate::{peek, poke};

/// What it is called.
pub const BOARD: &str = "microbit";

pub(super) const INTERRUPT: u32 = 2;
const BASE: u32 = 0x4000_2000;
const START_RX: u32 = BASE;
const START_TX: u32 = BASE + 0x008;
const RX_READY: u32 = BASE + 0x108;
const TX_READY: u32 = BASE + 0x11C;
const INTERRUPTS: u32 = BASE + 0x304;
const ENABLE: u32 = BASE + 0x500;
const PIN_TX: u32 = BASE + 0x50C;
const PIN_RX: u32 = BASE + 0x514;
const RX: u32 = BASE + 0x518;
const TX: u32 = BASE + 0x51C;
const BAUD: u32 = BASE + 0x524;
const BAUD_115200: u32 = 0x01D7_E000;
const GPIO_SET: u32 = 0x5000_0508;
const GPIO_OUTPUT: u32 = 0x5000_0518;
const TX_PIN: u32 = 24;
const RX_PIN: u32 = 25;

/// Whether a byte was sent, of which the transmitter has not said yet that it is through.
static SENDING: AtomicBool = AtomicBool::new(false);

pub(super) fn begin() {
    // The line idles high, before the UART takes it over too.
    poke(GPIO_SET, 1 << TX_PIN);
    poke(GPIO_OUTPUT, 1 << TX_PIN);
    poke(PIN_TX, TX_PIN);
    poke(PIN_RX, RX_PIN);
    poke(BAUD, BAUD_115200);
    poke(ENABLE, 4);
    poke(INTERRUPTS, 1 << 2);
    poke(START_RX, 1);
    poke(START_TX, 1);
}

pub(super) fn has_byte() -> bool {
    peek(RX_READY) != 0
}

/// Takes a byte that is there.
pub(super) fn take() -> u8 {
    // First: it says so again when there is another one.
    poke(RX_READY, 0);
    peek(RX) as u8
}

/// Whether the transmitter has room for a byte.
pub fn has_room() -> bool {
    if SENDING.load(Ordering::Relaxed) && peek(TX_READY) != 0 {
        poke(TX_READY, 0);
        SENDING.store(false, Ordering::Relaxed);
    }
    !SENDING.load(Ordering::Relaxed)
}

/// Sends a byte that there is room for.
pub fn send(byte: u8) {
    SENDING.store(true, Ordering::Relaxed);
    poke(TX, byte.into());
}

/// Taking is enough.
pub(super) fn acknowledge() {}
