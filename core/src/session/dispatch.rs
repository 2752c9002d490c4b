//! From a received frame to whoever it is for (§3, §8.3).

use super::hand::{Business, Hand, Held};
use super::opening::Greeting;
use super::outbox::Sealed;
use super::receiver::Taken;
use super::role::Role;
use super::sender::Heard;
use super::shared::Order;
use super::transitions::SessionState;
use super::{Farewell, Link, NoticeState, Session};
use crate::error::{Error, LinkError, PeerError};
use crate::framing::{Deframed, Framing};
use crate::wire::{
    Abort, Accept, Ack, Answered, Bye, Code, Crc32, Data, Decline, Done, End, Hello, Kind, Notice, Offer, Ping, Pong,
    Scope, Want, is_skippable, split_check,
};

impl<'b, R: Role<'b>, F: Framing, C: Crc32> Session<'b, R, F, C> {
    /// Takes frames from the receive buffer until one stays in hand or none is left.
    pub(super) fn dispatch(&mut self) {
        while self.hand == Hand::Empty && matches!(self.state, SessionState::Opening | SessionState::Open) {
            match self.inbox.next(&mut self.framing) {
                Deframed::Frame { start, end, used } => {
                    match self.take(Held { start, end }) {
                        Ok(Some((body, business))) => {
                            self.hand = Hand::Frame { body, used, business };
                        }
                        Ok(None) => self.inbox.consume(used),
                        Err(error) => self.fail(error),
                    }
                }
                Deframed::Broken(error) => self.fail(error.into()),
                Deframed::Incomplete { .. } | Deframed::Skip { .. } => {
                    if self.link == Link::Lost && (self.their_bye != Farewell::Said || self.is_under_way()) {
                        self.fail(LinkError::Lost.into());
                    }
                    return;
                }
            }
        }
    }

    /// Checks a frame and does what it says, as far as that needs nobody else.
    fn take(&mut self, frame: Held) -> Result<Option<(Held, Business)>, Error> {
        let bytes = self.inbox.bytes(frame.range());
        let Some((content, check)) = split_check(bytes) else { return Err(LinkError::Corrupt.into()) };
        let code = content.first().copied().unwrap_or_default();
        let kind = Kind::from_code(code);
        let start = if kind == Some(Kind::Hello) { 0 } else { self.opening.receiving };
        let header = if kind == Some(Kind::Data) { Data::header_len(content).unwrap_or(0) } else { 0 };
        let (header, payload) = content.split_at_checked(header).unwrap_or((content, &[]));
        let head = self.crc.update(start, header);
        if self.crc.update(head, payload) != check {
            return Err(match (self.state, kind) {
                (SessionState::Opening, Some(kind)) if kind != Kind::Hello => PeerError::Unexpected(kind).into(),
                _ => LinkError::Corrupt.into(),
            });
        }
        self.timers.heard(self.shared.now);
        let Some(kind) = kind else {
            return if is_skippable(code) { Ok(None) } else { Err(PeerError::UnknownKind(code).into()) };
        };
        if self.state == SessionState::Opening && kind != Kind::Hello {
            return Err(PeerError::Unexpected(kind).into());
        }
        let body = Held { start: frame.start.saturating_add(1), end: frame.start.saturating_add(content.len()) };
        let business = self.business(kind, body, Sealed { head, check })?;
        Ok(business.map(|business| (body, business)))
    }

    fn business(&mut self, kind: Kind, body: Held, sealed: Sealed) -> Result<Option<Business>, PeerError> {
        let malformed = |reason| PeerError::Malformed(kind, reason);
        let unexpected = PeerError::Unexpected(kind);
        let bytes = self.inbox.bytes(body.range());
        Ok(match kind {
            Kind::Hello => {
                let hello = Hello::parse(bytes).map_err(malformed)?;
                (self.greeted(&hello)? == Greeting::Opened).then_some(Business::Opened)
            }
            Kind::Ping => {
                self.pong = Some(Ping::parse(bytes).map_err(malformed)?.number);
                if let Some(receiver) = self.role.receiver() {
                    receiver.pinged();
                }
                None
            }
            Kind::Pong => {
                let Pong { number } = Pong::parse(bytes).map_err(malformed)?;
                let taken = self.notice == NoticeState::Sent(number);
                if taken {
                    self.notice = NoticeState::None;
                }
                taken.then_some(Business::NoticeTaken)
            }
            Kind::Notice => {
                self.pong = Some(Notice::parse(bytes).map_err(malformed)?.number);
                Some(Business::Notice)
            }
            Kind::Bye => {
                Bye::parse(bytes).map_err(malformed)?;
                self.their_bye = Farewell::Said;
                self.close(Code::Ok);
                Some(Business::Bye)
            }
            Kind::Abort => {
                let abort = Abort::parse(bytes).map_err(malformed)?;
                match abort.scope {
                    Scope::Session => return Err(PeerError::Aborted(abort.code)),
                    Scope::Sending => {
                        self.role.receiver().and_then(|receiver| received(receiver.aborted(&abort)))
                    }
                    Scope::Receiving => {
                        let sender = self.role.sender();
                        sender.and_then(|sender| sent(sender.aborted(&abort, &mut self.shared)))
                    }
                }
            }
            Kind::Decline => {
                let decline = Decline::parse(bytes).map_err(malformed)?;
                match decline.what {
                    Answered::Offer => {
                        let sender = self.role.sender().ok_or(unexpected)?;
                        sent(sender.declined(&decline, &mut self.shared))
                    }
                    Answered::Want => {
                        received(self.role.receiver().ok_or(unexpected)?.declined(&decline))
                    }
                }
            }
            Kind::Offer | Kind::Data | Kind::End => {
                let ours = match (self.shared.peer.order, self.role.sender()) {
                    (Order::Both, _) | (_, None) => false,
                    (Order::UsFirst, Some(sender)) => sender.is_open(),
                    (Order::PeerFirst, Some(sender)) => sender.is_accepted(),
                };
                let receiver = self.role.receiver().ok_or(unexpected)?;
                let taken = match kind {
                    Kind::Offer => {
                        let offer = Offer::parse(bytes).map_err(malformed)?;
                        if self.their_bye == Farewell::Said && !offer.restart {
                            return Err(unexpected);
                        }
                        if ours {
                            receiver.refuse(offer.transfer, Code::Wait)?
                        } else {
                            receiver.offer(&offer, &mut self.shared)?
                        }
                    }
                    Kind::Data => receiver.data(&Data::parse(bytes).map_err(malformed)?)?,
                    _ => receiver.end(&End::parse(bytes).map_err(malformed)?, &mut self.shared)?,
                };
                let length = bytes.len();
                keep(taken, body, length, sealed)
            }
            Kind::Want | Kind::Accept | Kind::Ack | Kind::Done => {
                let sender = self.role.sender().ok_or(unexpected)?;
                match kind {
                    Kind::Want => {
                        Want::parse(bytes).map_err(malformed)?;
                        Some(Business::Wanted)
                    }
                    Kind::Accept => {
                        sender.accepted(&Accept::parse(bytes).map_err(malformed)?, &mut self.shared)?;
                        None
                    }
                    Kind::Ack => {
                        sender.acked(&Ack::parse(bytes).map_err(malformed)?, &mut self.shared)?;
                        None
                    }
                    _ => sent(sender.done(&Done::parse(bytes).map_err(malformed)?, &mut self.shared)?),
                }
            }
        })
    }
}

fn keep(taken: Taken, body: Held, length: usize, sealed: Sealed) -> Option<Business> {
    match taken {
        Taken::Nothing => None,
        Taken::Decide { slot } => Some(Business::Decide { slot }),
        Taken::Commit { slot } => Some(Business::Commit { slot }),
        Taken::Failed { slot } => Some(Business::ReceiveFailed { slot }),
        Taken::Store { slot, payload, skip } => {
            let start = body.start.saturating_add(length.saturating_sub(payload)).saturating_add(skip);
            let payload = Held { start, end: body.end };
            let sealed = (skip == 0).then_some(sealed);
            Some(Business::Store { slot, payload, stored: 0, sealed })
        }
    }
}

fn sent(heard: Heard) -> Option<Business> {
    match heard {
        Heard::Nothing => None,
        Heard::Failed { slot } => Some(Business::SendFailed { slot }),
    }
}

fn received(taken: Taken) -> Option<Business> {
    match taken {
        Taken::Failed { slot } => Some(Business::ReceiveFailed { slot }),
        _ => None,
    }
}
