//! Framing for a lean engine: byte by byte, in the memory that the frame will have (§2.1, §2.2).

use core::ops::Range;

use crate::error::PeerError;
use crate::framing::{PREAMBLE, PREFIX};
use crate::wire::CHECK_LEN;

const DELIMITER: u8 = 0;
/// The code of a run that no zero follows.
const FULL: u8 = 0xFF;

/// A way to lay frames on a link, as [`crate::Framing`] is.
pub trait Framing {
    /// Bytes before a frame in the transmit buffer.
    const HEAD: usize;
    /// Bytes behind it.
    const TAIL: usize;
    /// The longest frame that can be laid, kind to check.
    const LONGEST: usize;
    /// Whether the link may lose and alter bytes (§8.5).
    const LOSSY: bool;

    /// What one more byte of the link's is. `max` is the largest frame that this end takes.
    fn take(&mut self, byte: u8, max: usize) -> Piece;

    /// Lays a frame of `length` bytes, which stands at `HEAD` in `out`, and says which bytes of `out` go to the link.
    fn lay(&mut self, out: &mut [u8], length: usize) -> Range<usize>;
}

/// What a byte of the link's is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Piece {
    /// Nothing of a frame.
    Nothing,
    /// The next byte of a frame.
    Byte(u8),
    /// The next byte of a frame, and the last.
    LastByte(u8),
    /// The end of a frame: the byte before was its last.
    End,
    /// The end of what is no frame.
    Noise,
    /// The peer does not keep to this framing.
    Broken(PeerError),
}

/// The framing of §2.2: consistent overhead byte stuffing.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Cobs {
    /// Bytes that the run still has.
    left: u8,
    code: u8,
}

impl Cobs {
    /// For a link on which nothing has been sent yet.
    pub const fn new() -> Self {
        Self { left: 0, code: FULL }
    }
}

impl Default for Cobs {
    fn default() -> Self {
        Self::new()
    }
}

impl Framing for Cobs {
    const HEAD: usize = 2;
    const TAIL: usize = 1;
    /// One run.
    const LONGEST: usize = FULL as usize - 2;
    const LOSSY: bool = true;

    fn take(&mut self, byte: u8, _: usize) -> Piece {
        let Self { left, code } = *self;
        if byte == DELIMITER {
            *self = Self::new();
            return if left == 0 { Piece::End } else { Piece::Noise };
        }
        if left > 0 {
            self.left = left.wrapping_sub(1);
            return Piece::Byte(byte);
        }
        *self = Self { left: byte.wrapping_sub(1), code: byte };
        if code == FULL { Piece::Nothing } else { Piece::Byte(DELIMITER) }
    }

    /// From behind: each zero, and the byte before the frame, becomes the distance to the next one.
    fn lay(&mut self, out: &mut [u8], length: usize) -> Range<usize> {
        let end = length.wrapping_add(Self::HEAD);
        let mut distance = 0_u8;
        if let Some(head) = out.first_chunk_mut() {
            *head = [DELIMITER; Self::HEAD];
        }
        if let Some(end) = out.get_mut(end) {
            *end = DELIMITER;
        }
        let mut at = end;
        while at > 1 {
            at = at.wrapping_sub(1);
            distance = distance.wrapping_add(1);
            if let Some(byte) = out.get_mut(at).filter(|byte| **byte == DELIMITER) {
                *byte = distance;
                distance = 0;
            }
        }
        0..end.wrapping_add(Self::TAIL)
    }
}

/// The framing of §2.1: a length before each frame.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stream {
    said: Preamble,
    /// Bytes of the preamble, or of the length, that have been taken.
    taken: u8,
    heard: Preamble,
    /// Of the frame under way: bytes that are still to come.
    left: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Preamble {
    #[default]
    Due,
    Over,
}

impl Stream {
    /// For a link on which nothing has been sent yet.
    pub const fn new() -> Self {
        Self { said: Preamble::Due, heard: Preamble::Due, taken: 0, left: 0 }
    }
}

impl Framing for Stream {
    const HEAD: usize = PREAMBLE.len() + PREFIX;
    const TAIL: usize = 0;
    const LONGEST: usize = (1 << 24) - 1;
    const LOSSY: bool = false;

    fn take(&mut self, byte: u8, max: usize) -> Piece {
        let taken = usize::from(self.taken);
        if self.heard == Preamble::Due {
            let Some((&expected, rest)) = PREAMBLE.get(taken..).and_then(<[u8]>::split_first) else {
                return Piece::Nothing;
            };
            if byte != expected {
                return Piece::Broken(match rest {
                    [] => PeerError::FramingVersion { theirs: byte },
                    _ => PeerError::NotSampan,
                });
            }
            self.taken = self.taken.wrapping_add(1);
            if rest.is_empty() {
                *self = Self { heard: Preamble::Over, taken: 0, ..*self };
            }
            return Piece::Nothing;
        }
        if taken < PREFIX {
            self.left = (self.left >> 8) | u32::from(byte) << 16;
            self.taken = self.taken.wrapping_add(1);
            let length = self.left;
            let size = length as usize;
            if taken == PREFIX - 1 && (size <= CHECK_LEN || size > max) {
                return Piece::Broken(PeerError::FrameLength { length });
            }
            return Piece::Nothing;
        }
        self.left = self.left.wrapping_sub(1);
        if self.left == 0 {
            self.taken = 0;
            return Piece::LastByte(byte);
        }
        Piece::Byte(byte)
    }

    fn lay(&mut self, out: &mut [u8], length: usize) -> Range<usize> {
        let [low, middle, high, ..] = length.to_le_bytes();
        if let Some((preamble, prefix)) = out.split_first_chunk_mut() {
            *preamble = PREAMBLE;
            if let Some(prefix) = prefix.first_chunk_mut() {
                *prefix = [low, middle, high];
            }
        }
        let start = if self.said == Preamble::Due { 0 } else { PREAMBLE.len() };
        self.said = Preamble::Over;
        start..length.wrapping_add(Self::HEAD)
    }
}
