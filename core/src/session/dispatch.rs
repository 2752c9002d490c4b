//! From a received frame to whoever it is for (§3, §8.3).

use super::hand::{Begin, Business, Hand, Held};
use super::outbox::Sealed;
use super::role::Role;
use super::shared::Order;
use super::transitions::SessionState;
use super::{Contact, Farewell, Link, NoticeState, Session};
use crate::error::{Error, LinkError, PeerError};
use crate::framing::{Deframed, Framing};
use crate::wire::{
    Abort, Accept, Ack, Answered, Attach, Bye, Code, Crc32, Data, Decline, DigestKind, Done, End, Hello,
    Kind, Malformed, Notice, Offer, Ping, Pong, Scope, Want, is_skippable, split_check,
};

/// What is wrong with a frame whose check is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Malformed(Malformed),
    Unexpected,
    /// It is a HELLO of another session.
    Restarted,
    /// It is the peer's ABORT of this one.
    Aborted(Code),
}

impl Fault {
    pub(crate) fn of(self, kind: Kind) -> PeerError {
        match self {
            Self::Malformed(reason) => PeerError::Malformed(kind, reason),
            Self::Unexpected => PeerError::Unexpected(kind),
            Self::Restarted => PeerError::Restarted,
            Self::Aborted(code) => PeerError::Aborted(code),
        }
    }
}

impl From<Malformed> for Fault {
    fn from(reason: Malformed) -> Self {
        Self::Malformed(reason)
    }
}

