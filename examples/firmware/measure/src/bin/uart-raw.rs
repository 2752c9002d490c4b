//! What the UART does by itself: reads as many bytes as come, and says one for every so many of them.

#![no_std]
#![no_main]

use board::{Clock, Link};
use cortex_m_rt::entry;
use embedded_io::{Read, ReadReady, Write};

const STEP: usize = 65_536;

#[entry]
fn main() -> ! {
    let clock = Clock::new();
    let mut link = Link::new();
    let mut buffer = [0; 600];
    let mut received = 0;
    loop {
        if link.read_ready() != Ok(true) {
            clock.sleep();
            continue;
        }
        received += link.read(&mut buffer).unwrap_or(0);
        if received >= STEP {
            received -= STEP;
            while link.write(b".").is_err() {}
        }
    }
}
