//! The one link of a host, which never waits, but where it says so: a stream, or datagrams.

mod io;
mod peeked;
#[cfg(test)]
mod tests;

use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::carrier::{Carrier, HangUp};
#[cfg(unix)]
use super::pipes::Pipes;
use super::rate::Bucket;
#[cfg(unix)]
use super::serial::Serial;
use super::udp::{self, Datagrams, Dialled, Mailbox};
use super::{Link as _, SerialUrl, TcpOptions, Url, Waker, tcp};
use io::Woken;
use peeked::Peeked;

/// A connection over TCP or a Unix socket, a pair of pipes, a serial line, or datagrams of one peer.
///
/// It remembers whether the system had nothing more to give or took no more, so that neither costs a call until
/// [`wait`](super::Link::wait) says otherwise.
///
/// Dropped, it closes what it uses. A program that was started for it then has two seconds to end, and is killed after that.
#[derive(Debug)]
pub struct StreamLink {
    carrier: Carrier,
    peer: String,
    locality: Locality,
    input: Readiness,
    output: Readiness,
    peeked: Peeked,
    waker: Option<Waker>,
    /// What may come, and what may go.
    limits: Option<(Bucket, Bucket)>,
    /// Bytes written since it was last known that nothing had come.
    unseen: usize,
    received: u64,
    sent: u64,
    fault: Option<Error>,
    /// The number of the session that dialling has begun.
    begun: Option<u64>,
}

