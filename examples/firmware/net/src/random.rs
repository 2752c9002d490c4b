//! Numbers that differ from one boot to the next.

use crate::clock::phase;
use crate::semihosting;

/// Numbers that nobody can tell who has not seen others of them. These boards have no source of randomness; the time of day and the clock's phase have to do.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Begins with what the board can tell now.
    pub fn new() -> Self {
        Self(u64::from(semihosting::time()) << 32 | u64::from(phase()))
    }

    /// The next number, made of the one before and of the clock's phase (splitmix64).
    pub fn next(&mut self) -> u64 {
        self.0 = (self.0 ^ u64::from(phase())).wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}
