//! What has come for one session of a socket that many share, and was not read yet.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::event::PollFd;
use sampan_core::wire::Kind;

use crate::link::Waker;

/// What a mailbox holds, in bytes.
const HOLDS: usize = 4 << 20;
/// What all of a socket hold together.
const ALL_HOLD: usize = 256 << 20;
/// A BYE that is kept, to be said again or known again; without words it has 6 bytes.
const LONGEST_BYE: usize = 64;
/// What a datagram counts for beside its own bytes.
const EACH: usize = 256;

/// Room that the mailboxes of a socket share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Space(Arc<AtomicUsize>);

impl Space {
    fn take(&self, bytes: usize) -> bool {
        let taken = self.0.fetch_add(bytes, Ordering::Relaxed);
        if taken.saturating_add(bytes) > ALL_HOLD {
            self.give_back(bytes);
            return false;
        }
        true
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Datagrams of one peer; what does not fit is dropped.
#[derive(Debug)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
    signal: Waker,
    space: Space,
}

#[derive(Debug)]
struct State {
    datagrams: VecDeque<Vec<u8>>,
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
    pub(crate) const HOLDS: usize = HOLDS;

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
    pub(crate) fn put(&self, datagram: &[u8]) {
        let counts = datagram.len() + EACH;
        let mut state = self.state();
        let fits = state.bytes + counts <= HOLDS && state.door == Door::Open;
        if datagram.is_empty() || !fits || !self.space.take(counts) {
            return;
        }
        state.bytes += counts;
        if is_bye(datagram) {
            state.byes.0 = Some(datagram.to_vec());
        }
        state.datagrams.push_back(datagram.to_vec());
        self.tell(&mut state);
    }

    /// One that was sent.
    pub(super) fn sent(&self, datagram: &[u8]) {
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
        let counts = datagram.len() + EACH;
        state.bytes -= counts;
        drop(state);
        self.space.give_back(counts);
        let length = datagram.len().min(buffer.len());
        buffer[..length].copy_from_slice(&datagram[..length]);
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
            mailbox.put(datagram);
        }
        assert!(is_ready(&mailbox));
        assert_eq!((mailbox.take(&mut buffer).unwrap(), &buffer[..3]), (3, &b"one"[..]));
        assert_eq!((mailbox.take(&mut buffer).unwrap(), &buffer), (4, b"thre"));
        assert_eq!(mailbox.take(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert!(!is_ready(&mailbox));
        mailbox.put(b"four");
        mailbox.close();
        mailbox.put(b"five");
        assert!(is_ready(&mailbox));
        assert_eq!((mailbox.take(&mut buffer).unwrap(), mailbox.take(&mut buffer).unwrap()), (4, 0));
        assert!(is_ready(&mailbox));
    }

    #[test]
    fn what_it_holds_is_bounded_and_given_back() {
        let space = Space::default();
        let taken = || space.0.load(Ordering::Relaxed);
        let mailboxes: Vec<_> = (0..100).map(|_| Mailbox::new(&space).unwrap()).collect();
        let datagram = vec![0; 60_000];
        for mailbox in &mailboxes {
            (0..100).for_each(|_| mailbox.put(&datagram));
        }
        assert!(taken() <= ALL_HOLD && taken() > ALL_HOLD - 2 * (60_000 + EACH), "{}", taken());
        let mut read = 0;
        while mailboxes[0].take(&mut [0; 10]).is_ok() {
            read += 1;
        }
        assert_eq!(read, HOLDS / (60_000 + EACH));
        drop(mailboxes);
        assert_eq!(taken(), 0);
    }
}
