//! What a session remembers of links that lose frames, in the memory that C lends.

use heapless::Vec;
use sampan_core::{Incoming, Receiver, Stretch};
#[cfg(feature = "send")]
use sampan_core::{Missing, Outgoing, Sender};

use crate::begin::{Fault, first};
use crate::bytes::Room;
#[cfg(feature = "send")]
use crate::sizes::REPAIR_SIZE;
use crate::sizes::{GAP_SIZE, LIST_SIZE};

/// A list may have as many entries as the largest of these for which there is room.
const FEW: usize = 4;
const SOME: usize = 16;
const MANY: usize = 64;

/// A receiver that remembers as many gaps as there is room for.
///
/// # Safety
///
/// The room is as it says, and nobody else uses it as long as the result is used.
pub(crate) unsafe fn receiver(
    slots: &'static mut [Incoming],
    room: Room,
) -> Result<Receiver<'static>, Fault> {
    // SAFETY: the caller's promise.
    unsafe {
        Ok(match entries(room, GAP_SIZE) {
            None => Receiver::new(slots),
            Some(MANY..) => Receiver::with_gaps(slots, list::<Stretch, MANY>(room)?),
            Some(SOME..) => Receiver::with_gaps(slots, list::<Stretch, SOME>(room)?),
            Some(_) => Receiver::with_gaps(slots, list::<Stretch, FEW>(room)?),
        })
    }
}

/// A sender that remembers as much of what is missing as there is room for.
///
/// # Safety
///
/// The room is as it says, and nobody else uses it as long as the result is used.
#[cfg(feature = "send")]
pub(crate) unsafe fn sender(slots: &'static mut [Outgoing], room: Room) -> Result<Sender<'static>, Fault> {
    // SAFETY: the caller's promise.
    unsafe {
        Ok(match entries(room, REPAIR_SIZE) {
            None => Sender::new(slots),
            Some(MANY..) => Sender::with_repairs(slots, list::<Missing, MANY>(room)?),
            Some(SOME..) => Sender::with_repairs(slots, list::<Missing, SOME>(room)?),
            Some(_) => Sender::with_repairs(slots, list::<Missing, FEW>(room)?),
        })
    }
}

/// How many entries of this size there is room for; `None` if no memory is lent.
fn entries(room: Room, size: usize) -> Option<usize> {
    (!room.bytes.is_null())
        .then(|| room.length.saturating_sub(LIST_SIZE).checked_div(size).unwrap_or_default())
}

/// An empty list in the room.
///
/// # Safety
///
/// The room is as it says, and nobody else uses it as long as the result is used.
unsafe fn list<T, const N: usize>(room: Room) -> Result<&'static mut Vec<T, N>, Fault> {
    let place: *mut Vec<T, N> = first(room, size_of::<Vec<T, N>>())?;
    // SAFETY: it is large enough and aligned, and as the caller promises.
    unsafe {
        place.write(Vec::new());
        Ok(&mut *place)
    }
}
