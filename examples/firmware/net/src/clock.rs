//! Time, and sleep.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m_rt::exception;
use sampan_core::Instant;

use crate::ethernet::{self, HALF_MEGAHERTZ};
use crate::{peek, poke};

const CONTROL: u32 = 0xE000_E010;
const RELOAD: u32 = 0xE000_E014;
const COUNT: u32 = 0xE000_E018;

const PENDING: u32 = 0xE000_ED04;
const PENDING_TICK: u32 = 1 << 26;

/// From one tick to the next, in microseconds.
pub(crate) const TICK: u32 = 1_000;
const COUNTS: u32 = TICK / 2 * HALF_MEGAHERTZ;

static TICKS: AtomicU32 = AtomicU32::new(0);
/// How often the ticks began anew.
static ROUNDS: AtomicU32 = AtomicU32::new(0);

#[exception]
fn SysTick() {
    let ticks = TICKS.load(Ordering::Relaxed).wrapping_add(1);
    TICKS.store(ticks, Ordering::Relaxed);
    if ticks == 0 {
        ROUNDS.store(ROUNDS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }
}

/// Time since it was started, from SysTick.
#[derive(Debug)]
pub struct Clock(());

impl Clock {
    /// Starts it.
    pub fn new() -> Self {
        poke(RELOAD, COUNTS - 1);
        poke(COUNT, 0);
        poke(CONTROL, 0b111);
        Self(())
    }

    /// The present time.
    pub fn now(&self) -> Instant {
        let counted = || (ROUNDS.load(Ordering::Relaxed), TICKS.load(Ordering::Relaxed));
        loop {
            let (rounds, ticks) = counted();
            // It counts down, and a tick comes when it is at 0.
            let count = (COUNTS - peek(COUNT).min(COUNTS)) % COUNTS;
            // A count that has begun anew belongs to a tick that may not have been counted yet.
            let is_pending = peek(PENDING) & PENDING_TICK != 0;
            if !is_pending && counted() == (rounds, ticks) {
                let ticks = u64::from(rounds) << 32 | u64::from(ticks);
                return Instant::from_micros(ticks * u64::from(TICK) + u64::from(count * 2 / HALF_MEGAHERTZ));
            }
        }
    }

    /// Sleeps until a frame comes, but no longer than until the next tick.
    pub fn sleep(&self) {
        // SAFETY: what comes in between is noticed all the same: a pending interrupt ends the sleep, and that of a tick runs when it is let through again.
        unsafe {
            asm!("cpsid i");
            ethernet::listen();
            if !ethernet::has_frame() {
                asm!("wfi");
            }
            ethernet::listen_no_more();
            asm!("cpsie i");
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// Where it counts within a tick.
pub(crate) fn phase() -> u32 {
    peek(COUNT)
}
