#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::arithmetic_side_effects,
        clippy::std_instead_of_core,
        clippy::alloc_instead_of_core
    )
)]
#![doc = include_str!("../README.md")]

#[cfg(test)]
extern crate std;

#[macro_use]
mod log;

mod action;
pub mod classic;
mod digest;
pub mod driver;
mod engine;
mod error;
#[cfg(feature = "nor-flash")]
pub mod flash;
mod framing;
pub mod lean;
mod limits;
pub mod session;
mod storage;
mod units;
pub mod wire;

pub use action::{Action, By, Ending, Event, Failure, Next, Offered, Refusal, ResumePoint, Sent, Wanted};
pub use digest::{Digest, Running};
pub use engine::Engine;
pub use error::{Error, LinkError, PeerError, ResourceError};
pub use framing::{AnyFraming, Cobs, Datagrams, Deframed, Framing, Place, Reliability, Stream};
pub use limits::{Directions, Limits};
pub use session::{
    Both, Buffers, Incoming, Missing, Nonce, Outgoing, Receiver, Receives, Role, Sender, Sends, Session,
    Speaks, Stretch, Stretches,
};
pub use storage::{Asked, Completion, Description, FileType, Part, Start, Storage, Verdict};
pub use units::{Instant, Millis, TransferId, WantId};
