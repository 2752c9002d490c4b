//! What has come for one session of a socket that many share, and was not read yet.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::event::PollFd;
use sampan_core::wire::Kind;

use super::datagram::{Datagram, Space};
use crate::link::Waker;

/// What a mailbox holds, in bytes of what its datagrams count for.
const ROOM: usize = 9 << 20;
/// A BYE that is kept, to be said again or known again; without words it has 6 bytes.
const LONGEST_BYE: usize = 64;

/// Datagrams of one peer; what does not fit is dropped.
#[derive(Debug)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
    signal: Waker,
    space: Space,
}

#[derive(Debug)]
struct State {
    datagrams: VecDeque<Datagram>,
    bytes: usize,
    reader: Reader,
    door: Door,
    /// The last BYE that has come, and the last that was sent.
    byes: (Option<Vec<u8>>, Option<Vec<u8>>),
}

/// Whether whoever reads has seen that there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Looks,
    Waits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Open,
    Closed,
}

impl Mailbox {
    /// Bytes of datagrams of any length that it holds for sure.
    pub(crate) const HOLDS: usize = 4 << 20;

    pub(crate) fn new(space: &Space) -> io::Result<Self> {
        let (reader, door) = (Reader::Waits, Door::Open);
        let (datagrams, byes) = (VecDeque::new(), (None, None));
        let state = Mutex::new(State { datagrams, bytes: 0, reader, door, byes });
        Ok(Self { state, signal: Waker::new()?, space: space.clone() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that has come. An empty one is none.
    pub(crate) fn put(&self, datagram: &mut Datagram) {
        let mut state = self.state();
        if datagram.bytes().is_empty() || state.door == Door::Closed {
            return;
        }
        let counts = datagram.counts();
        if state.bytes + counts > ROOM || !self.space.take(counts) {
            return;
        }
        state.bytes += counts;
        if is_bye(datagram.bytes()) {
            state.byes.0 = Some(datagram.bytes().to_vec());
        }
        state.datagrams.push_back(datagram.kept());
        self.tell(&mut state);
    }

    /// One that was sent.
    pub(crate) fn sent(&self, datagram: &[u8]) {
        if is_bye(datagram) {
            self.state().byes.1 = Some(datagram.to_vec());
        }
    }

    /// The BYEs of both ends, the peer's first, if both have said it and the peer's may be answered with the other.
    pub(crate) fn byes(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let (theirs, ours) = self.state().byes.clone();
        theirs.zip(ours).filter(|(theirs, ours)| ours.len() <= theirs.len())
    }

    /// Nothing more will come.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.door = Door::Closed;
        self.tell(&mut state);
    }

    fn tell(&self, state: &mut State) {
        if std::mem::replace(&mut state.reader, Reader::Looks) == Reader::Waits {
            self.signal.wake();
        }
    }

    /// The next one, as much of it as there is room for; 0 once it is closed and empty.
    pub(super) fn take(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        let Some(datagram) = state.datagrams.pop_front() else {
            if state.door == Door::Closed {
                return Ok(0);
            }
            state.reader = Reader::Waits;
            self.signal.drain();
            return Err(ErrorKind::WouldBlock.into());
        };
        let counts = datagram.counts();
        state.bytes -= counts;
        drop(state);
        self.space.give_back(counts);
        let length = datagram.bytes().len().min(buffer.len());
        buffer[..length].copy_from_slice(&datagram.bytes()[..length]);
        self.space.done(datagram);
        Ok(length)
    }

    /// Waits for the next one.
    pub(super) fn poll(&self) -> PollFd<'_> {
        self.signal.poll()
    }
}

fn is_bye(datagram: &[u8]) -> bool {
    datagram.first() == Some(&Kind::Bye.code()) && datagram.len() <= LONGEST_BYE
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.space.give_back(self.state().bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::super::datagram::{ALL_HOLD, EACH};
    use super::*;
    use crate::link::wait_for;
    use rustix::event::PollFlags;
    use std::time::Duration;

    fn is_ready(mailbox: &Mailbox) -> bool {
        let mut fds = [mailbox.poll()];
        wait_for(&mut fds, Some(Duration::ZERO)).unwrap();
        fds[0].revents() != PollFlags::empty()
    }

    #[test]
    fn datagrams_come_one_by_one_in_their_order_and_cut_to_the_room_there_is() {
        let mailbox = Mailbox::new(&Space::default()).unwrap();
        let mut buffer = [0; 4];
        assert!(!is_ready(&mailbox));
        for datagram in [&b"one"[..], b"", b"three"] {
            mailbox.put(&mut datagram.into());
        }
        assert!(is_ready(&mailbox));
        assert_eq!((mailbox.take(&mut buffer).unwrap(), &buffer[..3]), (3, &b"one"[..]));
        assert_eq!((mailbox.take(&mut buffer).unwrap(), &buffer), (4, b"thre"));
        assert_eq!(mailbox.take(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert!(!is_ready(&mailbox));
        mailbox.put(&mut b"four"[..].into());
        mailbox.close();
        mailbox.put(&mut b"five"[..].into());
        assert!(is_ready(&mailbox));
        assert_eq!((mailbox.take(&mut buffer).unwrap(), mailbox.take(&mut buffer).unwrap()), (4, 0));
        assert!(is_ready(&mailbox));
    }

    #[test]
    fn what_it_holds_is_bounded_and_given_back() {
        let space = Space::default();
        let mailboxes: Vec<_> = (0..50).map(|_| Mailbox::new(&space).unwrap()).collect();
        let contents = vec![0; 60_000];
        let counts = contents.len() + EACH;
        for mailbox in &mailboxes {
            (0..200).for_each(|_| mailbox.put(&mut contents[..].into()));
        }
        assert!(space.taken() <= ALL_HOLD && space.taken() > ALL_HOLD - 2 * counts, "{}", space.taken());
        let mut read = 0;
        while mailboxes[0].take(&mut [0; 10]).is_ok() {
            read += 1;
        }
        assert_eq!(read, ROOM / counts);
        drop(mailboxes);
        assert_eq!(space.taken(), 0);
    }
}
