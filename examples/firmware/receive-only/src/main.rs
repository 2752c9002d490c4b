//! Receives files over the UART into the flash, one at a time, for as long as the board runs; with the feature `both` it gives them back, too.
//!
//! A transfer that is cut off, even by a reset, goes on from what the flash holds. A real board would then start what it
//! received, or show it; this one only keeps it.

#![no_std]
#![no_main]

mod engine;
#[cfg(feature = "spoilt")]
mod spoilt;

use board::{Clock, Store, Uart, random};
use engine::After;

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(not(target_arch = "arm"), unsafe(no_mangle))]
fn main() -> ! {
    let (mut uart, mut clock, mut store) = (Uart::new(), Clock::new(), Store::new());
    #[cfg(feature = "both")]
    let mut button = board::Button::new();
    #[cfg(feature = "spoilt")]
    core::hint::black_box(spoilt::spoil(random()));
    loop {
        // SAFETY: the session of the round before is gone.
        let Some(session) = (unsafe { engine::begin(random(), clock.now()) }) else { continue };
        // Whatever ends a session, the next one goes on with the file.
        while !matches!(engine::turn(session, &mut uart, &mut store, clock.now()), After::Closed) {
            #[cfg(feature = "both")]
            if button.is_pressed() {
                engine::offer(session);
            }
        }
    }
}
