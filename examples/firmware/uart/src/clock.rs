//! Time, sleep, and numbers that differ from one boot to the next.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m_rt::exception;
use sampan_core::Instant;

use crate::uart::{self, HALF_MEGAHERTZ};
use crate::{peek, poke, semihosting};

const CONTROL: u32 = 0xE000_E010;
const RELOAD: u32 = 0xE000_E014;
const COUNT: u32 = 0xE000_E018;

const PENDING: u32 = 0xE000_ED04;
const PENDING_TICK: u32 = 1 << 26;

/// From one tick to the next, in microseconds.
const TICK: u32 = 10_000;
const COUNTS: u32 = TICK / 2 * HALF_MEGAHERTZ;

static TICKS: AtomicU32 = AtomicU32::new(0);

#[exception]
fn SysTick() {
    TICKS.store(TICKS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// Time since it was started, from SysTick: right for 497 days.
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
        loop {
            let ticks = TICKS.load(Ordering::Relaxed);
            // It counts down, and a tick comes when it is at 0.
            let count = (COUNTS - peek(COUNT).min(COUNTS)) % COUNTS;
            // A count that has begun anew belongs to a tick that may not have been counted yet.
            let is_pending = peek(PENDING) & PENDING_TICK != 0;
            if !is_pending && TICKS.load(Ordering::Relaxed) == ticks {
                return Instant::from_micros(
                    u64::from(ticks) * u64::from(TICK) + u64::from(count * 2 / HALF_MEGAHERTZ),
                );
            }
        }
    }

    /// Sleeps until a byte comes, but no longer than until the next tick.
    pub fn sleep(&self) {
        // SAFETY: what comes in between is noticed all the same: a pending interrupt ends the sleep, and runs when they are let through again.
        unsafe {
            asm!("cpsid i");
            if !uart::has_received() {
                asm!("wfi");
            }
            asm!("cpsie i");
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// A number that is another one each time. These boards have no source of randomness; the time of day and the clock's phase have to do.
pub fn random() -> u64 {
    u64::from(semihosting::time()) << 32
        | u64::from(peek(COUNT)) << 8
        | u64::from(TICKS.load(Ordering::Relaxed) & 0xFF)
}
