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
//! measured, and said whenever a session opens.

#![no_std]
#![no_main]

use board::{BOARD, Clock, Link, PAGE, SECTOR, Shown, Slots, Work, entry, random};
use sampan_core::driver::{Turn, nb::turn};
use sampan_core::wire::Nibble;
use sampan_core::{Buffers, Cobs, Engine, Event, Incoming, Limits, Next, Nonce, Receiver, Session, Speaks};

/// What may be on its way here fits the UART's ring, so that it waits there while a sector is erased.
static LIMITS: Limits = Limits { window: 2_048, name: 64, sync_bytes: SECTOR, ..Limits::SMALL };

#[entry]
fn main() -> ! {
    let clock = Clock::new();
    let mut link = Link::new();
    let (mut page, mut receive, mut transmit, mut incoming) =
        ([0; PAGE], [0; 600], [0; 128], [Incoming::FREE]);
    let mut images = board::open(&mut page);
    start(&mut images, &mut link);
    let mut work = Work::new(clock.now());
    // Whoever was sending the rest when the board was reset hears of it. Otherwise the board waits to be spoken to: what is on the other end of
    // the wire may be a terminal.
    let speaks = if images.begun().is_some() { Speaks::First } else { Speaks::Second };
    let mut opening = (speaks, Nonce::new(random()));
    loop {
        let session = Session::with_framing(
            Buffers { receive: &mut receive, transmit: &mut transmit },
            &LIMITS,
            Receiver::new(&mut incoming),
            (Cobs::new(), Nibble),
            opening,
            clock.now(),
        );
        let mut session = session.expect("the buffers are large enough");
        loop {
            let before = clock.now();
            let turned = turn(&mut session, &mut link, &mut images, before);
            work.waited(before, clock.now());
            match turned {
                Ok(Turn::Event(Event::Opened)) => report(&images, &work, &mut link),
                Ok(Turn::Event(Event::Received { .. })) => received(&images, &mut link),
                Ok(Turn::Event(Event::ReceiveFailed(failure))) => {
                    link.say(format_args!("{BOARD}: the image is not there: {}", failure.code));
                }
                Ok(Turn::Worked | Turn::Event(_)) => {}
                Err(nb::Error::WouldBlock) => {
                    let waits = matches!(session.next(before), Next::Wait(Some(until)) if until > before);
                    if waits && !link.has_to_say() {
                        clock.sleep();
                    }
                }
                // Whatever ended this session, the next one goes on with the image.
                Ok(Turn::Closed) | Err(nb::Error::Other(_)) => break,
            }
            link.talk();
            work.go_on(clock.now());
        }
        opening = session.successor().unwrap_or((Speaks::Second, Nonce::new(random())));
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
