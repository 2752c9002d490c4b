//! Where a frame begins and ends on a link (§2).

mod stream;

pub use stream::Stream;

use crate::error::PeerError;

/// A way to lay frames on a link. The frames are the same on all of them.
pub trait Framing {
    /// Bytes before a frame in the transmit buffer.
    const HEAD: usize;

    /// Bytes after a frame in the transmit buffer, at most.
    const TAIL: usize;

    /// Writes what each direction begins with, before its first frame, and says how many bytes that is.
    fn open(&mut self, out: &mut [u8]) -> usize;

    /// Lays a frame of `length` bytes, which stands at `HEAD` in `out`, and says how many bytes of `out` go to the link.
    fn wrap(&mut self, out: &mut [u8], length: usize) -> usize;

    /// Looks for the next frame at the start of `received`, which it may decode in place. `max` is the largest frame this end
    /// takes.
    fn next(&mut self, received: &mut [u8], max: usize) -> Deframed;

    /// The largest frame that a receive buffer of `length` bytes holds.
    fn largest(length: usize) -> usize;
}

/// What stands at the start of the received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Deframed {
    /// Not yet a whole frame: `total` bytes are needed in all, as far as is known.
    Incomplete {
        /// Bytes from the start of the received ones.
        total: usize,
    },
    /// Bytes that are not part of a frame and are done with.
    Skip {
        /// How many.
        length: usize,
    },
    /// A frame.
    Frame {
        /// Where it begins.
        start: usize,
        /// Where it ends, and what follows begins.
        end: usize,
        /// How many bytes are done with once the frame is.
        used: usize,
    },
    /// The peer does not keep to this framing.
    Broken(PeerError),
}
