//! Numbers that nobody knows beforehand.

use crate::{peek, poke};

/// A number from the chip's source of randomness.
#[inline(never)]
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
