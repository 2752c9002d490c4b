//! Images in NOR flash: a sink for one image at a time, which survives a power cut at any moment.
//!
//! ```text
//!   journal, two sectors      slot A             slot B
//!   | record | record | ...   | the image   |    | the next one, as far as it has come |
//! ```
//!
//! A new image goes to the slot that the present one is not in. A record of the journal says which image is whole, and how far the next one has
//! come: the commit of an image is one record. Records are appended, each with a sequence number and a check; when a sector is full, the other
//! one is erased and goes on. So there is at every moment a record that is whole and true, and the newest of them counts.
//!
//! What was written is read back at once, and the CRC-32 is that of what the flash holds; what came before a reset is read again. Only whole sectors are durable: a transfer that
//! goes on erases the sector that was begun, and nothing before it.
//!
//! A flash is anything that implements [`NorFlash`](embedded_storage::nor_flash::NorFlash); nothing is written twice between two erases.

mod images;
mod journal;
mod layout;
mod record;

pub use images::{Images, OpenError};
pub use layout::{Layout, LayoutError, Slot};
pub use record::{Begun, Image, Key};

use crate::wire::{Crc32, Nibble};

/// Bytes that are read at a time where the page is in use; a sector is a multiple.
const PIECE: usize = 64;

fn crc(bytes: &[u8]) -> u32 {
    Nibble.update(0, bytes)
}
