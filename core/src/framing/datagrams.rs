//! One frame a datagram, for a packet link (§2.3).

use core::ops::Range;

use super::{Deframed, Framing, Place, Reliability};
use crate::wire::CHECK_LEN;

const SHORTEST: usize = 1 + CHECK_LEN;

/// The framing of §2.3.
///
/// What the engine lends to be transmitted is one datagram, which goes as a whole or not at all; what it is told to have received is one too.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Datagrams;

impl Framing for Datagrams {
    const HEAD: usize = 0;
    const TAIL: usize = 0;

    fn link(&self) -> Reliability {
        Reliability::Datagrams
    }

    fn open(&mut self, _: &mut [u8]) -> usize {
        0
    }

    fn wrap(&mut self, _: &mut [u8], length: usize, _: Place) -> Range<usize> {
        0..length
    }

    fn fits(space: usize) -> usize {
        space
    }

    fn next(&mut self, received: &mut [u8], max: usize) -> Deframed {
        match received.len() {
            0 => Deframed::Incomplete { total: SHORTEST },
            length if (SHORTEST..=max).contains(&length) => {
                Deframed::Frame { start: 0, end: length, used: length }
            }
            length => Deframed::Skip { length },
        }
    }

    /// A byte less, so that one that is too long is told from one that fills the buffer.
    fn largest(length: usize) -> usize {
        length.saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_a_frame_or_nothing() {
        let mut bytes = [0; 65];
        let max = Datagrams::largest(bytes.len());
        let mut next = |length| Datagrams.next(&mut bytes[..length], max);
        assert_eq!(next(0), Deframed::Incomplete { total: 5 });
        assert_eq!(next(4), Deframed::Skip { length: 4 });
        assert_eq!(next(5), Deframed::Frame { start: 0, end: 5, used: 5 });
        assert_eq!(next(64), Deframed::Frame { start: 0, end: 64, used: 64 });
        assert_eq!(next(65), Deframed::Skip { length: 65 });
    }
}
