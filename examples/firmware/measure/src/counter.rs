//! SysTick as a counter of instructions: each takes a nanosecond of the emulator's time.

use core::arch::asm;
use core::ptr::{read_volatile, write_volatile};

const CONTROL: *mut u32 = 0xE000_E010 as *mut u32;
const RELOAD: *mut u32 = 0xE000_E014 as *mut u32;
const COUNT: *mut u32 = 0xE000_E018 as *mut u32;
const MASK: u32 = 0x00FF_FFFF;

/// From one count to the next, at 25 MHz.
const INSTRUCTIONS: u64 = 40;

/// Counts to within 40 instructions, too many as often as too few.
pub(crate) struct Counter {
    begun: u32,
}

impl Counter {
    pub(crate) fn start() -> Self {
        // SAFETY: these registers are every Cortex-M's, and have no effect on memory.
        unsafe {
            write_volatile(RELOAD, MASK);
            write_volatile(COUNT, 0);
            write_volatile(CONTROL, 0b101);
        }
        Self { begun: 0 }
    }

    fn count() -> u32 {
        // SAFETY: as above.
        unsafe { read_volatile(COUNT) }
    }

    /// What comes now is counted.
    #[inline(never)]
    pub(crate) fn begin(&mut self) {
        self.begun = Self::count();
    }

    /// The instructions since it began, of which there may be 600 million at most.
    #[inline(never)]
    pub(crate) fn end(&self) -> u64 {
        u64::from(self.begun.wrapping_sub(Self::count()) & MASK) * INSTRUCTIONS
    }
}

/// Two million instructions.
#[inline(never)]
pub(crate) fn two_million() {
    // SAFETY: it only counts down.
    unsafe { asm!("2:", "subs {0}, #1", "bne 2b", inout(reg) 1_000_000 => _) }
}
