//! How a transfer ends: END and DONE (§5.7, §5.8).

use super::code::Code;
use super::digest::DigestKind;
use super::fields::Fields;
use super::kind::Kind;
use super::reader::Malformed;
use super::writer::Writer;

/// END: all has been sent (§5.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct End<'a> {
    /// Id, not 0.
    pub transfer: u32,
    /// Bytes in all.
    pub size: u64,
    /// CRC-32 of the contents.
    pub check: u32,
    /// As in the OFFER.
    pub digest: DigestKind,
    /// The digest: `digest.len()` bytes.
    pub value: &'a [u8],
}

impl<'a> End<'a> {
    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`]; among them `Value` for an unknown digest.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut f = Fields::new(body);
        let (transfer, size, check, digest) = (f.id(), f.varint(), f.u32(), f.digest());
        let value = f.bytes(digest.len());
        f.finish();
        f.make(Self { transfer, size, check, digest, value })
    }

    /// Writes kind and fields: at most 53 bytes.
    pub fn emit(&self, w: &mut Writer<'_>) {
        w.u8(Kind::End.code());
        w.varint(self.transfer.into());
        w.varint(self.size);
        w.u32(self.check);
        w.u8(self.digest.code());
        w.bytes(self.value);
    }
}

/// DONE: the receiver's verdict (§5.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Done<'a> {
    /// Id, not 0.
    pub transfer: u32,
    /// [`Code::Ok`]: verified, flushed to durable storage, and in its final place.
    pub code: Code,
    /// For people, at most 256 bytes.
    pub words: &'a str,
}

impl<'a> Done<'a> {
    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut f = Fields::new(body);
        let done = Self { transfer: f.id(), code: Code::from_code(f.u8()), words: f.words() };
        f.make(done)
    }

    /// Writes kind and fields, the words cut to the writer's room; leave 4 bytes for the check.
    pub fn emit(&self, w: &mut Writer<'_>) {
        w.u8(Kind::Done.code());
        w.varint(self.transfer.into());
        w.u8(self.code.code());
        w.words(self.words);
    }
}

#[cfg(test)]
mod tests {
    use super::super::kind::{CHECK_LEN, MIN_FRAME};
    use super::*;

    #[test]
    fn an_end_has_as_many_bytes_as_its_digest() {
        let mut body = [0; 40];
        body[0] = 1;
        for digest in DigestKind::ALL {
            body[6] = digest.code();
            let end = End { transfer: 1, size: 0, check: 0, digest, value: &[0; 32][..digest.len()] };
            let len = 7 + digest.len();
            assert_eq!(End::parse(&body[..len]), Ok(end));
            assert_eq!(End::parse(&body[..=len]), Err(Malformed::Trailing));
            assert_eq!(End::parse(&body[..len - 1]), Err(Malformed::Truncated));
        }
        body[6] = 4;
        assert_eq!(End::parse(&body), Err(Malformed::Value));
    }

    #[test]
    fn a_done_may_be_ok_and_a_later_code_is_other() {
        assert_eq!(Done::parse(&[1, 0]), Ok(Done { transfer: 1, code: Code::Ok, words: "" }));
        assert_eq!(Done::parse(&[1, 200, b'!']), Ok(Done { transfer: 1, code: Code::Other, words: "!" }));
        assert_eq!(Done::parse(&[0, 0]), Err(Malformed::Value));
    }

    #[test]
    fn the_largest_end_fits_what_every_end_takes() {
        let end =
            End { transfer: u32::MAX, size: u64::MAX, check: 0, digest: DigestKind::Blake3, value: &[0; 32] };
        let mut out = [0; MIN_FRAME];
        let mut w = Writer::new(&mut out);
        end.emit(&mut w);
        assert_eq!(w.len(), 53);
        assert!(w.len() + CHECK_LEN <= MIN_FRAME);
    }
}
