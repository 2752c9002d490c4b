//! TCP that never waits, but in [`Link::wait`].

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, Socket, Type};

use super::{Inbound, Link, TcpOptions, kind};

/// After so many bytes written it is worth a call to see whether an answer has come, though the system takes more.
const LOOK_AFTER: usize = 1 << 20;

/// A TCP connection.
///
/// It remembers whether the system had nothing more to give or took no more, so that neither costs a call until
/// [`wait`](Link::wait) says otherwise.
#[derive(Debug)]
pub struct TcpLink {
    stream: TcpStream,
    input: Readiness,
    output: Readiness,
    /// Bytes written since it was last known that nothing had come.
    unseen: usize,
    fault: Option<io::Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    Perhaps,
    NotNow,
    /// The peer sends no more.
    Ended,
}

impl TcpLink {
    /// Dials `address`.
    ///
    /// # Errors
    ///
    /// If nobody answers there in time, or the system refuses.
    pub fn connect(address: SocketAddr, options: &TcpOptions) -> io::Result<Self> {
        Self::new(dial(address, options)?)
    }

    /// A link over a connection that exists, whose options are left as they are.
    ///
    /// # Errors
    ///
    /// If the system does not let it be non-blocking.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, input: Readiness::Perhaps, output: Readiness::Perhaps, unseen: 0, fault: None })
    }

    /// The connection itself, still non-blocking.
    #[must_use]
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// The other end's address.
    ///
    /// # Errors
    ///
    /// If it is not connected any more.
    pub fn peer(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }

    /// Something by which another thread can end this connection.
    ///
    /// # Errors
    ///
    /// If the system has no descriptor left.
    pub fn hang_up(&self) -> io::Result<HangUp> {
        self.stream.try_clone().map(HangUp)
    }

    fn may_have_come(&mut self) {
        if self.input == Readiness::NotNow {
            self.input = Readiness::Perhaps;
        }
    }

    fn failed(&mut self, error: io::Error) -> ErrorKind {
        let kind = kind(&error);
        if !matches!(kind, ErrorKind::TimedOut | ErrorKind::Interrupted) {
            self.fault = Some(error);
        }
        kind
    }
}

/// Ends a connection from another thread.
#[derive(Debug)]
pub struct HangUp(TcpStream);

impl HangUp {
    /// Both ends see the connection's end.
    pub fn now(&self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl ErrorType for TcpLink {
    type Error = ErrorKind;
}

impl Read for TcpLink {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        match self.stream.read(buffer) {
            Ok(n) => {
                if n == 0 {
                    self.input = Readiness::Ended;
                } else if n < buffer.len() {
                    self.input = Readiness::NotNow;
                    self.unseen = 0;
                }
                Ok(n)
            }
            Err(error) => {
                let kind = self.failed(error);
                if kind == ErrorKind::TimedOut {
                    self.input = Readiness::NotNow;
                    self.unseen = 0;
                }
                Err(kind)
            }
        }
    }
}

impl Write for TcpLink {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        match self.stream.write(bytes) {
            Ok(n) => {
                if n < bytes.len() {
                    self.output = Readiness::NotNow;
                }
                self.unseen = self.unseen.saturating_add(n);
                if self.unseen >= LOOK_AFTER {
                    self.may_have_come();
                }
                Ok(n)
            }
            Err(error) => {
                let kind = self.failed(error);
                if kind == ErrorKind::TimedOut {
                    self.output = Readiness::NotNow;
                }
                Err(kind)
            }
        }
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl ReadReady for TcpLink {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.input == Readiness::Perhaps)
    }
}

impl WriteReady for TcpLink {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.output == Readiness::Perhaps)
    }
}

