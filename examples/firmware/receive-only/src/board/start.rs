//! How a program is entered, and what it does when it panics: it does not, and by its symbol it is seen whether it could.

#[cfg(target_arch = "arm")]
use cortex_m_rt as _;

#[inline(never)]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

// Static memory is all zeros, or is written before it is read; so there is nothing more to do.
#[cfg(target_arch = "riscv32")]
core::arch::global_asm!(
    ".section .text.start, \"ax\"",
    ".global _start",
    ".type _start, @function",
    "_start:",
    "lla sp, _stack_start",
    "call main",
    "j .",
    ".size _start, . - _start"
);
