//! What the board says to whoever watches it.

use core::ffi::CStr;
use core::fmt::{self, Write};

use heapless::Vec;

use crate::BOARD;
use crate::semihosting;

/// Bytes of a line; what is longer is cut off.
const LEN: usize = 256;

struct Line(Vec<u8, LEN>);

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Room is left for the end of the line and of the text.
        let room = (LEN - 2).saturating_sub(self.0.len());
        let bytes = text.as_bytes().iter().copied();
        self.0.extend(bytes.filter(|byte| *byte != 0).take(room));
        Ok(())
    }
}

/// Says a line, on the standard output of the emulator.
pub fn say(line: fmt::Arguments<'_>) {
    let mut text = Line(Vec::new());
    let _ = write!(text, "{BOARD}: {line}");
    let _ = text.0.extend_from_slice(b"\n\0");
    if let Ok(text) = CStr::from_bytes_until_nul(&text.0) {
        semihosting::say(text);
    }
}

/// Text of a peer's: what may do something to a terminal is escaped.
#[derive(Debug)]
pub struct Shown<'t>(pub &'t str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_debug().try_for_each(|char| f.write_char(char))
    }
}
