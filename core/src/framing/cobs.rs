//! Consistent overhead byte stuffing, for a byte stream that may lose, alter and inject bytes (§2.2).

use core::cell::Cell;
use core::ops::Range;

use super::{Deframed, Framing, Place, Reliability};
use crate::wire::CHECK_LEN;

/// What ends every frame, and occurs nowhere else in one.
const DELIMITER: u8 = 0;
/// A code says how many bytes follow up to the next zero; this one that so many follow without one.
const FULL: u8 = 0xFF;
/// Bytes of a run that has this code.
const RUN: usize = FULL as usize - 1;
const SHORTEST: usize = 1 + CHECK_LEN;

/// The framing of §2.2, for one link.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Cobs {
    /// So many of the received bytes are known to have no delimiter.
    searched: usize,
    sync: Sync,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Sync {
    #[default]
    Found,
    /// What comes before the next delimiter is too long for a frame.
    Lost,
}

impl Cobs {
    /// For a link on which nothing has been sent yet.
    pub const fn new() -> Self {
        Self { searched: 0, sync: Sync::Found }
    }

    /// As [`wrap`](Framing::wrap), of a frame that stands at `head`, which is at least [`HEAD`](Framing::HEAD): for a framing that is chosen when
    /// it runs.
    ///
    /// The frame moves behind by as many codes as come within it, and then forward code by code.
    pub(super) fn wrap_at(head: usize, out: &mut [u8], length: usize, place: Place) -> usize {
        let cells = Cell::from_mut(out).as_slice_of_cells();
        let frame = cells.get(head..).unwrap_or_default();
        let codes =
            frame.iter().take(length).fold((0_usize, 0_usize), |(codes, run), byte| match byte.get() {
                DELIMITER => (codes.saturating_add(usize::from(run == RUN)), 0),
                _ if run == RUN => (codes.saturating_add(1), 1),
                _ => (codes, run.saturating_add(1)),
            });
        let shift = codes.0;
        let source = frame.get(shift..shift.saturating_add(length)).unwrap_or_default();
        for (to, from) in source.iter().zip(frame).rev() {
            to.set(from.get());
        }
        let start = match place {
            Place::First => {
                if let Some(cell) = cells.first() {
                    cell.set(DELIMITER);
                }
                1
            }
            Place::Behind => 0_usize,
        };
        let put = |at: usize, byte: u8| {
            if let Some(cell) = cells.get(at) {
                cell.set(byte);
            }
        };
        let (mut code_at, mut at, mut code) = (start, start.saturating_add(1), 1_u8);
        for byte in source {
            let byte = byte.get();
            if code == FULL {
                put(code_at, code);
                (code_at, at, code) = (at, at.saturating_add(1), 1);
            }
            if byte == DELIMITER {
                put(code_at, code);
                (code_at, at, code) = (at, at.saturating_add(1), 1);
            } else {
                put(at, byte);
                at = at.saturating_add(1);
                code = code.saturating_add(1);
            }
        }
        put(code_at, code);
        put(at, DELIMITER);
        at.saturating_add(1)
    }
}

/// Bytes that a frame of `length` bytes takes, without delimiters.
const fn stuffed(length: usize) -> usize {
    // After a full run another code comes only if more follows.
    length.saturating_add(1).saturating_add(length.saturating_sub(1) / RUN)
}

/// The largest frame that takes no more than so many bytes, without delimiters.
const fn largest_in(space: usize) -> usize {
    let guess = space.saturating_sub(1);
    let length = guess.saturating_sub(guess / (RUN + 1));
    // The guess is right but where a full run ends with it.
    if stuffed(length) > space { length.saturating_sub(1) } else { length }
}

/// How long what these bytes stand for is, if they stand for anything.
fn measure(stuffed: &[u8]) -> Option<usize> {
    let (mut at, mut length) = (0_usize, 0_usize);
    while let Some(&code) = stuffed.get(at) {
        if code == DELIMITER {
            return None;
        }
        at = at.saturating_add(code.into());
        length = length.saturating_add(usize::from(code).saturating_sub(1));
        if at < stuffed.len() && code != FULL {
            length = length.saturating_add(1);
        }
    }
    (at == stuffed.len()).then_some(length)
}

/// Puts what the bytes stand for in their place.
fn unstuff(stuffed: &mut [u8]) {
    let cells = Cell::from_mut(stuffed).as_slice_of_cells();
    let (mut to, mut left, mut code) = (cells.iter(), 0_u8, FULL);
    let mut put = |byte: u8| {
        if let Some(cell) = to.next() {
            cell.set(byte);
        }
    };
    for cell in cells {
        if left > 0 {
            left = left.saturating_sub(1);
            put(cell.get());
        } else {
            if code != FULL {
                put(DELIMITER);
            }
            code = cell.get();
            left = code.saturating_sub(1);
        }
    }
}

impl Framing for Cobs {
    const HEAD: usize = 2;
    const TAIL: usize = 1;

    fn link(&self) -> Reliability {
        Reliability::Lossy
    }

    fn open(&mut self, _: &mut [u8]) -> usize {
        0
    }

    fn wrap(&mut self, out: &mut [u8], length: usize, place: Place) -> Range<usize> {
        0..Self::wrap_at(Self::HEAD, out, length, place)
    }

    fn fits(space: usize) -> usize {
        largest_in(space.saturating_sub(2))
    }

