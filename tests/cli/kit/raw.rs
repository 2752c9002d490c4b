//! Bytes on a link, whatever they mean.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::PATIENCE;

/// A connection over which a test says what it likes.
#[derive(Debug)]
pub(crate) struct Raw {
    stream: Stream,
    deadline: Duration,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// How the other end has closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// In order.
    Fin,
    /// With bytes unread, or on purpose.
    Reset,
}

impl Raw {
    /// Dials a URL as `listening` has it.
    #[track_caller]
    pub(crate) fn dial(url: &str) -> Self {
        Self::try_dial(url).unwrap_or_else(|error| panic!("cannot dial {url}: {error}"))
    }

    /// The same, where nobody may be listening.
    pub(crate) fn try_dial(url: &str) -> io::Result<Self> {
        if let Some(path) = url.strip_prefix("unix:") {
            return UnixStream::connect(path).map(Self::from);
        }
        let address = url.strip_prefix("tcp://").unwrap_or(url);
        let address = address.to_socket_addrs()?.next().ok_or(ErrorKind::AddrNotAvailable)?;
        TcpStream::connect_timeout(&address, PATIENCE).map(Self::from)
    }

    /// Writes all of it; an error if the other end has closed, or takes nothing for long.
    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Tcp(stream) => {
                stream.set_write_timeout(Some(self.deadline))?;
                stream.write_all(bytes)
            }
            Stream::Unix(stream) => {
                stream.set_write_timeout(Some(self.deadline))?;
                stream.write_all(bytes)
            }
        }
    }

    /// Writes all of it.
    #[track_caller]
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.try_write(bytes).expect("the other end reads");
    }

    /// Reads what is there within `within`; 0 at the end of the stream, `TimedOut` if nothing comes.
    pub(crate) fn try_read(&mut self, into: &mut [u8], within: Duration) -> io::Result<usize> {
        // Zero would mean: without a deadline.
        let within = within.max(Duration::from_millis(1));
        let read = match &mut self.stream {
            Stream::Tcp(stream) => {
                stream.set_read_timeout(Some(within))?;
                stream.read(into)
            }
            Stream::Unix(stream) => {
                stream.set_read_timeout(Some(within))?;
                stream.read(into)
            }
        };
        read.map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
            _ => error,
        })
    }

    /// Everything that comes until the other end closes, and how it does.
    #[track_caller]
    pub(crate) fn read_to_end(&mut self, within: Duration) -> (Vec<u8>, Closed) {
        let deadline = Instant::now() + within;
        let mut heard = Vec::new();
        let mut buffer = [0; 65_536];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.try_read(&mut buffer, left) {
                Ok(0) => return (heard, Closed::Fin),
                Ok(n) => heard.extend_from_slice(&buffer[..n]),
                Err(error) if error.kind() == ErrorKind::TimedOut => assert!(
                    Instant::now() < deadline,
                    "still open after {within:?}; it said {:?}",
                    String::from_utf8_lossy(&heard)
                ),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return (heard, Closed::Reset),
            }
        }
    }

    /// Waits until the other end closes, whatever it says before.
    #[track_caller]
    pub(crate) fn expect_close(&mut self, within: Duration) -> Closed {
        self.read_to_end(within).1
    }

    /// Ends the own direction: the other end reads an end of the stream.
    pub(crate) fn fin(&self) {
        let _ = match &self.stream {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
        };
    }

    /// Closes so that the other end sees a reset (TCP only).
    pub(crate) fn reset(self) {
        if let Stream::Tcp(stream) = &self.stream {
            socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).expect("a linger of nothing");
        }
    }

    /// Takes as little from the other end as the system allows, before anything was read.
    pub(crate) fn narrow(&self) {
        if let Stream::Tcp(stream) = &self.stream {
            socket2::SockRef::from(stream).set_recv_buffer_size(2048).expect("a small buffer");
        }
    }

    /// How long a write may take from now on.
    pub(crate) fn set_patience(&mut self, deadline: Duration) {
        self.deadline = deadline;
    }

    /// The same connection once more, to read and to write it in two threads.
    pub(crate) fn another(&self) -> Self {
        let stream = match &self.stream {
            Stream::Tcp(stream) => Stream::Tcp(stream.try_clone().expect("a descriptor")),
            Stream::Unix(stream) => Stream::Unix(stream.try_clone().expect("a descriptor")),
        };
        Self { stream, deadline: self.deadline }
    }
}

impl From<TcpStream> for Raw {
    fn from(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("an option of every TCP socket");
        Self { stream: Stream::Tcp(stream), deadline: PATIENCE }
    }
}

impl From<UnixStream> for Raw {
    fn from(stream: UnixStream) -> Self {
        Self { stream: Stream::Unix(stream), deadline: PATIENCE }
    }
}
