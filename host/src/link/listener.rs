//! Takes connections.

use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

#[cfg(unix)]
use super::unix::UnixSocket;
use super::{StreamLink, TcpOptions, Url, Waker, tcp, wait_for};

/// Takes connections at a URL. A Unix socket is removed when it is dropped, unless another has taken its place.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    url: Url,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixSocket),
}

impl Listener {
    /// Listens at `url`: at the first address of a host name where that succeeds; at a Unix socket, replacing one that nobody listens at.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](ErrorKind::AddrInUse) if another does; [`AlreadyExists`](ErrorKind::AlreadyExists) if there is
    /// something else than a socket; [`InvalidInput`](ErrorKind::InvalidInput) for `stdio:` and `exec:`; otherwise as
    /// the system says.
    pub fn bind(url: &Url, options: &TcpOptions) -> io::Result<Self> {
        match url {
            Url::Tcp { host, port } => {
                let listener = tcp::bind_any(host, *port, options)?;
                let address = listener.local_addr()?;
                // A zone is a name only as it was given.
                let host = if host.contains('%') { host.clone() } else { address.ip().to_string() };
                Ok(Self { socket: Socket::Tcp(listener), url: Url::Tcp { host, port: address.port() } })
            }
            #[cfg(unix)]
            Url::Unix(path) => {
                Ok(Self { socket: Socket::Unix(UnixSocket::bind(path, options)?), url: url.clone() })
            }
            #[cfg(not(unix))]
            Url::Unix(_) => Err(ErrorKind::Unsupported.into()),
            Url::Stdio | Url::Exec(_) => {
                Err(io::Error::new(ErrorKind::InvalidInput, "only TCP and Unix sockets can be listened at"))
            }
        }
    }

    /// Where it listens: the address and port that it has got, or the path that was given.
    #[must_use]
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// The next connection, if one is there; it does not wait. A connection that failed before it was taken is none.
    ///
    /// # Errors
    ///
    /// If descriptors or memory are exhausted, in which case the connection stays there: let some time pass. Otherwise as the system
    /// says.
    pub fn accept(&self) -> io::Result<Option<StreamLink>> {
        let accepted = match &self.socket {
            Socket::Tcp(listener) => listener.accept().and_then(|(stream, peer)| {
                stream.set_nodelay(true)?;
                StreamLink::tcp_to(stream, peer)
            }),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.listener.accept().and_then(|(stream, _)| StreamLink::unix(stream)),
        };
        match accepted {
            Ok(link) => Ok(Some(link)),
            Err(error) if is_passing(error.kind()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits for the next connection, for ever if no time is given.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](ErrorKind::TimedOut) if none has come in time; otherwise as for [`accept`](Self::accept).
    pub fn accept_within(&self, timeout: Option<Duration>) -> io::Result<StreamLink> {
        let begun = Instant::now();
        loop {
            if let Some(link) = self.accept()? {
                return Ok(link);
            }
            let left = timeout.map(|timeout| timeout.saturating_sub(begun.elapsed()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(ErrorKind::TimedOut.into());
            }
            wait_for(&mut [self.poll()], left)?;
        }
    }

    fn poll(&self) -> PollFd<'_> {
        match &self.socket {
            Socket::Tcp(listener) => PollFd::new(listener, PollFlags::IN),
            #[cfg(unix)]
            Socket::Unix(socket) => PollFd::new(&socket.listener, PollFlags::IN),
        }
    }
}

/// Whether an error tells of one connection, or of none, and not of the listener.
fn is_passing(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WouldBlock
            | ErrorKind::Interrupted
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::NotConnected
            | ErrorKind::TimedOut
            | ErrorKind::PermissionDenied
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
    )
}

/// Waits until a connection is there to be taken, the waker has been woken, or `timeout` has passed; perhaps not so long.
///
/// # Errors
///
/// If the system cannot wait.
pub fn wait_for_any(listeners: &[Listener], waker: &Waker, timeout: Option<Duration>) -> io::Result<()> {
    let mut fds: Vec<_> = listeners.iter().map(Listener::poll).chain([waker.poll()]).collect();
    wait_for(&mut fds, timeout)?;
    if fds.last().is_some_and(|fd| fd.revents().contains(PollFlags::IN)) {
        waker.drain();
    }
    Ok(())
}

#[cfg(unix)]
impl std::os::fd::AsFd for Listener {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match &self.socket {
            Socket::Tcp(listener) => listener.as_fd(),
            Socket::Unix(socket) => socket.listener.as_fd(),
        }
    }
}
