//! The link: a TCP connection.

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use smoltcp::socket::tcp::Socket;

/// A connection that has been made, until it has ended.
#[derive(Debug)]
pub struct TcpLink<'s>(pub &'s mut Socket<'static>);

impl ErrorType for TcpLink<'_> {
    type Error = ErrorKind;
}

impl ReadReady for TcpLink<'_> {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        // Where nothing more can come there is the end to read.
        Ok(self.0.can_recv() || !self.0.may_recv())
    }
}

impl Read for TcpLink<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        match self.0.recv_slice(into) {
            Ok(0) if !into.is_empty() => Err(ErrorKind::TimedOut),
            Ok(n) => Ok(n),
            Err(_) => Ok(0),
        }
    }
}

impl WriteReady for TcpLink<'_> {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.0.can_send() || !self.0.may_send())
    }
}

impl Write for TcpLink<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        match self.0.send_slice(bytes) {
            Ok(0) if !bytes.is_empty() => Err(ErrorKind::TimedOut),
            Ok(n) => Ok(n),
            Err(_) => Err(ErrorKind::ConnectionReset),
        }
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// Drops what still comes on a connection that is being closed: unread, it would keep the other end from closing.
pub(crate) fn drain(socket: &mut Socket<'_>) {
    while socket.can_recv() {
        if socket.recv(|bytes| (bytes.len(), ())).is_err() {
            break;
        }
    }
}