impl Link for TcpLink {
    fn wait(&mut self, inbound: Inbound, timeout: Option<Duration>) -> io::Result<()> {
        let reading = inbound == Inbound::Wanted && self.input != Readiness::Ended;
        if reading && self.input == Readiness::Perhaps {
            return Ok(());
        }
        let mut events = PollFlags::empty();
        events.set(PollFlags::IN, reading);
        events.set(PollFlags::OUT, self.output == Readiness::NotNow);
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut sockets = [PollFd::new(&self.stream, events)];
        // One that is asked for nothing would still report its end, again and again.
        let sockets = if events.is_empty() { &mut sockets[..0] } else { &mut sockets[..] };
        match poll(sockets, timeout.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let news = sockets.first().map_or(PollFlags::empty(), PollFd::revents);
        let ended = PollFlags::HUP | PollFlags::ERR;
        if news.intersects(PollFlags::IN | ended) {
            self.may_have_come();
        }
        if news.intersects(PollFlags::OUT | ended) {
            self.output = Readiness::Perhaps;
        }
        Ok(())
    }

    fn close_sending(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    fn fault(&self) -> Option<&io::Error> {
        self.fault.as_ref()
    }
}

/// Takes connections.
#[derive(Debug)]
pub struct TcpListener {
    listener: std::net::TcpListener,
}

impl TcpListener {
    /// Listens at `address`; port 0 for any that is free.
    ///
    /// # Errors
    ///
    /// If the address is taken, or not one of this host's.
    pub fn bind(address: SocketAddr, options: &TcpOptions) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        options.apply(&socket, address)?;
        socket.bind(&address.into())?;
        socket.listen(1024)?;
        Ok(Self { listener: socket.into() })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// As the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Waits for the next connection.
    ///
    /// # Errors
    ///
    /// As the system says; the next call may succeed.
    pub fn accept(&self) -> io::Result<TcpLink> {
        let (stream, _) = self.listener.accept()?;
        stream.set_nodelay(true)?;
        TcpLink::new(stream)
    }
}

/// A connection to `address`, still blocking.
pub(super) fn dial(address: SocketAddr, options: &TcpOptions) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    options.apply(&socket, address)?;
    socket.connect_timeout(&address.into(), options.connect_within)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::SocketBuffers;
    use std::time::Instant;

    const SOON: Option<Duration> = Some(Duration::from_millis(30));
    const LATER: Option<Duration> = Some(Duration::from_secs(20));

    fn links() -> (TcpLink, TcpLink) {
        let options = TcpOptions { buffers: SocketBuffers::Fixed(8192), ..TcpOptions::default() };
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap(), &options).unwrap();
        let client = TcpLink::connect(listener.address().unwrap(), &options).unwrap();
        (client, listener.accept().unwrap())
    }

    #[test]
    fn nothing_now_is_remembered_until_something_comes() {
        let (mut a, mut b) = links();
        assert_eq!(a.read(&mut [0; 8]), Err(ErrorKind::TimedOut));
        assert_eq!(a.read_ready(), Ok(false));
        let begun = Instant::now();
        a.wait(Inbound::Wanted, SOON).unwrap();
        assert!(begun.elapsed() >= SOON.unwrap());
        assert_eq!(a.read_ready(), Ok(false));
        assert_eq!(b.write(b"hello"), Ok(5));
        a.wait(Inbound::Paused, SOON).unwrap();
        assert_eq!(a.read_ready(), Ok(false));
        a.wait(Inbound::Wanted, LATER).unwrap();
        let mut buffer = [0; 8];
        assert_eq!((a.read_ready(), a.read(&mut buffer)), (Ok(true), Ok(5)));
        assert_eq!((&buffer[..5], a.read_ready()), (&b"hello"[..], Ok(false)));
        assert!(a.fault().is_none());
    }

    #[test]
    fn a_full_link_takes_bytes_again_once_the_peer_has_read() {
        let (mut a, mut b) = links();
        let bytes = [0; 4096];
        while a.write_ready() == Ok(true) {
            let _ = a.write(&bytes);
        }
        let mut buffer = [0; 4096];
        while b.read(&mut buffer).is_ok() {}
        a.wait(Inbound::Paused, LATER).unwrap();
        assert_eq!(a.write_ready(), Ok(true));
    }

    #[test]
    fn what_comes_is_noticed_while_the_system_takes_all_that_is_written() {
        let (mut a, mut b) = links();
        assert_eq!(a.read(&mut [0; 8]), Err(ErrorKind::TimedOut));
        let mut buffer = [0; 4096];
        for _ in 0..LOOK_AFTER / buffer.len() {
            assert_eq!(a.read_ready(), Ok(false));
            assert_eq!(a.write(&buffer), Ok(buffer.len()));
            let mut left = buffer.len();
            while left > 0 {
                b.wait(Inbound::Wanted, LATER).unwrap();
                left -= b.read(&mut buffer).unwrap_or(0);
            }
        }
        assert_eq!(a.read_ready(), Ok(true));
    }

    #[test]
    fn the_end_is_said_once_and_does_not_keep_the_waiter_busy() {
        let (mut a, mut b) = links();
        b.close_sending();
        a.wait(Inbound::Wanted, LATER).unwrap();
        assert_eq!((a.read(&mut [0; 8]), a.read_ready()), (Ok(0), Ok(false)));
        let begun = Instant::now();
        a.wait(Inbound::Wanted, SOON).unwrap();
        assert!(begun.elapsed() >= SOON.unwrap());
        assert_eq!(a.write(b"still"), Ok(5));
        b.wait(Inbound::Wanted, LATER).unwrap();
        assert_eq!(b.read(&mut [0; 8]), Ok(5));
    }

    #[test]
    fn a_reset_is_remembered() {
        let (mut a, b) = links();
        let mut a2 = a.hang_up().unwrap().0;
        assert!(a2.write(b"never read").is_ok());
        drop(b);
        let lost = loop {
            a.wait(Inbound::Wanted, LATER).unwrap();
            match a.read(&mut [0; 8]) {
                Err(ErrorKind::TimedOut) => {}
                other => break other,
            }
        };
        assert_eq!(lost, Err(ErrorKind::ConnectionReset));
        assert_eq!(a.fault().unwrap().kind(), io::ErrorKind::ConnectionReset);
    }
}
