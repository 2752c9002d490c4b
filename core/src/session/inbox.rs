//! The lent receive buffer.
//!
//! ```text
//!   0        head            tail            len
//!   | done   | received      | spare         |
//! ```
//!
//! Payload is handed to the storage where it lies. Only the beginning of a frame that came in one read with the frame before
//! it may have to move to the front; `spare` keeps that piece short by asking for no more than the rest of a long frame.

use core::cell::Cell;
use core::ops::Range;

use crate::framing::{Deframed, Framing, Reliability};

/// How far beyond the frame under way a read may go: enough for many small frames, little to move before a long one.
const READ_AHEAD: usize = 4096;

/// Room for the length of the next frame after a long one, so that it is known without another read.
const NEXT_LENGTH: usize = 3;

#[derive(Debug)]
pub(super) struct Inbox<'b> {
    buffer: &'b mut [u8],
    head: usize,
    tail: usize,
    /// Bytes from `head` that the frame under way is known to need, or that a whole one takes.
    needed: usize,
}

impl<'b> Inbox<'b> {
    pub(super) fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, head: 0, tail: 0, needed: 0 }
    }

    /// The memory that was lent.
    pub(super) fn release(self) -> &'b mut [u8] {
        self.buffer
    }

    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Where the next read goes.
    pub(super) fn spare(&mut self, link: Reliability) -> &mut [u8] {
        if self.head == self.tail {
            self.head = 0;
            self.tail = 0;
        }
        if link == Reliability::Datagrams {
            return if self.tail == 0 { self.buffer } else { &mut [] };
        }
        if self.head.saturating_add(self.needed) > self.buffer.len() {
            // Byte by byte: the pieces may overlap, and `copy_within` can panic.
            let cells = Cell::from_mut(&mut *self.buffer).as_slice_of_cells();
            let piece = cells.get(self.head..self.tail).unwrap_or_default();
            for (to, from) in cells.iter().zip(piece) {
                to.set(from.get());
            }
            self.tail = self.tail.saturating_sub(self.head);
            self.head = 0;
        }
        let wanted = self.needed.saturating_add(NEXT_LENGTH);
        let end = self.head.saturating_add(wanted.max(READ_AHEAD)).min(self.buffer.len());
        let end = if wanted >= READ_AHEAD { end } else { end.max(self.tail) };
        self.buffer.get_mut(self.tail..end).unwrap_or_default()
    }

    pub(super) fn received(&mut self, n: usize) {
        self.tail = self.tail.saturating_add(n).min(self.buffer.len());
    }

    /// Where what was found begins.
    pub(super) fn head(&self) -> usize {
        self.head
    }

    /// Looks for the next frame. Its range, the `used` of [`Deframed::Frame`] and the end of noise are those of the buffer. It is there until it is
    /// consumed.
    pub(super) fn next<F: Framing>(&mut self, framing: &mut F) -> Deframed {
        let max = F::largest(self.buffer.len());
        loop {
            let received = self.buffer.get_mut(self.head..self.tail).unwrap_or_default();
            match framing.next(received, max) {
                Deframed::Incomplete { total } => {
                    self.needed = total;
                    return Deframed::Incomplete { total };
                }
                Deframed::Skip { length } => {
                    log!(trace, "skipped: {=usize} bytes", length);
                    self.needed = length;
                    self.consume();
                }
                Deframed::Frame { start, end, used } => {
                    self.needed = used;
                    return Deframed::Frame {
                        start: self.head.saturating_add(start),
                        end: self.head.saturating_add(end),
                        used: self.head.saturating_add(used),
                    };
                }
                Deframed::Noise { length } => {
                    self.needed = length;
                    return Deframed::Noise { length: self.head.saturating_add(length) };
                }
                broken @ Deframed::Broken(_) => return broken,
            }
        }
    }

    #[inline(never)]
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.buffer.get(range).unwrap_or_default()
    }

    /// The frame that [`next`](Self::next) found is done with.
    pub(super) fn consume(&mut self) {
        self.head = self.head.saturating_add(self.needed).min(self.tail);
        self.needed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::{Datagrams, Stream};
    use std::vec;

    #[test]
    fn a_long_frame_is_read_to_its_end_and_no_further() {
        let mut buffer = vec![0; 20_000];
        let mut inbox = Inbox::new(&mut buffer);
        let mut stream = Stream::new();
        assert_eq!(inbox.spare(Reliability::Reliable).len(), READ_AHEAD);
        inbox.spare(Reliability::Reliable)[..8].copy_from_slice(b"\xF5SPN\x01\x10\x27\x00");
        inbox.received(8);
        assert_eq!(inbox.next(&mut stream), Deframed::Incomplete { total: 10_003 });
        assert_eq!(inbox.spare(Reliability::Reliable).len(), 10_000 + 3);
        inbox.received(10_003);
        assert_eq!(inbox.next(&mut stream), Deframed::Frame { start: 8, end: 10_008, used: 10_008 });
        inbox.consume();
        assert_eq!(
            inbox.next(&mut stream),
            Deframed::Broken(crate::error::PeerError::FrameLength { length: 0 })
        );
    }

    #[test]
    fn the_next_datagram_is_read_once_the_one_before_is_done_with() {
        let mut buffer = vec![0; 100];
        let mut inbox = Inbox::new(&mut buffer);
        assert_eq!(inbox.spare(Reliability::Datagrams).len(), 100);
        inbox.received(60);
        assert_eq!(inbox.next(&mut Datagrams), Deframed::Frame { start: 0, end: 60, used: 60 });
        assert!(inbox.spare(Reliability::Datagrams).is_empty());
        inbox.consume();
        assert_eq!(inbox.spare(Reliability::Datagrams).len(), 100);
        inbox.received(100);
        assert_eq!(inbox.next(&mut Datagrams), Deframed::Incomplete { total: 5 });
        assert_eq!(inbox.spare(Reliability::Datagrams).len(), 100);
    }

    #[test]
    fn what_does_not_fit_behind_moves_to_the_front() {
        let mut buffer = vec![0; 16];
        let mut inbox = Inbox::new(&mut buffer);
        let mut stream = Stream::new();
        inbox.spare(Reliability::Reliable).copy_from_slice(b"\xF5SPN\x01\x05\x00\x00abcde\x09\x00\x00");
        inbox.received(16);
        let Deframed::Frame { start, end, .. } = inbox.next(&mut stream) else { panic!() };
        assert_eq!(inbox.bytes(start..end), b"abcde");
        inbox.consume();
        assert_eq!(inbox.next(&mut stream), Deframed::Incomplete { total: 12 });
        assert_eq!(inbox.spare(Reliability::Reliable).len(), 13);
        inbox.received(9);
        assert_eq!(inbox.next(&mut stream), Deframed::Frame { start: 3, end: 12, used: 12 });
    }
}