/// What a link does with what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Bytes arrive, all of them and in their order.
    Stream,
    /// Bytes may be lost and altered.
    Line {
        /// How many leave in a second.
        rate: u64,
    },
    /// Datagrams may be lost, repeated and overtaken.
    Datagrams {
        /// How many bytes of them may wait to be read.
        holds: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    Perhaps,
    NotNow,
    /// The peer sends no more, which whoever reads has not been told yet.
    Ending,
    /// The peer sends no more.
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Locality {
    Here,
    Elsewhere,
}

impl StreamLink {
    /// Opens the link that `url` names: dials each address of the host in turn, or the Unix socket, each for
    /// [`connect_within`](TcpOptions::connect_within), or starts the command.
    ///
    /// # Errors
    ///
    /// The last one, if nobody answers in time or the system refuses; with several addresses it tells of each.
    /// [`InvalidInput`](ErrorKind::InvalidInput) for what cannot be dialled, which are `stdio:`, port 0 and nodes.
    pub fn dial(url: &Url, options: &TcpOptions) -> Result<Self> {
        match url {
            Url::Tcp { host, port } => Self::tcp(tcp::dial_any(host, *port, options)?),
            Url::Udp { host, port } => Ok(Self::udp(udp::dial_any(host, *port, options.connect_within)?)),
            #[cfg(unix)]
            Url::Unix(path) => Self::unix(super::unix::dial(path, options)?),
            #[cfg(unix)]
            Url::Exec(command) => Ok(Self::pipes(Pipes::exec(command)?)),
            #[cfg(unix)]
            Url::Serial(serial) => Self::serial(serial),
            Url::Stdio => Err(Error::new(ErrorKind::InvalidInput, "stdio: cannot be dialled, only served")),
            Url::Node { .. } => {
                Err(Error::new(ErrorKind::InvalidInput, "a node is reached through its server"))
            }
            #[cfg(not(unix))]
            Url::Unix(_) | Url::Exec(_) | Url::Serial(_) => Err(ErrorKind::Unsupported.into()),
        }
    }

    /// The link to whoever is at the other end of this process's standard input and output.
    ///
    /// These do not block any more until it is dropped, nor do those who share them. Once sending is closed the standard output leads
    /// nowhere.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) if one of them is a terminal; otherwise as the system says.
    #[cfg(unix)]
    pub fn stdio() -> Result<Self> {
        Pipes::stdio().map(Self::pipes)
    }

    /// The link to whoever is at the other end of this process's standard input and output: not on this system.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](ErrorKind::Unsupported).
    #[cfg(not(unix))]
    pub fn stdio() -> Result<Self> {
        Err(ErrorKind::Unsupported.into())
    }

    /// A link over a connection that exists, whose options are left as they are.
    ///
    /// # Errors
    ///
    /// If it is not connected, or the system does not let it be non-blocking.
    pub fn tcp(stream: TcpStream) -> Result<Self> {
        let peer = stream.peer_addr()?;
        Self::tcp_to(stream, peer)
    }

    pub(super) fn tcp_to(stream: TcpStream, peer: SocketAddr) -> Result<Self> {
        stream.set_nonblocking(true)?;
        let peer = canonical(peer);
        Ok(Self::new(Carrier::Tcp(stream), peer.to_string(), Locality::of(peer)))
    }

    /// A link over a socket whose peer has answered.
    fn udp(dialled: Dialled) -> Self {
        let Dialled { socket, peer, nonce, answer } = dialled;
        let mut link = Self::datagrams(Datagrams::Own(socket), peer);
        link.peeked.append(&answer);
        Self { begun: Some(nonce), ..link }
    }

    /// A link over a socket that many share, to `peer`, whose datagrams come by this mailbox.
    pub(crate) fn shared(socket: Arc<UdpSocket>, peer: SocketAddr, mailbox: Arc<Mailbox>) -> Self {
        Self::datagrams(Datagrams::Shared { socket, peer, mailbox }, peer)
    }

    fn datagrams(datagrams: Datagrams, peer: SocketAddr) -> Self {
        let peer = canonical(peer);
        Self::new(Carrier::Datagrams(datagrams), format!("udp://{peer}"), Locality::of(peer))
    }

    /// The number of the session that dialling has begun, and whose first answer is there to be read.
    pub(crate) const fn begun(&self) -> Option<u64> {
        self.begun
    }

    /// A link over a connection that exists.
    ///
    /// # Errors
    ///
    /// If the system does not let it be non-blocking.
    #[cfg(unix)]
    pub fn unix(stream: UnixStream) -> Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self::new(Carrier::Unix(stream), "unix".to_owned(), Locality::Here))
    }

    /// The same, whose other end is called so.
    #[cfg(unix)]
    pub(crate) fn named(mut self, peer: String) -> Self {
        self.peer = peer;
        self
    }

    /// A link over a serial port.
    ///
    /// # Errors
    ///
    /// If it cannot be opened; the error says what to do about it.
    #[cfg(unix)]
    pub fn serial(url: &SerialUrl) -> Result<Self> {
        let carrier = Carrier::Serial(Serial::open(url)?);
        Ok(Self::new(carrier, format!("serial:{}", url.path.display()), Locality::Here))
    }

    /// What it does with what it is given.
    #[must_use]
    pub fn nature(&self) -> Nature {
        self.carrier.nature()
    }

    #[cfg(unix)]
    fn pipes(pipes: Pipes) -> Self {
        let peer = pipes.name().to_owned();
        Self::new(Carrier::Pipes(pipes), peer, Locality::Here)
    }

    const fn new(carrier: Carrier, peer: String, locality: Locality) -> Self {
        Self {
            carrier,
            peer,
            locality,
            input: Readiness::Perhaps,
            output: Readiness::Perhaps,
            peeked: Peeked::new(),
            waker: None,
            limits: None,
            unseen: 0,
            received: 0,
            sent: 0,
            fault: None,
            begun: None,
        }
    }

    /// Lets `waker` end its waits.
    #[must_use]
    pub fn with_waker(mut self, waker: &Waker) -> Self {
        self.waker = Some(waker.clone());
        self
    }

    /// Lets no more than so many bytes a second come, and as many go; 0 counts as 1. After a pause a tenth of a second's worth may move
    /// at once.
    #[must_use]
    pub fn limit_rate(mut self, bytes_per_second: u64) -> Self {
        let bucket = Bucket::new(bytes_per_second, Instant::now());
        self.limits = Some((bucket.clone(), bucket));
        self
    }

    /// The TCP connection itself, still non-blocking, if it is one.
    #[must_use]
    pub fn into_tcp(self) -> Option<TcpStream> {
        match self.carrier {
            Carrier::Tcp(stream) => Some(stream),
            Carrier::Datagrams(_) => None,
            #[cfg(unix)]
            Carrier::Unix(_) | Carrier::Pipes(_) | Carrier::Serial(_) => None,
        }
    }

    /// The other end: address and port, after `udp://` where frames are datagrams, `serial:` and the device, `unix`, `stdio`, `exec`, or `node:` and
    /// the name of a node.
    #[must_use]
    pub fn peer(&self) -> String {
        self.peer.clone()
    }

    /// Whether the other end is on this host: at a loopback address, a Unix socket, or pipes.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.locality == Locality::Here
    }

    /// Whether the peer's end of the stream has been seen.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.input, Readiness::Ending | Readiness::Ended)
    }

    /// Bytes that came from the link so far, and bytes that it took.
    #[must_use]
    pub const fn moved(&self) -> (u64, u64) {
        (self.received, self.sent)
    }

    /// Something by which another thread can end this connection.
    ///
    /// # Errors
    ///
    /// If the system has no descriptor left; [`Unsupported`](ErrorKind::Unsupported) for pipes.
    pub fn hang_up(&self) -> Result<HangUp> {
        self.carrier.hang_up()
    }

    /// What comes first, at most 64 bytes, which stays to be read. It waits until that are `at_least` so many, the peer has ended
    /// ([`has_ended`](Self::has_ended)), the waker has been woken, or `timeout` has passed.
    ///
    /// # Errors
    ///
    /// If the link is lost.
    pub fn peek(&mut self, at_least: usize, timeout: Duration) -> Result<&[u8]> {
        let at_least = at_least.min(Peeked::MOST);
        let begun = Instant::now();
        while self.peeked.bytes().len() < at_least {
            let mut came = [0; Peeked::MOST];
            let room = Peeked::MOST - self.peeked.bytes().len();
            match self.receive(&mut came[..room]) {
                Ok(0) => {
                    self.input = Readiness::Ending;
                    break;
                }
                Ok(n) => self.peeked.append(&came[..n]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let left = timeout.saturating_sub(begun.elapsed());
                    if left.is_zero() || self.sleep(true, Some(left))? == Woken::ByWaker {
                        break;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.peeked.bytes())
    }

    /// Closes it so that what was sent is not lost with what was never read (`docs/protocol.md` §8.4): ends the sending side, and drops
    /// what still comes until the peer ends too, the link fails, or this time has passed. On a serial line and over datagrams, which have no end, nothing is dropped.
    pub fn close_gently(mut self, within: Duration) {
        if self.nature() != Nature::Stream {
            return;
        }
        self.close_sending();
        (self.waker, self.limits) = (None, None);
        let begun = Instant::now();
        let mut dropped = [0; 4096];
        loop {
            match self.receive(&mut dropped) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let left = within.saturating_sub(begun.elapsed());
                    if left.is_zero() || self.sleep(true, Some(left)).is_err() {
                        return;
                    }
                }
                Err(_) => return,
            }
            if begun.elapsed() >= within {
                return;
            }
        }
    }
}

/// One of the old protocol on a socket for both is shown as such; it has no zone.
fn canonical(peer: SocketAddr) -> SocketAddr {
    match (peer, peer.ip().to_canonical()) {
        (SocketAddr::V6(_), ip @ IpAddr::V4(_)) => SocketAddr::new(ip, peer.port()),
        _ => peer,
    }
}

impl Locality {
    fn of(peer: SocketAddr) -> Self {
        if peer.ip().is_loopback() { Self::Here } else { Self::Elsewhere }
    }
}