impl<'b, R: Role<'b>, F: Framing, C: Crc32> Session<'b, R, F, C> {
    /// Takes frames from the receive buffer until one stays in hand or none is left.
    pub(super) fn dispatch(&mut self) {
        while self.hand.is_empty() && self.takes_frames() {
            match self.inbox.next(&mut self.framing) {
                Deframed::Frame { start, end, .. } => {
                    self.hand = Hand::of(Held { start, end });
                    if let Err(error) = self.take() {
                        self.fail(error);
                    }
                    self.let_go();
                }
                Deframed::Noise { length } => {
                    let start = self.inbox.head();
                    log!(debug, "between frames: {=usize} bytes", length.saturating_sub(start));
                    self.hand =
                        Hand { business: Business::Noise, slot: 0, view: Held { start, end: length } };
                }
                Deframed::Broken(error) => self.fail(error.into()),
                Deframed::Incomplete { .. } | Deframed::Skip { .. } => {
                    if self.link == Link::Lost && (!self.may_part() || self.is_under_way()) {
                        self.fail(LinkError::Lost.into());
                    }
                    return;
                }
            }
        }
    }

    /// Whether a frame would be looked at. What was refused is told first: it is noted in one place.
    fn takes_frames(&mut self) -> bool {
        let told = self.role.receiver().is_none_or(|receiver| receiver.takes_frames())
            && self.role.sender().is_none_or(|sender| sender.takes_frames());
        told && matches!(self.state, SessionState::Opening | SessionState::Open)
    }

    /// Checks the frame in hand and does what it says, as far as that needs nobody else.
    fn take(&mut self) -> Result<(), Error> {
        let Held { start, end } = self.hand.view;
        let lossy = self.is_lossy();
        let Some((content, check)) = split_check(self.inbox.bytes(start..end)) else {
            return Err(LinkError::Corrupt.into());
        };
        let code = content.first().copied().unwrap_or_default();
        let kind = Kind::from_code(code);
        let tag = if kind == Some(Kind::Hello) { 0 } else { self.opening.receiving };
        let right = self.crc.update(tag, content) == check;
        if lossy {
            if !right {
                log!(debug, "dropped: {=usize} bytes, damaged or of another session", content.len());
                return Ok(());
            }
            if kind != Some(Kind::Hello) {
                if self.state == SessionState::Opening {
                    log!(debug, "dropped: {}, before the session is open", kind);
                    // The HELLO that would have said so was lost; what this one says comes again.
                    if self.greeting.is_known() {
                        self.opened();
                    }
                    return Ok(());
                }
                self.contact = Contact::More;
                self.shared.begin();
            }
        }
        match kind {
            Some(kind) if self.state == SessionState::Opening && kind != Kind::Hello => {
                Err(PeerError::Unexpected(kind).into())
            }
            _ if !right => Err(LinkError::Corrupt.into()),
            None if !is_skippable(code) => Err(PeerError::UnknownKind(code).into()),
            kind => {
                self.hand.view =
                    Held { start: start.saturating_add(1), end: start.saturating_add(content.len()) };
                let Some(kind) = kind else {
                    log!(debug, "dropped: a frame of unknown kind {=u8:#x}", code);
                    return Ok(());
                };
                match self.business(kind, check) {
                    // What came before it, or its answer, was lost: one of the two comes again.
                    Err(Fault::Unexpected) if lossy => {
                        log!(debug, "dropped: {}, which is not expected", kind);
                        Ok(())
                    }
                    result => result.map_err(|fault| fault.of(kind).into()),
                }
            }
        }
    }

    fn business(&mut self, kind: Kind, check: u32) -> Result<(), Fault> {
        let bytes = self.inbox.bytes(self.hand.view.range());
        match kind {
            Kind::Hello => self.greeted(&Hello::parse(bytes)?)?,
            Kind::Ping => {
                let Ping { number } = Ping::parse(bytes)?;
                self.pongs = self.pongs.ping(number);
                if let Some(receiver) = self.role.receiver() {
                    receiver.pinged();
                }
            }
            Kind::Pong => {
                let Pong { number } = Pong::parse(bytes)?;
                if self.notice == NoticeState::Sent && number == self.number {
                    self.notice = NoticeState::None;
                    self.hand.business = Business::NoticeTaken { number };
                } else if self.pings.is_one(number) {
                    self.hand.business = Business::Ponged { number };
                }
            }
            Kind::Notice => {
                let Notice { number, words } = Notice::parse(bytes)?;
                self.pongs = self.pongs.notice(number);
                // One that comes again, or late, was told already.
                if number > self.heard {
                    self.heard = number;
                    self.hand.give(Business::Notice, 0, words.len());
                }
            }
            // An end that only receives has nothing for a node: it drops the frame, as one does that does not know it.
            Kind::Attach if self.role.sender().is_some() => {
                Attach::parse(bytes)?;
                self.hand.business = Business::Attached;
            }
            Kind::Attach => {}
            Kind::Bye => {
                let Bye { code, .. } = Bye::parse(bytes)?;
                self.hand.business = Business::Bye { code };
                self.their_bye = Farewell::Said(code);
                log!(debug, "session {=u64:#x}: the peer says goodbye, {}", self.opening.nonce, code);
                let lossy = self.is_lossy();
                if let Some(receiver) = self.role.receiver().filter(|_| lossy) {
                    receiver.left_alone();
                }
                self.close(Code::Ok);
            }
            Kind::Abort => {
                let Abort { scope, transfer, code, words } = Abort::parse(bytes)?;
                let length = words.len();
                match scope {
                    Scope::Session => return Err(Fault::Aborted(code)),
                    Scope::Sending => {
                        let slot = self.role.receiver().and_then(|receiver| receiver.aborted(transfer, code));
                        self.failed(Business::ReceiveFailed, slot, length);
                    }
                    Scope::Receiving => {
                        let shared = &mut self.shared;
                        let slot =
                            self.role.sender().and_then(|sender| sender.aborted(transfer, code, shared));
                        self.failed(Business::SendFailed, slot, length);
                    }
                }
            }
            Kind::Decline => {
                let Decline { what, number, code, words } = Decline::parse(bytes)?;
                let length = words.len();
                match what {
                    Answered::Offer => {
                        let shared = &mut self.shared;
                        let slot =
                            self.role.sender().and_then(|sender| sender.declined(number, code, shared));
                        self.failed(Business::SendFailed, slot, length);
                    }
                    Answered::Want => {
                        let slot = self.role.receiver().and_then(|receiver| receiver.declined(number, code));
                        self.failed(Business::ReceiveFailed, slot, length);
                    }
                }
            }
            Kind::Offer | Kind::Data | Kind::End => self.senders(kind, check)?,
            Kind::Want | Kind::Accept | Kind::Ack | Kind::Done => self.receivers(kind)?,
        }
        Ok(())
    }

    /// The application is told of a failure, with the `length` bytes of words at the end of the frame.
    fn failed(&mut self, business: Business, slot: Option<usize>, length: usize) {
        if let Some(slot) = slot {
            self.hand.give(business, slot, length);
        }
    }

    /// A frame that a sender sends.
    fn senders(&mut self, kind: Kind, check: u32) -> Result<(), Fault> {
        let heard_bye = self.has_heard_bye();
        let link = self.framing.link();
        let bytes = self.inbox.bytes(self.hand.view.range());
        let ours = match (self.shared.peer.order, self.role.sender()) {
            (Order::Both, _) | (_, None) => false,
            (Order::UsFirst, Some(sender)) => sender.is_open(),
            (Order::PeerFirst, Some(sender)) => sender.is_accepted(),
        };
        let (limits, order) = (self.shared.limits, self.shared.peer.order);
        let receiver = self.role.receiver().ok_or(Fault::Unexpected)?;
        match kind {
            Kind::Offer => {
                let offer = Offer::parse(bytes)?;
                if heard_bye && !offer.restart {
                    return Err(Fault::Unexpected);
                }
                if ours {
                    receiver.refuse(offer.transfer, Code::Wait);
                } else if offer.digest != DigestKind::Crc32 && !limits.checks.contains(offer.digest) {
                    receiver.unsupported(offer.transfer);
                } else if let Some(slot) = receiver.offer(&offer, order, link)? {
                    let begin = if offer.restart { Begin::AtStart } else { Begin::Anywhere };
                    self.hand.give(Business::Decide { begin }, slot, bytes.len());
                    self.shared.progress();
                }
            }
            Kind::Data => {
                let data = Data::parse(bytes)?;
                if let Some(piece) = receiver.data(&data, limits.window, link)? {
                    let wanted = data.payload.get(piece.skip..).unwrap_or_default();
                    let wanted = wanted.get(..piece.length).unwrap_or_default();
                    let check = if wanted.len() == data.payload.len() {
                        let header = bytes.len().saturating_sub(wanted.len());
                        let tag = self.crc.update(self.opening.receiving, &[Kind::Data.code()]);
                        let head = self.crc.update(tag, bytes.get(..header).unwrap_or_default());
                        Sealed { head, check }.extend(piece.before, wanted.len(), &mut self.shift)
                    } else {
                        self.crc.update(piece.before, wanted)
                    };
                    let after = data.payload.len().saturating_sub(piece.skip).saturating_sub(piece.length);
                    self.hand.view.end = self.hand.view.end.saturating_sub(after);
                    let business = Business::Store { check, ahead: piece.ahead };
                    self.hand.give(business, piece.slot, wanted.len());
                }
            }
            _ => {
                self.shared.progress();
                if let Some(slot) = receiver.end(&End::parse(bytes)?, link)? {
                    self.hand.give(Business::Commit, slot, bytes.len());
                }
            }
        }
        Ok(())
    }

    /// A frame that a receiver sends.
    fn receivers(&mut self, kind: Kind) -> Result<(), Fault> {
        let heard_bye = self.has_heard_bye();
        let bytes = self.inbox.bytes(self.hand.view.range());
        let shared = &mut self.shared;
        let sender = self.role.sender().ok_or(Fault::Unexpected)?;
        match kind {
            Kind::Want if heard_bye => return Err(Fault::Unexpected),
            Kind::Want => {
                let Want { number, .. } = Want::parse(bytes)?;
                if shared.is_lossy() && sender.is_answering(number) {
                    return Ok(());
                }
                self.hand.business = Business::Wanted { number };
            }
            Kind::Accept => sender.accepted(&Accept::parse(bytes)?, shared)?,
            Kind::Ack => sender.acked(&Ack::parse(bytes)?, shared)?,
            _ => {
                let done = Done::parse(bytes)?;
                let (slot, length) = (sender.done(&done, shared)?, done.words.len());
                self.failed(Business::SendFailed, slot, length);
            }
        }
        Ok(())
    }
}
