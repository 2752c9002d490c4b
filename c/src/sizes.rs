//! How much memory a session needs. The header has these numbers; here they are compared with what the compiler made of the types.

use core::mem::{align_of, size_of};

#[cfg(feature = "repair")]
use heapless::Vec;
use sampan_core::{Incoming, Outgoing};
#[cfg(feature = "repair")]
use sampan_core::{Missing, Stretch};

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

/// Bytes of a list of gaps or of what is missing, without its entries.
pub const LIST_SIZE: usize = 8;

/// Bytes of one gap that is remembered.
pub const GAP_SIZE: usize = 24;

/// Bytes of one range that is missing and is remembered.
pub const REPAIR_SIZE: usize = 56;

/// The addresses of the memory of a session, of transfers and of lists are multiples of this.
pub const ALIGN: usize = 8;

const _: () = assert!(size_of::<Place>() <= SESSION_SIZE && align_of::<Place>() <= ALIGN);
const _: () = assert!(size_of::<Incoming>() <= INCOMING_SIZE && align_of::<Incoming>() <= ALIGN);
const _: () = assert!(size_of::<Outgoing>() <= OUTGOING_SIZE && align_of::<Outgoing>() <= ALIGN);

#[cfg(feature = "repair")]
const _: () = {
    assert!(size_of::<Vec<Stretch, 4>>() <= LIST_SIZE + 4 * GAP_SIZE && align_of::<Stretch>() <= ALIGN);
    assert!(size_of::<Vec<Missing, 4>>() <= LIST_SIZE + 4 * REPAIR_SIZE && align_of::<Missing>() <= ALIGN);
};
