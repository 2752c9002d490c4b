//! What a program without Rust's std needs.

use core::arch::wasm32::unreachable;
use core::panic::PanicInfo;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unreachable()
}
