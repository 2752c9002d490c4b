//! Writing the encodings of §3.3.

use super::reader::MAX_WORDS;

/// Puts fields one after another into a lent slice.
///
/// A field that does not fit is not written, not even in part, and neither is any after it; [`is_full`](Self::is_full) tells. Bytes
/// beyond [`len`](Self::len) are never touched.
#[derive(Debug)]
pub struct Writer<'a> {
    rest: &'a mut [u8],
    len: usize,
    full: bool,
}

#[cfg(feature = "defmt")]
impl defmt::Format for Writer<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Writer {{ len: {=usize}, full: {=bool} }}", self.len, self.full);
    }
}

impl<'a> Writer<'a> {
    /// A writer at the start of `out`.
    #[must_use]
    pub const fn new(out: &'a mut [u8]) -> Self {
        Self { rest: out, len: 0, full: false }
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    /// A fixed number of four bytes, little-endian.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    /// A fixed number of eight bytes, little-endian.
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// An unsigned LEB128 number in its shortest form, 1 to 10 bytes.
    pub fn varint(&mut self, value: u64) {
        let mut buffer = [0; 10];
        let mut left = value;
        let mut len = 0usize;
        for byte in &mut buffer {
            *byte = (left & 0x7F) as u8;
            left >>= 7;
            len = len.wrapping_add(1);
            if left == 0 {
                break;
            }
            *byte |= 0x80;
        }
        if let Some(bytes) = buffer.get(..len) {
            self.bytes(bytes);
        }
    }

    /// A signed number in zigzag form, 1 to 10 bytes.
    pub fn zigzag(&mut self, value: i64) {
        self.varint((value.wrapping_shl(1) ^ (value >> 63)).cast_unsigned());
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, data: &[u8]) {
        let rest = core::mem::take(&mut self.rest);
        if let Some((to, rest)) = rest.split_at_mut_checked(data.len()) {
            // `copy_from_slice` would bring a panic into the image where it is not inlined.
            for (to, from) in to.iter_mut().zip(data) {
                *to = *from;
            }
            self.len = self.len.wrapping_add(data.len());
            self.rest = rest;
        } else {
            self.full = true;
        }
    }

    /// Words, cut at a character boundary to [`MAX_WORDS`] bytes and to the room there is. They always fit.
    pub fn words(&mut self, words: &str) {
        self.text(words, MAX_WORDS);
    }

    /// Text, cut at a character boundary to `max` bytes and to the room there is. It always fits.
    pub fn text(&mut self, text: &str, max: usize) {
        let mut end = text.len().min(max).min(self.room());
        loop {
            if let Some(cut) = text.get(..end) {
                return self.bytes(cut.as_bytes());
            }
            end = end.saturating_sub(1);
        }
    }

    /// Bytes written.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing has been written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether something did not fit. What was written is then not a whole frame.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.full
    }

    /// How many more bytes fit; 0 after something did not.
    #[must_use]
    pub const fn room(&self) -> usize {
        self.rest.len()
    }
}

/// How many bytes `value` takes as a varint: 1 to 10.
#[must_use]
pub const fn varint_len(value: u64) -> usize {
    let mut len = 1usize;
    let mut left = value >> 7;
    while left != 0 {
        len = len.wrapping_add(1);
        left >>= 7;
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTOUCHED: u8 = 0xA5;

    fn written<const N: usize>(write: impl FnOnce(&mut Writer<'_>)) -> ([u8; N], usize, bool) {
        let mut out = [UNTOUCHED; N];
        let mut w = Writer::new(&mut out);
        write(&mut w);
        let (len, full) = (w.len(), w.is_full());
        (out, len, full)
    }

    #[test]
    fn fields_follow_one_another() {
        let (out, len, full) = written::<16>(|w| {
            assert!(w.is_empty());
            w.u8(1);
            w.u32(0x0203_0405);
            w.u64(6);
            w.bytes(&[7, 8]);
            assert_eq!(w.room(), 1);
            assert!(!w.is_empty());
        });
        assert_eq!(out, [1, 5, 4, 3, 2, 6, 0, 0, 0, 0, 0, 0, 0, 7, 8, UNTOUCHED]);
        assert_eq!((len, full), (15, false));
    }

    #[test]
    fn a_writer_that_ends_exactly_is_not_full() {
        let (out, len, full) = written::<4>(|w| w.u32(1));
        assert_eq!((out, len, full), ([1, 0, 0, 0], 4, false));
    }

    #[test]
    fn what_does_not_fit_is_not_written_nor_anything_after_it() {
        let (out, len, full) = written::<4>(|w| {
            w.u8(1);
            w.u32(2);
            assert_eq!(w.room(), 0);
            w.u8(3);
            w.bytes(&[]);
            w.words("x");
        });
        assert_eq!((out, len, full), ([1, UNTOUCHED, UNTOUCHED, UNTOUCHED], 1, true));
    }

    #[test]
    fn varints_have_their_shortest_form() {
        for (value, bytes) in [
            (0, &[0x00][..]),
            (0x7F, &[0x7F]),
            (0x80, &[0x80, 0x01]),
            (0x3FFF, &[0xFF, 0x7F]),
            (0x4000, &[0x80, 0x80, 0x01]),
            (u64::MAX, &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
        ] {
            let (out, len, full) = written::<10>(|w| w.varint(value));
            assert_eq!((&out[..len], full), (bytes, false));
            assert_eq!(varint_len(value), bytes.len());
        }
    }

    #[test]
    fn varint_len_grows_at_every_seventh_bit() {
        assert_eq!(varint_len(0), 1);
        for bit in 0..64 {
            assert_eq!(varint_len(1 << bit), bit / 7 + 1);
            assert_eq!(varint_len(u64::MAX >> (63 - bit)), bit / 7 + 1);
        }
    }

    #[test]
    fn zigzag_alternates_in_sign() {
        for (value, byte) in [(0, 0), (-1, 1), (1, 2), (-2, 3), (-64, 0x7F)] {
            let (out, len, _) = written::<1>(|w| w.zigzag(value));
            assert_eq!((out, len), ([byte], 1));
        }
        let (out, ..) = written::<10>(|w| w.zigzag(i64::MIN));
        assert_eq!(out, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]);
    }

    #[test]
    fn words_are_cut_at_a_character_boundary() {
        let (out, len, full) = written::<4>(|w| w.words("ab\u{20ac}"));
        assert_eq!((&out[..], len, full), (&[b'a', b'b', UNTOUCHED, UNTOUCHED][..], 2, false));
        let (_, len, _) = written::<5>(|w| w.words("ab\u{20ac}"));
        assert_eq!(len, 5);
        let (_, len, full) = written::<0>(|w| w.words("a"));
        assert_eq!((len, full), (0, false));
    }

    #[test]
    fn words_are_cut_to_256_bytes_and_text_to_its_own_limit() {
        let long = core::str::from_utf8(&[b'a'; 300]).unwrap();
        assert_eq!(written::<512>(|w| w.words(long)).1, 256);
        assert_eq!(written::<512>(|w| w.text(long, 299)).1, 299);
        assert_eq!(written::<512>(|w| w.text(long, 1000)).1, 300);
    }
}
