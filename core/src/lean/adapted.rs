//! The lean engine for the drivers and the storage of the other ones.

use super::framing::Framing;
use super::poll::{Ask, Next, Offer, Wish};
use super::sender::{self, Contents, Role};
use super::session::Session;
use crate::action::{self, Action, Answer, By, Ending, Event, Failure, Offered, Refusal, Sent, Wanted};
use crate::engine::Engine;
use crate::storage::{Asked, Description, FileType};
use crate::units::{Instant, TransferId};
use crate::wire::{self, Code, Crc32, DigestKind, Identity, Nibble};

/// A [`Session`] as an [`Engine`]: for the blocking and the async driver, and for a [`Storage`](crate::Storage). It costs about a kilobyte of flash.
#[derive(Debug)]
pub struct Adapted<'b, F, C = Nibble, R = ()> {
    session: Session<'b, F, C, R>,
    /// What the storage said to the offer.
    answer: Option<Answer>,
    polled: Instant,
    transfer: TransferId,
}

#[cfg(feature = "defmt")]
impl<F, C, R> defmt::Format for Adapted<'_, F, C, R> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Adapted({})", self.session);
    }
}

impl<'b, F: Framing, C: Crc32, R: Role> Adapted<'b, F, C, R> {
    /// The session, which has just begun at `now`.
    pub fn new(session: Session<'b, F, C, R>, now: Instant) -> Self {
        Self { session, answer: None, polled: now, transfer: TransferId(0) }
    }

    /// Queues a transfer, if none is under way.
    pub fn offer(&mut self) -> Option<TransferId> {
        self.session.offer().map(TransferId)
    }

    fn advance(&mut self, now: Instant) -> Next {
        self.polled = now;
        match self.answer.take() {
            None => {}
            Some(Answer::Refuse(refusal)) if self.session.is_wanted() => {
                self.session.refuse(refusal.failed().code);
            }
            Some(_) if self.session.is_wanted() => self.session.serve(),
            Some(Answer::Have) => self.session.have(),
            Some(Answer::Refuse(refusal)) => self.session.decline(refusal.failed().code),
            Some(Answer::Accept(from, _)) => match u32::try_from(from.offset) {
                Ok(offset) => self.session.accept(offset, from.check),
                Err(_) => self.session.decline(Code::Storage),
            },
        }
        self.session.advance(now)
    }
}

/// The id of the newest transfer of this end's, 0 if there was none.
struct Outgoing(u32);

impl Outgoing {
    fn now(&self) -> TransferId {
        TransferId(self.0)
    }

    /// That of a transfer that is served.
    fn next(&self) -> TransferId {
        TransferId(self.0.wrapping_add(1))
    }
}

