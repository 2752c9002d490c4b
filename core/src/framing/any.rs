//! A framing that is chosen when a session begins.

use core::ops::Range;

use super::{Cobs, Datagrams, Deframed, Framing, Place, Reliability, Stream};

/// One of the framings of §2, for a program that learns only when it runs what its link is.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum AnyFraming {
    /// The length prefix, on links that lose nothing (§2.1).
    Stream(Stream),
    /// COBS, on serial lines (§2.2).
    Cobs(Cobs),
    /// One frame a datagram (§2.3).
    Datagrams(Datagrams),
}

impl Framing for AnyFraming {
    const HEAD: usize = Stream::HEAD;
    const TAIL: usize = Cobs::TAIL;

    fn link(&self) -> Reliability {
        match self {
            Self::Stream(stream) => stream.link(),
            Self::Cobs(cobs) => cobs.link(),
            Self::Datagrams(datagrams) => datagrams.link(),
        }
    }

    fn open(&mut self, out: &mut [u8]) -> usize {
        match self {
            Self::Stream(stream) => stream.open(out),
            Self::Cobs(cobs) => cobs.open(out),
            Self::Datagrams(datagrams) => datagrams.open(out),
        }
    }

    fn wrap(&mut self, out: &mut [u8], length: usize, place: Place) -> Range<usize> {
        match self {
            Self::Stream(stream) => stream.wrap(out, length, place),
            Self::Cobs(_) => 0..Cobs::wrap_at(Self::HEAD, out, length, place),
            Self::Datagrams(_) => Self::HEAD..Self::HEAD.saturating_add(length),
        }
    }

    /// As if it were COBS, which needs the most room.
    fn fits(space: usize) -> usize {
        Cobs::fits(space.saturating_sub(Self::HEAD.saturating_sub(Cobs::HEAD)))
    }

    fn next(&mut self, received: &mut [u8], max: usize) -> Deframed {
        match self {
            Self::Stream(stream) => stream.next(received, max),
            Self::Cobs(cobs) => cobs.next(received, max),
            Self::Datagrams(datagrams) => datagrams.next(received, max),
        }
    }

    fn largest(length: usize) -> usize {
        Cobs::largest(length).min(Stream::largest(length))
    }
}
