//! Options of sockets.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::Socket;

/// Socket buffers that were fastest over loopback, where the default grows until it leaves the cache.
const LOOPBACK_BUFFER: usize = 512 << 10;

/// Congestion controls that do not pace, the preferred first.
const UNPACED: [&[u8]; 2] = [b"cubic", b"reno"];

/// How sockets are set up.
#[derive(Clone, Copy, Debug)]
pub struct TcpOptions {
    /// Sizes of the socket's buffers.
    pub buffers: SocketBuffers,
    /// How long dialling one address may take.
    pub connect_within: Duration,
}

/// Sizes of a socket's buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketBuffers {
    /// What is fastest: fixed ones over loopback, elsewhere the system's choice.
    Auto,
    /// So many bytes each way, as far as the system allows.
    Fixed(usize),
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self { buffers: SocketBuffers::Auto, connect_within: Duration::from_secs(10) }
    }
}

impl TcpOptions {
    /// Sets a socket up before it connects to `address` or listens there; what it accepts inherits it.
    ///
    /// Over loopback a congestion control that paces, such as BBR, costs two thirds of the rate and protects nobody. Elsewhere the
    /// system's choice stands. What the system does not allow is left as it is.
    pub(super) fn apply(&self, socket: &Socket, address: SocketAddr) -> io::Result<()> {
        let loopback = is_loopback(address.ip());
        if loopback {
            avoid_pacing(socket);
        }
        match (self.buffers, loopback) {
            (SocketBuffers::Fixed(size), _) => set_buffers(socket, size),
            (SocketBuffers::Auto, true) => set_buffers(socket, LOOPBACK_BUFFER),
            (SocketBuffers::Auto, false) => {}
        }
        socket.set_tcp_nodelay(true)
    }

    /// Sets a Unix socket up, which is as near as loopback.
    #[cfg(unix)]
    pub(super) fn apply_to_unix(&self, socket: &Socket) {
        match self.buffers {
            SocketBuffers::Fixed(size) => set_buffers(socket, size),
            SocketBuffers::Auto => set_buffers(socket, LOOPBACK_BUFFER),
        }
    }
}

fn set_buffers(socket: &Socket, size: usize) {
    let _ = socket.set_recv_buffer_size(size);
    let _ = socket.set_send_buffer_size(size);
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn avoid_pacing(socket: &Socket) {
    let _ = UNPACED.iter().any(|name| socket.set_tcp_congestion(name).is_ok());
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
fn avoid_pacing(_: &Socket) {
    let _ = UNPACED;
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::{Domain, Type};

    #[test]
    fn loopback_is_known_in_both_families() {
        for ip in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(is_loopback(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["10.0.0.1", "::", "::ffff:10.0.0.1", "fe80::1"] {
            assert!(!is_loopback(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn only_loopback_is_tuned() {
        let default = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let options = TcpOptions::default();
        let size_for = |address: &str| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            options.apply(&socket, address.parse().unwrap()).unwrap();
            socket.send_buffer_size().unwrap()
        };
        assert_eq!(size_for("192.0.2.1:1"), default.send_buffer_size().unwrap());
        assert_ne!(size_for("127.0.0.1:1"), default.send_buffer_size().unwrap());
    }
}
