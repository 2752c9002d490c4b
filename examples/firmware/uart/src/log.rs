//! Lines of text that wait for the link.
//!
//! Each ends with a delimiter. A line that is shorter than the value of its first byte, which is 97 or more for a small letter, is never taken for
//! a frame.

use core::fmt;

/// Bytes of text that may wait; what is more is cut off.
const LEN: usize = 512;

const DELIMITER: u8 = 0;

/// The text that waits.
#[derive(Debug)]
pub struct Log {
    text: [u8; LEN],
    length: usize,
    /// So much of it was sent, and the delimiter before it.
    sent: usize,
}

impl Log {
    /// None.
    pub const NEW: Self = Self { text: [0; LEN], length: 0, sent: 0 };

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The next byte to send. Before the text and after it comes a delimiter more: it may follow something that was cut off, and may have been cut off
    /// itself.
    pub fn next_byte(&mut self) -> u8 {
        let at = self.sent;
        self.sent += 1;
        if at > self.length {
            (self.length, self.sent) = (0, 0);
        }
        at.checked_sub(1).and_then(|at| self.text.get(..self.length)?.get(at)).copied().unwrap_or(DELIMITER)
    }

    /// Whether the text has begun, and has not ended.
    pub fn is_under_way(&self) -> bool {
        self.sent > 0
    }
}

impl fmt::Write for Log {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.text.get_mut(self.length..).unwrap_or_default();
        self.length += room.iter_mut().zip(text.as_bytes()).map(|(to, byte)| *to = *byte).count();
        Ok(())
    }
}
