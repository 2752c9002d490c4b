//! Sampan on a computer: links, files and the loop that joins them to the engine of [`sampan_core`].
//!
//! - [`server`] and [`client`]: what the command `sampan` runs.
//! - `ctl`: speaking to everyone connected to a server, over its control socket.
//! - [`link`]: TCP, Unix sockets and pipes, named by URL and non-blocking for the loop; TCP that blocks.
//! - [`run`]: the one loop, which turns the engine and waits for the link or the engine's deadline.
//! - [`store`]: a directory that files are received into and served from, as the two halves of a [`Storage`](sampan_core::Storage);
//!   [`source`] and [`pipe`]: what a user has named to send.
//! - [`checks`] and [`digests`]: CRC-32 by the processor's instructions, and digests of whole files.
//! - [`memory`], [`clock`]: what a session works in, and the time.
//! - [`report`], [`failure`]: what there is to tell, and why something failed, as values.
//! - [`stop`], [`control`]: being asked to stop, by a signal or by another thread.

pub mod checks;
pub mod client;
pub mod clock;
pub mod control;
#[cfg(unix)]
pub mod ctl;
pub mod digests;
pub mod failure;
mod file_error;
mod happened;
mod identity;
mod kept;
pub mod link;
pub mod memory;
mod outbound;
pub mod pipe;
pub mod report;
mod reports;
pub mod run;
pub mod server;
mod serving;
pub mod source;
pub mod stop;
pub mod store;

pub use file_error::{Doing, FileError};
pub use reports::Reports;