    fn next(&mut self, received: &mut [u8], max: usize) -> Deframed {
        let unsearched = received.get(self.searched..).unwrap_or_default();
        let Some(found) = unsearched.iter().position(|byte| *byte == DELIMITER) else {
            if received.len() > stuffed(max) {
                *self = Self { searched: 0, sync: Sync::Lost };
                return Deframed::Noise { length: received.len() };
            }
            self.searched = received.len();
            return Deframed::Incomplete { total: received.len().saturating_add(1) };
        };
        let end = self.searched.saturating_add(found);
        let lost = core::mem::take(self).sync == Sync::Lost;
        if end == 0 {
            return Deframed::Skip { length: 1 };
        }
        let piece = received.get_mut(..end).unwrap_or_default();
        match measure(piece) {
            Some(length) if !lost && (SHORTEST..=max).contains(&length) => {
                unstuff(piece);
                Deframed::Frame { start: 0, end: length, used: end.saturating_add(1) }
            }
            _ => Deframed::Noise { length: end },
        }
    }

    fn largest(length: usize) -> usize {
        largest_in(length.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn wrapped(frame: &[u8], place: Place) -> Vec<u8> {
        let mut out = vec![0xA5; Cobs::HEAD + stuffed(frame.len()) + 1];
        out[Cobs::HEAD..Cobs::HEAD + frame.len()].copy_from_slice(frame);
        let wrapped = Cobs::new().wrap(&mut out, frame.len(), place);
        out.truncate(wrapped.end);
        out
    }

    fn unwrapped(bytes: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = bytes.to_vec();
        match Cobs::new().next(&mut bytes, 10_000) {
            Deframed::Frame { start, end, used } if used == bytes.len() => Some(bytes[start..end].to_vec()),
            _ => None,
        }
    }

    #[test]
    fn known_pairs() {
        assert_eq!(wrapped(&[0x11, 0, 0, 0, 0], Place::First), [0, 2, 0x11, 1, 1, 1, 1, 0]);
        assert_eq!(wrapped(&[0x11, 0x22, 0, 0x33, 0x44], Place::Behind), [3, 0x11, 0x22, 3, 0x33, 0x44, 0]);
        assert_eq!(wrapped(&[1, 2, 3, 4, 5, 6], Place::Behind), [7, 1, 2, 3, 4, 5, 6, 0]);
    }

    #[test]
    fn whatever_is_wrapped_is_unwrapped_and_has_no_zero() {
        for length in [5, 6, 253, 254, 255, 256, 507, 508, 509, 510, 762, 763, 1016, 1017, 5000] {
            for zero_every in [1, 2, 7, 253, 254, 255, 256, 9999] {
                let frame: Vec<u8> = (0..length)
                    .map(|i| if i % zero_every == zero_every - 1 { 0 } else { (i % 255) as u8 + 1 })
                    .collect();
                let behind = wrapped(&frame, Place::Behind);
                assert!(behind.len() <= stuffed(length) + 1, "{length} {zero_every}");
                assert_eq!(behind.iter().position(|byte| *byte == 0), Some(behind.len() - 1));
                assert_eq!(unwrapped(&behind), Some(frame.clone()), "{length} {zero_every}");
                let first = wrapped(&frame, Place::First);
                assert_eq!((first[0], &first[1..]), (0, &behind[..]));
            }
        }
    }

    #[test]
    fn the_largest_frame_is_the_largest() {
        for space in 1..2000 {
            let length = largest_in(space);
            assert!(length == 0 || stuffed(length) <= space, "{space}");
            assert!(stuffed(length + 1) > space, "{space}");
        }
    }

    #[test]
    fn noise_between_delimiters_is_left_as_it_is() {
        let mut cobs = Cobs::new();
        let mut bytes = b"boot ok\r\n\0".to_vec();
        bytes.extend(wrapped(b"frame", Place::Behind));
        assert_eq!(cobs.next(&mut bytes, 100), Deframed::Noise { length: 9 });
        assert_eq!(&bytes[..9], b"boot ok\r\n");
        assert_eq!(cobs.next(&mut bytes[9..], 100), Deframed::Skip { length: 1 });
        assert_eq!(cobs.next(&mut bytes[10..], 100), Deframed::Frame { start: 0, end: 5, used: 7 });
        assert_eq!(&bytes[10..15], b"frame");
    }

    #[test]
    fn what_is_too_long_for_a_frame_is_noise_up_to_the_next_delimiter() {
        let mut cobs = Cobs::new();
        let mut bytes = vec![b'x'; stuffed(60)];
        assert_eq!(cobs.next(&mut bytes, 60), Deframed::Incomplete { total: stuffed(60) + 1 });
        bytes.push(b'x');
        assert_eq!(cobs.next(&mut bytes, 60), Deframed::Noise { length: bytes.len() });
        let mut rest = wrapped(b"right", Place::Behind);
        assert_eq!(cobs.next(&mut rest, 60), Deframed::Noise { length: 6 });
        assert_eq!(cobs.next(&mut rest[6..], 60), Deframed::Skip { length: 1 });
        assert_eq!(unwrapped(&rest), Some(b"right".to_vec()));
    }

    #[test]
    fn it_is_searched_once() {
        let mut cobs = Cobs::new();
        let mut frame = wrapped(&[7; 100], Place::Behind);
        for cut in 0..frame.len() {
            assert_eq!(cobs.next(&mut frame[..cut], 200), Deframed::Incomplete { total: cut + 1 });
        }
        assert!(matches!(cobs.next(&mut frame, 200), Deframed::Frame { end: 100, .. }));
        assert_eq!(cobs.searched, 0);
    }
}
