//! A board that moves its image over the UART that carries its log, in a task of an executor: a session in both roles, beside two other tasks.
//!
//! ```text
//!   session:   turns of the async driver, which waits for the link and for the engine's deadline at once
//!   work:      ten times a second; what it has done it says once a second
//!   talk:      sends what was said, between frames
//! ```
//!
//! Nobody polls: the processor sleeps until a byte, room for one, or a tick wakes a task.

#![no_std]
#![no_main]

mod executor;
mod interrupts;
mod link;
mod session;
mod text;
mod time;
mod work;

use board::{Clock, uart};
// For its critical sections.
use cortex_m as _;
use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    Clock::new();
    uart::begin();
    executor::run(|spawner| {
        spawner.spawn(session::run().expect("it runs once"));
        spawner.spawn(text::talk().expect("it runs once"));
        spawner.spawn(work::work().expect("it runs once"));
    })
}
