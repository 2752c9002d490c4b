//! The engine of a board: the whole one, or with the feature `lean` the small one.
//!
//! A superloop sees the same of both: [`receiver`] or [`node`] begins a session in [`Memory`], [`turn`] takes a turn of it.

#[cfg(not(feature = "lean"))]
mod full;
#[cfg(feature = "lean")]
mod lean;

#[cfg(not(feature = "lean"))]
use full as chosen;
#[cfg(feature = "lean")]
use lean as chosen;

pub use chosen::{Memory, Node, Receiver, node, receiver, successor, turn};

use sampan_core::wire::Code;
use sampan_core::{Nonce, Speaks};

/// How a session begins.
pub type Opening = (Speaks, Nonce);

/// Bytes that may be on their way here. They fit the UART's ring, so that they wait there while a sector is erased.
const WINDOW: u32 = 2_048;

/// What a turn of the session comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// Something was done, or something is to be done at once.
    Worked,
    /// Nothing: until a byte comes, or time has passed.
    Nothing,
    /// Somebody has come: a session has opened; with the lean engine, which does not tell of that, something was offered.
    Met,
    /// A file is there.
    Received,
    /// A file is not there, and why.
    Failed(Code),
    /// What was sent is over.
    Sent,
    /// The session is over, for whatever reason.
    Closed,
}
