//! The size: decimal digits, nothing else (§14.1).

use crate::action::Refusal;
use crate::wire::Code;

/// Digits of 2^64 - 1.
const MAX_DIGITS: usize = 20;

/// Room in the receive buffer for a size, and a byte more to see if there are more.
pub(super) const ROOM: usize = MAX_DIGITS + 1;

const NOT_A_NUMBER: Refusal = Refusal { code: Code::Protocol, words: "the size is not a number" };
const TOO_LARGE: Refusal = Refusal { code: Code::TooLarge, words: "the size is too large" };

/// The size as it comes in.
#[derive(Debug, Default)]
pub(super) struct Announced {
    value: u64,
    digits: usize,
}

impl Announced {
    pub(super) fn value(&self) -> u64 {
        self.value
    }

    /// How many bytes to read.
    pub(super) fn room(&self) -> usize {
        ROOM.saturating_sub(self.digits)
    }

    pub(super) fn received(&mut self, digits: &[u8]) -> Result<(), Refusal> {
        for byte in digits {
            if !byte.is_ascii_digit() {
                return Err(NOT_A_NUMBER);
            }
            let digit = u64::from(byte & 0x0F);
            let value = self.value.checked_mul(10).and_then(|value| value.checked_add(digit));
            self.digits = self.digits.saturating_add(1);
            self.value = value.filter(|_| self.digits <= MAX_DIGITS).ok_or(TOO_LARGE)?;
        }
        Ok(())
    }
}

/// Writes `size` at the start of `out`; how many bytes, 0 if it does not fit.
pub(super) fn emit(size: u64, out: &mut [u8]) -> usize {
    let length = size.checked_ilog10().map_or(1, |log| log.saturating_add(1) as usize);
    let Some(out) = out.get_mut(..length) else { return 0 };
    let mut rest = size;
    for place in out.iter_mut().rev() {
        *place = b'0' | (rest % 10) as u8;
        rest /= 10;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8], step: usize) -> Result<u64, Refusal> {
        let mut announced = Announced::default();
        for mut piece in text.chunks(step) {
            while !piece.is_empty() {
                let (now, later) = piece.split_at(piece.len().min(announced.room()));
                announced.received(now)?;
                piece = later;
            }
        }
        Ok(announced.value())
    }

    #[test]
    fn sizes_are_digits_up_to_the_largest_number() {
        for (text, expected) in [
            (&b"0"[..], Ok(0)),
            (b"5", Ok(5)),
            (b"007", Ok(7)),
            (b"2147483648", Ok(1 << 31)),
            (b"18446744073709551615", Ok(u64::MAX)),
            (b"18446744073709551616", Err(TOO_LARGE)),
            (b"99999999999999999999", Err(TOO_LARGE)),
            (b"000000000000000000001", Err(TOO_LARGE)),
            (b"184467440737095516150", Err(TOO_LARGE)),
            (b"99999999999999999999x", Err(TOO_LARGE)),
            (b"-5", Err(NOT_A_NUMBER)),
            (b"+5", Err(NOT_A_NUMBER)),
            (b"5\n", Err(NOT_A_NUMBER)),
            (b" 5", Err(NOT_A_NUMBER)),
            (b"5.0", Err(NOT_A_NUMBER)),
            (b"0x5", Err(NOT_A_NUMBER)),
            (b"banana", Err(NOT_A_NUMBER)),
            (b"5hello", Err(NOT_A_NUMBER)),
            (b"\xff", Err(NOT_A_NUMBER)),
            ("\u{0665}".as_bytes(), Err(NOT_A_NUMBER)),
        ] {
            for step in [1, 2, 5, 100] {
                assert_eq!(parse(text, step), expected, "{text:?} by {step}");
            }
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut out = [0xA5; 20];
        for size in [0, 1, 9, 10, 99, 100, 12_345, u64::MAX / 10, u64::MAX] {
            let length = emit(size, &mut out);
            assert_eq!(parse(&out[..length], 3), Ok(size));
            assert_eq!(std::format!("{size}").as_bytes(), &out[..length]);
        }
        assert_eq!(emit(10, &mut out[..1]), 0);
    }
}
