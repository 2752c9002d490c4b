//! The UART of the board: its interrupt routine fills a ring, the program writes as much as the transmitter has room for.

use core::sync::atomic::{AtomicBool, Ordering};

use crate::cpu;
use crate::ring::Ring;

#[cfg(feature = "mps2-an385")]
mod cmsdk;
#[cfg(feature = "microbit")]
mod nrf51;
#[cfg(target_arch = "riscv32")]
mod ns16550;
#[cfg(not(any(feature = "mps2-an385", feature = "microbit", target_arch = "riscv32")))]
mod pl011;

#[cfg(feature = "mps2-an385")]
use cmsdk as chip;
#[cfg(feature = "microbit")]
use nrf51 as chip;
#[cfg(target_arch = "riscv32")]
use ns16550 as chip;
#[cfg(not(any(feature = "mps2-an385", feature = "microbit", target_arch = "riscv32")))]
use pl011 as chip;

#[cfg(not(feature = "superloop"))]
pub use chip::ask_for_room;
pub use chip::{BOARD, has_room, send};

static RECEIVED: Ring = Ring::NEW;

/// Whether the interrupt routine is held off, since the ring was full.
static HELD: AtomicBool = AtomicBool::new(false);

/// Switches it on.
pub fn begin() {
    chip::begin();
    listen();
}

/// Has the interrupt routine run when a byte comes.
fn listen() {
    cpu::listen(chip::INTERRUPT);
}

/// Whether a byte waits.
pub fn has_received() -> bool {
    !RECEIVED.is_empty()
}

/// The next byte that came.
pub fn take() -> Option<u8> {
    let byte = RECEIVED.take();
    if HELD.load(Ordering::Relaxed) && RECEIVED.is_half_empty() {
        HELD.store(false, Ordering::Relaxed);
        fill();
        if !HELD.load(Ordering::Relaxed) {
            listen();
        }
    }
    byte
}

/// The interrupt routine.
pub fn interrupt() {
    chip::acknowledge();
    fill();
}

/// Takes what the hardware has; only the interrupt routine does, or the program while that is held off.
fn fill() {
    while chip::has_byte() {
        if RECEIVED.is_full() {
            // The hardware keeps what it can, until the program has taken half of the ring: not an interrupt for each byte.
            HELD.store(true, Ordering::Relaxed);
            cpu::ignore(chip::INTERRUPT);
            return;
        }
        RECEIVED.put(chip::take());
    }
}
