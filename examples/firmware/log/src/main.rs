//! Two ends of a serial line in memory, which log what happens to them: transfers that go well, and everything else.
//!
//! `scripts/log.sh` runs it in QEMU and shows its log.

#![no_std]
#![no_main]

mod files;
mod logger;
mod peer;
mod semihosting;
mod wire;

use cortex_m_rt::entry;
use defmt::info;
use sampan_core::driver::{Turn, nb::turn};
use sampan_core::wire::{Code, Nibble};
use sampan_core::{
    Both, Buffers, Cobs, Engine as _, Incoming, Instant, Limits, Nonce, Outgoing, Receiver, Sender, Session,
    Speaks, lean,
};

use files::{Files, Gives, SIZE};
use peer::Peer;
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

/// What the right end is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Whole,
    Lean,
}

#[entry]
fn main() -> ! {
    let mut world = World { now: 0, nonce: 0, right: Which::Whole };
    world.tell();
    info!("=== the lean engine is the right end");
    world.right = Which::Lean;
    world.tell();
    end(End::Well)
}

struct World {
    /// Milliseconds.
    now: u32,
    nonce: u64,
    right: Which,
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
    /// What may happen, one after another.
    fn tell(&mut self) {
        let (mut left, mut right) = (Files::NOTHING, Files::NOTHING);
        self.visit("a file is sent", Errand::Offer, Mishap::None, &mut left, &mut right);
        right = Files::NOTHING;
        self.visit("the line is cut", Errand::Offer, Mishap::Cut, &mut left, &mut right);
        self.visit("the file goes on where it was", Errand::Offer, Mishap::None, &mut left, &mut right);
        assert!(right.durable.offset == SIZE);
        right = Files::NOTHING;
        right.durable.offset = 17;
        self.visit("what is there is of another file", Errand::Offer, Mishap::None, &mut left, &mut right);
        right = Files::NOTHING;
        self.visit("a frame is damaged", Errand::Offer, Mishap::Damage, &mut left, &mut right);
        right = Files { refuses: Some(Code::NoSpace), ..Files::NOTHING };
        self.visit("an offer is refused", Errand::Offer, Mishap::None, &mut left, &mut right);
        right = Files::NOTHING;
        self.visit("what is asked for is not there", Errand::Ask, Mishap::None, &mut left, &mut right);
        right.gives = Gives::File;
        self.visit("what is asked for is sent", Errand::Ask, Mishap::None, &mut left, &mut right);
        (left, right) = (Files::NOTHING, Files::NOTHING);
        self.visit("a transfer is given up", Errand::Offer, Mishap::Cancel, &mut left, &mut right);
        right = Files::NOTHING;
        if self.right == Which::Whole {
            self.visit("a session is ended", Errand::Offer, Mishap::Abort, &mut left, &mut right);
        }
        right = Files::NOTHING;
        self.visit("an end is reset", Errand::Offer, Mishap::Reset, &mut left, &mut right);
        right = Files::NOTHING;
        self.visit("an end is switched off", Errand::Offer, Mishap::SwitchOff, &mut left, &mut right);
    }

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

    fn begin_right<'m>(&mut self, memory: &'m mut Memory, speaks: Speaks) -> Peer<'m> {
        if self.right == Which::Whole {
            return Peer::Whole(self.begin(memory, speaks));
        }
        self.nonce += 1;
        let buffers = Buffers { receive: &mut memory.receive, transmit: &mut memory.transmit };
        let setup = lean::Setup {
            speaks,
            nonce: Nonce::new(self.nonce),
            window: LIMITS.window,
            sync_bytes: LIMITS.sync_bytes,
        };
        let parts = (lean::Cobs::new(), Nibble, lean::Sender::new());
        let session = lean::Session::new(buffers, &setup, parts, self.instant());
        Peer::Lean(lean::Adapted::new(session.expect("the buffers are large enough"), self.instant()))
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
        let mut peer = Some(self.begin_right(&mut there, Speaks::Second));
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
                match session.turn(&mut far, right, now) {
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
                        peer = reset.take().map(|memory| self.begin_right(memory, Speaks::First));
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
    fn wait(&mut self, near: &mut Inner<'_>, peer: Option<&mut Peer<'_>>) {
        let deadlines = [near.deadline(), peer.and_then(Peer::deadline)];
        if let Some(next) = deadlines.into_iter().flatten().min() {
            let next = u32::try_from(next.as_micros().div_ceil(1_000)).unwrap_or(u32::MAX);
            self.now = next.max(self.now + 1);
            logger::set_time(self.now);
        }
    }
}
