//! The button on the board's left.

use crate::peek;

const INPUTS: u32 = 0x5000_0510;
const BUTTON_A: u32 = 1 << 17;

/// Whether it is down.
#[inline(never)]
pub fn is_pressed() -> bool {
    peek(INPUTS) & BUTTON_A == 0
}
