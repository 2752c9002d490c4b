//! The few peripherals that moving files over a UART needs, of boards that QEMU emulates: an LM3S6965, an MPS2 AN385 (feature `mps2-an385`), a micro:bit
//! (feature `microbit`), and, for any target of RISC-V, QEMU's own `virt`.

#![no_std]

#[cfg(target_arch = "arm")]
mod arm;
#[cfg(target_arch = "riscv32")]
mod riscv;

pub mod clock;
pub mod engine;
mod flash;
mod link;
mod log;
mod ring;
pub mod semihosting;
mod slots;
mod store;
pub mod uart;
mod work;

#[cfg(target_arch = "arm")]
use arm as cpu;
#[cfg(target_arch = "riscv32")]
use riscv as cpu;

pub use clock::{Clock, random};
pub use cpu::sleep_unless;
pub use flash::{CAPACITY, FileFlash, SECTOR};
pub use link::Link;
pub use log::Log;
pub use slots::{LAYOUT, PAGE, Shown, Slots, open};
pub use store::{NAME, NAME_LEN, Store};
pub use uart::BOARD;
pub use work::Work;

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;

use core::ptr::{read_volatile, write_volatile};

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
