//! How much memory a session needs. The header has these numbers; here they are compared with what the compiler made of the types.

use core::mem::{align_of, size_of};

use sampan_core::{Incoming, Outgoing};

use crate::session::Place;

/// Bytes of the memory of a session, without buffers and transfers.
#[cfg(target_pointer_width = "64")]
pub const SESSION_SIZE: usize = 1_344;
/// Bytes of the memory of a session, without buffers and transfers.
#[cfg(target_pointer_width = "32")]
pub const SESSION_SIZE: usize = 1_152;

/// Bytes of the memory of one transfer to this end.
pub const INCOMING_SIZE: usize = 104;

/// Bytes of the memory of one transfer from this end.
pub const OUTGOING_SIZE: usize = 144;

/// The addresses of the memory of a session and of transfers are multiples of this.
pub const ALIGN: usize = 8;

const _: () = assert!(size_of::<Place>() <= SESSION_SIZE && align_of::<Place>() <= ALIGN);
const _: () = assert!(size_of::<Incoming>() <= INCOMING_SIZE && align_of::<Incoming>() <= ALIGN);
const _: () = assert!(size_of::<Outgoing>() <= OUTGOING_SIZE && align_of::<Outgoing>() <= ALIGN);
