//! Sockets of UDP.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::link::tcp::{first, is_what_was_meant};

/// What the system is asked to hold of what was not read yet, and of what has not left.
const BUFFER: usize = 4 << 20;

/// One socket to one peer.
pub(super) fn connected(peer: SocketAddr) -> io::Result<UdpSocket> {
    let socket = socket(peer)?;
    socket.connect(&peer.into())?;
    let socket = UdpSocket::from(socket);
    // Where nobody is at a port of the range that clients get, a client can happen to meet itself.
    if socket.local_addr()? == socket.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(socket)
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    set_buffers(&socket);
    do_not_fragment(&socket);
    Ok(socket)
}

/// What the system gives is fine.
fn set_buffers(socket: &Socket) {
    let _ = socket.set_recv_buffer_size(BUFFER);
    let _ = socket.set_send_buffer_size(BUFFER);
    // Beyond what it gives to everybody, if this process may.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::net::sockopt;
        let _ = sockopt::set_socket_recv_buffer_size_force(socket, BUFFER);
        let _ = sockopt::set_socket_send_buffer_size_force(socket, BUFFER);
    }
}

/// A datagram that is too long for the path is lost, which is how its sender learns of it.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn do_not_fragment(socket: &Socket) {
    use rustix::net::sockopt::{self, Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery};
    // One for both protocols has both; others one of them.
    let _ = sockopt::set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::PROBE);
    let _ = sockopt::set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::PROBE);
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn do_not_fragment(_: &Socket) {}

/// Bytes of datagrams that the system holds for sure until they are read.
pub(super) fn holds(socket: &UdpSocket) -> usize {
    // Half of it may be its own.
    SockRef::from(socket).recv_buffer_size().map_or(0, |size| size / 2)
}

/// A socket at which any number of peers are served.
#[derive(Debug)]
pub(crate) struct UdpListener {
    pub(crate) socket: UdpSocket,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl UdpListener {
    /// At the first address of a host name where that succeeds.
    pub(crate) fn bind(host: &str, port: u16) -> io::Result<Self> {
        let socket = first(host, port, |address| {
            is_what_was_meant(host, address)?;
            let socket = socket(address)?;
            socket.bind(&address.into())?;
            Ok(UdpSocket::from(socket))
        })?;
        let address = socket.local_addr()?;
        // A zone is a name only as it was given.
        let host = if host.contains('%') { host.to_owned() } else { address.ip().to_string() };
        Ok(Self { socket, host, port: address.port() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken_once() {
        let listener = UdpListener::bind("127.0.0.1", 0).unwrap();
        assert!(listener.port != 0 && holds(&listener.socket) > 0);
        let again = UdpListener::bind("127.0.0.1", listener.port).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_client_does_not_meet_itself() {
        let listener = UdpListener::bind("127.0.0.1", 0).unwrap();
        let peer = listener.socket.local_addr().unwrap();
        let client = connected(peer).unwrap();
        assert_eq!(client.peer_addr().unwrap(), peer);
    }
}
