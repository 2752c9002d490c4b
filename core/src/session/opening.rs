//! The exchange of HELLOs (§8.1).

use super::dispatch::Fault;
use super::hand::Business;
use super::outbox::Urgency;
use super::role::Role;
use super::shared::Peer;
use super::transitions::{SessionEvent, SessionState};
use super::{Session, Speaks};
use crate::framing::{Framing, Reliability};
use crate::limits::Directions;
use crate::wire::{CHECK_LEN, Crc32, Hello, MIN_FRAME, tag};

const VERSION: u8 = 1;

#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    pub(super) nonce: u64,
    /// The nonce of a peer that may have begun a new session: it is told ours, 0 if there is none (§8.5).
    stranger: u64,
    /// The peer's, 0 before its first HELLO.
    peer: u64,
    /// Start values of the checks of frames to and from the peer (§3.4).
    pub(super) sending: u32,
    pub(super) receiving: u32,
}

/// What our last HELLO said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeting {
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

/// What was heard of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contact {
    /// At most HELLO: where frames are datagrams it may keep nothing of this end yet (§8.6).
    Hello,
    More,
}

impl Opening {
    pub(super) fn new(nonce: u64) -> Self {
        Self { nonce, stranger: 0, peer: 0, sending: 0, receiving: 0 }
    }
}

impl Greeting {
    pub(super) fn new(speaks: Speaks) -> Self {
        match speaks {
            Speaks::First => Self::Due,
            Speaks::Second => Self::Unsaid,
        }
    }

    pub(super) fn is_due(self) -> bool {
        matches!(self, Self::Due | Self::EchoDue)
    }

    /// Whether the peer can check frames from here.
    pub(super) fn is_known(self) -> bool {
        matches!(self, Self::Echoed | Self::EchoDue)
    }

    /// Whether HELLO was said and is not answered.
    pub(super) fn is_awaiting(self) -> bool {
        matches!(self, Self::Said | Self::Echoed)
    }

    /// HELLO is said again.
    pub(super) fn repeat(&mut self) {
        *self = if *self == Self::Echoed { Self::EchoDue } else { Self::Due };
    }
}

impl<'b, R: Role<'b>, F: Framing, C: Crc32> Session<'b, R, F, C> {
    /// Writes this end's HELLO, and before the first one what the framing begins with.
    pub(super) fn emit_hello(&mut self) -> bool {
        self.outbox.open(&mut self.framing);
        if self.outbox.room::<F>() < MIN_FRAME {
            return false;
        }
        let limits = self.shared.limits;
        let one_direction =
            if limits.directions == Directions::OneAtATime { Hello::ONE_DIRECTION } else { 0 };
        let answers_want = if self.role.sender().is_some() { Hello::ANSWERS_WANT } else { 0 };
        let with_peer = self.state == SessionState::Open && self.opening.stranger == 0;
        let open = if with_peer && self.is_lossy() { Hello::OPEN } else { 0 };
        let loses = self.framing.link().loses();
        let (transfers, gaps) =
            self.role.receiver().map_or((0, 0), |receiver| (receiver.capacity(), receiver.gaps()));
        let gaps = if loses { gaps } else { 0 };
        let hello = Hello {
            version: VERSION,
            nonce: self.opening.nonce,
            echo: match self.opening.stranger {
                0 => self.opening.peer,
                stranger => stranger,
            },
            flags: one_direction | answers_want | open,
            frame: u32::try_from(F::largest(self.inbox.len())).unwrap_or(u32::MAX),
            window: limits.window,
            eager: limits.eager,
            transfers,
            gaps,
            name: limits.name.into(),
            digests: limits.checks,
        };
        let mut w = self.outbox.begin::<F>(MIN_FRAME);
        hello.emit(&mut w);
        // No answer is longer than what it answers (§8.6).
        while self.shared.link == Reliability::Datagrams && w.len() < MIN_FRAME - CHECK_LEN {
            w.u8(0);
        }
        let length = w.len();
        self.outbox.built(length);
        self.shared.spoke = self.shared.now;
        self.outbox.finish(&mut self.framing, &mut self.crc, 0, 0, Urgency::Fill);
        self.opening.stranger = 0;
        self.greeting = if self.opening.peer == 0 { Greeting::Said } else { Greeting::Echoed };
        true
    }

    pub(super) fn greeted(&mut self, hello: &Hello) -> Result<(), Fault> {
        let opening = &mut self.opening;
        if hello.nonce == opening.nonce {
            return Ok(());
        }
        let echoed = hello.echo == opening.nonce;
        if opening.peer != 0 && opening.peer != hello.nonce {
            match (self.shared.link, self.state) {
                (Reliability::Reliable, _) => return Err(Fault::Restarted),
                (_, SessionState::Open) if echoed => return Err(Fault::Restarted),
                // It may be an old one that comes late: only an echo says that it is not.
                (_, SessionState::Open) => {
                    opening.stranger = hello.nonce;
                    log!(debug, "hello of another session: {=u64:#x}", hello.nonce);
                    self.greeting = Greeting::EchoDue;
                    return Ok(());
                }
                _ => {}
            }
        }
        if self.state == SessionState::Open {
            let unseen = if self.is_lossy() { hello.flags & Hello::OPEN == 0 } else { !echoed };
            if unseen && self.greeting == Greeting::Echoed {
                self.greeting = Greeting::EchoDue;
            }
            return Ok(());
        }
        opening.peer = hello.nonce;
        opening.sending = tag(&mut self.crc, opening.nonce, hello.nonce);
        opening.receiving = tag(&mut self.crc, hello.nonce, opening.nonce);
        if self.greeting != Greeting::Echoed {
            self.greeting = Greeting::Due;
        }
        self.shared.peer = Peer::from_hello(hello, self.shared.limits, opening.nonce);
        if let Some(sender) = self.role.sender() {
            sender.greeted(hello, &self.shared);
        }
        if echoed {
            self.opened();
        }
        Ok(())
    }

    /// The peer has this end's nonce.
    pub(super) fn opened(&mut self) {
        self.step(SessionEvent::Echoed);
        log!(info, "session {=u64:#x} is open with {=u64:#x}", self.opening.nonce, self.opening.peer);
        self.shared.begin();
        self.shared.progress();
        self.hand.business = Business::Opened;
    }
}
