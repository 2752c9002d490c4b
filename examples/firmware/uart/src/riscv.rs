//! The processor of the RISC-V board, and its interrupt controllers.

use core::arch::asm;

use crate::{peek, poke};

#[cfg(feature = "superloop")]
mod interrupts;

/// The controller of the devices' interrupts, as this processor sees it.
const PLIC: u32 = 0x0C00_0000;
const ENABLED: u32 = PLIC + 0x2000;
const CLAIM: u32 = PLIC + 0x20_0004;

/// `mie`: interrupts of the devices, and of the timer.
const EXTERNAL_AND_TIMER: u32 = 1 << 11 | 1 << 7;
/// `mstatus`: all of them.
const INTERRUPTS: u32 = 1 << 3;

/// Has the interrupt routine run when a device wants it to.
pub(crate) fn listen(interrupt: u32) {
    poke(PLIC + 4 * interrupt, 1);
    poke(ENABLED, peek(ENABLED) | 1 << interrupt);
}

/// Keeps a device's interrupt from running it.
pub(crate) fn ignore(interrupt: u32) {
    poke(ENABLED, peek(ENABLED) & !(1 << interrupt));
}

/// Lets interrupts through.
pub(crate) fn begin() {
    // SAFETY: their routines share atomics only with the program.
    unsafe { asm!("csrs mie, {}", "csrs mstatus, {}", in(reg) EXTERNAL_AND_TIMER, in(reg) INTERRUPTS) };
}

/// Sleeps until an interrupt comes, if there is no reason not to: none gets lost between that and the sleep.
pub fn sleep_unless(reason: impl FnOnce() -> bool) {
    // SAFETY: what comes in between is noticed all the same: a pending interrupt ends the sleep, and runs when they are let through again.
    unsafe {
        asm!("csrc mstatus, {}", in(reg) INTERRUPTS);
        if !reason() {
            asm!("wfi");
        }
        asm!("csrs mstatus, {}", in(reg) INTERRUPTS);
    }
}

/// Asks the emulator for something.
///
/// # Safety
///
/// The argument is what the operation wants: a value, or the address of its arguments, of which those that it writes to are borrowed mutably.
pub(crate) unsafe fn ask(operation: u32, argument: u32) -> u32 {
    let mut result = operation;
    // SAFETY: the caller sees to that. The three instructions are what an emulator looks for, uncompressed and within one page.
    unsafe {
        asm!(
            ".option push",
            ".option norvc",
            ".balign 16",
            "slli zero, zero, 0x1f",
            "ebreak",
            "srai zero, zero, 7",
            ".option pop",
            inout("a0") result,
            in("a1") argument,
        );
    }
    result
}
