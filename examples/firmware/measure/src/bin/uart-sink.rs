//! Receives files over the UART, and keeps nothing of them: what the UART carries of files, beside what it carries of bytes (`uart-raw`).

#![no_std]
#![no_main]

#[path = "../nowhere.rs"]
mod nowhere;

use board::engine::{self, Happened, Memory};
use board::{Clock, Link, random};
use cortex_m_rt::entry;
use nowhere::Nowhere;
use sampan_core::{Nonce, Speaks};

#[entry]
fn main() -> ! {
    let clock = Clock::new();
    let mut link = Link::new();
    let mut memory = Memory::NEW;
    let mut store = Nowhere::default();
    let mut opening = (Speaks::Second, Nonce::new(random()));
    loop {
        let mut session = engine::receiver(&mut memory, opening, clock.now());
        loop {
            match engine::turn(&mut session, &mut link, &mut store, clock.now()) {
                Happened::Nothing => clock.sleep(),
                Happened::Closed => break,
                _ => {}
            }
        }
        opening = engine::successor(&session).unwrap_or((Speaks::Second, Nonce::new(random())));
    }
}
