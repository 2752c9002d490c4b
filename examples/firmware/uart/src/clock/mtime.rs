//! The timer of a RISC-V processor, at 10 MHz.

use sampan_core::Instant;

use super::TICK;
use crate::{cpu, peek, poke};

const COMPARE: u32 = 0x0200_4000;
const TIME: u32 = 0x0200_BFF8;
const MEGAHERTZ: u32 = 10;

pub(super) fn begin() {
    tick();
    cpu::begin();
}

fn time() -> u64 {
    loop {
        let (high, low) = (peek(TIME + 4), peek(TIME));
        if peek(TIME + 4) == high {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}

/// Its interrupt routine.
pub fn tick() {
    let next = time() + u64::from(TICK * MEGAHERTZ);
    // Never one that is past in between.
    poke(COMPARE + 4, u32::MAX);
    poke(COMPARE, next as u32);
    poke(COMPARE + 4, (next >> 32) as u32);
}

/// The present time.
pub fn now() -> Instant {
    Instant::from_micros(time() / u64::from(MEGAHERTZ))
}

pub(super) fn phase() -> u32 {
    peek(TIME)
}
