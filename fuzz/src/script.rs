//! Input, read as a script.

/// The rest of an input.
pub(crate) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte; 0 after the end.
    pub(crate) fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((byte, rest)) => {
                self.0 = rest;
                *byte
            }
            None => 0,
        }
    }

    /// At most `max` bytes.
    pub(crate) fn bytes(&mut self, max: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(max.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    /// One of a few.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::from(self.byte()) % from.len()]
    }

    /// A number of any size, small ones in one byte.
    pub(crate) fn number(&mut self) -> u64 {
        match self.byte() {
            small @ 0..=239 => small.into(),
            240..=247 => u64::from(self.byte()) << 8 | u64::from(self.byte()),
            248..=251 => u64::MAX - u64::from(self.byte()),
            252 => u64::from(u32::MAX) - 128 + u64::from(self.byte()),
            _ => self.bytes(8).iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
        }
    }

    /// `near`, or a little beside it.
    pub(crate) fn around(&mut self, near: u64) -> u64 {
        match self.byte() {
            0..=239 => near,
            240..=247 => near.wrapping_add(self.byte().into()),
            248..=252 => near.wrapping_sub(self.byte().into()),
            _ => self.number(),
        }
    }
}
