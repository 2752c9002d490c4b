//! The processor of the Arm boards, a Cortex-M.

use core::arch::asm;

use crate::poke;

#[cfg(feature = "superloop")]
mod interrupts;

const ENABLE: u32 = 0xE000_E100;
const DISABLE: u32 = 0xE000_E180;

/// Has the interrupt routine run when a device wants it to.
pub(crate) fn listen(interrupt: u32) {
    poke(ENABLE, 1 << interrupt);
}

/// Keeps a device's interrupt from running it.
pub(crate) fn ignore(interrupt: u32) {
    poke(DISABLE, 1 << interrupt);
}

/// Sleeps until an interrupt comes, if there is no reason not to: none gets lost between that and the sleep.
pub fn sleep_unless(reason: impl FnOnce() -> bool) {
    // SAFETY: what comes in between is noticed all the same: a pending interrupt ends the sleep, and runs when they are let through again.
    unsafe {
        asm!("cpsid i");
        if !reason() {
            asm!("wfi");
        }
        asm!("cpsie i");
    }
}

/// Asks the emulator for something.
///
/// # Safety
///
/// The argument is what the operation wants: a value, or the address of its arguments, of which those that it writes to are borrowed mutably.
pub(crate) unsafe fn ask(operation: u32, argument: u32) -> u32 {
    let mut result = operation;
    // SAFETY: the caller sees to that.
    unsafe { asm!("bkpt 0xab", inout("r0") result, in("r1") argument) };
    result
}
