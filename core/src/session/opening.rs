//! The exchange of HELLOs (§8.1).

use super::dispatch::Fault;
use super::hand::Business;
use super::outbox::Urgency;
use super::role::Role;
use super::shared::Peer;
use super::timers::Timers;
use super::transitions::{SessionEvent, SessionState};
use super::{Session, Speaks};
use crate::framing::Framing;
use crate::limits::Directions;
use crate::wire::{Crc32, Hello, MIN_FRAME, tag};

const VERSION: u8 = 1;

#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    nonce: u64,
    /// The peer's, 0 before its first HELLO.
    peer: u64,
    greeting: Greeting,
    preamble: Preamble,
    /// Start values of the checks of frames to and from the peer (§3.4).
    pub(super) sending: u32,
    pub(super) receiving: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Preamble {
    Due,
    Written,
}

/// What our last HELLO said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Greeting {
    /// There was none, and none is due.
    Unsaid,
    /// A HELLO is due.
    Due,
    /// It had no echo, since the peer's nonce was not known.
    Said,
    /// It echoed the peer's nonce.
    Echoed,
    /// It did, but the peer's says that it has not seen it: another one is due.
    EchoDue,
}

impl Opening {
    pub(super) fn new(nonce: u64, speaks: Speaks) -> Self {
        let greeting = match speaks {
            Speaks::First => Greeting::Due,
            Speaks::Second => Greeting::Unsaid,
        };
        Self { nonce, peer: 0, greeting, preamble: Preamble::Due, sending: 0, receiving: 0 }
    }

    pub(super) fn owes_hello(&self) -> bool {
        matches!(self.greeting, Greeting::Due | Greeting::EchoDue)
    }

    /// Whether the peer can check frames from here.
    pub(super) fn is_known(&self) -> bool {
        matches!(self.greeting, Greeting::Echoed | Greeting::EchoDue)
    }
}

impl<'b, R: Role<'b>, F: Framing, C: Crc32> Session<'b, R, F, C> {
    /// Writes this end's HELLO, and before the first one what the framing begins with.
    pub(super) fn emit_hello(&mut self) -> bool {
        if self.opening.preamble == Preamble::Due {
            self.outbox.open(&mut self.framing);
            self.opening.preamble = Preamble::Written;
        }
        if self.outbox.room::<F>() < MIN_FRAME {
            return false;
        }
        let limits = self.shared.limits;
        let one_direction =
            if limits.directions == Directions::OneAtATime { Hello::ONE_DIRECTION } else { 0 };
        let answers_want = if self.role.sender().is_some() { Hello::ANSWERS_WANT } else { 0 };
        let hello = Hello {
            version: VERSION,
            nonce: self.opening.nonce,
            echo: self.opening.peer,
            flags: one_direction | answers_want,
            frame: u32::try_from(F::largest(self.inbox.len())).unwrap_or(u32::MAX),
            window: limits.window,
            eager: limits.eager,
            transfers: self.role.receiver().map_or(0, |receiver| receiver.capacity()),
            gaps: 0,
            name: limits.name.into(),
            digests: limits.checks,
        };
        let mut w = self.outbox.begin::<F>(MIN_FRAME);
        hello.emit(&mut w);
        let length = w.len();
        self.outbox.built(length);
        self.outbox.finish(&mut self.framing, &mut self.crc, 0, 0, Urgency::Fill);
        self.opening.greeting = if self.opening.peer == 0 { Greeting::Said } else { Greeting::Echoed };
        true
    }

    pub(super) fn greeted(&mut self, hello: &Hello) -> Result<(), Fault> {
        let opening = &mut self.opening;
        if hello.nonce == opening.nonce {
            return Ok(());
        }
        if opening.peer != 0 && opening.peer != hello.nonce {
            return Err(Fault::Restarted);
        }
        let echoed = hello.echo == opening.nonce;
        if self.state == SessionState::Open {
            if !echoed && opening.greeting == Greeting::Echoed {
                opening.greeting = Greeting::EchoDue;
            }
            return Ok(());
        }
        opening.peer = hello.nonce;
        opening.sending = tag(&mut self.crc, opening.nonce, hello.nonce);
        opening.receiving = tag(&mut self.crc, hello.nonce, opening.nonce);
        if opening.greeting != Greeting::Echoed {
            opening.greeting = Greeting::Due;
        }
        self.shared.peer = Peer::from_hello(hello, self.shared.limits, opening.nonce);
        if let Some(sender) = self.role.sender() {
            sender.greeted(hello, &self.shared);
        }
        if echoed {
            self.step(SessionEvent::Echoed);
            self.timers = Timers::begin(self.shared.now);
            self.shared.progress();
            self.hand.business = Business::Opened;
        }
        Ok(())
    }
}
