//! What the devices and the timer have run.

use riscv::interrupt::Interrupt;
use riscv_rt::core_interrupt;

use super::CLAIM;
use crate::{clock, peek, poke, uart};

#[core_interrupt(Interrupt::MachineTimer)]
fn timer() {
    clock::tick();
}

/// Every interrupt of a device comes here; there is only the one.
#[core_interrupt(Interrupt::MachineExternal)]
fn device() {
    let claimed = peek(CLAIM);
    uart::interrupt();
    poke(CLAIM, claimed);
}
