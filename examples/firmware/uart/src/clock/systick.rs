//! SysTick, which counts down from one tick to the next: right for 497 days.

use core::sync::atomic::{AtomicU32, Ordering};

use sampan_core::Instant;

use super::TICK;
use crate::{peek, poke};

const CONTROL: u32 = 0xE000_E010;
const RELOAD: u32 = 0xE000_E014;
const COUNT: u32 = 0xE000_E018;

const PENDING: u32 = 0xE000_ED04;
const PENDING_TICK: u32 = 1 << 26;

/// What it counts in two microseconds.
const HALF_MEGAHERTZ: u32 = if cfg!(feature = "mps2-an385") { 50 } else { 25 };
const COUNTS: u32 = TICK / 2 * HALF_MEGAHERTZ;

static TICKS: AtomicU32 = AtomicU32::new(0);

pub(super) fn begin() {
    poke(RELOAD, COUNTS - 1);
    poke(COUNT, 0);
    poke(CONTROL, 0b111);
}

/// Its interrupt routine.
pub fn tick() {
    TICKS.store(TICKS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// The present time, also where interrupts are not let through.
pub fn now() -> Instant {
    loop {
        let ticks = TICKS.load(Ordering::Relaxed);
        let mut count = peek(COUNT);
        // A count that has begun anew may belong to a tick that has not been counted yet.
        let pending = u32::from(peek(PENDING) & PENDING_TICK != 0);
        if pending != 0 {
            count = peek(COUNT);
        }
        if TICKS.load(Ordering::Relaxed) == ticks {
            // It counts down, and a tick comes when it is at 0.
            let counts = (COUNTS - count.min(COUNTS)) % COUNTS;
            let ticks = u64::from(ticks) + u64::from(pending);
            return Instant::from_micros(ticks * u64::from(TICK) + u64::from(counts * 2 / HALF_MEGAHERTZ));
        }
    }
}

pub(super) fn phase() -> u32 {
    peek(COUNT) << 8 | TICKS.load(Ordering::Relaxed) & 0xFF
}
