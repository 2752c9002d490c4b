//! The check that ends every frame (§3.4).

use super::crc::Crc32;
use super::kind::CHECK_LEN;

/// The start value of the check of every frame but HELLO: the CRC-32 of the sixteen bytes that are not sent.
///
/// `from` is the nonce of the end that sends the frame, `to` of the one that receives it (§4.1). The check of a frame is then
/// `crc.update(tag, frame)`, that of a HELLO `crc.update(0, frame)`.
pub fn tag<C: Crc32 + ?Sized>(crc: &mut C, from: u64, to: u64) -> u32 {
    let from = crc.update(0, &from.to_le_bytes());
    crc.update(from, &to.to_le_bytes())
}

/// Takes a whole frame apart into what the check covers (kind and body) and the check it bears.
///
/// `None` if it is shorter than a check.
#[must_use]
pub fn split_check(frame: &[u8]) -> Option<(&[u8], u32)> {
    let (covered, check) = frame.split_last_chunk::<CHECK_LEN>()?;
    Some((covered, u32::from_le_bytes(*check)))
}

#[cfg(test)]
mod tests {
    use super::super::crc::{Bytewise, Nibble};
    use super::*;

    #[test]
    fn a_tag_is_the_check_of_both_nonces_sender_first() {
        let bytes = [8, 7, 6, 5, 4, 3, 2, 1, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11];
        let (from, to) = (0x0102_0304_0506_0708, 0x1112_1314_1516_1718);
        assert_eq!(tag(&mut Nibble, from, to), Bytewise.update(0, &bytes));
        assert_ne!(tag(&mut Nibble, from, to), tag(&mut Nibble, to, from));
    }

    #[test]
    fn a_check_is_little_endian_and_last() {
        assert_eq!(split_check(&[9, 1, 2, 3, 4]), Some((&[9][..], 0x0403_0201)));
        assert_eq!(split_check(&[1, 2, 3, 4]), Some((&[][..], 0x0403_0201)));
        assert_eq!(split_check(&[1, 2, 3]), None);
    }
}
