//! The task of the session.

use board::{BOARD, NAME, NAME_LEN, PAGE, SECTOR, Shown, Slots, Store, random};
use embassy_futures::yield_now;
use sampan_core::driver::{Turn, asynch::turn};
use sampan_core::wire::Nibble;
use sampan_core::{
    Both, Buffers, Cobs, Event, Incoming, Limits, Nonce, Outgoing, Receiver, Sender, Session, Speaks,
};

use crate::link::{Receiving, Sending};
use crate::text::say;
use crate::time::Time;

/// What may be on its way here fits the UART's ring, so that it waits there while a sector is erased.
static LIMITS: Limits = Limits { window: 2_048, name: NAME_LEN as u16, sync_bytes: SECTOR, ..Limits::SMALL };

/// One session after the other.
#[embassy_executor::task]
pub async fn run() -> ! {
    let (mut page, mut receive, mut transmit) = ([0; PAGE], [0; 600], [0; 600]);
    let (mut incoming, mut outgoing) = ([Incoming::FREE], [Outgoing::FREE]);
    let (mut rx, mut tx) = (Receiving, Sending);
    let mut store = Store::new(board::open(&mut page));
    start(store.images());
    // Whoever was sending the rest when the board was reset hears of it. Otherwise the board waits to be spoken to.
    let speaks = if store.images().begun().is_some() { Speaks::First } else { Speaks::Second };
    let mut opening = (speaks, Nonce::new(random()));
    loop {
        let session = Session::with_framing(
            Buffers { receive: &mut receive, transmit: &mut transmit },
            &LIMITS,
            Both { sender: Sender::new(&mut outgoing), receiver: Receiver::new(&mut incoming) },
            (Cobs::new(), Nibble),
            opening,
            board::clock::now(),
        );
        let mut session = session.expect("the buffers are large enough");
        loop {
            match turn(&mut session, (&mut rx, &mut tx), &mut store, &Time).await {
                Ok(Turn::Event(Event::Opened)) => report(store.images()),
                Ok(Turn::Event(Event::Received { .. })) => received(store.images()),
                Ok(Turn::Event(Event::Sent { .. } | Event::SendFailed(_))) => store.sent(),
                Ok(Turn::Worked | Turn::Event(_)) => {}
                // Whatever ended this session, the next one goes on with the image.
                Ok(Turn::Closed) | Err(_) => break,
            }
            // The link may be as fast as the program.
            yield_now().await;
        }
        store.sent();
        opening = session.successor().unwrap_or((Speaks::Second, Nonce::new(random())));
    }
}

/// What a boot loader does: looks whether the image is right, and starts it.
fn start(images: &mut Slots<'_>) {
    match images.whole().copied() {
        None => say(format_args!("{BOARD}: no image")),
        Some(image) if images.holds(&image) == Ok(true) => {
            say(format_args!("{BOARD}: starts {}", Shown(&image)))
        }
        Some(image) => say(format_args!("{BOARD}: damaged: {}", Shown(&image))),
    }
    say_begun(images);
}

fn say_begun(images: &Slots<'_>) {
    if let Some(begun) = images.begun() {
        say(format_args!("{BOARD}: has {} bytes of another image", begun.offset));
    }
}

/// For whoever has just come.
fn report(images: &Slots<'_>) {
    match images.whole() {
        Some(image) => say(format_args!("{BOARD}: has {}", Shown(image))),
        None => say(format_args!("{BOARD}: has no image")),
    }
    say_begun(images);
}

fn received(images: &Slots<'_>) {
    if let Some(image) = images.whole() {
        say(format_args!("{BOARD}: has a new {NAME}, {}", Shown(image)));
    }
}
