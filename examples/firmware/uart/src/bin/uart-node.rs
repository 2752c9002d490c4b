//! A board whose image can be listed, fetched and replaced over the UART that carries its log: a session in both roles.
//!
//! What it has is one file, `image.bin`, in the flash.

#![no_std]
#![no_main]

use board::engine::{self, Happened, Memory};
use board::{BOARD, Clock, Link, NAME, PAGE, Store, Work, entry, random};
use sampan_core::{Nonce, Speaks};

#[entry]
fn main() -> ! {
    let clock = Clock::new();
    let mut link = Link::new();
    let (mut page, mut memory) = ([0; PAGE], Memory::NEW);
    let mut store = Store::new(board::open(&mut page));
    let mut work = Work::new(clock.now());
    let mut opening = (Speaks::Second, Nonce::new(random()));
    loop {
        let mut session = engine::node(&mut memory, opening, clock.now());
        loop {
            let before = clock.now();
            let happened = engine::turn(&mut session, &mut link, &mut store, before);
            work.waited(before, clock.now());
            match happened {
                Happened::Received => link.say(format_args!("{BOARD}: has a new {NAME}")),
                Happened::Sent => store.sent(),
                Happened::Worked | Happened::Met | Happened::Failed(_) => {}
                Happened::Nothing => {
                    if !link.has_to_say() {
                        clock.sleep();
                    }
                }
                Happened::Closed => break,
            }
            link.talk();
            work.go_on(clock.now());
        }
        store.sent();
        opening = engine::successor(&session).unwrap_or((Speaks::Second, Nonce::new(random())));
    }
}