/// As the storage knows it.
fn wide(transfer: TransferId, offer: Offer<'_>) -> wire::Offer<'_> {
    let Offer { size, identity, name, .. } = offer;
    let file_type = offer.file_type();
    wire::Offer {
        transfer: transfer.0,
        size: size.map(u64::from),
        modified: None,
        executable: file_type == FileType::Executable,
        directory: file_type == FileType::Directory,
        restart: offer.restarts(),
        want: None,
        listing: file_type == FileType::Listing,
        digest: DigestKind::Crc32,
        identity: Identity::new(identity).unwrap_or_default(),
        name,
    }
}

impl<F: Framing, C: Crc32, R: Role> Engine for Adapted<'_, F, C, R> {
    fn receive_buffer(&mut self) -> &mut [u8] {
        self.session.receive_buffer()
    }

    fn received(&mut self, n: usize, now: Instant) {
        self.session.received(n, now);
    }

    fn link_lost(&mut self, _: Instant) {
        self.session.link_lost();
    }

    fn next(&mut self, now: Instant) -> action::Next {
        match self.advance(now) {
            Next::Transmit => action::Next::Transmit,
            Next::Ask if self.session.is_to_tell() => action::Next::Event,
            Next::Ask => action::Next::Storage,
            Next::Wait => action::Next::Wait(self.deadline()),
            Next::Closed => action::Next::Closed,
        }
    }

    fn poll(&mut self, now: Instant) -> Action<'_> {
        self.advance(now);
        if self.session.is_offered() {
            self.transfer = TransferId(self.session.incoming());
        }
        let transfer = self.transfer;
        let outgoing = Outgoing(self.session.outgoing());
        let until = self.deadline();
        match self.session.poll(now) {
            Ask::Transmit(bytes) => Action::Transmit(bytes),
            Ask::Offered(offer) => {
                let offer = wide(transfer, offer);
                Action::Offered(Offered { offer, transfer, answer: &mut self.answer })
            }
            Ask::Store { offset, data } => Action::Store { transfer, offset: offset.into(), data },
            Ask::Sync { offset, check } => Action::Sync { transfer, offset: offset.into(), check },
            Ask::Commit { size, check } => {
                let end = Ending { size: size.into(), check, digest: DigestKind::Crc32, value: &[] };
                Action::Commit { transfer, end }
            }
            Ask::Abandon(part) => Action::Abandon { transfer, part },
            Ask::Wanted(Wish { name, contents }) => {
                let want = wire::Want { number: 1, listing: contents == Contents::Listing, name };
                let transfer = outgoing.next();
                Action::Wanted(Wanted { want, transfer, answer: &mut self.answer })
            }
            Ask::Describe => Action::Describe { transfer: outgoing.now(), digest: DigestKind::Crc32 },
            Ask::Fetch { offset, into } => {
                Action::Fetch { transfer: outgoing.now(), offset: offset.into(), into }
            }
            Ask::Sent(result) => {
                let transfer = outgoing.now();
                Action::Event(match result {
                    Ok(()) => Event::Sent { transfer, how: Sent::Stored, resumed_from: 0 },
                    Err(code) => Event::SendFailed(Failure { transfer, code, words: "", by: By::Peer }),
                })
            }
            Ask::Wait => Action::Wait { until },
            Ask::Closed(result) => Action::Closed(result),
        }
    }

    fn deadline(&mut self) -> Option<Instant> {
        (!self.session.is_closed()).then(|| Session::<F, C, R>::deadline(self.polled))
    }

    fn transmitted(&mut self, n: usize) {
        self.session.transmitted(n);
    }

    fn stored(&mut self, n: Result<usize, Refusal>) {
        self.session.stored(n.map_err(|refusal| refusal.failed().code));
    }

    fn synced(&mut self, transfer: TransferId, durable: u64) {
        if transfer == self.transfer {
            // What a lean session has received is less than this.
            self.session.synced(u32::try_from(durable).unwrap_or_default());
        }
    }

    fn committed(&mut self, transfer: TransferId, result: Result<(), Refusal>) {
        if transfer == self.transfer {
            self.session.committed(result.map_err(|refusal| refusal.failed().code));
        }
    }

    fn described(&mut self, description: Result<Description<'_>, Refusal>) {
        let description = description.as_ref().map_err(|refusal| refusal.failed().code).and_then(|it| {
            let size = it.size.map(u32::try_from).transpose().map_err(|_| Code::TooLarge)?;
            let contents = match it.file_type {
                FileType::File | FileType::Executable => Contents::File,
                FileType::Listing => Contents::Listing,
                FileType::Directory => return Err(Code::Unsupported),
            };
            let name = it.name.map_or("", |name| name.as_str());
            let name = wire::UncheckedName::new(name.as_bytes());
            Ok(sender::Description { name, size, identity: it.identity.as_bytes(), contents })
        });
        self.session.described(description);
    }

    fn asked(&mut self, _: Result<Asked<'_>, Refusal>) {}

    fn fetched(&mut self, n: Result<usize, Refusal>) {
        self.session.fetched(n.map_err(|refusal| refusal.failed().code));
    }

    fn finished(&mut self, _: Result<usize, Refusal>) {}

    fn said(&mut self, _: usize) {}
}
