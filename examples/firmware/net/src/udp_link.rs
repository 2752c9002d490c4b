//! The link: what goes to one address and comes from there, a datagram at a time.

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use heapless::Vec;
use sampan_core::wire::Kind;
use smoltcp::socket::udp::{SendError, Socket};
use smoltcp::wire::IpEndpoint;

/// Bytes of a goodbye that is kept.
const GOODBYE: usize = 64;

/// What both ends have said last: to be said again if the other end has not heard it (§8.6).
#[derive(Clone, Debug, Default)]
pub(crate) struct Goodbyes {
    pub(crate) theirs: Vec<u8, GOODBYE>,
    pub(crate) ours: Vec<u8, GOODBYE>,
}

/// The link of a session.
#[derive(Debug)]
pub(crate) struct UdpLink<'s> {
    pub(crate) socket: &'s mut Socket<'static>,
    pub(crate) peer: IpEndpoint,
    /// Whether the datagram that is next has been found to be for it.
    pub(crate) has_come: bool,
    pub(crate) goodbyes: &'s mut Goodbyes,
}

impl ErrorType for UdpLink<'_> {
    type Error = ErrorKind;
}

impl ReadReady for UdpLink<'_> {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.has_come)
    }
}

impl Read for UdpLink<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        if !self.has_come {
            return Err(ErrorKind::TimedOut);
        }
        self.has_come = false;
        // One that is too long is dropped.
        let (length, _) = self.socket.recv_slice(into).map_err(|_| ErrorKind::TimedOut)?;
        let datagram =
            into.get(..length).filter(|datagram| !datagram.is_empty()).ok_or(ErrorKind::TimedOut)?;
        keep(datagram, &mut self.goodbyes.theirs);
        Ok(length)
    }
}

impl WriteReady for UdpLink<'_> {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.socket.can_send())
    }
}

impl Write for UdpLink<'_> {
    fn write(&mut self, datagram: &[u8]) -> Result<usize, ErrorKind> {
        match self.socket.send_slice(datagram, self.peer) {
            Err(SendError::BufferFull) => Err(ErrorKind::TimedOut),
            // What cannot be sent is lost.
            Ok(()) | Err(SendError::Unaddressable) => {
                keep(datagram, &mut self.goodbyes.ours);
                Ok(datagram.len())
            }
        }
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

fn keep(datagram: &[u8], goodbye: &mut Vec<u8, GOODBYE>) {
    if datagram.first() == Some(&Kind::Bye.code()) {
        goodbye.clear();
        let _ = goodbye.extend_from_slice(datagram);
    }
}
