//! Runs the tasks on the thread of the program. The executor that embassy has for this processor sleeps by WFE, which an emulator may take for a mere hint;
//! this one sleeps by WFI.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, Ordering};

use embassy_executor::Spawner;
use embassy_executor::raw::Executor;
use static_cell::StaticCell;

/// Whether a task was woken.
static PENDS: AtomicBool = AtomicBool::new(false);

#[unsafe(export_name = "__pender")]
fn pends(_: *mut ()) {
    PENDS.store(true, Ordering::Release);
}

/// Runs what `begin` spawns, and sleeps when none of it can go on.
pub fn run(begin: impl FnOnce(Spawner)) -> ! {
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();
    let executor = EXECUTOR.init(Executor::new(null_mut()));
    begin(executor.spawner());
    loop {
        PENDS.store(false, Ordering::Release);
        // SAFETY: nobody else polls it, and it was not moved since it was made.
        unsafe { executor.poll() };
        board::sleep_unless(|| PENDS.load(Ordering::Acquire));
    }
}
