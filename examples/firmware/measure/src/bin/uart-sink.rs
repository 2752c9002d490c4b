//! Receives files over the UART, and keeps nothing of them: what the UART carries of files, beside what it carries of bytes (`uart-raw`).

#![no_std]
#![no_main]

#[path = "../nowhere.rs"]
mod nowhere;

use board::{Clock, Link, random};
use cortex_m_rt::entry;
use nowhere::Nowhere;
use sampan_core::driver::{Turn, nb::turn};
use sampan_core::wire::Nibble;
use sampan_core::{Buffers, Cobs, Engine, Incoming, Limits, Next, Nonce, Receiver, Session, Speaks};

/// What may be on its way here fits the UART's ring.
static LIMITS: Limits = Limits { window: 2_048, name: 64, ..Limits::SMALL };

#[entry]
fn main() -> ! {
    let clock = Clock::new();
    let mut link = Link::new();
    let (mut receive, mut transmit, mut incoming) = ([0; 600], [0; 64], [Incoming::FREE]);
    let mut store = Nowhere::default();
    let mut opening = (Speaks::Second, Nonce::new(random()));
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
            let now = clock.now();
            match turn(&mut session, &mut link, &mut store, now) {
                Ok(Turn::Worked | Turn::Event(_)) => {}
                Err(nb::Error::WouldBlock) => {
                    if matches!(session.next(now), Next::Wait(Some(until)) if until > now) {
                        clock.sleep();
                    }
                }
                Ok(Turn::Closed) | Err(nb::Error::Other(_)) => break,
            }
        }
        opening = session.successor().unwrap_or((Speaks::Second, Nonce::new(random())));
    }
}
