//! Reading the encodings of §3.3.

use core::fmt;

use super::fields::Fields;

/// Longest words (§3.3), in bytes. A NOTICE alone may carry more (§4.3).
pub const MAX_WORDS: usize = 256;

/// What is wrong with a frame whose check is right (§3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Malformed {
    /// A field is cut short.
    Truncated,
    /// Bytes are left over after the last field.
    Trailing,
    /// A varint is not in its shortest form, or too large for its field.
    Varint,
    /// A reserved bit is set, or a field holds a value that is not defined for it.
    Value,
    /// Text is not UTF-8, or longer than its field allows.
    Text,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "a field is cut short",
            Self::Trailing => "bytes are left over after the last field",
            Self::Varint => "a varint is too long or too large",
            Self::Value => "a field holds a value that is not defined",
            Self::Text => "text is not UTF-8 or too long",
        })
    }
}

impl core::error::Error for Malformed {}

/// Takes fields off the front of a frame's body.
///
/// After an error what remains is unspecified; a caller gives up at the first.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Reader<'a> {
    fields: Fields<'a>,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `body`.
    #[must_use]
    pub const fn new(body: &'a [u8]) -> Self {
        Self { fields: Fields::new(body) }
    }

    /// One byte.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        let value = self.fields.u8();
        self.fields.make(value)
    }

    /// A fixed number of four bytes, little-endian.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        let value = self.fields.u32();
        self.fields.make(value)
    }

    /// A fixed number of eight bytes, little-endian.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        let value = self.fields.u64();
        self.fields.make(value)
    }

    /// An unsigned LEB128 number in its shortest form, up to 2^64 - 1.
    ///
    /// # Errors
    /// [`Malformed::Truncated`] if its last byte is missing, [`Malformed::Varint`] if it has a byte too many or exceeds 64 bits.
    pub fn varint(&mut self) -> Result<u64, Malformed> {
        let value = self.fields.varint();
        self.fields.make(value)
    }

    /// A varint up to 2^32 - 1.
    ///
    /// # Errors
    /// As [`varint`](Self::varint), which includes a value above 2^32 - 1.
    pub fn varint32(&mut self) -> Result<u32, Malformed> {
        let value = self.fields.varint32();
        self.fields.make(value)
    }

    /// A transfer id, or the number of a WANT: a varint32 other than 0 (§5).
    ///
    /// # Errors
    /// As [`varint32`](Self::varint32), and [`Malformed::Value`] for 0.
    pub fn id(&mut self) -> Result<u32, Malformed> {
        let id = self.fields.id();
        self.fields.make(id)
    }

    /// A byte of flags of which only those in `known` may be set.
    ///
    /// # Errors
    /// [`Malformed::Truncated`]; [`Malformed::Value`] if a reserved bit is set.
    pub fn flags(&mut self, known: u8) -> Result<u8, Malformed> {
        let flags = self.fields.flags(known);
        self.fields.make(flags)
    }

    /// A signed number in zigzag form.
    ///
    /// # Errors
    /// As [`varint`](Self::varint).
    pub fn zigzag(&mut self) -> Result<i64, Malformed> {
        let value = self.fields.zigzag();
        self.fields.make(value)
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8], Malformed> {
        let bytes = self.fields.bytes(n);
        self.fields.make(bytes)
    }

    /// Everything to the end of the frame.
    pub fn rest(&mut self) -> &'a [u8] {
        self.fields.rest()
    }

    /// Words: text to the end of the frame, at most [`MAX_WORDS`] bytes.
    ///
    /// # Errors
    /// [`Malformed::Text`].
    pub fn words(&mut self) -> Result<&'a str, Malformed> {
        self.text(MAX_WORDS)
    }

    /// Text to the end of the frame, at most `max` bytes.
    ///
    /// # Errors
    /// [`Malformed::Text`].
    pub fn text(&mut self, max: usize) -> Result<&'a str, Malformed> {
        let text = self.fields.text(max);
        self.fields.make(text)
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes are left.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.fields.len()
    }

    /// Ends the body: nothing may be left.
    ///
    /// # Errors
    /// [`Malformed::Trailing`].
    pub const fn finish(&self) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(Malformed::Trailing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_numbers_are_little_endian() {
        let mut r = Reader::new(&[1, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0x80]);
        assert_eq!(r.u8(), Ok(1));
        assert_eq!(r.u32(), Ok(2));
        assert_eq!(r.len(), 8);
        assert_eq!(r.u64(), Ok(0x8000_0000_0000_0003));
        assert!(r.is_empty());
        assert_eq!(r.finish(), Ok(()));
    }

    #[test]
    fn fields_cut_short_are_truncated() {
        assert_eq!(Reader::new(&[]).u8(), Err(Malformed::Truncated));
        assert_eq!(Reader::new(&[0; 3]).u32(), Err(Malformed::Truncated));
        assert_eq!(Reader::new(&[0; 7]).u64(), Err(Malformed::Truncated));
        assert_eq!(Reader::new(&[0; 7]).bytes(8), Err(Malformed::Truncated));
        assert_eq!(Reader::new(&[0; 7]).bytes(usize::MAX), Err(Malformed::Truncated));
        assert_eq!(Reader::new(&[]).varint(), Err(Malformed::Truncated));
        assert_eq!(Reader::new(&[0x80]).varint(), Err(Malformed::Truncated));
        assert_eq!(Reader::new(&[0xFF; 9]).varint(), Err(Malformed::Truncated));
    }

    #[test]
    fn varints_are_the_shortest_form_of_at_most_64_bits() {
        let max = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
        assert_eq!(Reader::new(&[0]).varint(), Ok(0));
        assert_eq!(Reader::new(&[0x80, 0x01]).varint(), Ok(128));
        assert_eq!(Reader::new(&max).varint(), Ok(u64::MAX));
        for bad in [&[0x80, 0x00][..], &[0xFF, 0x80, 0x00]] {
            assert_eq!(Reader::new(bad).varint(), Err(Malformed::Varint));
        }
        for tenth in [0x00, 0x02, 0x7F, 0x80, 0x81, 0xFF] {
            let mut bytes = max;
            bytes[9] = tenth;
            assert_eq!(Reader::new(&bytes).varint(), Err(Malformed::Varint), "{tenth:#x}");
        }
    }

    #[test]
    fn a_varint_takes_no_more_than_its_own_bytes() {
        let mut r = Reader::new(&[0xAC, 0x02, 0x07]);
        assert_eq!(r.varint(), Ok(300));
        assert_eq!(r.rest(), [0x07]);
    }

    #[test]
    fn a_varint32_ends_at_32_bits() {
        assert_eq!(Reader::new(&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]).varint32(), Ok(u32::MAX));
        assert_eq!(Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x10]).varint32(), Err(Malformed::Varint));
    }

    #[test]
    fn an_id_is_not_0() {
        assert_eq!(Reader::new(&[1]).id(), Ok(1));
        assert_eq!(Reader::new(&[0]).id(), Err(Malformed::Value));
    }

    #[test]
    fn reserved_flags_are_refused() {
        assert_eq!(Reader::new(&[0b101]).flags(0b111), Ok(0b101));
        assert_eq!(Reader::new(&[0b1001]).flags(0b111), Err(Malformed::Value));
    }

    #[test]
    fn zigzag_alternates_in_sign() {
        for (byte, value) in [(0, 0), (1, -1), (2, 1), (3, -2), (0x7F, -64)] {
            assert_eq!(Reader::new(&[byte]).zigzag(), Ok(value));
        }
        let max = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
        assert_eq!(Reader::new(&max).zigzag(), Ok(i64::MIN));
        let below = [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
        assert_eq!(Reader::new(&below).zigzag(), Ok(i64::MAX));
    }

    #[test]
    fn words_are_at_most_256_bytes_of_utf8() {
        assert_eq!(Reader::new(b"").words(), Ok(""));
        assert_eq!(Reader::new("\u{fc}\0\n".as_bytes()).words(), Ok("\u{fc}\0\n"));
        assert_eq!(Reader::new(&[b'a'; 256]).words().map(str::len), Ok(256));
        assert_eq!(Reader::new(&[b'a'; 257]).words(), Err(Malformed::Text));
        assert_eq!(Reader::new(&[b'a'; 257]).text(257).map(str::len), Ok(257));
        assert_eq!(Reader::new(&[b'a', 0xC3]).words(), Err(Malformed::Text));
        assert_eq!(Reader::new(&[0xED, 0xA0, 0x80]).words(), Err(Malformed::Text));
    }

    #[test]
    fn what_is_left_over_is_told() {
        let mut r = Reader::new(&[1, 2]);
        assert_eq!(r.bytes(1), Ok(&[1][..]));
        assert_eq!(r.finish(), Err(Malformed::Trailing));
        assert_eq!(r.rest(), [2]);
        assert_eq!(r.finish(), Ok(()));
    }

    #[test]
    fn faults_say_what_is_wrong() {
        assert_eq!(std::format!("{}", Malformed::Truncated), "a field is cut short");
        assert_eq!(std::format!("{}", Malformed::Text), "text is not UTF-8 or too long");
    }
}
