//! What a driver asks of the application.

use super::poll::{Offer, Wish};
use super::sender::Description;
use crate::storage::Part;
use crate::wire::Code;

/// Where transfers go and come from: what [the driver](crate::driver::lean) asks of the application. One that only receives leaves out what is written.
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

    /// Puts what was received, all of its `size` bytes, into its final place. `check` is their CRC-32, for a store that reads back what it holds.
    ///
    /// # Errors
    ///
    /// What the peer is told.
    fn commit(&mut self, size: u32, check: u32) -> Result<(), Code>;

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

    /// What is sent: what was wanted, or what the application has [offered](super::Session::offer).
    ///
    /// # Errors
    ///
    /// It is given up with this code; with `Code::Wait` it is asked again in the next round.
    fn describe(&mut self) -> Result<Description<'_>, Code> {
        Err(Code::NotFound)
    }

    /// Reads at `offset`; says how many bytes, 0 at the end. May be asked for the same bytes again.
    ///
    /// # Errors
    ///
    /// `Code::Wait` if the source has nothing now: it is asked again in the next round. It is given up with any other, `Code::Changed` if the source is not what was described any more.
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
