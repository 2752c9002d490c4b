//! The driver of the lean engine, which never waits.

use embedded_io::{Read, ReadReady, Write, WriteReady};

use super::framing::Framing;
use super::poll::{Ask, Offer, Wish};
use super::sender::{Description, Role};
use super::session::Session;
use crate::driver::{Outcome, Turn, outcome};
use crate::error::Error;
use crate::storage::Part;
use crate::units::Instant;
use crate::wire::{Code, Crc32};

/// Where transfers go and come from: what [`turn`] asks of the application. One that only receives leaves out what is written.
pub trait Store {
    /// The peer offers a transfer: look at its name, size and identity, and decide.
    fn offered(&mut self, offer: &Offer<'_>) -> Verdict;

    /// Writes `data` behind what was stored before, at `offset`; says how many bytes of it, 0 if the sink is busy now.
    ///
    /// # Errors
    ///
    /// Whatever keeps the sink from writing; the transfer ends with it, and what is durable stays.
    fn store(&mut self, offset: u32, data: &[u8]) -> Result<usize, Code>;

    /// Makes durable what was stored, with `check` as the CRC-32 of its first `offset` bytes; says how much is durable now.
    fn sync(&mut self, offset: u32, check: u32) -> u32;

    /// Puts what was received, all of it, into its final place.
    ///
    /// # Errors
    ///
    /// What the peer is told.
    fn commit(&mut self) -> Result<(), Code>;

    /// The transfer ended without a commit.
    fn abandon(&mut self, part: Part);

    /// The peer wants something; on `Ok` it is described and sent next.
    ///
    /// # Errors
    ///
    /// What the peer is told.
    fn wanted(&mut self, wish: &Wish<'_>) -> Result<(), Code> {
        let _ = wish;
        Err(Code::NotAllowed)
    }

    /// What is sent: what was wanted, or what the application has [offered](Session::offer).
    ///
    /// # Errors
    ///
    /// It is given up with this code.
    fn describe(&mut self) -> Result<Description<'_>, Code> {
        Err(Code::NotFound)
    }

    /// Reads at `offset`; says how many bytes, 0 at the end. May be asked for the same bytes again.
    ///
    /// # Errors
    ///
    /// It is given up with this code, `Code::Changed` if the source is not what was described any more.
    fn fetch(&mut self, offset: u32, into: &mut [u8]) -> Result<usize, Code> {
        let _ = (offset, into);
        Err(Code::NotAllowed)
    }

    /// What was sent is at the receiver, verified and durable; or why it is not.
    fn sent(&mut self, result: Result<(), Code>) {
        let _ = result;
    }
}

/// What a [`Store`] says to an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Verdict {
    /// Take it, from what the part holds already.
    Accept {
        /// Bytes that are durable.
        offset: u32,
        /// CRC-32 of them.
        check: u32,
    },
    /// All of it is here already (§5.3).
    Have,
    /// Decline it.
    Decline(Code),
}

/// Does at most one read and one thing that is asked, and returns at once.
///
/// # Errors
///
/// [`WouldBlock`](nb::Error::WouldBlock) if there is nothing to do now; otherwise what ended the session.
pub fn turn<F, C, R, L, S>(
    engine: &mut Session<'_, F, C, R>,
    link: &mut L,
    store: &mut S,
    now: Instant,
) -> nb::Result<Turn<'static>, Error>
where
    F: Framing,
    C: Crc32,
    R: Role,
    L: Read + Write + ReadReady + WriteReady,
    S: Store,
{
    let buffer = engine.receive_buffer();
    if !buffer.is_empty() && link.read_ready().unwrap_or(true) {
        match outcome(link.read(buffer)) {
            Outcome::Moved(n) => engine.received(n, now),
            Outcome::NothingNow => {}
            Outcome::Lost => engine.link_lost(),
        }
    }
    match engine.poll(now) {
        Ask::Transmit(bytes) => {
            let written = if link.write_ready().unwrap_or(true) {
                outcome(link.write(bytes))
            } else {
                Outcome::NothingNow
            };
            match written {
                Outcome::Moved(n) => engine.transmitted(n),
                Outcome::NothingNow => engine.transmitted(0),
                Outcome::Lost => engine.link_lost(),
            }
        }
        Ask::Offered(offer) => match store.offered(&offer) {
            Verdict::Accept { offset, check } => engine.accept(offset, check),
            Verdict::Have => engine.have(),
            Verdict::Decline(code) => engine.decline(code),
        },
        Ask::Store { offset, data } => {
            let result = store.store(offset, data);
            engine.stored(result);
        }
        Ask::Sync { offset, check } => engine.synced(store.sync(offset, check)),
        Ask::Commit { .. } => engine.committed(store.commit()),
        Ask::Abandon(part) => store.abandon(part),
        Ask::Wanted(wish) => match store.wanted(&wish) {
            Ok(()) => engine.serve(),
            Err(code) => engine.refuse(code),
        },
        Ask::Describe => engine.described(store.describe()),
        Ask::Fetch { offset, into } => {
            let result = store.fetch(offset, into);
            engine.fetched(result);
        }
        Ask::Sent(result) => store.sent(result),
        Ask::Wait => return Err(nb::Error::WouldBlock),
        Ask::Closed(result) => return result.map(|()| Turn::Closed).map_err(nb::Error::Other),
    }
    Ok(Turn::Worked)
}
