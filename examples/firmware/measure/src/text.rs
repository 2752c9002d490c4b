//! Lines on the emulator's output.

use core::ffi::CStr;
use core::fmt::{self, Write};

use board::semihosting;

/// Room for one line.
pub(crate) struct Text {
    bytes: [u8; 128],
    length: usize,
}

impl Text {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; 128], length: 0 }
    }

    pub(crate) fn say(&mut self, line: fmt::Arguments<'_>) {
        let _ = self.write_fmt(line);
        let _ = self.write_str("\n");
        if let Ok(line) = CStr::from_bytes_until_nul(&self.bytes) {
            semihosting::say(line);
        }
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // The last byte stays zero: it ends the line.
        for (to, from) in self.bytes[..127].iter_mut().skip(self.length).zip(text.bytes()) {
            *to = from;
            self.length += 1;
        }
        Ok(())
    }
}

/// A number of tenths.
pub(crate) struct Tenths(pub(crate) u64);

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}
