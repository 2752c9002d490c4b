//! The classic handshake (§14): an engine for each side of it, behind the same drivers and the same storage as a session.
//!
//! ```text
//!   client (Sender)                      server (Receiver)
//!   name             ------------------>
//!                    <------------------ [+] server : filename query ok
//!   size             ------------------>
//!                    <------------------ [+] server : filesize query ok
//!   contents         ------------------>
//!   end of stream    ------------------>
//!                    <------------------ [+] server : finished transferring file
//! ```
//!
//! Nothing frames these texts and nothing checks them but the size. One connection carries one file, [`TRANSFER`].
//!
//! How it ends is said exactly once. What concerns the file (it is there, it was refused, it is not what was announced) is an event:
//! `Sent`, `SendFailed`, `Received` or `ReceiveFailed`, after which the engine is closed with `Ok`. What concerns the link (lost, silent, too
//! slow) is no event: the engine is closed with that error, and the same file may be sent again on another connection.

mod line;
mod name;
mod receiver;
mod sender;
mod shift;
mod size;
mod text;
pub mod transitions;

pub use receiver::Receiver;
pub use sender::Sender;

use crate::error::{Error, ResourceError};
use crate::session::Buffers;
use crate::units::{Millis, TransferId};

/// The only transfer of a connection.
pub const TRANSFER: TransferId = TransferId(1);

/// The least length of either buffer, in bytes: the three replies and more.
pub const MIN_BUFFER: usize = 128;

/// What arrives this long after the first bytes of a name, a size or a reply belongs to it (§14.4).
const MORE: Millis = Millis(50);

/// How long the last words may take to go out, or to be read (§14.4).
const LINGER: Millis = Millis(1_000);

fn check_buffers(buffers: &Buffers<'_>) -> Result<(), Error> {
    if buffers.receive.len().min(buffers.transmit.len()) < MIN_BUFFER {
        return Err(Error::Resource(ResourceError::BufferTooSmall { needed: MIN_BUFFER }));
    }
    Ok(())
}
