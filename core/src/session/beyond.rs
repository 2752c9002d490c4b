//! What has been received beyond gaps, in memory that the caller lends (§5.6, §8.5).
//!
//! ```text
//!   0          received                                  reach
//!   | all here | gap | stretch | gap | stretch ...       |
//! ```
//!
//! Behind a trait object, so that an end that lends no such memory links none of this.

use core::fmt;

use heapless::{Vec, VecView};

use super::incoming::{Incoming, Tail};
use super::lists::{insert, remove};
use super::receiver::Piece;
use super::shared::Shared;
use super::slots::Slots;
use super::transitions::ReceiveState;
use crate::wire::{Ack, Data, Gap, Writer, combine};

/// Bytes of one transfer that have been received in one piece, beyond a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stretch {
    transfer: u32,
    /// CRC-32 of its bytes.
    check: u32,
    start: u64,
    end: u64,
}

/// Memory for `N` gaps, of whatever transfers of a session ([`Receiver::with_gaps`](super::Receiver::with_gaps)). Each takes 24 bytes.
pub type Stretches<const N: usize> = Vec<Stretch, N>;

/// What a receiver asks of the memory for gaps.
pub(super) trait Beyond: Send + Sync {
    /// So many gaps can be remembered.
    fn capacity(&self) -> u32;

    /// What of a frame is to be stored: its first bytes that are missing, as far as they are in one piece.
    fn place(
        &mut self,
        slots: &mut Slots<'_, Incoming>,
        slot: usize,
        data: &Data<'_>,
        window: u32,
    ) -> Option<Piece>;

    /// The CRC-32 of the stretch that ends so far ahead of what is received, 0 if none does.
    fn check(&self, incoming: &Incoming, ahead: u32) -> u32;

    /// `length` bytes so far ahead of what is received are stored; with the stretch that they continue they have this check. Whether
    /// that is remembered.
    fn keep(
        &mut self,
        incoming: &mut Incoming,
        ahead: u32,
        length: usize,
        check: u32,
        shared: &Shared<'_>,
    ) -> Kept;

    /// More is received: what touches it is no longer beyond a gap.
    fn join(&mut self, incoming: &mut Incoming);

    /// END came, of more than is received.
    fn ends(&self, incoming: &mut Incoming, size: u64);

    /// The transfer begins anew.
    fn forget(&mut self, transfer: u32);

    /// A new session begins.
    fn forget_all(&mut self);

    /// Writes the ACK, with the gaps.
    fn emit(&self, incoming: &Incoming, ack: &Ack<'_>, w: &mut Writer<'_>);
}

/// Not asked of what implements it: the trait object would link formatting wherever gaps are remembered.
impl fmt::Debug for dyn Beyond + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Beyond({})", self.capacity())
    }
}

/// Whether stored bytes are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Yes,
    /// There was no room.
    No,
}

impl<const N: usize> Beyond for Stretches<N> {
    fn capacity(&self) -> u32 {
        u32::try_from(N).unwrap_or(u32::MAX)
    }

    fn place(
        &mut self,
        slots: &mut Slots<'_, Incoming>,
        slot: usize,
        data: &Data<'_>,
        window: u32,
    ) -> Option<Piece> {
        place(self.as_mut_view(), slots, slot, data, window)
    }

    fn check(&self, incoming: &Incoming, ahead: u32) -> u32 {
        let at = incoming.received.saturating_add(ahead.into());
        of(self, incoming.id).find(|stretch| stretch.end == at).map_or(0, |stretch| stretch.check)
    }

    fn keep(
        &mut self,
        incoming: &mut Incoming,
        ahead: u32,
        length: usize,
        check: u32,
        shared: &Shared<'_>,
    ) -> Kept {
        let start = incoming.received.saturating_add(ahead.into());
        let end = start.saturating_add(length as u64);
        let added = keep(self.as_mut_view(), Stretch { transfer: incoming.id, check, start, end });
        incoming.took(length, shared);
        match added {
            Some(Added::NewGap) => incoming.owe_ack(),
            Some(Added::Grown) => {}
            None => return Kept::No,
        }
        Kept::Yes
    }

    fn join(&mut self, incoming: &mut Incoming) {
        let (id, received) = (incoming.id, incoming.received);
        let view = self.as_mut_view();
        let index = view.partition_point(|stretch| stretch.key() < (id, received));
        let touching = view.get(index).copied().filter(|stretch| stretch.key() == (id, received));
        if let Some(stretch) = touching {
            remove(view, index);
            incoming.joins(stretch.length(), combine(incoming.check, stretch.check, stretch.length()));
        }
    }

    fn ends(&self, incoming: &mut Incoming, size: u64) {
        let reach = reach(self, incoming);
        if reach > size {
            incoming.differs("size differs");
        } else if reach == size {
            incoming.owe_ack();
        } else {
            incoming.lacks(reach);
        }
    }

    fn forget(&mut self, transfer: u32) {
        self.as_mut_view().retain(|stretch| stretch.transfer != transfer);
    }

    fn forget_all(&mut self) {
        self.clear();
    }

