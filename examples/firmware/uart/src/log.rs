//! Lines of text that wait for the link.

use core::fmt;

/// Bytes of text that may wait; what is more is cut off.
const LEN: usize = 512;

#[derive(Debug)]
pub(crate) struct Log {
    text: [u8; LEN],
    length: usize,
    sent: usize,
}

impl Log {
    pub(crate) const NEW: Self = Self { text: [0; LEN], length: 0, sent: 0 };

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The next byte to send, the last of which is a delimiter: what follows is no part of the text.
    pub(crate) fn next(&mut self) -> u8 {
        let byte = self.text.get(self.sent).copied().filter(|_| self.sent < self.length);
        self.sent += 1;
        byte.unwrap_or_else(|| {
            (self.length, self.sent) = (0, 0);
            0
        })
    }
}

impl fmt::Write for Log {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.text.get_mut(self.length..).unwrap_or_default();
        self.length += room.iter_mut().zip(text.as_bytes()).map(|(to, byte)| *to = *byte).count();
        Ok(())
    }
}
