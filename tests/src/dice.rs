//! Numbers that look random and follow from a seed.

/// Everything about a test that is random follows from its seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Default for Dice {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Dice {
    /// By this seed.
    pub fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..8 {
            dice.next();
        }
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.next() % sides
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize]
    }

    /// Whether what has a chance of so many in 2^32 happens; it is not rolled for what never does.
    pub(crate) fn happens(&mut self, chance: u32) -> bool {
        chance > 0 && self.roll(1 << 32) < chance.into()
    }
}
