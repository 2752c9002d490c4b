//! The engine of [`sampan_core`] for C: `include/sampan.h` is made of what is public here, by cbindgen.
//!
//! A C caller lends the memory, polls for what is to be done, does it, and answers, as a driver in Rust would. Nothing is allocated and nothing
//! is called back. What C hands over is taken as it is declared: pointers must be valid, numbers may be anything.

#![cfg_attr(feature = "panic-handler", no_std)]
#![warn(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::std_instead_of_core
)]

mod action;
mod answers;
mod begin;
mod bytes;
mod calls;
mod closed;
mod code;
mod event;
mod lent;
mod limits;
mod listing;
#[cfg(feature = "repair")]
mod lists;
#[cfg(feature = "panic-handler")]
mod panic;
mod role;
mod session;
mod sizes;

pub use action::{
    Action, Commit, Describe, Fetch, Finish, Identity, Offered, Say, Store, Sync, UNKNOWN, UNKNOWN_TIME,
    Wanted,
};
pub use answers::Description;
pub use begin::{Begun, Fault, Framing, Memory, Setup, Speaks};
pub use bytes::{Bytes, Room, Text};
pub use closed::{Closed, Reason};
pub use code::{Code, Digest, FileType, Start};
pub use event::{Event, Failure, Sent};
pub use limits::{Directions, Limits};
pub use listing::Entry;
pub use session::{NEVER, Session, State};
pub use sizes::{ALIGN, GAP_SIZE, INCOMING_SIZE, LIST_SIZE, OUTGOING_SIZE, REPAIR_SIZE, SESSION_SIZE};
