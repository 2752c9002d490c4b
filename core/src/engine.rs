//! The contract between an engine and whoever drives it.

use crate::action::{Action, Next, Refusal};
use crate::storage::{Asked, Description};
use crate::units::{Instant, TransferId};

/// A protocol engine that does no I/O and reads no clock: [`Session`](crate::Session), and those of the classic handshake.
///
/// The caller loops, and a [driver](crate::driver) is such a loop:
///
/// 1. While the link has bytes and [`receive_buffer`](Self::receive_buffer) is not empty: read into it, then
///    [`received`](Self::received).
/// 2. [`poll`](Self::poll), do what it asks, answer with the past participle.
/// 3. At [`Action::Wait`]: wait for the link, for a late answer of the storage's, or for the instant it names.
///
/// Calls out of order are harmless: an answer to what was not asked is ignored.
pub trait Engine {
    /// Where bytes from the link go next; empty while a frame that was received waits for the storage.
    fn receive_buffer(&mut self) -> &mut [u8];

    /// `n` bytes were read into [`receive_buffer`](Self::receive_buffer).
    fn received(&mut self, n: usize, now: Instant);

    /// The link has ended or failed: no more bytes will come, and none will go.
    fn link_lost(&mut self, now: Instant);

    /// The link takes no more bytes, but may still bring some that are under way: to be read until it ends.
    fn unwritable(&mut self, now: Instant) {
        self.link_lost(now);
    }

    /// What [`poll`](Self::poll) would lend now.
    fn next(&mut self, now: Instant) -> Next;

    /// What the caller must do now.
    fn poll(&mut self, now: Instant) -> Action<'_>;

    /// When [`poll`](Self::poll) must be called again at the latest, if nothing else happens before; `None` once it is over. It is the instant
    /// that [`Action::Wait`] names, for event loops that wait for the link to take bytes.
    fn deadline(&mut self) -> Option<Instant>;

    /// Answers [`Action::Transmit`]: the link took `n` bytes; 0 if it takes none until it is ready again.
    fn transmitted(&mut self, n: usize);

    /// Answers [`Action::Describe`]. A refusal `wait` makes this, [`fetched`](Self::fetched) and [`finished`](Self::finished) be asked for again after
    /// the next [`Action::Wait`]; nothing is sent, and whatever else the session owes goes on meanwhile.
    fn described(&mut self, description: Result<Description<'_>, Refusal>);

    /// Answers [`Action::Ask`].
    fn asked(&mut self, asked: Result<Asked<'_>, Refusal>);

    /// Answers [`Action::Fetch`]: `n` bytes were read; 0 at the source's end.
    fn fetched(&mut self, n: Result<usize, Refusal>);

    /// Answers [`Action::Finish`]: the digest has `n` bytes.
    fn finished(&mut self, n: Result<usize, Refusal>);

    /// Answers [`Action::Say`]: the words have `n` bytes.
    fn said(&mut self, n: usize);

    /// Answers [`Action::Store`]: the sink took `n` bytes; 0 if it is busy.
    fn stored(&mut self, n: Result<usize, Refusal>);

    /// Answers [`Action::Sync`]: everything below `durable` survives a power cut.
    fn synced(&mut self, transfer: TransferId, durable: u64);

    /// Answers [`Action::Commit`].
    fn committed(&mut self, transfer: TransferId, result: Result<(), Refusal>);
}
