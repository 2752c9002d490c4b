//! What the devices have run.

use cortex_m_rt::exception;

use crate::{clock, uart};

#[cfg(not(feature = "microbit"))]
#[exception]
fn SysTick() {
    clock::tick();
}

/// Every interrupt of a device comes here; there are two at most.
#[exception]
unsafe fn DefaultHandler(_: i16) {
    uart::interrupt();
    #[cfg(feature = "microbit")]
    clock::tick();
}
