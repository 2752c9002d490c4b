//! The lent transmit buffer: whole frames on their way to the link, and one that is being built behind them.
//!
//! ```text
//!   0      sent             end                               len
//!   | gone | whole frames   | HEAD | frame being built ...    |
//! ```
//!
//! Where each frame is a datagram there is only one at a time.

use crate::framing::{Framing, Place, Reliability};
use crate::wire::{CHECK_LEN, Crc32, Shift, Writer};

#[derive(Debug)]
pub(super) struct Outbox<'b> {
    buffer: &'b mut [u8],
    sent: usize,
    end: usize,
    /// Bytes of the frame being built, from the kind on.
    building: usize,
    urgency: Urgency,
    preamble: Preamble,
    link: Reliability,
}

/// What the framing begins with (§2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Preamble {
    Due,
    Written,
}

/// Whether what waits for the link may wait for more to go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Frames of a sender's: the next of them may go with these in one write.
    Fill,
    /// Answers: they go at once.
    Now,
}

impl<'b> Outbox<'b> {
    pub(super) fn new(buffer: &'b mut [u8], link: Reliability) -> Self {
        Self { buffer, sent: 0, end: 0, building: 0, urgency: Urgency::Fill, preamble: Preamble::Due, link }
    }

    /// The memory that was lent.
    pub(super) fn release(self) -> &'b mut [u8] {
        self.buffer
    }

    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Writes what the framing begins with, once.
    pub(super) fn open<F: Framing>(&mut self, framing: &mut F) {
        if self.preamble == Preamble::Due {
            self.preamble = Preamble::Written;
            self.end = framing.open(self.buffer);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.end
    }

    /// Gives up what has not gone to the link.
    pub(super) fn discard(&mut self) {
        self.transmitted(self.end);
    }

    pub(super) fn urgency(&self) -> Urgency {
        self.urgency
    }

    pub(super) fn waiting(&self) -> &[u8] {
        self.buffer.get(self.sent..self.end).unwrap_or_default()
    }

    pub(super) fn transmitted(&mut self, n: usize) {
        let gone = if self.link == Reliability::Datagrams && n > 0 { self.end } else { n };
        self.sent = self.sent.saturating_add(gone).min(self.end);
        if self.is_empty() {
            self.sent = 0;
            self.end = 0;
            self.urgency = Urgency::Fill;
        }
    }

    /// The longest frame, kind to check, that can be built now.
    pub(super) fn room<F: Framing>(&self) -> usize {
        if self.link == Reliability::Datagrams && !self.is_empty() {
            return 0;
        }
        F::fits(self.buffer.len().saturating_sub(self.end))
    }

    /// Starts a frame of at most `max` bytes, kind to check.
    pub(super) fn begin<F: Framing>(&mut self, max: usize) -> Writer<'_> {
        let start = self.end.saturating_add(F::HEAD);
        let length = max.min(self.room::<F>()).saturating_sub(CHECK_LEN);
        let area = self.buffer.get_mut(start..start.saturating_add(length));
        Writer::new(area.unwrap_or_default())
    }

    /// `length` bytes of the frame that was begun are written.
    pub(super) fn built(&mut self, length: usize) {
        self.building = length;
    }

    /// Room for `length` more bytes of the frame that is being built.
    pub(super) fn payload<F: Framing>(&mut self, length: usize) -> &mut [u8] {
        let start = self.end.saturating_add(F::HEAD).saturating_add(self.building);
        self.buffer.get_mut(start..start.saturating_add(length)).unwrap_or_default()
    }

    /// Finishes the frame with `payload` more bytes. `start` is the start value of its check (§3.4).
    pub(super) fn finish<F: Framing, C: Crc32>(
        &mut self,
        framing: &mut F,
        crc: &mut C,
        start: u32,
        payload: usize,
        urgency: Urgency,
    ) -> Sealed {
        let place = if self.is_empty() { Place::First } else { Place::Behind };
        let out = self.buffer.get_mut(self.end..).unwrap_or_default();
        let length = self.building.saturating_add(payload);
        let (header, rest) = out
            .get_mut(F::HEAD..)
            .and_then(|frame| frame.split_at_mut_checked(self.building))
            .unwrap_or_default();
        let head = crc.update(start, header);
        let check = crc.update(head, rest.get(..payload).unwrap_or_default());
        if let Some(place) = rest.get_mut(payload..).and_then(<[u8]>::first_chunk_mut) {
            *place = check.to_le_bytes();
        }
        let wrapped = framing.wrap(out, length.saturating_add(CHECK_LEN), place);
        self.sent = self.sent.saturating_add(wrapped.start);
        self.end = self.end.saturating_add(wrapped.end);
        self.building = 0;
        if urgency == Urgency::Now {
            self.urgency = Urgency::Now;
        }
        Sealed { head, check }
    }
}

/// The check of a frame, and that of its start up to the payload: from the two follows the payload's own (§3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) head: u32,
    pub(super) check: u32,
}

impl Sealed {
    /// The CRC-32 of contents that had `before` and go on with this frame's payload of `length` bytes: with `h` up to the payload P
    /// and `k` over all, `k = shift(h, P) ^ crc(P)`, hence `shift(before, P) ^ crc(P) = shift(before ^ h, P) ^ k`.
    pub(super) fn extend(self, before: u32, length: usize, shift: &mut Shift) -> u32 {
        if shift.len() != length as u64 {
            *shift = Shift::new(length as u64);
        }
        shift.apply(before ^ self.head) ^ self.check
    }
}
