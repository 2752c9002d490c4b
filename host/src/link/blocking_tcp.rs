//! TCP whose reads and writes wait, for [`sampan_core::driver::blocking`].

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use embedded_io::{ErrorKind, ErrorType, Read, Write};

use super::{TcpOptions, kind};

/// A TCP connection whose reads and writes wait, but no longer than a time that was set.
///
/// Such an end moves data in one direction at a time: give its engine
/// [`Directions::OneAtATime`](sampan_core::Directions::OneAtATime).
#[derive(Debug)]
pub struct BlockingTcp {
    stream: TcpStream,
    fault: Option<io::Error>,
}

impl BlockingTcp {
    /// Dials `address`; a read or write then waits for `patience`, which is how exact the engine's deadlines are.
    ///
    /// # Errors
    ///
    /// If nobody answers there in time, or the system refuses.
    pub fn connect(address: SocketAddr, options: &TcpOptions, patience: Duration) -> io::Result<Self> {
        Self::new(super::tcp::dial(address, options)?, patience)
    }

    /// A link over a connection that exists.
    ///
    /// # Errors
    ///
    /// If `patience` is zero.
    pub fn new(stream: TcpStream, patience: Duration) -> io::Result<Self> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self { stream, fault: None })
    }

    /// Why the link was lost, if an error of the system's was the reason.
    #[must_use]
    pub fn fault(&self) -> Option<&io::Error> {
        self.fault.as_ref()
    }

    fn outcome(&mut self, result: io::Result<usize>) -> Result<usize, ErrorKind> {
        result.map_err(|error| {
            let kind = kind(&error);
            if !matches!(kind, ErrorKind::TimedOut | ErrorKind::Interrupted) {
                self.fault = Some(error);
            }
            kind
        })
    }
}

impl ErrorType for BlockingTcp {
    type Error = ErrorKind;
}

impl Read for BlockingTcp {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        let result = self.stream.read(buffer);
        self.outcome(result)
    }
}

impl Write for BlockingTcp {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let result = self.stream.write(bytes);
        self.outcome(result)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn reads_and_writes_that_take_too_long_say_so() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut link =
            BlockingTcp::connect(address, &TcpOptions::default(), Duration::from_millis(20)).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let mut buffer = [0; 8];
        assert_eq!(link.read(&mut buffer), Err(ErrorKind::TimedOut));
        peer.write_all(b"hello").unwrap();
        assert_eq!(link.read(&mut buffer), Ok(5));
        let bytes = vec![0; 1 << 20];
        let refused = loop {
            if let Err(kind) = link.write(&bytes) {
                break kind;
            }
        };
        assert_eq!(refused, ErrorKind::TimedOut);
        assert!(link.fault().is_none());
    }
}
