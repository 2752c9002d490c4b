//! Where a frame begins and ends on a link (§2).

mod any;
mod cobs;
mod datagrams;
mod stream;

pub use any::AnyFraming;
pub use cobs::Cobs;
pub use datagrams::Datagrams;
pub use stream::Stream;
pub(crate) use stream::{PREAMBLE, PREFIX};

use core::ops::Range;

use crate::error::PeerError;

/// A way to lay frames on a link. The frames are the same on all of them.
pub trait Framing {
    /// Bytes before a frame in the transmit buffer.
    const HEAD: usize;

    /// Bytes after a frame of the smallest size that every end takes (§3.1), at most.
    const TAIL: usize;

    /// Whether the link may lose and alter bytes (§8.5).
    fn link(&self) -> Reliability;

    /// Writes what each direction begins with, before its first frame, and says how many bytes that is.
    fn open(&mut self, out: &mut [u8]) -> usize;

    /// Lays a frame of `length` bytes, which stands at `HEAD` in `out`, and says which bytes of `out` go to the link: from its start on, but for
    /// a datagram.
    fn wrap(&mut self, out: &mut [u8], length: usize, place: Place) -> Range<usize>;

    /// The largest frame that can be laid in so many bytes of the transmit buffer.
    fn fits(space: usize) -> usize;

    /// Looks for the next frame at the start of `received`, which it may decode in place. `max` is the largest frame this end
    /// takes.
    fn next(&mut self, received: &mut [u8], max: usize) -> Deframed;

    /// The largest frame that a receive buffer of `length` bytes holds.
    fn largest(length: usize) -> usize;
}

/// Whether a link may lose and alter bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Reliability {
    /// What does not arrive whole and in order ends it.
    Reliable,
    /// Frames that are damaged are dropped, and what is missing is sent again (§8.5).
    Lossy,
    /// Frames go one by one, and may also come twice or in another order (§8.6).
    Datagrams,
}

impl Reliability {
    /// Whether frames may be lost.
    pub(crate) fn loses(self) -> bool {
        self != Self::Reliable
    }
}

/// Where a frame stands among those that go to the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Place {
    /// Nothing goes before it.
    First,
    /// It follows another one at once.
    Behind,
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
    /// Bytes that are no frame, for whoever reads what else is said on the link.
    Noise {
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
