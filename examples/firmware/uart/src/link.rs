//! The link: frames and lines of text on one UART, neither in the middle of the other.

use core::fmt;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

use crate::log::Log;
use crate::uart;

/// UART 0. Every frame in COBS ends with a zero, so after one a line of text may go.
#[derive(Debug)]
pub struct Link {
    log: Log,
    turn: Whose,
}

/// What the UART is sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// Nothing: either may begin.
    Nobodys,
    Frame,
    Text,
}

impl Link {
    /// Switches the UART on.
    pub fn new() -> Self {
        uart::begin();
        Self { log: Log::NEW, turn: Whose::Nobodys }
    }

    /// Says a line on the link, when there is room for it.
    pub fn say(&mut self, line: fmt::Arguments<'_>) {
        use fmt::Write as _;
        let _ = write!(self.log, "{line}\r\n\0");
    }

    /// Whether text waits.
    pub fn has_to_say(&self) -> bool {
        !self.log.is_empty()
    }

    /// Sends as much of the text that waits as there is room for. A superloop calls it each turn.
    pub fn talk(&mut self) {
        while self.turn != Whose::Frame && !self.log.is_empty() && uart::has_room() {
            let byte = self.log.next_byte();
            uart::send(byte);
            self.turn = if self.log.is_under_way() { Whose::Text } else { Whose::Nobodys };
        }
    }
}

impl Default for Link {
    fn default() -> Self {
        Self::new()
    }
}

impl ErrorType for Link {
    type Error = ErrorKind;
}

impl ReadReady for Link {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(uart::has_received())
    }
}

impl Read for Link {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        let n = into.iter_mut().map_while(|to| uart::take().map(|byte| *to = byte)).count();
        if n == 0 && !into.is_empty() { Err(ErrorKind::TimedOut) } else { Ok(n) }
    }
}

impl WriteReady for Link {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        // Text that waits goes before the next frame begins.
        let is_free = match self.turn {
            Whose::Nobodys => self.log.is_empty(),
            Whose::Frame => true,
            Whose::Text => false,
        };
        Ok(is_free && uart::has_room())
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let mut n = 0;
        for byte in bytes {
            if !self.write_ready()? {
                break;
            }
            uart::send(*byte);
            self.turn = if *byte == 0 { Whose::Nobodys } else { Whose::Frame };
            n += 1;
        }
        if n == 0 && !bytes.is_empty() { Err(ErrorKind::TimedOut) } else { Ok(n) }
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
