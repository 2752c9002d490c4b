//! The button on the board's left.

use crate::peek;

const INPUTS: u32 = 0x5000_0510;
const BUTTON_A: u32 = 1 << 17;

/// Tells when it is pressed.
#[derive(Debug)]
pub struct Button {
    was_down: bool,
}

impl Button {
    /// It may be down already: that is not pressing it.
    pub const fn new() -> Self {
        Self { was_down: true }
    }

    /// Whether it has gone down since the last call.
    #[inline(never)]
    pub fn is_pressed(&mut self) -> bool {
        let is_down = peek(INPUTS) & BUTTON_A == 0;
        let is_pressed = is_down && !self.was_down;
        self.was_down = is_down;
        is_pressed
    }
}

impl Default for Button {
    fn default() -> Self {
        Self::new()
    }
}
