//! Two ends of a serial line in memory, which log what happens to them: transfers that go well, and everything else.
//!
//! `scripts/log.sh` runs it in QEMU and shows its log.

#![no_std]
#![no_main]

mod files;
mod logger;
mod semihosting;
mod wire;

use cortex_m_rt::entry;
use defmt::info;
use sampan_core::driver::{Turn, nb::turn};
use sampan_core::wire::{Code, Nibble};
use sampan_core::{
    Both, Buffers, Cobs, Engine as _, Incoming, Instant, Limits, Nonce, Outgoing, Receiver, Sender, Session,
    Speaks,
};

use files::{Files, SIZE};
use semihosting::{End, end};
use wire::{Port, Wire};

static LIMITS: Limits = Limits { window: 1_024, sync_bytes: 1_024, ..Limits::SMALL };

/// What happens once a third of the file is durable at the right end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mishap {
    None,
    /// One frame is damaged.
    Damage,
    /// The line is cut.
    Cut,
    /// The right end is switched off.
    SwitchOff,
    /// The right end is reset.
    Reset,
    /// The left end is told to give the transfer up.
    Cancel,
    /// The right end is told to end the session.
    Abort,
}

/// What the left end does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Errand {
    Offer,
    Ask,
}

#[entry]
fn main() -> ! {
    let mut world = World { now: 0, nonce: 0 };
    let (mut left, mut right) = (Files::NOTHING, Files::NOTHING);
    world.visit("a file is sent", Errand::Offer, Mishap::None, &mut left, &mut right);
    right = Files::NOTHING;
    world.visit("the line is cut", Errand::Offer, Mishap::Cut, &mut left, &mut right);
    world.visit("the file goes on where it was", Errand::Offer, Mishap::None, &mut left, &mut right);
    assert!(right.durable.offset == SIZE);
    right = Files::NOTHING;
    right.durable.offset = 17;
    world.visit("what is there is of another file", Errand::Offer, Mishap::None, &mut left, &mut right);
    right = Files::NOTHING;
    world.visit("a frame is damaged", Errand::Offer, Mishap::Damage, &mut left, &mut right);
    right = Files { refuses: Some(Code::NoSpace), ..Files::NOTHING };
    world.visit("an offer is refused", Errand::Offer, Mishap::None, &mut left, &mut right);
    right = Files::NOTHING;
    world.visit("what is asked for is not there", Errand::Ask, Mishap::None, &mut left, &mut right);
    world.visit("a transfer is given up", Errand::Offer, Mishap::Cancel, &mut left, &mut right);
    right = Files::NOTHING;
    world.visit("a session is ended", Errand::Offer, Mishap::Abort, &mut left, &mut right);
    right = Files::NOTHING;
    world.visit("an end is reset", Errand::Offer, Mishap::Reset, &mut left, &mut right);
    right = Files::NOTHING;
    world.visit("an end is switched off", Errand::Offer, Mishap::SwitchOff, &mut left, &mut right);
    end(End::Well)
}

struct World {
    /// Milliseconds.
    now: u32,
    nonce: u64,
}

/// The memory of a session.
struct Memory {
    receive: [u8; 256],
    transmit: [u8; 256],
    incoming: [Incoming; 1],
    outgoing: [Outgoing; 1],
}

type Inner<'m> = Session<'m, Both<'m>, Cobs, Nibble>;

impl Memory {
    const NEW: Self = Self {
        receive: [0; 256],
        transmit: [0; 256],
        incoming: [Incoming::FREE; 1],
        outgoing: [Outgoing::FREE; 1],
    };
}

impl World {
    fn instant(&self) -> Instant {
        Instant::from_millis(self.now.into())
    }

    fn begin<'m>(&mut self, memory: &'m mut Memory, speaks: Speaks) -> Inner<'m> {
        self.nonce += 1;
        let Memory { receive, transmit, incoming, outgoing } = memory;
        let role = Both { sender: Sender::new(outgoing), receiver: Receiver::new(incoming) };
        let opening = (speaks, Nonce::new(self.nonce));
        let buffers = Buffers { receive, transmit };
        let session =
            Session::with_framing(buffers, &LIMITS, role, (Cobs::new(), Nibble), opening, self.instant());
        session.expect("the buffers are large enough")
    }

    /// A line, with a session at each end, until both are over.
    fn visit(&mut self, what: &str, errand: Errand, mishap: Mishap, left: &mut Files, right: &mut Files) {
        self.now += 1;
        logger::set_time(self.now);
        info!("--- {=str}", what);
        let (up, down) = (Wire::default(), Wire::default());
        let (mut port, mut far) = (Port { from: &down, to: &up }, Port { from: &up, to: &down });
        let (mut memory, mut there, mut spare) = (Memory::NEW, Memory::NEW, Memory::NEW);
        let mut near = self.begin(&mut memory, Speaks::First);
        let mut peer = Some(self.begin(&mut there, Speaks::Second));
        let mut reset = Some(&mut spare);
        let transfer = (errand == Errand::Offer).then(|| near.offer()).flatten();
        let mut to_ask = errand == Errand::Ask;
        let mut mishap = mishap;
        let mut is_over = false;
        while !is_over || peer.is_some() {
            let now = self.instant();
            let mut idle = true;
            if to_ask && near.want().is_some() {
                to_ask = false;
            }
            if !to_ask {
                near.close(Code::Ok);
            }
            if !is_over {
                match turn(&mut near, &mut port, left, now) {
                    Err(nb::Error::WouldBlock) => {}
                    Ok(Turn::Closed) | Err(nb::Error::Other(_)) => is_over = true,
                    Ok(_) => idle = false,
                }
            }
            if let Some(session) = &mut peer {
                match turn(session, &mut far, right, now) {
                    Err(nb::Error::WouldBlock) => {}
                    Ok(Turn::Closed) | Err(nb::Error::Other(_)) => peer = None,
                    Ok(_) => idle = false,
                }
            }
            if is_over && mishap == Mishap::None {
                // Nobody is at the other end any more.
                if let Some(session) = peer.as_mut().filter(|_| idle) {
                    session.link_lost(now);
                    continue;
                }
            }
            if right.durable.offset > SIZE / 3 {
                match core::mem::replace(&mut mishap, Mishap::None) {
                    Mishap::None => {}
                    Mishap::Damage => up.damage(1),
                    Mishap::Cut => {
                        near.link_lost(now);
                        peer.iter_mut().for_each(|session| session.link_lost(now));
                    }
                    Mishap::SwitchOff => peer = None,
                    Mishap::Reset => {
                        up.clear();
                        down.clear();
                        peer = reset.take().map(|memory| self.begin(memory, Speaks::First));
                    }
                    Mishap::Cancel => {
                        if let Some(transfer) = transfer {
                            near.cancel(transfer, Code::Cancelled);
                        }
                    }
                    Mishap::Abort => peer.iter_mut().for_each(|session| session.abort(Code::Closing)),
                }
            }
            if idle {
                self.wait(&mut near, peer.as_mut());
            }
        }
    }

    /// Lets the time go on to the next deadline.
    fn wait(&mut self, near: &mut Inner<'_>, peer: Option<&mut Inner<'_>>) {
        let deadlines = [near.deadline(), peer.and_then(|session| session.deadline())];
        if let Some(next) = deadlines.into_iter().flatten().min() {
            let next = u32::try_from(next.as_micros().div_ceil(1_000)).unwrap_or(u32::MAX);
            self.now = next.max(self.now + 1);
            logger::set_time(self.now);
        }
    }
}
