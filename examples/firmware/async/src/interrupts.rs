//! What the devices have run: the board's own routines, and then the tasks that wait.

use cortex_m_rt::exception;

use crate::{link, time};

#[exception]
fn SysTick() {
    board::clock::tick();
    time::wake();
}

/// Every interrupt of a device comes here; only the UART has any.
#[exception]
unsafe fn DefaultHandler(_: i16) {
    board::uart::interrupt();
    link::wake();
}
