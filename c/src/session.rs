//! A session in the memory that C lends.

use sampan_core::wire::Nibble;
use sampan_core::{self as engine, AnyFraming, Instant, Session as OfRole};

use crate::lent::{Answer, Lent};
use crate::role::Role;

pub(crate) type Inner = OfRole<'static, Role, AnyFraming, Nibble>;

/// A session over one link, in memory that the caller lends.
#[derive(Debug)]
pub struct Session {
    pub(crate) inner: Inner,
    /// What was lent last.
    pub(crate) lent: Lent,
    /// What was said to the offer or the wish that was lent, until it is lent again.
    pub(crate) answer: Answer,
}

/// The memory of a session. The session borrows the limits, so they lie beside it and no reference to both is ever made.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) limits: engine::Limits,
    pub(crate) session: Session,
}

/// Where a session stands (§8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Both ends do not know each other yet.
    Opening = 0,
    /// Both ends know each other's limits.
    Open = 1,
    /// It has failed; a last word may still be on its way out.
    Ending = 2,
    /// It is over.
    Closed = 3,
}

/// No instant.
pub const NEVER: u64 = u64::MAX;

pub(crate) fn instant(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

pub(crate) fn micros(instant: Option<Instant>) -> u64 {
    instant.map_or(NEVER, Instant::as_micros)
}
