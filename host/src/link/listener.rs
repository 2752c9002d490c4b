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
    /// something else than a socket; [`InvalidInput`](ErrorKind::InvalidInput) for `stdio:`, `exec:` and nodes; otherwise
    /// as the system says.
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
            Url::Udp { .. } | Url::Stdio | Url::Exec(_) | Url::Serial(_) | Url::Node { .. } => {
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
                // It fails only if the peer is gone already.
                let _ = stream.set_nodelay(true);
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

    /// As [`accept`](Self::accept), for a Unix socket: the connection itself, whose reads and writes block.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    #[cfg(unix)]
    pub(crate) fn accept_unix(&self) -> io::Result<Option<std::os::unix::net::UnixStream>> {
        let Socket::Unix(socket) = &self.socket else { return Ok(None) };
        match socket.listener.accept() {
            Ok((stream, _)) => stream.set_nonblocking(false).map(|()| Some(stream)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const SOON: Option<Duration> = Some(Duration::from_millis(30));
    const LATER: Option<Duration> = Some(Duration::from_secs(20));

    fn bind(url: &str) -> io::Result<Listener> {
        Listener::bind(&url.parse().unwrap(), &TcpOptions::default())
    }

    fn dial(listener: &Listener) -> StreamLink {
        StreamLink::dial(&listener.url(), &TcpOptions::default()).unwrap()
    }

    #[test]
    fn a_url_says_where_and_what_comes_is_accepted() {
        let mut urls = vec!["127.0.0.1:0", "localhost:0"];
        // Some systems do without.
        urls.extend(["[::1]:0", "[::]:0"].into_iter().filter(|_| bind("[::1]:0").is_ok()));
        for url in urls {
            let listener = bind(url).unwrap();
            let Url::Tcp { host, port } = listener.url() else { panic!("{url}") };
            assert!(port != 0 && host.parse::<std::net::IpAddr>().is_ok(), "{}", listener.url());
            assert!(listener.accept().unwrap().is_none());
            let client = dial(&listener);
            let server = listener.accept_within(LATER).unwrap();
            assert!(client.is_local() && server.is_local());
            assert!(client.peer().ends_with(&format!(":{port}")), "{}", client.peer());
            assert!(listener.accept().unwrap().is_none());
        }
    }

    #[test]
    fn an_address_is_taken_once() {
        let listener = bind("127.0.0.1:0").unwrap();
        assert_eq!(bind(&listener.url().to_string()).unwrap_err().kind(), ErrorKind::AddrInUse);
        assert_eq!(bind("stdio:").unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(bind("exec:cat").unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    #[cfg(unix)]
    #[test]
    fn a_unix_socket_is_there_as_long_as_its_listener() {
        let dir = tempfile::tempdir().unwrap();
        let url = Url::Unix(dir.path().join("boat"));
        let listener = Listener::bind(&url, &TcpOptions::default()).unwrap();
        assert_eq!(listener.url(), url);
        let client = dial(&listener);
        let server = listener.accept_within(LATER).unwrap();
        assert_eq!((client.peer().as_str(), server.peer().as_str()), ("unix", "unix"));
        drop(listener);
        assert_eq!(dir.path().read_dir().unwrap().count(), 0);
        let gone = StreamLink::dial(&url, &TcpOptions::default()).unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn nobody_comes() {
        let listener = bind("127.0.0.1:0").unwrap();
        let begun = Instant::now();
        assert_eq!(listener.accept_within(SOON).unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(begun.elapsed() >= SOON.unwrap());
    }

    #[test]
    fn the_wait_ends_with_a_connection_a_wake_or_its_time() {
        let listeners = [bind("127.0.0.1:0").unwrap(), bind("127.0.0.1:0").unwrap()];
        let waker = Waker::new().unwrap();
        let begun = Instant::now();
        wait_for_any(&listeners, &waker, SOON).unwrap();
        assert!(begun.elapsed() >= SOON.unwrap());
        let begun = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| waker.wake());
            wait_for_any(&listeners, &waker, LATER).unwrap();
        });
        assert!(listeners.iter().all(|listener| listener.accept().unwrap().is_none()));
        let _client = dial(&listeners[1]);
        wait_for_any(&listeners, &waker, LATER).unwrap();
        assert!(begun.elapsed() < LATER.unwrap());
        assert!(listeners[0].accept().unwrap().is_none());
        assert!(listeners[1].accept().unwrap().is_some());
        let begun = Instant::now();
        wait_for_any(&listeners, &waker, SOON).unwrap();
        assert!(begun.elapsed() >= SOON.unwrap(), "the wake was to be forgotten");
    }
}
