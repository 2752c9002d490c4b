//! One end of a session over datagrams. Neither reads nor writes block, and none of them fails for good: what cannot be sent is lost.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags};

use super::mailbox::Mailbox;
use super::socket;

/// So many errors in a row that tell of what was sent are passed over in one read.
const PASSED_OVER: usize = 8;

#[derive(Debug)]
pub(in crate::link) enum Datagrams {
    /// A socket of its own.
    Own(UdpSocket),
    /// One that a server's sessions share.
    Shared { socket: Arc<UdpSocket>, peer: SocketAddr, mailbox: Arc<Mailbox> },
}

impl Datagrams {
    pub(in crate::link) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let socket = match self {
            Self::Shared { mailbox, .. } => return mailbox.take(buffer),
            Self::Own(socket) => socket,
        };
        for _ in 0..PASSED_OVER {
            match socket.recv(buffer) {
                // An empty datagram is no end.
                Ok(0) => {}
                Ok(length) => return Ok(length),
                Err(error) if is_passing(error.kind()) => return Err(error),
                Err(_) => {}
            }
        }
        Err(ErrorKind::Interrupted.into())
    }

    pub(in crate::link) fn write(&self, datagram: &[u8]) -> io::Result<usize> {
        let sent = match self {
            Self::Own(socket) => socket.send(datagram),
            Self::Shared { socket, peer, .. } => socket.send_to(datagram, peer),
        };
        match sent {
            Err(error) if is_passing(error.kind()) => return Err(error),
            _ => {}
        }
        if let Self::Shared { mailbox, .. } = self {
            mailbox.sent(datagram);
        }
        Ok(datagram.len())
    }

    pub(in crate::link) fn poll_in(&self) -> PollFd<'_> {
        match self {
            Self::Own(socket) => PollFd::new(socket, PollFlags::IN),
            Self::Shared { mailbox, .. } => mailbox.poll(),
        }
    }

    pub(in crate::link) fn poll_out(&self) -> PollFd<'_> {
        match self {
            Self::Own(socket) => PollFd::new(socket, PollFlags::OUT),
            Self::Shared { socket, .. } => PollFd::new(&**socket, PollFlags::OUT),
        }
    }

    /// How many bytes of datagrams wait to be read before some are dropped.
    pub(in crate::link) fn holds(&self) -> usize {
        match self {
            Self::Own(socket) => socket::holds(socket),
            Self::Shared { .. } => Mailbox::HOLDS,
        }
    }
}

/// Whether an error says only that it is to be tried again.
fn is_passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::super::socket::{UdpListener, connected};
    use super::*;

    #[test]
    fn what_cannot_be_sent_is_lost_and_what_is_said_of_it_passed_over() {
        let listener = UdpListener::bind("127.0.0.1", 0).unwrap();
        let address = listener.socket.local_addr().unwrap();
        let link = Datagrams::Own(connected(address).unwrap());
        assert_eq!(link.write(&[0; 70_000]).unwrap(), 70_000);
        drop(listener);
        for _ in 0..20 {
            assert_eq!(link.write(b"hello").unwrap(), 5);
            let error = link.read(&mut [0; 10]).unwrap_err();
            assert!(is_passing(error.kind()), "{error}");
        }
    }
}
