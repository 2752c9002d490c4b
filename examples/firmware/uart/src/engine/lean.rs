//! The lean engine, for the same driver and the same storage.

use sampan_core::driver::{self, Turn};
use sampan_core::lean::{Adapted, Cobs, Role, Sender, Session, Setup};
use sampan_core::wire::{DigestKind, Nibble, Offer, Want};
use sampan_core::{
    Buffers, Description, Ending, Engine, Event, Instant, Next, Part, Refusal, Storage, TransferId, Verdict,
};

use super::{Happened, Opening, WINDOW};
use crate::{Link, SECTOR};

type Of<'m, R> = Adapted<'m, Cobs, Nibble, R>;

/// A session that receives.
pub type Receiver<'m> = Of<'m, ()>;

/// A session that receives and sends.
pub type Node<'m> = Of<'m, Sender>;

/// What a session is made in.
#[derive(Debug)]
pub struct Memory {
    receive: [u8; 600],
    /// It sends no longer frames.
    transmit: [u8; 256],
}

impl Memory {
    /// Nothing.
    pub const NEW: Self = Self { receive: [0; 600], transmit: [0; 256] };
}

fn begin<R: Role>(memory: &mut Memory, role: R, (speaks, nonce): Opening, now: Instant) -> Of<'_, R> {
    let Memory { receive, transmit } = memory;
    let setup = Setup { speaks, nonce, window: WINDOW, sync_bytes: SECTOR };
    let session = Session::new(Buffers { receive, transmit }, &setup, (Cobs::new(), Nibble, role), now);
    Adapted::new(session.expect("the buffers are large enough"), now)
}

/// Begins a session that receives.
pub fn receiver(memory: &mut Memory, opening: Opening, now: Instant) -> Receiver<'_> {
    begin(memory, (), opening, now)
}

/// Begins a session that receives and sends.
pub fn node(memory: &mut Memory, opening: Opening, now: Instant) -> Node<'_> {
    begin(memory, Sender::new(), opening, now)
}

/// None: what the peer begins anew on a line, this engine begins anew in the same session.
pub fn successor<R: Role>(_: &Of<'_, R>) -> Option<Opening> {
    None
}

/// Takes a turn of a session.
pub fn turn<R: Role>(
    session: &mut Of<'_, R>,
    link: &mut Link,
    storage: &mut impl Storage,
    now: Instant,
) -> Happened {
    let mut watched = Watched { storage, happened: Happened::Worked };
    match driver::nb::turn(session, link, &mut watched, now) {
        Ok(Turn::Event(Event::Sent { .. } | Event::SendFailed(_))) => Happened::Sent,
        Ok(Turn::Worked | Turn::Event(_)) => watched.happened,
        Err(nb::Error::WouldBlock) => match session.next(now) {
            Next::Wait(Some(until)) if until > now => Happened::Nothing,
            _ => Happened::Worked,
        },
        Ok(Turn::Closed) | Err(nb::Error::Other(_)) => Happened::Closed,
    }
}

/// A storage, and what it was asked: of what is received this engine tells nobody else.
struct Watched<'s, S> {
    storage: &'s mut S,
    happened: Happened,
}

impl<S: Storage> Storage for Watched<'_, S> {
    fn offered(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Verdict {
        self.happened = Happened::Met;
        self.storage.offered(transfer, offer)
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        self.storage.store(transfer, offset, data)
    }

    fn sync(&mut self, transfer: TransferId, offset: u64, check: u32) -> Option<u64> {
        self.storage.sync(transfer, offset, check)
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        let result = self.storage.commit(transfer, end);
        match result {
            Some(Ok(())) => self.happened = Happened::Received,
            Some(Err(refusal)) => self.happened = Happened::Failed(refusal.code),
            None => {}
        }
        result
    }

    fn abandon(&mut self, transfer: TransferId, part: Part) {
        self.storage.abandon(transfer, part);
    }

    fn wanted(&mut self, transfer: TransferId, want: &Want<'_>) -> Result<(), Refusal> {
        self.storage.wanted(transfer, want)
    }

    fn describe(&mut self, transfer: TransferId, digest: DigestKind) -> Result<Description<'_>, Refusal> {
        self.storage.describe(transfer, digest)
    }

    fn fetch(&mut self, transfer: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        self.storage.fetch(transfer, offset, into)
    }
}
