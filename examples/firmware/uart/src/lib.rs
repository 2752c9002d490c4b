//! The few peripherals of an LM3S6965 or an MPS2 AN385, as QEMU emulates them, that moving files over a UART needs.

#![no_std]

mod clock;
mod flash;
mod link;
mod log;
mod ring;
pub mod semihosting;
mod slots;
mod uart;
mod work;

pub use clock::{Clock, random};
pub use flash::{CAPACITY, FileFlash, SECTOR};
pub use link::Link;
pub use slots::{LAYOUT, PAGE, Shown, Slots, open};
pub use uart::BOARD;
pub use work::Work;

use core::ptr::{read_volatile, write_volatile};

use cortex_m_rt as _;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::fail(c"panic\n")
}

fn peek(address: u32) -> u32 {
    // SAFETY: callers name registers of the chip, and reading those has no effect on memory.
    unsafe { read_volatile(address as *const u32) }
}

fn poke(address: u32, value: u32) {
    // SAFETY: callers name registers of the chip, and writing those has no effect on memory.
    unsafe { write_volatile(address as *mut u32, value) }
}
