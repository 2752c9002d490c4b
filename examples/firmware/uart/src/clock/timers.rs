//! Two timers of an nRF51822, whose Cortex-M0 has no SysTick: number 0 tells the time, right if it is asked once in 71 minutes; number 1 ticks.

use core::sync::atomic::{AtomicU32, Ordering};

use sampan_core::Instant;

use super::TICK;
use crate::{cpu, peek, poke};

const TIMER_0: u32 = 0x4000_8000;
const TIMER_1: u32 = 0x4000_9000;
const INTERRUPT_1: u32 = 9;

const START: u32 = 0;
const CAPTURE: u32 = 0x040;
const COMPARED: u32 = 0x140;
const SHORTCUTS: u32 = 0x200;
const INTERRUPTS: u32 = 0x304;
const WIDTH: u32 = 0x508;
const PRESCALER: u32 = 0x510;
const COMPARE: u32 = 0x540;

/// 16 MHz by 2^4.
const MICROSECONDS: u32 = 4;

/// What it counted last, and how often it began anew. Only the program asks for the time, no interrupt routine does.
static LAST: AtomicU32 = AtomicU32::new(0);
static TURNS: AtomicU32 = AtomicU32::new(0);

pub(super) fn begin() {
    poke(TIMER_0 + PRESCALER, MICROSECONDS);
    poke(TIMER_0 + WIDTH, 3);
    poke(TIMER_0 + START, 1);

    poke(TIMER_1 + PRESCALER, MICROSECONDS);
    poke(TIMER_1 + COMPARE, TICK);
    // It begins anew when it is there.
    poke(TIMER_1 + SHORTCUTS, 1);
    poke(TIMER_1 + INTERRUPTS, 1 << 16);
    poke(TIMER_1 + START, 1);
    cpu::listen(INTERRUPT_1);
}

/// The interrupt routine of the one that ticks, which may run for another device too.
pub fn tick() {
    if peek(TIMER_1 + COMPARED) != 0 {
        poke(TIMER_1 + COMPARED, 0);
    }
}

/// The present time.
pub fn now() -> Instant {
    let (last, mut turns) = (LAST.load(Ordering::Relaxed), TURNS.load(Ordering::Relaxed));
    let count = phase();
    if count < last {
        turns += 1;
        TURNS.store(turns, Ordering::Relaxed);
    }
    LAST.store(count, Ordering::Relaxed);
    Instant::from_micros(u64::from(turns) << 32 | u64::from(count))
}

pub(super) fn phase() -> u32 {
    poke(TIMER_0 + CAPTURE, 1);
    peek(TIMER_0 + COMPARE)
}
