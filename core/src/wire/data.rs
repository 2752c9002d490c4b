//! DATA: contents (§5.5).

use super::fields::Fields;
use super::kind::{CHECK_LEN, Kind};
use super::reader::Malformed;
use super::writer::{Writer, varint_len};

/// DATA (§5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Data<'a> {
    /// Id, not 0.
    pub transfer: u32,
    /// Where the payload begins in the file, in bytes.
    pub offset: u64,
    /// At least 1 byte.
    pub payload: &'a [u8],
}

impl<'a> Data<'a> {
    /// Bytes of a frame that are not payload: kind, id, offset and check, without framing; 7 to 20.
    #[must_use]
    pub const fn overhead(transfer: u32, offset: u64) -> usize {
        // At most 1 + 5 + 10 + 4. `u64::from` is not const.
        1usize
            .wrapping_add(varint_len(transfer as u64))
            .wrapping_add(varint_len(offset))
            .wrapping_add(CHECK_LEN)
    }

    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`]; among them `Truncated` for an empty payload.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut f = Fields::new(body);
        let data = Self { transfer: f.id(), offset: f.varint(), payload: f.rest() };
        if data.payload.is_empty() {
            f.fail(Malformed::Truncated);
        }
        f.make(data)
    }

    /// Writes kind, fields and payload.
    pub fn emit(&self, w: &mut Writer<'_>) {
        Self::emit_header(self.transfer, self.offset, w);
        w.bytes(self.payload);
    }

    /// Writes what precedes the payload: kind, id and offset.
    pub fn emit_header(transfer: u32, offset: u64, w: &mut Writer<'_>) {
        w.u8(Kind::Data.code());
        w.varint(transfer.into());
        w.varint(offset);
    }

    /// Length of what precedes the payload, of a frame of which perhaps only the beginning is there and whose check has not been
    /// looked at.
    ///
    /// `None` if it is not DATA, its header is malformed, or not all of the header is there yet.
    #[must_use]
    pub fn header_len(frame: &[u8]) -> Option<usize> {
        let mut f = Fields::new(frame);
        let kind = f.u8();
        f.require(kind == Kind::Data.code());
        f.id();
        f.varint();
        f.make(frame.len().saturating_sub(f.len())).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_follows_id_and_offset() {
        let data = Data { transfer: 1, offset: 300, payload: b"xy" };
        assert_eq!(Data::parse(&[1, 0xAC, 0x02, b'x', b'y']), Ok(data));
        assert_eq!(Data::parse(&[0, 0, b'x']), Err(Malformed::Value));
    }

    #[test]
    fn a_payload_is_at_least_a_byte() {
        assert_eq!(Data::parse(&[1, 0]), Err(Malformed::Truncated));
    }

    #[test]
    fn the_overhead_is_what_is_not_payload() {
        for (transfer, offset) in [(1, 0), (127, 0x1F_FFFF), (128, 0x20_0000), (u32::MAX, u64::MAX)] {
            let mut out = [0; 32];
            let mut w = Writer::new(&mut out);
            Data { transfer, offset, payload: b"x" }.emit(&mut w);
            assert_eq!(Data::overhead(transfer, offset), w.len() - 1 + CHECK_LEN);
        }
    }

    #[test]
    fn small_files_pay_at_most_12_bytes_a_frame() {
        const LENGTH_PREFIX: usize = 3;
        assert!(LENGTH_PREFIX + Data::overhead(127, (2 << 20) - 1) <= 12);
    }

    #[test]
    fn a_header_is_found_before_the_rest_has_come() {
        let frame = [0x14, 0x80, 0x01, 0x05, b'x'];
        assert_eq!(Data::header_len(&frame), Some(4));
        assert_eq!(Data::header_len(&frame[..4]), Some(4));
        for len in 0..4 {
            assert_eq!(Data::header_len(&frame[..len]), None);
        }
        assert_eq!(Data::header_len(&[0x15, 1, 0]), None);
        assert_eq!(Data::header_len(&[0x14, 0, 0]), None);
        assert_eq!(Data::header_len(&[0x14, 1, 0x80, 0x00]), None);
    }
}
