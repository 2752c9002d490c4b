//! Servers, clients and hostile peers to try the command with.
//!
//! [`Arena`] is a server with something to protect, [`Sampan`] runs a client, [`Framed`] is a peer that is played by hand, and
//! [`Arena::oracle`] says whether an attack has changed anything.

mod arena;
mod control;
mod events;
mod expecting;
pub(crate) mod framed;
pub(crate) mod hostile;
mod oracle;
pub(crate) mod place;
mod process;
pub(crate) mod proxy;
mod raw;
mod run;
mod sentinel;
mod server;
mod usage;

pub(crate) use arena::Arena;
pub(crate) use control::{Answers, Asked};
pub(crate) use events::{Events, assert_printable};
pub(crate) use framed::Framed;
pub(crate) use hostile::HostileServer;
pub(crate) use oracle::Oracle;
pub(crate) use place::{Place, entries};
pub(crate) use process::{Killed, signal};
pub(crate) use raw::Raw;
pub(crate) use run::{Ran, Running, Sampan};
pub(crate) use sentinel::Sentinel;
pub(crate) use server::Server;
pub(crate) use usage::Usage;

use std::time::{Duration, Instant};

/// How long a good client may take, and how soon everything must be back to what it was.
pub(crate) const SOON: Duration = Duration::from_secs(5);

/// A deadline for what must happen, generous because tests share the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Looks until `found` says so.
///
/// # Panics
///
/// If it does not in `within`; `what` says what was waited for.
#[track_caller]
pub(crate) fn until<T>(what: &str, within: Duration, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(Instant::now() < deadline, "{what}: not in {within:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// `length` bytes that look like no others: different seeds give different contents.
pub(crate) fn content(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
