//! Sampan on a computer: links, files and the loop that joins them to the engine of [`sampan_core`].
//!
//! The protocol is in the core; here is what it asks of a host with an operating system:
//!
//! - [`link`]: TCP, non-blocking for the loop, or blocking.
//! - [`run`]: the one loop, which turns the engine and waits for the link or the engine's deadline.
//! - [`source`] and [`sink`]: regular files as the two halves of a [`Storage`](sampan_core::Storage).
//! - [`checks`] and [`digests`]: CRC-32 by the processor's instructions, and digests of whole files.
//! - [`memory`], [`clock`]: what a session works in, and the time.
//! - [`report`], [`failure`]: what there is to tell, and why something failed, as values.
//! - [`stop`]: being asked to stop, by a signal or otherwise.

pub mod checks;
pub mod clock;
pub mod digests;
pub mod failure;
mod file_error;
mod flusher;
pub mod link;
pub mod memory;
pub mod report;
pub mod run;
pub mod sink;
pub mod source;
pub mod stop;

pub use file_error::{Doing, FileError};
