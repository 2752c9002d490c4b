//! The lean engine for the drivers and the storage of the other ones.

use super::framing::Framing;
use super::poll::{Ask, Next, Offer};
use super::receiver::Receiver;
use crate::action::{self, Action, Answer, Ending, Offered, Refusal};
use crate::engine::Engine;
use crate::storage::{Asked, Description, FileType};
use crate::units::{Instant, TransferId};
use crate::wire::{self, Code, Crc32, DigestKind, Identity, Nibble};

/// A [`Receiver`] as an [`Engine`]: for the blocking and the async driver, and for a [`Storage`](crate::Storage). It costs about a kilobyte of flash.
#[derive(Debug)]
pub struct Adapted<'b, F, C = Nibble> {
    receiver: Receiver<'b, F, C>,
    /// What the storage said to the offer.
    answer: Option<Answer>,
    polled: Instant,
    transfer: TransferId,
}

impl<'b, F: Framing, C: Crc32> Adapted<'b, F, C> {
    /// The receiver, which has just begun at `now`.
    pub fn new(receiver: Receiver<'b, F, C>, now: Instant) -> Self {
        Self { receiver, answer: None, polled: now, transfer: TransferId(0) }
    }

    fn advance(&mut self, now: Instant) -> Next {
        self.polled = now;
        match self.answer.take() {
            None => {}
            Some(Answer::Have) => self.receiver.have(),
            Some(Answer::Refuse(refusal)) => self.receiver.decline(refusal.failed().code),
            Some(Answer::Accept(from, _)) => match u32::try_from(from.offset) {
                Ok(offset) => self.receiver.accept(offset, from.check),
                Err(_) => self.receiver.decline(Code::Storage),
            },
        }
        self.receiver.advance(now)
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

impl<F: Framing, C: Crc32> Engine for Adapted<'_, F, C> {
    fn receive_buffer(&mut self) -> &mut [u8] {
        self.receiver.receive_buffer()
    }

    fn received(&mut self, n: usize, now: Instant) {
        self.receiver.received(n, now);
    }

    fn link_lost(&mut self, _: Instant) {
        self.receiver.link_lost();
    }

    fn next(&mut self, now: Instant) -> action::Next {
        match self.advance(now) {
            Next::Transmit => action::Next::Transmit,
            Next::Ask => action::Next::Storage,
            Next::Wait => action::Next::Wait(self.deadline()),
            Next::Closed => action::Next::Closed,
        }
    }

    fn poll(&mut self, now: Instant) -> Action<'_> {
        self.advance(now);
        if self.receiver.is_offered() {
            self.transfer = TransferId(self.receiver.id);
        }
        let transfer = self.transfer;
        let until = self.deadline();
        match self.receiver.poll(now) {
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
            Ask::Wait => Action::Wait { until },
            Ask::Closed(result) => Action::Closed(result),
        }
    }

    fn deadline(&mut self) -> Option<Instant> {
        (!self.receiver.is_closed()).then(|| Receiver::<F, C>::deadline(self.polled))
    }

    fn transmitted(&mut self, n: usize) {
        self.receiver.transmitted(n);
    }

    fn stored(&mut self, n: Result<usize, Refusal>) {
        self.receiver.stored(n.map_err(|refusal| refusal.failed().code));
    }

    fn synced(&mut self, transfer: TransferId, durable: u64) {
        if transfer == self.transfer
            && let Ok(durable) = u32::try_from(durable)
        {
            self.receiver.synced(durable);
        }
    }

    fn committed(&mut self, transfer: TransferId, result: Result<(), Refusal>) {
        if transfer == self.transfer {
            self.receiver.committed(result.map_err(|refusal| refusal.failed().code));
        }
    }

    fn described(&mut self, _: Result<Description<'_>, Refusal>) {}

    fn asked(&mut self, _: Result<Asked<'_>, Refusal>) {}

    fn fetched(&mut self, _: Result<usize, Refusal>) {}

    fn finished(&mut self, _: Result<usize, Refusal>) {}

    fn said(&mut self, _: usize) {}
}
