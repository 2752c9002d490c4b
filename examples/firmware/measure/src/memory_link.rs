//! A link that is memory.

use core::cell::RefCell;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

const LEN: usize = 4_096;

/// Bytes on their way to one end.
pub(crate) struct Pipe {
    bytes: [u8; LEN],
    taken: usize,
    length: usize,
}

impl Pipe {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; LEN], taken: 0, length: 0 }
    }
}

/// One end.
pub(crate) struct End<'p> {
    incoming: &'p RefCell<Pipe>,
    outgoing: &'p RefCell<Pipe>,
}

impl<'p> End<'p> {
    pub(crate) fn new(incoming: &'p RefCell<Pipe>, outgoing: &'p RefCell<Pipe>) -> Self {
        Self { incoming, outgoing }
    }
}

impl ErrorType for End<'_> {
    type Error = ErrorKind;
}

impl ReadReady for End<'_> {
    #[inline(never)]
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        let pipe = self.incoming.borrow();
        Ok(pipe.taken < pipe.length)
    }
}

impl Read for End<'_> {
    #[inline(never)]
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        let pipe = &mut *self.incoming.borrow_mut();
        let waiting = &pipe.bytes[pipe.taken..pipe.length];
        let n = into.len().min(waiting.len());
        if n == 0 {
            return Err(ErrorKind::TimedOut);
        }
        into[..n].copy_from_slice(&waiting[..n]);
        pipe.taken += n;
        if pipe.taken == pipe.length {
            (pipe.taken, pipe.length) = (0, 0);
        }
        Ok(n)
    }
}

impl WriteReady for End<'_> {
    #[inline(never)]
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.outgoing.borrow().length < LEN)
    }
}

impl Write for End<'_> {
    #[inline(never)]
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let pipe = &mut *self.outgoing.borrow_mut();
        let room = &mut pipe.bytes[pipe.length..];
        let n = bytes.len().min(room.len());
        if n == 0 {
            return Err(ErrorKind::TimedOut);
        }
        room[..n].copy_from_slice(&bytes[..n]);
        pipe.length += n;
        Ok(n)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
