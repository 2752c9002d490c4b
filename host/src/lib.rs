//! Sampan on a computer: links, files and the loop that joins them to the engine of [`sampan_core`].
//!
//! The protocol is in the core; here is what it asks of a host with an operating system:
//!
//! - [`link`]: TCP, Unix sockets and pipes, named by URL and non-blocking for the loop; TCP that blocks.
//! - [`run`]: the one loop, which turns the engine and waits for the link or the engine's deadline.
//! - [`store`]: a directory that files are received into and served from, as the two halves of a [`Storage`](sampan_core::Storage);
//!   [`source`]: files that a user has named.
//! - [`report`] and [`failure`]: what they have to tell.
//! - [`checks`] and [`digests`]: CRC-32 by the processor's instructions, and digests of whole files.
//! - [`memory`], [`clock`]: what a session works in, and the time.

pub mod checks;
pub mod clock;
pub mod control;
pub mod digests;
pub mod failure;
mod file_error;
pub mod link;
pub mod memory;
mod outbound;
pub mod pipe;
pub mod report;
pub mod run;
pub mod source;
pub mod stop;
pub mod store;

pub use file_error::{Doing, FileError};
