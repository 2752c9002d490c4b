//! What a session is made of, in the memory that C lends.

#[cfg(feature = "send")]
use sampan_core::{Both, Outgoing, Sender};
use sampan_core::{Incoming, Receiver};

use crate::begin::{Fault, Memory, slots};
#[cfg(feature = "repair")]
use crate::lists;
use crate::sizes::INCOMING_SIZE;
#[cfg(feature = "send")]
use crate::sizes::OUTGOING_SIZE;

#[cfg(feature = "send")]
pub(crate) type Role = Both<'static>;
#[cfg(not(feature = "send"))]
pub(crate) type Role = Receiver<'static>;

/// The role that is made of this memory.
///
/// # Safety
///
/// The memory is as it says, and nobody else uses it as long as the result is used.
pub(crate) unsafe fn role(memory: &Memory) -> Result<Role, Fault> {
    // SAFETY: the caller's promise.
    unsafe {
        #[cfg(feature = "send")]
        return Ok(Both { sender: sender(memory)?, receiver: receiver(memory)? });
        #[cfg(not(feature = "send"))]
        return receiver(memory);
    }
}

/// # Safety
///
/// As for [`role`].
unsafe fn receiver(memory: &Memory) -> Result<Receiver<'static>, Fault> {
    // SAFETY: the caller's promise.
    unsafe {
        let slots = slots(memory.incoming, INCOMING_SIZE, Incoming::FREE)?;
        #[cfg(feature = "repair")]
        return lists::receiver(slots, memory.gaps);
        #[cfg(not(feature = "repair"))]
        return Ok(Receiver::new(slots));
    }
}

/// # Safety
///
/// As for [`role`].
#[cfg(feature = "send")]
unsafe fn sender(memory: &Memory) -> Result<Sender<'static>, Fault> {
    // SAFETY: the caller's promise.
    unsafe {
        let slots = slots(memory.outgoing, OUTGOING_SIZE, Outgoing::FREE)?;
        #[cfg(feature = "repair")]
        return lists::sender(slots, memory.repairs);
        #[cfg(not(feature = "repair"))]
        return Ok(Sender::new(slots));
    }
}
