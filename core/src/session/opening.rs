//! The exchange of HELLOs (§8.1).

use super::outbox::Urgency;
use super::role::Role;
use super::shared::Peer;
use super::transitions::{SessionEvent, SessionState};
use super::{Session, Speaks};
use crate::error::PeerError;
use crate::framing::Framing;
use crate::limits::Directions;
use crate::wire::{Crc32, Hello, Kind, MIN_FRAME, Malformed, tag};

const VERSION: u8 = 1;

#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    nonce: u64,
    /// The peer's, 0 before its first HELLO.
    peer: u64,
    /// The echo in our last HELLO.
    told: u64,
    pub(super) owes_hello: bool,
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

impl Opening {
    pub(super) fn new(nonce: u64, speaks: Speaks) -> Self {
        let owes_hello = speaks == Speaks::First;
        Self { nonce, peer: 0, told: 0, owes_hello, preamble: Preamble::Due, sending: 0, receiving: 0 }
    }

    /// Whether the peer's nonce is known, so that it can check frames from here.
    pub(super) fn is_known(&self) -> bool {
        self.peer != 0 && self.told == self.peer
    }
}

/// What a HELLO has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeting {
    Noted,
    /// The session is open now.
    Opened,
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
        let one_direction = if limits.directions == Directions::OneAtATime { Hello::ONE_DIRECTION } else { 0 };
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
        self.opening.told = self.opening.peer;
        self.opening.owes_hello = false;
        true
    }

    pub(super) fn greeted(&mut self, hello: &Hello) -> Result<Greeting, PeerError> {
        let opening = &mut self.opening;
        if hello.nonce == opening.nonce {
            return Ok(Greeting::Noted);
        }
        if (hello.frame as usize) < MIN_FRAME {
            return Err(PeerError::Malformed(Kind::Hello, Malformed::Value));
        }
        if opening.peer != 0 && opening.peer != hello.nonce {
            return Err(PeerError::Restarted);
        }
        let echoed = hello.echo == opening.nonce;
        if self.state == SessionState::Open {
            opening.owes_hello |= !echoed;
            return Ok(Greeting::Noted);
        }
        opening.peer = hello.nonce;
        opening.sending = tag(&mut self.crc, opening.nonce, hello.nonce);
        opening.receiving = tag(&mut self.crc, hello.nonce, opening.nonce);
        opening.owes_hello = opening.told != hello.nonce;
        self.shared.peer = Peer::from_hello(hello, self.shared.limits, opening.nonce);
        if !echoed {
            return Ok(Greeting::Noted);
        }
        self.step(SessionEvent::Echoed);
        self.shared.progress();
        Ok(Greeting::Opened)
    }
}
