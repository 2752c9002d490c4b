//! Sockets of TCP.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};

use socket2::{Domain, Protocol, Socket, Type};

use super::TcpOptions;

/// Connections that the system holds ready for whoever listens.
pub(super) const BACKLOG: i32 = 1024;

/// A connection to `address`, still blocking.
pub(super) fn dial(address: SocketAddr, options: &TcpOptions) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    options.apply(&socket, address)?;
    socket.connect_timeout(&address.into(), options.connect_within)?;
    let stream = TcpStream::from(socket);
    // Where nobody listens at a port of the range that clients get, a client can happen to meet itself.
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}

/// A connection to the first address of `host` that answers, still blocking.
pub(super) fn dial_any(host: &str, port: u16, options: &TcpOptions) -> io::Result<TcpStream> {
    if port == 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "port 0 can only be listened at"));
    }
    first(host, port, |address| dial(address, options))
}

/// Listens at the first address of `host` where that succeeds.
pub(super) fn bind_any(host: &str, port: u16, options: &TcpOptions) -> io::Result<TcpListener> {
    first(host, port, |address| {
        is_what_was_meant(host, address)?;
        bind(address, options)
    })
}

/// What is allowed to whom is decided by the name `localhost`.
pub(super) fn is_what_was_meant(host: &str, address: SocketAddr) -> io::Result<()> {
    if host.eq_ignore_ascii_case("localhost") && !address.ip().to_canonical().is_loopback() {
        return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "localhost is not this host's loopback"));
    }
    Ok(())
}

fn bind(address: SocketAddr, options: &TcpOptions) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    options.apply(&socket, address)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// The first success at one of the addresses of `host`, or the last error, which then names all that was tried.
pub(super) fn first<T>(
    host: &str,
    port: u16,
    attempt: impl Fn(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let addresses = (host, port)
        .to_socket_addrs()
        .map_err(|error| io::Error::new(error.kind(), format!("{host:?} has no address: {error}")))?;
    let mut tried = Vec::new();
    for address in addresses {
        match attempt(address) {
            Ok(done) => return Ok(done),
            Err(error) => tried.push((address, error)),
        }
    }
    let Some((_, last)) = tried.last() else {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("{host:?} has no address")));
    };
    let kind = last.kind();
    if tried.len() == 1 {
        return tried.pop().map_or_else(|| Err(kind.into()), |(_, error)| Err(error));
    }
    let each: Vec<_> = tried.iter().map(|(address, error)| format!("{address}: {error}")).collect();
    Err(io::Error::new(kind, each.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::io::{Read as _, Write as _};

    #[test]
    fn addresses_are_tried_until_one_succeeds_and_all_failures_are_named() {
        let tried = RefCell::new(0);
        let refused = |address: SocketAddr| {
            *tried.borrow_mut() += 1;
            Err::<(), _>(io::Error::new(io::ErrorKind::ConnectionRefused, format!("no {}", address.port())))
        };
        let error = first("127.0.0.1", 7, refused).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::ConnectionRefused, "no 7"));
        assert_eq!(*tried.borrow(), 1);
        assert_eq!(first("127.0.0.1", 7, Ok).unwrap(), "127.0.0.1:7".parse().unwrap());
        let error = first("no-such-host.invalid", 7, Ok).unwrap_err().to_string();
        assert!(error.contains("\"no-such-host.invalid\" has no address"), "{error}");
    }

    #[test]
    fn a_client_does_not_take_itself_for_a_server() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        let own = socket.local_addr().unwrap().as_socket().unwrap();
        socket.connect(&own.into()).unwrap();
        let mut met = TcpStream::from(socket);
        met.write_all(b"echo").unwrap();
        met.read_exact(&mut [0; 4]).unwrap();
        drop(met);
        let refused = dial(own, &TcpOptions::default()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
