//! What the bytes of a [`StreamLink`](super::StreamLink) go through. None of it blocks.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags};

#[cfg(unix)]
use super::pipes::Pipes;
#[cfg(unix)]
use super::serial::Serial;
use super::stream::Nature;
use super::udp::Datagrams;

#[derive(Debug)]
pub(super) enum Carrier {
    Tcp(TcpStream),
    Datagrams(Datagrams),
    #[cfg(unix)]
    Unix(UnixStream),
    #[cfg(unix)]
    Pipes(Pipes),
    #[cfg(unix)]
    Serial(Serial),
}

impl Carrier {
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Datagrams(datagrams) => datagrams.read(buffer),
            #[cfg(unix)]
            Self::Unix(stream) => stream.read(buffer),
            #[cfg(unix)]
            Self::Pipes(pipes) => pipes.read(buffer),
            #[cfg(unix)]
            Self::Serial(serial) => serial.read(buffer),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Datagrams(datagrams) => datagrams.write(bytes),
            #[cfg(unix)]
            Self::Unix(stream) => stream.write(bytes),
            #[cfg(unix)]
            Self::Pipes(pipes) => pipes.write(bytes),
            #[cfg(unix)]
            Self::Serial(serial) => serial.write(bytes),
        }
    }

    pub(super) fn close_sending(&mut self) {
        match self {
            Self::Tcp(stream) => drop(stream.shutdown(Shutdown::Write)),
            #[cfg(unix)]
            Self::Unix(stream) => drop(stream.shutdown(Shutdown::Write)),
            #[cfg(unix)]
            Self::Pipes(pipes) => pipes.close_sending(),
            // A line has no end, and neither has a port.
            Self::Datagrams(_) => {}
            #[cfg(unix)]
            Self::Serial(_) => {}
        }
    }

    pub(super) fn nature(&self) -> Nature {
        match self {
            Self::Datagrams(datagrams) => Nature::Datagrams { holds: datagrams.holds() },
            #[cfg(unix)]
            Self::Serial(serial) => Nature::Line { rate: serial.rate() },
            #[cfg(unix)]
            Self::Unix(_) | Self::Pipes(_) => Nature::Stream,
            Self::Tcp(_) => Nature::Stream,
        }
    }

    /// Waits for bytes.
    pub(super) fn poll_in(&self) -> PollFd<'_> {
        match self {
            Self::Tcp(stream) => PollFd::new(stream, PollFlags::IN),
            Self::Datagrams(datagrams) => datagrams.poll_in(),
            #[cfg(unix)]
            Self::Unix(stream) => PollFd::new(stream, PollFlags::IN),
            #[cfg(unix)]
            Self::Pipes(pipes) => PollFd::new(&pipes.input.fd, PollFlags::IN),
            #[cfg(unix)]
            Self::Serial(serial) => PollFd::new(serial.port(), PollFlags::IN),
        }
    }

    /// Waits for room; nothing if sending has been closed.
    pub(super) fn poll_out(&self) -> Option<PollFd<'_>> {
        match self {
            Self::Tcp(stream) => Some(PollFd::new(stream, PollFlags::OUT)),
            Self::Datagrams(datagrams) => Some(datagrams.poll_out()),
            #[cfg(unix)]
            Self::Unix(stream) => Some(PollFd::new(stream, PollFlags::OUT)),
            #[cfg(unix)]
            Self::Pipes(pipes) => pipes.output.as_ref().map(|end| PollFd::new(&end.fd, PollFlags::OUT)),
            #[cfg(unix)]
            Self::Serial(serial) => Some(PollFd::new(serial.port(), PollFlags::OUT)),
        }
    }

    pub(super) fn hang_up(&self) -> io::Result<HangUp> {
        match self {
            Self::Tcp(stream) => stream.try_clone().map(Socket::Tcp).map(HangUp),
            #[cfg(unix)]
            Self::Unix(stream) => stream.try_clone().map(Socket::Unix).map(HangUp),
            Self::Datagrams(_) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(unix)]
            Self::Pipes(_) | Self::Serial(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// Ends a connection from another thread.
#[derive(Debug)]
pub struct HangUp(Socket);

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl HangUp {
    /// Both ends see the connection's end.
    pub fn now(&self) {
        let _ = match &self.0 {
            Socket::Tcp(stream) => stream.shutdown(Shutdown::Both),
            #[cfg(unix)]
            Socket::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}
