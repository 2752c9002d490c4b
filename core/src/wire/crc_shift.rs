//! Checks of contents joined without a second pass (§3.4).
//!
//! Polynomials over GF(2) modulo that of CRC-32 are `u32`s whose bit 31 stands for x^0. With start and final XOR the same, they cancel:
//! for finished checks `crc32(A + B) = crc32(A) * x^(8 len B) + crc32(B)`.

use super::crc::times_x;

const ONE: u32 = 1 << 31;
const X_TO_THE_8TH: u32 = ONE >> 8;

/// `shift` of §3.4: multiplies `crc` by x^(8 `len`), so that `crc32(A + B) == shift(crc32(A), len(B)) ^ crc32(B)`.
///
/// Takes up to 64 steps for each bit of `len`; where one length comes again and again, [`Shift`] remembers most of the work.
#[must_use]
pub fn shift(crc: u32, len: u64) -> u32 {
    let mut crc = crc;
    let mut power = X_TO_THE_8TH;
    let mut left = len;
    while left != 0 {
        if left & 1 == 1 {
            crc = multiply(crc, power);
        }
        power = multiply(power, power);
        left >>= 1;
    }
    crc
}

/// The CRC-32 of two pieces put together, from those of the pieces and the length of the second in bytes.
#[must_use]
pub fn combine(a: u32, b: u32, b_len: u64) -> u32 {
    shift(a, b_len) ^ b
}

/// [`shift`] by one length, prepared: applying it takes 32 steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Shift {
    len: u64,
    factor: u32,
}

impl Shift {
    /// The shift by `len` bytes.
    #[must_use]
    pub fn new(len: u64) -> Self {
        Self { len, factor: shift(ONE, len) }
    }

    /// The length it shifts by, in bytes.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "an operator is not a container")]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// `shift(crc, self.len())`.
    #[must_use]
    pub fn apply(&self, crc: u32) -> u32 {
        multiply(crc, self.factor)
    }
}

fn multiply(a: u32, b: u32) -> u32 {
    let mut product = 0;
    let mut a = a;
    let mut b = b;
    while a != 0 {
        if a & ONE != 0 {
            product ^= b;
        }
        a <<= 1;
        b = times_x(b);
    }
    product
}

#[cfg(test)]
mod tests {
    use super::super::crc::{Bytewise, Crc32};
    use super::*;

    #[test]
    fn pieces_join_to_the_check_of_the_whole() {
        let whole = Bytewise.update(0, b"123456789");
        for cut in 0..=9 {
            let (a, b) = b"123456789".split_at(cut);
            let (crc_a, crc_b) = (Bytewise.update(0, a), Bytewise.update(0, b));
            assert_eq!(combine(crc_a, crc_b, b.len() as u64), whole);
            assert_eq!(Shift::new(b.len() as u64).apply(crc_a) ^ crc_b, whole);
        }
    }

    #[test]
    fn a_shift_by_nothing_changes_nothing() {
        assert_eq!(shift(0xDEAD_BEEF, 0), 0xDEAD_BEEF);
        assert_eq!(Shift::new(0).apply(0xDEAD_BEEF), 0xDEAD_BEEF);
        assert_eq!(shift(0, u64::MAX), 0);
    }

    #[test]
    fn shifts_add_up_and_repeat_with_the_order_of_x() {
        // x^8 has the order 2^32 - 1: the polynomial is primitive, and 8 has no factor in common with that.
        let order = u64::from(u32::MAX);
        assert_eq!(shift(1, order), 1);
        assert_eq!(shift(1, order + 5), shift(1, 5));
        assert_eq!(shift(shift(77, 1 << 40), 12345), shift(77, (1 << 40) + 12345));
        assert_eq!(shift(1, u64::MAX), shift(1, u64::MAX % order));
    }

    #[test]
    fn a_shift_remembers_its_length() {
        let shift_by = Shift::new(1 << 33);
        assert_eq!(shift_by.len(), 1 << 33);
        assert_eq!(shift_by.apply(0x0BAD_CAFE), shift(0x0BAD_CAFE, 1 << 33));
    }
}
