//! What was looked at and is still to be read.

#[derive(Debug)]
pub(super) struct Peeked {
    bytes: [u8; Self::MOST],
    from: usize,
    to: usize,
}

impl Peeked {
    /// Bytes it holds at most.
    pub(super) const MOST: usize = 64;

    pub(super) const fn new() -> Self {
        Self { bytes: [0; Self::MOST], from: 0, to: 0 }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.from..self.to]
    }

    /// Adds what fits behind the rest.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.bytes.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        let fits = bytes.len().min(Self::MOST - self.to);
        self.bytes[self.to..self.to + fits].copy_from_slice(&bytes[..fits]);
        self.to += fits;
    }

    /// Moves the first ones into `buffer`.
    pub(super) fn take(&mut self, buffer: &mut [u8]) -> usize {
        let n = buffer.len().min(self.to - self.from);
        buffer[..n].copy_from_slice(&self.bytes[self.from..self.from + n]);
        self.from += n;
        n
    }
}