    fn emit(&self, incoming: &Incoming, ack: &Ack<'_>, w: &mut Writer<'_>) {
        let reach = reach(self, incoming);
        let tail = incoming.tail(reach);
        ack.emit_first(gaps(self, incoming, tail), w);
    }
}

impl Stretch {
    /// What they are ordered by.
    const fn key(&self) -> (u32, u64) {
        (self.transfer, self.start)
    }

    const fn length(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// The stretches of one transfer, ascending; between any two of them, and before the first, is a gap.
fn of(all: &[Stretch], transfer: u32) -> impl DoubleEndedIterator<Item = &Stretch> + Clone {
    let from = all.partition_point(|stretch| stretch.transfer < transfer);
    let to = all.partition_point(|stretch| stretch.transfer <= transfer);
    all.get(from..to).unwrap_or_default().iter()
}

/// Up to where something has been received.
fn reach(all: &[Stretch], incoming: &Incoming) -> u64 {
    of(all, incoming.id).next_back().map_or(incoming.received, |stretch| stretch.end)
}

/// The gaps, each with how many bytes follow it in one piece, and what is known to be missing at the end.
fn gaps<'a>(
    all: &'a [Stretch],
    incoming: &Incoming,
    tail: Option<Tail>,
) -> impl Iterator<Item = (Gap, u64)> + Clone + use<'a> {
    let mut from = incoming.received;
    let between = of(all, incoming.id).map(move |stretch| {
        let gap = Gap { start: from, length: stretch.start.saturating_sub(from) };
        from = stretch.end;
        (gap, stretch.length())
    });
    between.chain(tail.map(|Tail { start, length }| (Gap { start, length }, 0)))
}

fn place(
    all: &mut VecView<Stretch>,
    slots: &mut Slots<'_, Incoming>,
    slot: usize,
    data: &Data<'_>,
    window: u32,
) -> Option<Piece> {
    let incoming = slots.get_mut(slot)?;
    let (id, received) = (incoming.id, incoming.received);
    let end = data.offset.saturating_add(data.payload.len() as u64);
    let first = data.offset.max(received);
    let mut from = first;
    let mut to = end;
    // Of what ends where the piece begins.
    let mut before = (from == received).then_some(incoming.check);
    let mut fills = false;
    for stretch in of(all, id).skip_while(|stretch| stretch.end < first) {
        if stretch.start > from {
            fills = stretch.start <= end;
            to = end.min(stretch.start);
            break;
        }
        from = stretch.end;
        before = Some(stretch.check);
    }
    if from >= end {
        incoming.owe_ack();
        return None;
    }
    let ahead = from.saturating_sub(received);
    // Further than the credit ever reached.
    if ahead > 0 && end.saturating_sub(received) > window.into() {
        return None;
    }
    if before.is_none() && !fills && all.is_full() {
        forget_what_is_over(all, slots);
        if all.is_full() {
            let incoming = slots.get_mut(slot)?;
            match reach(all, incoming) {
                reach if from >= reach => incoming.misses(reach),
                _ => incoming.owe_ack(),
            }
            return None;
        }
    }
    let skip = usize::try_from(from.saturating_sub(data.offset)).ok()?;
    let length = usize::try_from(to.saturating_sub(from)).ok()?;
    Some(Piece { slot, ahead: u32::try_from(ahead).ok()?, skip, length, before: before.unwrap_or_default() })
}

/// Lets go of the stretches of transfers that have ended.
fn forget_what_is_over(all: &mut VecView<Stretch>, slots: &Slots<'_, Incoming>) {
    let is_open = |id| slots.iter().any(|slot| slot.id == id && slot.state == ReceiveState::Receiving);
    let mut last = (0, false);
    all.retain(|stretch| {
        if stretch.transfer != last.0 {
            last = (stretch.transfer, is_open(stretch.transfer));
        }
        last.1
    });
}

/// What a stored piece has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Added {
    /// Between it and what was received before it is a gap that was not seen yet, or there are two where there was one.
    NewGap,
    Grown,
}

/// Adds a piece, whose check is that of the stretch which it continues and its own; `None` if there is no room for it.
fn keep(all: &mut VecView<Stretch>, piece: Stretch) -> Option<Added> {
    let index = all.partition_point(|stretch| stretch.key() < piece.key());
    let next = all.get(index).copied().filter(|next| next.key() == (piece.transfer, piece.end));
    let whole = next.map_or(piece, |next| Stretch {
        end: next.end,
        check: combine(piece.check, next.check, next.length()),
        ..piece
    });
    let before = index.checked_sub(1).and_then(|before| all.get_mut(before));
    if let Some(before) = before.filter(|before| (before.transfer, before.end) == piece.key()) {
        *before = Stretch { start: before.start, ..whole };
        if next.is_some() {
            remove(all, index);
        }
        return Some(Added::Grown);
    }
    if next.is_some() {
        *all.get_mut(index)? = whole;
        return Some(Added::Grown);
    }
    insert(all, index, whole).then_some(Added::NewGap)
}

#[cfg(test)]
mod tests;
