//! Links over UDP (`docs/protocol.md` §2.3, §8.6).

mod datagram;
mod datagrams;
mod greeting;
mod knock;
mod mailbox;
mod socket;

pub(crate) use datagram::{Datagram, Space};
pub(super) use datagrams::Datagrams;
pub(crate) use greeting::{Greeting, Heard, heard};
pub(crate) use mailbox::Mailbox;
pub(crate) use socket::UdpListener;

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use super::tcp::first;
use knock::knock;

/// The most that a datagram carries over IPv4 (§2.3).
pub const LONGEST_DATAGRAM: usize = 65_507;

/// A socket whose peer has answered.
pub(super) struct Dialled {
    pub(super) socket: UdpSocket,
    pub(super) peer: SocketAddr,
    /// The number of the session that has been begun, and the answer to its HELLO.
    pub(super) nonce: u64,
    pub(super) answer: Vec<u8>,
}

/// The first address of `host` at which a server answers, each within this time.
pub(super) fn dial_any(host: &str, port: u16, within: Duration) -> io::Result<Dialled> {
    if port == 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "port 0 can only be listened at"));
    }
    first(host, port, |peer| {
        let socket = socket::connected(peer)?;
        let (nonce, answer) = knock(&socket, within)?;
        Ok(Dialled { socket, peer, nonce, answer })
    })
}
