//! A pipe to send: read by a thread of its own, so that a session goes on while nothing comes.

use std::fmt;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

use crate::kept::Kept;
use crate::link::{Nature, Waker};

/// Bytes that are read at a time, and how many such pieces may wait.
const PIECE: usize = 256 << 10;
const WAITING: usize = 4;

/// What comes from a pipe, once and in order; but for what a lossy link may ask for again.
pub struct Pipe {
    /// None at the end.
    pieces: Option<Receiver<io::Result<Vec<u8>>>>,
    piece: Vec<u8>,
    /// How much of `piece` was read.
    read: usize,
    kept: Kept,
}

impl Pipe {
    /// Reads from `input` until its end; wakes with each piece.
    ///
    /// # Errors
    ///
    /// If the system has no thread to give.
    pub fn start(mut input: impl Read + Send + 'static, waker: Waker) -> io::Result<Self> {
        let (sender, pieces) = sync_channel(WAITING);
        thread::Builder::new().name("pipe".into()).stack_size(128 << 10).spawn(move || {
            loop {
                let mut piece = vec![0; PIECE];
                let result = loop {
                    match input.read(&mut piece) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        result => break result,
                    }
                };
                let over = !matches!(result, Ok(1..));
                let result = result.map(|n| {
                    piece.truncate(n);
                    piece
                });
                let gone = sender.send(result).is_err();
                waker.wake();
                if over || gone {
                    return;
                }
            }
        })?;
        Ok(Self { pieces: Some(pieces), piece: Vec::new(), read: 0, kept: Kept::default() })
    }

    /// Keeps what may have to be sent again over such a link.
    pub fn suit(&mut self, link: Nature) {
        self.kept.suit(link);
    }

    /// Whether something was read that cannot be read again.
    #[must_use]
    pub const fn is_begun(&self) -> bool {
        self.kept.end() > 0
    }

    /// The bytes at `offset`, which must be where the last new ones ended, or among those that are kept; 0 at the end.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing now; whatever the pipe said.
    pub fn read(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        if offset != self.kept.end() {
            let again = || io::Error::new(io::ErrorKind::InvalidInput, "a pipe cannot be read again");
            return self.kept.read(offset, into).ok_or_else(again);
        }
        if self.read == self.piece.len() {
            let Some(pieces) = &self.pieces else { return Ok(0) };
            let next = match pieces.try_recv() {
                Ok(piece) => piece?,
                Err(TryRecvError::Empty) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(TryRecvError::Disconnected) => Vec::new(),
            };
            if next.is_empty() {
                self.pieces = None;
                return Ok(0);
            }
            self.read = 0;
            self.piece = next;
        }
        let rest = self.piece.get(self.read..).unwrap_or_default();
        let n = rest.len().min(into.len());
        into[..n].copy_from_slice(&rest[..n]);
        self.read += n;
        self.kept.push(&into[..n]);
        Ok(n)
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe").field("at", &self.kept.end()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::wait_for_any;
    use std::io::Write as _;

    /// Reads, and waits as long as there is nothing.
    fn read(pipe: &mut Pipe, waker: &Waker, offset: u64, into: &mut [u8]) -> usize {
        loop {
            match pipe.read(offset, into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait_for_any(&[], waker, None).unwrap();
                }
                result => return result.unwrap(),
            }
        }
    }

    #[test]
    fn what_comes_is_read_once_and_in_order() {
        let (reader, mut writer) = io::pipe().unwrap();
        let waker = Waker::new().unwrap();
        let mut pipe = Pipe::start(reader, waker.clone()).unwrap();
        let mut into = [0; 4];
        assert_eq!(pipe.read(0, &mut into).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        writer.write_all(b"hello").unwrap();
        assert_eq!(read(&mut pipe, &waker, 0, &mut into), 4);
        assert_eq!(pipe.read(4, &mut into).unwrap(), 1);
        assert_eq!(&into[..1], b"o");
        assert_eq!(pipe.read(0, &mut into).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        drop(writer);
        assert_eq!(read(&mut pipe, &waker, 5, &mut into), 0);
        assert_eq!(pipe.read(5, &mut into).unwrap(), 0);
    }
}
