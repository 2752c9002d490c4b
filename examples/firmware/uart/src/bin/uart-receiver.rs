//! A board that takes its firmware over the UART that also carries its log.
//!
//! ```text
//!   loop {
//!       a turn of the session:  at most one read and one action
//!       text that waits:        as much as the UART has room for
//!       other work:             ten times a second
//!       sleep, if there is nothing to do
//!   }
//! ```
//!
//! An image goes into the flash beside the one that is there, is verified, and is what is started from then on. A reset or a power cut at any
//! moment leaves one or the other; what has come by then need not be sent again.
//!
//! One turn of the session does at most one of these: erase a sector; write the pages of one frame and read them back; write a record of the journal, for
//! which a sector of it may have to be erased. What it computes beside that is bounded by the length of a frame. How long the longest took is
//! measured, and said whenever somebody comes.

#![no_std]
#![no_main]

use board::engine::{self, Happened, Memory};
use board::{BOARD, Clock, Link, PAGE, Shown, Slots, Work, entry, random};
use sampan_core::{Nonce, Speaks};

#[entry]
fn main() -> ! {
    let clock = Clock::new();
    let mut link = Link::new();
    let (mut page, mut memory) = ([0; PAGE], Memory::NEW);
    let mut images = board::open(&mut page);
    start(&mut images, &mut link);
    let mut work = Work::new(clock.now());
    // Whoever was sending the rest when the board was reset hears of it. Otherwise the board waits to be spoken to: what is on the other end of
    // the wire may be a terminal.
    let speaks = if images.begun().is_some() { Speaks::First } else { Speaks::Second };
    let mut opening = (speaks, Nonce::new(random()));
    loop {
        let mut session = engine::receiver(&mut memory, opening, clock.now());
        loop {
            let before = clock.now();
            let happened = engine::turn(&mut session, &mut link, &mut images, before);
            work.waited(before, clock.now());
            match happened {
                Happened::Met => report(&images, &work, &mut link),
                Happened::Received => received(&images, &mut link),
                Happened::Failed(code) => {
                    link.say(format_args!("{BOARD}: the image is not there: {code}"));
                }
                Happened::Worked | Happened::Sent => {}
                Happened::Nothing => {
                    if !link.has_to_say() {
                        clock.sleep();
                    }
                }
                // Whatever ended this session, the next one goes on with the image.
                Happened::Closed => break,
            }
            link.talk();
            work.go_on(clock.now());
        }
        opening = engine::successor(&session).unwrap_or((Speaks::Second, Nonce::new(random())));
    }
}

/// What a boot loader does: looks whether the image is right, and starts it.
fn start(images: &mut Slots<'_>, link: &mut Link) {
    match images.whole().copied() {
        None => link.say(format_args!("{BOARD}: no image")),
        Some(image) if images.holds(&image) == Ok(true) => {
            link.say(format_args!("{BOARD}: starts {}", Shown(&image)));
        }
        Some(image) => link.say(format_args!("{BOARD}: damaged: {}", Shown(&image))),
    }
    say_begun(images, link);
}

fn say_begun(images: &Slots<'_>, link: &mut Link) {
    if let Some(begun) = images.begun() {
        link.say(format_args!("{BOARD}: has {} bytes of another image", begun.offset));
    }
}

/// For whoever has just come.
fn report(images: &Slots<'_>, work: &Work, link: &mut Link) {
    match images.whole() {
        Some(image) => link.say(format_args!("{BOARD}: has {}", Shown(image))),
        None => link.say(format_args!("{BOARD}: has no image")),
    }
    say_begun(images, link);
    link.say(format_args!(
        "{BOARD}: longest turn {} us, other work late by at most {} us",
        work.longest_turn, work.latest
    ));
}

fn received(images: &Slots<'_>, link: &mut Link) {
    if let Some(image) = images.whole() {
        link.say(format_args!("{BOARD}: will start {}", Shown(image)));
    }
}
