//! A serial line in memory.

use core::cell::{Cell, RefCell};

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use heapless::Deque;

/// One direction.
#[derive(Default)]
pub(crate) struct Wire {
    bytes: RefCell<Deque<u8, 2048>>,
    /// So many writes until one is damaged.
    damages: Cell<Option<u32>>,
}

impl Wire {
    pub(crate) fn damage(&self, after: u32) {
        self.damages.set(Some(after));
    }

    /// What is under way is lost.
    pub(crate) fn clear(&self) {
        self.bytes.borrow_mut().clear();
    }
}

/// One end of the line.
pub(crate) struct Port<'w> {
    pub(crate) from: &'w Wire,
    pub(crate) to: &'w Wire,
}

impl ErrorType for Port<'_> {
    type Error = ErrorKind;
}

impl ReadReady for Port<'_> {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(!self.from.bytes.borrow().is_empty())
    }
}

impl Read for Port<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        let mut bytes = self.from.bytes.borrow_mut();
        Ok(into.iter_mut().map_while(|to| bytes.pop_front().map(|byte| *to = byte)).count())
    }
}

impl WriteReady for Port<'_> {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(!self.to.bytes.borrow().is_full())
    }
}

impl Write for Port<'_> {
    fn write(&mut self, from: &[u8]) -> Result<usize, ErrorKind> {
        let mut bytes = self.to.bytes.borrow_mut();
        let damages = self.to.damages.get();
        let middle = if damages == Some(0) { from.len() / 2 } else { usize::MAX };
        self.to.damages.set(damages.and_then(|left| left.checked_sub(1)));
        let put =
            |(at, byte): (usize, &u8)| bytes.push_back(if at == middle { byte ^ 1 } else { *byte }).ok();
        Ok(from.iter().enumerate().map_while(put).count())
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
