//! A record of the journal: everything that is known of the slots, as bytes with a check.

use super::crc;
use super::layout::Slot;
use crate::wire::Identity;

/// Bytes of a record.
pub(super) const LEN: usize = WORDS * 4;
const WORDS: usize = 18;
const VERSION: u8 = 1;
/// The length of an identity where there is no image.
const ABSENT: u8 = 0xFF;
/// A size that was not announced.
const UNKNOWN: u32 = u32::MAX;

/// What tells one image from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Key {
    /// The CRC-32 of its name.
    pub name: u32,
    /// Its identity.
    pub identity: Identity,
}

impl Key {
    /// Whether these are known to be the same contents.
    pub(super) fn is(&self, other: &Self) -> bool {
        !self.identity.is_empty() && self == other
    }
}

/// An image that is whole and verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Image {
    /// Where it is.
    pub slot: Slot,
    /// Which it is.
    pub key: Key,
    /// Its bytes.
    pub size: u32,
    /// Their CRC-32.
    pub check: u32,
}

/// An image that has come in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Begun {
    /// Which it is.
    pub key: Key,
    /// Its bytes in all, if that was announced.
    pub size: Option<u32>,
    /// So many bytes are durable.
    pub offset: u32,
    /// The CRC-32 of these.
    pub check: u32,
}

/// What the newest record says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) whole: Option<Image>,
    /// In the slot that the whole one is not in.
    pub(super) begun: Option<Begun>,
}

impl State {
    /// Where the next image goes.
    pub(super) fn spare(&self) -> Slot {
        self.whole.map_or(Slot::A, |image| image.slot.other())
    }

    pub(super) fn emit(&self, number: u32, into: &mut [u8]) {
        let (place, whole_length, [w0, w1, w2, w3], whole) = match &self.whole {
            None => (0, ABSENT, [0; 4], (0, 0, 0)),
            Some(image) => {
                let (length, words) = words_of(&image.key.identity);
                (image.slot as u8, length, words, (image.key.name, image.size, image.check))
            }
        };
        let (begun_length, [b0, b1, b2, b3], begun) = match &self.begun {
            None => (ABSENT, [0; 4], (0, 0, 0, 0)),
            Some(begun) => {
                let (length, words) = words_of(&begun.key.identity);
                let size = begun.size.unwrap_or(UNKNOWN);
                (length, words, (begun.key.name, size, begun.offset, begun.check))
            }
        };
        let flags = u32::from_le_bytes([VERSION, place, whole_length, begun_length]);
        #[rustfmt::skip]
        let words = [
            number, flags,
            whole.0, whole.1, whole.2, w0, w1, w2, w3,
            begun.0, begun.1, begun.2, begun.3, b0, b1, b2, b3,
        ];
        put(&words, into);
        let (covered, check) = into.split_at_mut_checked(LEN.saturating_sub(4)).unwrap_or_default();
        put(&[crc(covered)], check);
    }

    /// The number and the contents of a record, if it is one.
    pub(super) fn parse(bytes: &[u8]) -> Option<(u32, Self)> {
        let (covered, _) = bytes.split_at_checked(LEN.saturating_sub(4))?;
        let mut words = [0; WORDS];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_le_bytes(*bytes.first_chunk()?);
        }
        #[rustfmt::skip]
        let [
            number, flags,
            whole_name, whole_size, whole_check, w0, w1, w2, w3,
            begun_name, begun_size, begun_offset, begun_check, b0, b1, b2, b3,
            check,
        ] = words;
        let [version, place, whole_length, begun_length] = flags.to_le_bytes();
        if check != crc(covered) || version != VERSION {
            return None;
        }
        let whole = match whole_length {
            ABSENT => None,
            length => Some(Image {
                slot: if place == Slot::A as u8 { Slot::A } else { Slot::B },
                key: Key { name: whole_name, identity: identity_of(length, &[w0, w1, w2, w3])? },
                size: whole_size,
                check: whole_check,
            }),
        };
        let begun = match begun_length {
            ABSENT => None,
            length => Some(Begun {
                key: Key { name: begun_name, identity: identity_of(length, &[b0, b1, b2, b3])? },
                size: (begun_size != UNKNOWN).then_some(begun_size),
                offset: begun_offset,
                check: begun_check,
            }),
        };
        Some((number, Self { whole, begun }))
    }
}

fn put(words: &[u32], into: &mut [u8]) {
    for (to, byte) in into.iter_mut().zip(words.iter().flat_map(|word| word.to_le_bytes())) {
        *to = byte;
    }
}

fn words_of(identity: &Identity) -> (u8, [u32; 4]) {
    let bytes = identity.as_bytes();
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks(4)) {
        let mut four = [0; 4];
        for (to, byte) in four.iter_mut().zip(bytes) {
            *to = *byte;
        }
        *word = u32::from_le_bytes(four);
    }
    (bytes.len() as u8, words)
}

fn identity_of(length: u8, words: &[u32; 4]) -> Option<Identity> {
    let mut bytes = [0; 16];
    put(words, &mut bytes);
    Identity::new(bytes.get(..length.into())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states() -> [State; 4] {
        let key = |name, identity| Key { name, identity: Identity::new(identity).unwrap() };
        let whole =
            Image { slot: Slot::B, key: key(7, b"0123456789abcdef"), size: 1 << 20, check: 0xCBF4_3926 };
        let begun = Begun { key: key(9, b"x"), size: None, offset: 4_096, check: 3 };
        let other = Begun { size: Some(5_000), key: key(1, b""), ..begun };
        [
            State::default(),
            State { whole: Some(whole), begun: None },
            State { whole: None, begun: Some(begun) },
            State { whole: Some(Image { slot: Slot::A, ..whole }), begun: Some(other) },
        ]
    }

    #[test]
    fn what_is_emitted_is_parsed() {
        for state in states() {
            let mut bytes = [0; LEN];
            state.emit(42, &mut bytes);
            assert_eq!(State::parse(&bytes), Some((42, state)));
        }
    }

    #[test]
    fn a_record_with_any_bit_turned_is_none() {
        for state in states() {
            let mut bytes = [0; LEN];
            state.emit(42, &mut bytes);
            for bit in 0..LEN * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(State::parse(&bytes), None, "{bit}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn erased_flash_and_zeros_are_none() {
        assert_eq!(State::parse(&[0xFF; LEN]), None);
        assert_eq!(State::parse(&[0; LEN]), None);
        assert_eq!(State::parse(&[0; LEN - 1]), None);
    }
}
