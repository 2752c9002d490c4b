//! Reading the fields of a frame one after another (§3.3).

use super::digest::DigestKind;
use super::reader::{MAX_WORDS, Malformed};

/// Longest varint, in bytes.
const LONGEST: usize = 10;

/// Takes fields off the front of a frame's body, and remembers the first fault until the end: so the parsers need not look after
/// each field, which counts where flash is small. After a fault fields are zero or empty.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    fault: Option<Malformed>,
}

impl<'a> Fields<'a> {
    pub(super) const fn new(body: &'a [u8]) -> Self {
        Self { rest: body, fault: None }
    }

    #[inline(never)]
    pub(super) fn fail(&mut self, fault: Malformed) {
        self.fault = self.fault.or(Some(fault));
        self.rest = &[];
    }

    /// What is undefined unless `is_right`.
    pub(super) fn require(&mut self, is_right: bool) {
        if !is_right {
            self.fail(Malformed::Value);
        }
    }

    /// The next `n` bytes.
    #[inline(never)]
    pub(super) fn bytes(&mut self, n: usize) -> &'a [u8] {
        match self.rest.split_at_checked(n) {
            Some((first, rest)) => {
                self.rest = rest;
                first
            }
            None => {
                self.fail(Malformed::Truncated);
                &[]
            }
        }
    }

    #[inline(never)]
    pub(super) fn u8(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    #[inline(never)]
    pub(super) fn u32(&mut self) -> u32 {
        self.bytes(4).first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    pub(super) fn u64(&mut self) -> u64 {
        let low = self.u32();
        u64::from(low) | u64::from(self.u32()) << 32
    }

    /// An unsigned LEB128 number in its shortest form.
    #[inline(never)]
    pub(super) fn varint(&mut self) -> u64 {
        let Some(last) = self.rest.iter().take(LONGEST).position(|byte| byte & 0x80 == 0) else {
            self.fail(if self.rest.len() < LONGEST { Malformed::Truncated } else { Malformed::Varint });
            return 0;
        };
        let bytes = self.bytes(last.saturating_add(1));
        let top = bytes.last().copied().unwrap_or_default();
        // Only the first may be zero; the tenth has room for one bit.
        if (last > 0 && top == 0) || (last == LONGEST - 1 && top > 1) {
            self.fail(Malformed::Varint);
            return 0;
        }
        bytes.iter().rev().fold(0, |value, byte| (value << 7) | u64::from(byte & 0x7F))
    }

    #[inline(never)]
    pub(super) fn varint32(&mut self) -> u32 {
        u32::try_from(self.varint()).unwrap_or_else(|_| {
            self.fail(Malformed::Varint);
            0
        })
    }

    /// A varint32 other than 0.
    #[inline(never)]
    pub(super) fn id(&mut self) -> u32 {
        let id = self.varint32();
        self.require(id != 0);
        id
    }

    /// Flags, of which only those in `known` may be set.
    pub(super) fn flags(&mut self, known: u8) -> u8 {
        let flags = self.u8();
        self.require(flags & !known == 0);
        flags
    }

    pub(super) fn zigzag(&mut self) -> i64 {
        let value = self.varint();
        (value >> 1).cast_signed() ^ (value & 1).cast_signed().wrapping_neg()
    }

    #[inline(never)]
    pub(super) fn digest(&mut self) -> DigestKind {
        DigestKind::from_code(self.u8()).unwrap_or_else(|| {
            self.fail(Malformed::Value);
            DigestKind::Crc32
        })
    }

    /// Everything to the end of the frame.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }

    pub(super) fn words(&mut self) -> &'a str {
        self.text(MAX_WORDS)
    }

    /// Text to the end of the frame, at most `max` bytes.
    #[inline(never)]
    pub(super) fn text(&mut self, max: usize) -> &'a str {
        let bytes = self.rest();
        match core::str::from_utf8(bytes) {
            Ok(text) if bytes.len() <= max => text,
            _ => {
                self.fail(Malformed::Text);
                ""
            }
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.rest.len()
    }

    /// Nothing may be left.
    pub(super) fn finish(&mut self) {
        if !self.rest.is_empty() {
            self.fail(Malformed::Trailing);
        }
    }

    /// What the fields make, if all of them were right.
    pub(super) fn make<T>(&self, whole: T) -> Result<T, Malformed> {
        match self.fault {
            None => Ok(whole),
            Some(fault) => Err(fault),
        }
    }
}
