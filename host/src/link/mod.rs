//! Links: what carries the bytes.

mod blocking_tcp;
mod tcp;
mod tcp_options;

use std::io;
use std::time::Duration;

use embedded_io::{Read, ReadReady, Write, WriteReady};

pub use blocking_tcp::BlockingTcp;
pub use tcp::{HangUp, TcpLink, TcpListener};
pub use tcp_options::{SocketBuffers, TcpOptions};

/// A link that can be waited for. Its reads and writes say [`TimedOut`](embedded_io::ErrorKind::TimedOut) for *nothing now*.
pub trait Link: Read + Write + ReadReady + WriteReady {
    /// Waits until bytes have come, if they are wanted, until it takes bytes again, if it refused some, or until `timeout` has passed;
    /// perhaps not so long.
    ///
    /// # Errors
    ///
    /// If the system cannot wait for it.
    fn wait(&mut self, inbound: Inbound, timeout: Option<Duration>) -> io::Result<()>;

    /// Tells the peer that no more bytes will come; it may still send.
    fn close_sending(&mut self);

    /// Why the link was lost, if an error of the system's was the reason.
    fn fault(&self) -> Option<&io::Error>;
}

/// Whether a link is waited for that brings bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// They would be read.
    Wanted,
    /// There is no room for them now.
    Paused,
}

/// The kind of a system's error, as drivers understand it.
fn kind(error: &io::Error) -> embedded_io::ErrorKind {
    use embedded_io::ErrorKind;
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ErrorKind::TimedOut,
        io::ErrorKind::Interrupted => ErrorKind::Interrupted,
        io::ErrorKind::ConnectionReset => ErrorKind::ConnectionReset,
        io::ErrorKind::ConnectionAborted => ErrorKind::ConnectionAborted,
        io::ErrorKind::BrokenPipe => ErrorKind::BrokenPipe,
        io::ErrorKind::NotConnected => ErrorKind::NotConnected,
        _ => ErrorKind::Other,
    }
}
