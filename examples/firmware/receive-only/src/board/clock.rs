//! Time.

use sampan_core::Instant;

use crate::{peek, poke};

/// Time since it was started, from SysTick at 16 MHz; right if it is asked once a second or more often.
#[derive(Debug)]
pub struct Clock {
    last: u32,
    ticks: u64,
}

impl Clock {
    const CONTROL: u32 = 0xE000_E010;
    const RELOAD: u32 = 0xE000_E014;
    const COUNT: u32 = 0xE000_E018;
    const MASK: u32 = 0x00FF_FFFF;

    /// Starts it.
    pub fn new() -> Self {
        poke(Self::RELOAD, Self::MASK);
        poke(Self::COUNT, 0);
        poke(Self::CONTROL, 0b101);
        Self { last: 0, ticks: 0 }
    }

    /// The present time.
    #[inline(never)]
    pub fn now(&mut self) -> Instant {
        let count = peek(Self::COUNT);
        self.ticks += u64::from(self.last.wrapping_sub(count) & Self::MASK);
        self.last = count;
        Instant::from_micros(self.ticks / 16)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
