//! A session over one link (§8): the engine that composes framing, HELLO, timers and the two roles.
//!
//! ```text
//!   received bytes -> Inbox -> frame in hand -> role -> storage
//!                                 |              |
//!                              session        answers
//!                                 v              v
//!   link <- Transmit <------------------- Outbox <- role <- storage
//! ```
//!
//! At any moment at most one received frame is *in hand* (it waits for the storage or the application), and at most one frame is
//! *in the making* (it waits for the storage). What else is owed to the peer is a mark in a slot, not a queue of frames, so that
//! reading does not wait for writing. (Only of refusals for want of a slot no more than one is noted at a time.)

mod beyond;
mod calls;
mod dispatch;
#[cfg(feature = "defmt")]
mod formats;
mod hand;
mod inbox;
mod incoming;
mod lending;
mod lent;
mod lists;
mod making;
mod opening;
mod outbox;
mod outgoing;
mod pings;
mod pongs;
mod receiver;
mod repeats;
mod role;
mod sender;
mod shared;
mod slots;
mod timers;
pub mod transitions;

pub(crate) use dispatch::Fault;

pub use beyond::{Stretch, Stretches};
pub use incoming::Incoming;
pub use outgoing::Outgoing;
pub use receiver::Receiver;
pub use role::{Both, Receives, Role, Sends};
pub use sender::{Missing, Sender};

use crate::action::Answer;
use crate::error::{Error, ResourceError};
use crate::framing::{Framing, Stream};
use crate::limits::Limits;
use crate::units::Instant;
use crate::wire::{Abort, Attach, Bye, Code, Crc32, MIN_FRAME, Nibble, NodeName, Ping, Pong, Scope, Shift};
use hand::{Business, Hand};
use inbox::Inbox;
use making::Making;
use opening::{Contact, Greeting, Opening};
use outbox::{Outbox, Urgency};
use pings::Pings;
use pongs::Pongs;
use shared::{Order, Shared};
use transitions::{SessionEvent, SessionState};

/// So often BYE is said to a peer that may not hear it (§8.5).
const BYES: u8 = 4;

/// The memory that a session works in, lent by the caller.
#[derive(Debug)]
pub struct Buffers<'b> {
    /// Holds what the link brings. Its length less the framing's 3 bytes is the largest frame the peer may send.
    pub receive: &'b mut [u8],
    /// Holds what goes to the link. Its length bounds the frames that this end sends.
    pub transmit: &'b mut [u8],
}

/// Who begins to speak on a link (§8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Speaks {
    /// This end: it dialled.
    First,
    /// The peer; this end says nothing until it has.
    Second,
}

/// A number for this session that no earlier one had, from a source of randomness (§4.1).
///
/// It guards against frames of another session, not against attackers: anything that differs from one boot to the next will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Nonce(u64);

impl Nonce {
    /// Zero, which is no nonce, becomes another number.
    pub const fn new(number: u64) -> Self {
        Self(if number == 0 { 1 } else { number })
    }

    pub(crate) const fn number(self) -> u64 {
        self.0
    }
}

/// A session over one link: an [`Engine`](crate::Engine) of a sender, a receiver, or both.
///
/// `R` is what it is composed of ([`Sender`], [`Receiver`] or [`Both`]), `F` the framing of its link, `C` what computes the check.
/// A link that is lost ends the session; transfers go on in a session over the next one, from what is durable (§9.4).
#[derive(Debug)]
pub struct Session<'b, R, F = Stream, C = Nibble> {
    inbox: Inbox<'b>,
    outbox: Outbox<'b>,
    framing: F,
    crc: C,
    shift: Shift,
    shared: Shared<'b>,
    opening: Opening,
    greeting: Greeting,
    contact: Contact,
    state: SessionState,
    hand: Hand,
    /// What the storage said to the OFFER or WANT in hand.
    answer: Option<Answer>,
    making: Making,
    link: Link,
    sink: Sink,
    source: Source,
    pongs: Pongs,
    /// What ATTACH says, and whether it is to be said.
    attach: Option<NodeName<'b>>,
    attaching: Asking,
    notice: NoticeState,
    /// PINGs that the application asks for.
    pings: Pings,
    /// The number of the newest NOTICE of ours; a PING of our own accord bears 0.
    number: u32,
    /// The number of the peer's newest NOTICE.
    heard: u32,
    /// How often BYE was said.
    byes: u8,
    /// PING, to hear how far the peer is (§4.2).
    asking: Asking,
    bye: Farewell,
    their_bye: Farewell,
    error: Option<Error>,
    role: R,
}

/// Whether the link takes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Ready,
    /// Not until the next round.
    Busy,
    /// Never again; it may still bring some.
    Deaf,
    Lost,
}

/// Whether the sink takes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sink {
    Ready,
    Busy,
}

