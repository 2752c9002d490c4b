//! Datagrams that wait, in buffers that are used again and again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::LONGEST_DATAGRAM;

/// What all mailboxes of a socket hold together.
pub(super) const ALL_HOLD: usize = 256 << 20;
/// From so many bytes on a datagram keeps its buffer while it waits; of a shorter one a copy waits.
const LONG: usize = 30_000;
/// One more, so that what is too long is told from what is as long as may be.
const BUFFER: usize = LONGEST_DATAGRAM + 1;
/// What a datagram counts for beside its bytes.
pub(super) const EACH: usize = 256;
/// So many buffers are kept for what comes next.
const SPARE: usize = 64;

/// A datagram, in a buffer that may be longer.
#[derive(Debug, Default)]
pub(crate) struct Datagram {
    buffer: Vec<u8>,
    length: usize,
}

impl Datagram {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }

    /// Where the next one may be read to; it has so many bytes then.
    pub(crate) fn room(&mut self, space: &Space) -> &mut [u8] {
        if self.buffer.len() < BUFFER {
            self.buffer = space.buffer();
        }
        &mut self.buffer
    }

    /// It has so many bytes.
    pub(crate) fn came(&mut self, length: usize) {
        self.length = length;
    }

    /// What waits of it.
    pub(super) fn kept(&mut self) -> Self {
        if self.length >= LONG {
            return std::mem::take(self);
        }
        Self { buffer: self.bytes().to_vec(), length: self.length }
    }

    /// What it counts for while it waits.
    pub(super) fn counts(&self) -> usize {
        EACH + if self.length >= LONG { self.buffer.len() } else { self.length }
    }
}

impl From<&[u8]> for Datagram {
    fn from(bytes: &[u8]) -> Self {
        Self { buffer: bytes.to_vec(), length: bytes.len() }
    }
}

/// Room that the mailboxes of a socket share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Space(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    taken: AtomicUsize,
    spare: Mutex<Vec<Vec<u8>>>,
}

impl Space {
    fn spare(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn buffer(&self) -> Vec<u8> {
        let spare = self.spare().pop();
        spare.unwrap_or_else(|| vec![0; BUFFER])
    }

    /// Takes room for so many bytes, if it is there.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let taken = self.0.taken.fetch_add(bytes, Ordering::Relaxed);
        let fits = taken.saturating_add(bytes) <= ALL_HOLD;
        if !fits {
            self.give_back(bytes);
        }
        fits
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.0.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// This one was read.
    pub(super) fn done(&self, datagram: Datagram) {
        let mut spare = self.spare();
        if datagram.buffer.len() == BUFFER && spare.len() < SPARE {
            spare.push(datagram.buffer);
        }
    }

    /// Lets go of half of what is kept for what comes next.
    pub(crate) fn trim(&self) {
        let mut spare = self.spare();
        let half = spare.len() / 2;
        let gone = spare.split_off(half);
        drop(spare);
        drop(gone);
    }

    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.0.taken.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(space: &Space, length: usize) -> Datagram {
        let mut datagram = Datagram::default();
        assert_eq!(datagram.room(space).len(), BUFFER);
        datagram.came(length);
        datagram
    }

    #[test]
    fn a_long_one_keeps_its_buffer_which_is_used_again() {
        let space = Space::default();
        let mut long = read(&space, 60_000);
        let kept = long.kept();
        assert_eq!((kept.bytes().len(), kept.counts(), long.bytes().len()), (60_000, BUFFER + EACH, 0));
        let at = kept.bytes().as_ptr();
        space.done(kept);
        assert_eq!(long.room(&space).as_ptr(), at);
    }

    #[test]
    fn of_a_short_one_a_copy_waits() {
        let space = Space::default();
        let mut short = read(&space, 100);
        let kept = short.kept();
        assert_eq!((kept.bytes(), kept.counts()), (short.bytes(), 100 + EACH));
        space.done(kept);
        assert!(space.spare().is_empty());
    }

    #[test]
    fn what_is_kept_is_bounded_and_let_go() {
        let space = Space::default();
        for _ in 0..2 * SPARE {
            space.done(Datagram { buffer: vec![0; BUFFER], length: 0 });
        }
        assert_eq!(space.spare().len(), SPARE);
        space.trim();
        assert_eq!(space.spare().len(), SPARE / 2);
        (0..10).for_each(|_| space.trim());
        assert!(space.spare().is_empty());
    }
}
