//! A board whose image can be listed, fetched and replaced over the UART that carries its log: a session in both roles.
//!
//! What it has is one file, `image.bin`, in the flash.

#![no_std]
#![no_main]

use board::{BOARD, Clock, Link, NAME, NAME_LEN, PAGE, SECTOR, Store, Work, entry, random};
use sampan_core::driver::{Turn, nb::turn};
use sampan_core::wire::Nibble;
use sampan_core::{
    Both, Buffers, Cobs, Engine, Event, Incoming, Limits, Next, Nonce, Outgoing, Receiver, Sender, Session,
    Speaks,
};

/// What may be on its way here fits the UART's ring, so that it waits there while a sector is erased.
static LIMITS: Limits = Limits { window: 2_048, name: NAME_LEN as u16, sync_bytes: SECTOR, ..Limits::SMALL };

#[entry]
fn main() -> ! {
    let clock = Clock::new();
    let mut link = Link::new();
    let (mut page, mut receive, mut transmit) = ([0; PAGE], [0; 600], [0; 600]);
    let (mut incoming, mut outgoing) = ([Incoming::FREE], [Outgoing::FREE]);
    let mut store = Store::new(board::open(&mut page));
    let mut work = Work::new(clock.now());
    let mut opening = (Speaks::Second, Nonce::new(random()));
    loop {
        let session = Session::with_framing(
            Buffers { receive: &mut receive, transmit: &mut transmit },
            &LIMITS,
            Both { sender: Sender::new(&mut outgoing), receiver: Receiver::new(&mut incoming) },
            (Cobs::new(), Nibble),
            opening,
            clock.now(),
        );
        let mut session = session.expect("the buffers are large enough");
        loop {
            let before = clock.now();
            let turned = turn(&mut session, &mut link, &mut store, before);
            work.waited(before, clock.now());
            match turned {
                Ok(Turn::Event(Event::Received { .. })) => {
                    link.say(format_args!("{BOARD}: has a new {NAME}"));
                }
                Ok(Turn::Event(Event::Sent { .. } | Event::SendFailed(_))) => store.sent(),
                Ok(Turn::Worked | Turn::Event(_)) => {}
                Err(nb::Error::WouldBlock) => {
                    let waits = matches!(session.next(before), Next::Wait(Some(until)) if until > before);
                    if waits && !link.has_to_say() {
                        clock.sleep();
                    }
                }
                Ok(Turn::Closed) | Err(nb::Error::Other(_)) => break,
            }
            link.talk();
            work.go_on(clock.now());
        }
        store.sent();
        opening = session.successor().unwrap_or((Speaks::Second, Nonce::new(random())));
    }
}
