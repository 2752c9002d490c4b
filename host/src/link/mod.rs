//! Links: what carries the bytes.

mod blocking_tcp;
mod carrier;
mod listener;
#[cfg(unix)]
mod pipes;
mod rate;
#[cfg(unix)]
mod serial;
mod stream;
mod tcp;
mod tcp_options;
mod udp;
#[cfg(unix)]
mod unix;
mod url;
mod waker;

use std::io;
use std::time::Duration;

use embedded_io::{Read, ReadReady, Write, WriteReady};
use rustix::event::{PollFd, Timespec, poll};

pub use blocking_tcp::BlockingTcp;
pub use carrier::HangUp;
pub use listener::{Listener, wait_for_any};
#[cfg(unix)]
pub use serial::serial_ports;
pub use stream::{Nature, StreamLink};
pub use tcp_options::{SocketBuffers, TcpOptions};
pub use udp::LONGEST_DATAGRAM;
pub(crate) use udp::{Datagram, Greeting, Heard, Mailbox, Space, UdpListener, heard};
#[cfg(unix)]
pub(crate) use unix::{dial as dial_unix, sweep};
pub use url::{DEFAULT_PORT, Flow, Line, SerialUrl, Url, UrlError};
pub use waker::Waker;

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

/// Waits until one of `fds` has news, or `timeout` has passed; not so long if a signal comes.
pub(crate) fn wait_for(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<()> {
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    match poll(fds, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
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
