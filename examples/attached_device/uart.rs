//! The link: a UART's two rings, as an interrupt routine fills and drains them.

use core::sync::atomic::{AtomicBool, Ordering};

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use heapless::spsc::{Consumer, Producer};

/// The program's ends of the rings; the interrupt routine has the others.
pub struct Uart<'d> {
    /// What came.
    pub rx: Consumer<'d, u8>,
    /// What is to go.
    pub tx: Producer<'d, u8>,
    /// Whether the line is up: the modem's carrier.
    pub carrier: &'d AtomicBool,
}

impl ErrorType for Uart<'_> {
    type Error = ErrorKind;
}

impl ReadReady for Uart<'_> {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        // Without a carrier there is the end of the stream to read.
        Ok(self.rx.ready() || !self.carrier.load(Ordering::Acquire))
    }
}

impl Read for Uart<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        while !self.read_ready()? {}
        let bytes = core::iter::from_fn(|| self.rx.dequeue());
        Ok(into.iter_mut().zip(bytes).map(|(to, byte)| *to = byte).count())
    }
}

impl WriteReady for Uart<'_> {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.tx.ready())
    }
}

impl Write for Uart<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let taken = bytes.iter().take_while(|byte| self.tx.enqueue(**byte).is_ok()).count();
        if taken == 0 && !bytes.is_empty() { Err(ErrorKind::TimedOut) } else { Ok(taken) }
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
