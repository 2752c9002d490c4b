//! The few peripherals of an nRF51822 (the first micro:bit) that moving files needs, and a store in its flash.
//!
//! Everything is polled: no interrupt handler runs, so nothing here is shared. What the engine calls, and what calls it, is never inlined: so the
//! symbols of an image say which of its bytes are the engine's (`scripts/footprint.sh`). For other processors it is linked to be
//! measured, and never run.

#![no_std]

mod button;
mod clock;
mod flash;
#[cfg(feature = "defmt")]
mod log;
mod random;
mod start;
mod store;
mod uart;

pub use button::Button;
pub use clock::Clock;
pub use flash::{Flash, Worn};
pub use random::random;
pub use store::Store;
pub use uart::Uart;

use core::ptr::{read_volatile, write_volatile};

fn peek(address: u32) -> u32 {
    // SAFETY: callers name registers of this chip or words of its flash, and reading those has no effect on memory.
    unsafe { read_volatile(address as *const u32) }
}

fn poke(address: u32, value: u32) {
    // SAFETY: callers name registers of this chip, or words of the flash beyond the image, where no Rust object lies.
    unsafe { write_volatile(address as *mut u32, value) }
}
