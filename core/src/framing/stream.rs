//! The length prefix, for a reliable byte stream (§2.1).

use core::ops::Range;

use super::{Deframed, Framing, Place, Reliability};
use crate::error::PeerError;
use crate::wire::CHECK_LEN;

/// What each direction begins with: the last byte is the version of this framing.
pub(crate) const PREAMBLE: [u8; 5] = [0xF5, b'S', b'P', b'N', 1];
pub(crate) const PREFIX: usize = 3;
const SHORTEST: usize = 1 + CHECK_LEN;

/// The framing of §2.1, for one link.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stream {
    peer: Direction,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Direction {
    #[default]
    BeforePreamble,
    Open,
}

impl Stream {
    /// The first byte of a framed connection, which cannot be that of a name in UTF-8: tells it from the classic handshake.
    pub const FIRST_BYTE: u8 = 0xF5;

    /// For a link on which nothing has been sent yet.
    pub const fn new() -> Self {
        Self { peer: Direction::BeforePreamble }
    }

    fn preamble(received: &[u8]) -> Deframed {
        let matching = received.iter().zip(&PREAMBLE).take_while(|(seen, expected)| seen == expected).count();
        match (matching, received.get(matching)) {
            (5, _) => Deframed::Skip { length: PREAMBLE.len() },
            (4, Some(&theirs)) => Deframed::Broken(PeerError::FramingVersion { theirs }),
            (_, None) => Deframed::Incomplete { total: PREAMBLE.len() },
            _ => Self::another(received),
        }
    }

    /// What speaks another protocol, or begins as a reply of the classic handshake does.
    fn another(received: &[u8]) -> Deframed {
        match received {
            [b'[', b'+' | b'!', b']', b' ', ..] => Deframed::Broken(PeerError::Classic),
            [b'['] | [b'[', b'+' | b'!'] | [b'[', b'+' | b'!', b']'] => {
                Deframed::Incomplete { total: PREAMBLE.len() }
            }
            _ => Deframed::Broken(PeerError::NotSampan),
        }
    }
}

impl Framing for Stream {
    const HEAD: usize = PREFIX;
    const TAIL: usize = 0;

    fn link(&self) -> Reliability {
        Reliability::Reliable
    }

    fn open(&mut self, out: &mut [u8]) -> usize {
        match out.first_chunk_mut() {
            Some(start) => {
                *start = PREAMBLE;
                PREAMBLE.len()
            }
            None => 0,
        }
    }

    fn wrap(&mut self, out: &mut [u8], length: usize, _: Place) -> Range<usize> {
        let [low, middle, high, ..] = length.to_le_bytes();
        if let Some(prefix) = out.first_chunk_mut() {
            *prefix = [low, middle, high];
        }
        0..length.saturating_add(PREFIX)
    }

    fn fits(space: usize) -> usize {
        space.saturating_sub(PREFIX)
    }

    fn next(&mut self, received: &mut [u8], max: usize) -> Deframed {
        if self.peer == Direction::BeforePreamble {
            let found = Self::preamble(received);
            if matches!(found, Deframed::Skip { .. }) {
                self.peer = Direction::Open;
            }
            return found;
        }
        let Some(&[low, middle, high]) = received.first_chunk() else {
            return Deframed::Incomplete { total: PREFIX };
        };
        let length = u32::from_le_bytes([low, middle, high, 0]);
        let size = length as usize;
        if size < SHORTEST || size > max {
            return Deframed::Broken(PeerError::FrameLength { length });
        }
        let end = size.saturating_add(PREFIX);
        if received.len() < end {
            return Deframed::Incomplete { total: end };
        }
        Deframed::Frame { start: PREFIX, end, used: end }
    }

    fn largest(length: usize) -> usize {
        length.saturating_sub(PREFIX).min((1 << 24) - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn opened() -> Stream {
        Stream { peer: Direction::Open }
    }

    #[test]
    fn the_preamble_opens_each_direction() {
        let mut out = [0xA5; 8];
        let mut stream = Stream::new();
        assert_eq!(stream.open(&mut out), 5);
        assert_eq!(out, [0xF5, b'S', b'P', b'N', 1, 0xA5, 0xA5, 0xA5]);
        for cut in 0..5 {
            assert_eq!(stream.next(&mut out[..cut], 100), Deframed::Incomplete { total: 5 });
        }
        assert_eq!(stream.next(&mut out[..5], 100), Deframed::Skip { length: 5 });
        assert_eq!(stream.next(&mut [], 100), Deframed::Incomplete { total: 3 });
    }

    #[test]
    fn other_openings_are_named() {
        let opening = |bytes: &[u8]| Stream::new().next(&mut Vec::from(bytes), 100);
        assert_eq!(opening(b"GET / HTTP"), Deframed::Broken(PeerError::NotSampan));
        assert_eq!(opening(b"\x16\x03\x01"), Deframed::Broken(PeerError::NotSampan));
        assert_eq!(opening(b"\xF5SPX\x01"), Deframed::Broken(PeerError::NotSampan));
        assert_eq!(opening(b"\xF5SPN\x02"), Deframed::Broken(PeerError::FramingVersion { theirs: 2 }));
        assert_eq!(opening(b"[+] server : filename query ok"), Deframed::Broken(PeerError::Classic));
        assert_eq!(opening(b"[!] "), Deframed::Broken(PeerError::Classic));
        assert_eq!(opening(b"[+"), Deframed::Incomplete { total: 5 });
        assert_eq!(opening(b"[-"), Deframed::Broken(PeerError::NotSampan));
    }

    #[test]
    fn a_length_is_taken_at_its_word_only_within_bounds() {
        for (length, max, fits) in
            [(0, 60, false), (4, 60, false), (5, 60, true), (60, 60, true), (61, 60, false)]
        {
            let mut bytes = std::vec![0; 3 + length];
            opened().wrap(&mut bytes, length, Place::First);
            let found = opened().next(&mut bytes, max);
            if fits {
                assert_eq!(found, Deframed::Frame { start: 3, end: 3 + length, used: 3 + length });
                bytes.pop();
                assert_eq!(opened().next(&mut bytes, max), Deframed::Incomplete { total: 3 + length });
            } else {
                assert_eq!(found, Deframed::Broken(PeerError::FrameLength { length: length as u32 }));
            }
        }
        assert_eq!(
            opened().next(&mut [0xFF; 3], (1 << 24) - 2),
            Deframed::Broken(PeerError::FrameLength { length: 0xFF_FFFF })
        );
    }
}