/// Whether the source has bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Ready,
    /// Not until the next round.
    Dry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Farewell {
    NotYet,
    /// To be said once nothing of this end's is under way.
    Meant(Code),
    Said(Code),
}

/// Whether something is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    No,
    Due,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NoticeState {
    None,
    Asked,
    Sent,
}

impl<'b, R: Role<'b>, F: Framing, C: Crc32> Session<'b, R, F, C> {
    /// A session on a link that has just been opened, at `now`.
    ///
    /// # Errors
    ///
    /// [`ResourceError::BufferTooSmall`] if a buffer cannot hold a frame of 60 bytes in this framing; 64 bytes always can.
    pub fn with_framing(
        buffers: Buffers<'b>,
        limits: &'b Limits,
        role: R,
        (framing, crc): (F, C),
        (speaks, nonce): (Speaks, Nonce),
        now: Instant,
    ) -> Result<Self, Error> {
        let needed = F::HEAD.saturating_add(F::TAIL).saturating_add(MIN_FRAME);
        let Buffers { receive, transmit } = buffers;
        if F::largest(receive.len()) < MIN_FRAME || transmit.len() < needed {
            return Err(Error::Resource(ResourceError::BufferTooSmall { needed }));
        }
        Ok(Self::begin(Buffers { receive, transmit }, limits, role, (framing, crc), (speaks, nonce), now))
    }

    /// A session on the next link, in the memory of this one, whose link is gone or which is closed: for programs that have several sessions at a time, of which each
    /// ends on its own. Ids count from 1 again, and nothing of this one is left.
    #[must_use]
    pub fn renewed(self, framing: F, opening: (Speaks, Nonce), now: Instant) -> Self {
        let buffers = Buffers { receive: self.inbox.release(), transmit: self.outbox.release() };
        Self::begin(buffers, self.shared.limits, self.role.renewed(), (framing, self.crc), opening, now)
    }

    fn begin(
        Buffers { receive, transmit }: Buffers<'b>,
        limits: &'b Limits,
        role: R,
        (framing, crc): (F, C),
        (speaks, nonce): (Speaks, Nonce),
        now: Instant,
    ) -> Self {
        Self {
            shared: Shared::new(limits, framing.link(), now),
            inbox: Inbox::new(receive),
            outbox: Outbox::new(transmit, framing.link()),
            framing,
            crc,
            shift: Shift::new(0),
            opening: Opening::new(nonce.0),
            greeting: Greeting::new(speaks),
            contact: Contact::Hello,
            state: SessionState::Opening,
            hand: Hand::EMPTY,
            answer: None,
            making: Making::Nothing,
            link: Link::Ready,
            sink: Sink::Ready,
            source: Source::Ready,
            pongs: Pongs::None,
            attach: None,
            attaching: Asking::No,
            notice: NoticeState::None,
            pings: Pings::NONE,
            number: 0,
            heard: 0,
            byes: 0,
            asking: Asking::No,
            bye: Farewell::NotYet,
            their_bye: Farewell::NotYet,
            error: None,
            role,
        }
    }

    /// Whether a transfer would be cut off if the link went now.
    fn is_under_way(&mut self) -> bool {
        let sending = self.role.sender().is_some_and(|sender| sender.is_busy());
        sending
            || self.role.receiver().is_some_and(|receiver| receiver.is_receiving() || receiver.is_asking())
    }

    /// Whether its link may lose frames: asked of the framing, so that what is only for such links is not linked where it is none.
    fn is_lossy(&self) -> bool {
        self.framing.link().loses()
    }

    fn step(&mut self, event: SessionEvent) {
        if let Some(state) = self.state.after(event) {
            self.state = state;
        }
    }

    /// Ends the session: the peer is told if that is of use to it.
    fn fail(&mut self, error: Error) {
        if matches!(self.state, SessionState::Ending | SessionState::Closed) {
            return;
        }
        self.step(SessionEvent::Fail);
        log!(warn, "session {=u64:#x} ends: {}", self.opening.nonce, error);
        self.error = Some(error);
        self.shared.begin();
        self.hand.business = Business::Nothing;
        self.answer = None;
        self.making = Making::Nothing;
        self.outbox.built(0);
        if let Some(receiver) = self.role.receiver() {
            receiver.lost();
        }
        match error.abort_code() {
            Some(code) if self.greeting.is_known() && self.outbox.room::<F>() >= MIN_FRAME => {
                let mut w = self.outbox.begin::<F>(MIN_FRAME);
                Abort { scope: Scope::Session, transfer: 0, code, words: "" }.emit(&mut w);
                let length = w.len();
                self.seal(length);
            }
            _ => self.outbox.discard(),
        }
    }

    /// Finishes a control frame of `length` bytes, from the kind on.
    fn seal(&mut self, length: usize) {
        self.outbox.built(length);
        let start = self.opening.sending;
        self.shared.spoke = self.shared.now;
        self.outbox.finish(&mut self.framing, &mut self.crc, start, 0, Urgency::Now);
    }

    /// Writes one frame that is owed to the peer; whether there was one.
    fn emit(&mut self) -> bool {
        let is_open = self.state == SessionState::Open;
        if self.greeting.is_due() && (is_open || self.state == SessionState::Opening) {
            return self.emit_hello();
        }
        if !is_open || self.outbox.room::<F>() < MIN_FRAME {
            return false;
        }
        if self.emit_ping() {
            return true;
        }
        let is_empty = self.outbox.is_empty();
        let loses = self.is_lossy();
        let mut w = self.outbox.begin::<F>(self.shared.control_frame());
        let attaches = self.attach.filter(|_| self.attaching == Asking::Due);
        if let Some(name) = attaches {
            Attach { name }.emit(&mut w);
            if w.is_full() && !is_empty {
                return false;
            }
            self.attaching = Asking::No;
        } else if let Some(number) = self.pongs.take() {
            Pong { number }.emit(&mut w);
        } else if self.shared.owes_ping() || self.asking == Asking::Due {
            self.asking = Asking::No;
            if loses {
                // It is not answered, and may be lost.
                self.attaching = Asking::Due;
            }
            Ping { number: 0 }.emit(&mut w);
        } else if !(self.role.receiver().is_some_and(|receiver| receiver.emit(&mut w, &self.shared))
            || self.role.sender().is_some_and(|sender| sender.emit(&mut w)))
        {
            let Farewell::Meant(code) = self.bye else { return false };
            if self.notice != NoticeState::None
                || self.role.receiver().is_some_and(|receiver| receiver.is_asking())
                || self.role.sender().is_some_and(|sender| sender.is_busy())
            {
                return false;
            }
            Bye { code, words: "" }.emit(&mut w);
            self.bye = Farewell::Said(code);
            if self.byes == 0 {
                self.shared.progress();
            }
            self.byes = self.byes.saturating_add(1);
        }
        let length = w.len();
        self.seal(length);
        true
    }

    /// Writes a PING that the application has asked for, as long as it is to be.
    fn emit_ping(&mut self) -> bool {
        let Some((number, length)) = self.pings.due(self.outbox.room::<F>()) else { return false };
        let mut w = self.outbox.begin::<F>(length);
        Ping { number }.emit(&mut w);
        pings::pad(&mut w);
        let length = w.len();
        self.seal(length);
        true
    }

    fn has_said_bye(&self) -> bool {
        matches!(self.bye, Farewell::Said(_))
    }

    fn has_heard_bye(&self) -> bool {
        matches!(self.their_bye, Farewell::Said(_))
    }

    /// Whether the peer has said goodbye, or may have: it may be gone by now (§8.5).
    fn may_part(&self) -> bool {
        let unheard = self.is_lossy() && self.has_said_bye() && (self.byes > BYES || self.link == Link::Lost);
        self.has_heard_bye() || unheard
    }

    /// Whether DATA may flow from here, where it may flow in one direction only (§11).
    fn turn(&mut self) -> sender::Turn {
        let receiving = self.role.receiver().is_some_and(|receiver| receiver.is_receiving());
        if self.shared.peer.order != Order::Both && receiving {
            sender::Turn::Peers
        } else {
            sender::Turn::Ours
        }
    }

    /// Ends the session if it has nothing more to do.
    fn conclude(&mut self) {
        let empty = self.outbox.is_empty();
        let gone = matches!(self.link, Link::Deaf | Link::Lost);
        if self.state == SessionState::Ending && (empty || gone || self.has_lingered()) {
            self.step(SessionEvent::Flushed);
        }
        if self.state != SessionState::Open || !self.hand.is_empty() || !self.may_part() {
            return;
        }
        let said = self.has_said_bye() && empty;
        if (said || gone) && self.is_idle() {
            self.step(SessionEvent::Finish);
            log!(info, "session {=u64:#x} ends: both have said goodbye", self.opening.nonce);
        }
    }
}

impl<'b, R: Role<'b>> Session<'b, R> {
    /// A session over a reliable byte stream (§2.1), with the built-in CRC-32, at `now`.
    ///
    /// # Errors
    ///
    /// [`ResourceError::BufferTooSmall`] if a buffer has less than 63 bytes.
    pub fn new(
        buffers: Buffers<'b>,
        limits: &'b Limits,
        role: R,
        speaks: Speaks,
        nonce: Nonce,
        now: Instant,
    ) -> Result<Self, Error> {
        Self::with_framing(buffers, limits, role, (Stream::new(), Nibble), (speaks, nonce), now)
    }
}

#[cfg(test)]
mod tests;
