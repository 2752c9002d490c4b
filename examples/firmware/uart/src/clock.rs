//! Time, sleep, and numbers that differ from one boot to the next.

use sampan_core::Instant;

use crate::{cpu, semihosting, uart};

#[cfg(target_arch = "riscv32")]
mod mtime;
#[cfg(not(any(feature = "microbit", target_arch = "riscv32")))]
mod systick;
#[cfg(feature = "microbit")]
mod timers;

#[cfg(target_arch = "riscv32")]
use mtime as timer;
#[cfg(not(any(feature = "microbit", target_arch = "riscv32")))]
use systick as timer;
#[cfg(feature = "microbit")]
use timers as timer;

pub use timer::{now, tick};

/// From one tick to the next, in microseconds.
const TICK: u32 = 10_000;

/// Time since it was started.
#[derive(Debug)]
pub struct Clock(());

impl Clock {
    /// Starts it.
    pub fn new() -> Self {
        timer::begin();
        Self(())
    }

    /// The present time.
    pub fn now(&self) -> Instant {
        now()
    }

    /// Sleeps until a byte comes, but no longer than until the next tick.
    pub fn sleep(&self) {
        cpu::sleep_unless(uart::has_received);
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// A number that is another one each time. Not all of these boards have a source of randomness; the time of day and the clock's phase have to do.
pub fn random() -> u64 {
    u64::from(semihosting::time()) << 32 | u64::from(timer::phase())
}
