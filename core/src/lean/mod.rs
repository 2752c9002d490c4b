//! The smallest engine: one transfer each way at a time, in order, for boards whose flash is counted in kilobytes.
//!
//! It speaks the whole protocol that such an end needs, over a reliable stream or a line that loses frames: resume, check, credit, repeats, deadlines.
//! Whoever is at the other end cannot tell. A [`Receiver`] only receives, a [`Node`] sends, too. The caller polls and is lent an [`Ask`], or has
//! [a driver](crate::driver::lean) do so with a [`Store`]; [`Adapted`] is for the other drivers and for a [`Storage`](crate::Storage). What it does without:
//!
//! - It says nothing by events: the store hears of every transfer, whether it is kept, and of its end. Notices are answered, and not shown.
//! - Files are at most 4 GiB - 1, and have no digest but CRC-32. Modification times are neither sent nor kept.
//! - It wants nothing of its peer by itself, and never says goodbye first.
//! - The deadlines are those of §13 and cannot be set. It asks to be called four times a second.
//! - A sender waits a second for an answer at first (§8.5), and measures no round trips.
//! - Words beside a code are neither sent nor read, and bytes on the line that are no frame are dropped.

mod adapted;
mod fields;
mod frames;
mod framing;
mod owed;
mod poll;
mod sender;
mod session;
mod state;
mod store;
#[cfg(test)]
mod tests;

pub use adapted::Adapted;
pub use framing::{Cobs, Framing, Piece, Stream};
pub use poll::{Ask, Offer, Wish};
pub use sender::{Contents, Description, Role, Sender};
pub use session::{Node, Receiver, Session, Setup};
pub use store::{Store, Verdict};

use crate::units::Instant;

/// In microseconds.
const SECOND: u64 = 1_000_000;

/// Microseconds in a step, as a power of two.
const STEP: u32 = 18;

/// A moment, in steps of about a quarter of a second: deadlines need no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Moment(u32);

impl Moment {
    fn of(now: Instant) -> Self {
        Self((now.as_micros() >> STEP) as u32)
    }

    /// Whether it lies so long before `now`.
    fn is_past(self, span: Span, now: Self) -> bool {
        now.0.wrapping_sub(self.0) >= span.0
    }
}

/// A span of time in those steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
struct Span(u32);

impl Span {
    /// So many seconds or a little more.
    const fn seconds(seconds: u32) -> Self {
        Self((seconds.wrapping_mul(SECOND as u32) >> STEP).wrapping_add(1))
    }
}
