//! How a transfer comes about: WANT, ACCEPT, DECLINE (§5.2 to §5.4).

use super::code::Code;
use super::fields::Fields;
use super::kind::Kind;
use super::name::UncheckedName;
use super::reader::Malformed;
use super::writer::Writer;

/// WANT: asks the peer for a transfer (§5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Want<'a> {
    /// Counts from 1 in each direction.
    pub number: u32,
    /// A listing of what has this prefix (§12), rather than the file of this name.
    pub listing: bool,
    /// A name or, for a listing, a prefix that may be empty; not checked yet (§6).
    pub name: UncheckedName<'a>,
}

impl<'a> Want<'a> {
    const LISTING: u8 = 1;

    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`]; among them `Value` for a reserved flag and number 0.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut f = Fields::new(body);
        let want =
            Self { number: f.id(), listing: f.flags(Self::LISTING) != 0, name: UncheckedName::new(f.rest()) };
        f.make(want)
    }

    /// Writes kind and fields: at most 7 bytes and the name.
    pub fn emit(&self, w: &mut Writer<'_>) {
        w.u8(Kind::Want.code());
        w.varint(self.number.into());
        w.u8(self.listing.into());
        w.bytes(self.name.as_bytes());
    }
}

/// ACCEPT: takes an OFFER (§5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Accept {
    /// Id, not 0.
    pub transfer: u32,
    /// The receiver has it all, and the transfer is over. The fields below are then 0.
    pub have: bool,
    /// How many bytes the receiver has already, and where DATA is to begin.
    pub offset: u64,
    /// CRC-32 of these bytes; 0 when there are none.
    pub check: u32,
    /// How many bytes DATA may go beyond `offset`.
    pub credit: u32,
}

impl Accept {
    const HAVE: u8 = 1;

    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`]; among them `Value` for a reserved flag, a check of nothing, and a number beside *have it all*.
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut f = Fields::new(body);
        let accept = Self {
            transfer: f.id(),
            have: f.flags(Self::HAVE) != 0,
            offset: f.varint(),
            check: f.u32(),
            credit: f.varint32(),
        };
        f.finish();
        f.require(accept.offset != 0 || accept.check == 0);
        f.require(!accept.have || (accept.offset == 0 && accept.credit == 0));
        f.make(accept)
    }

    /// Writes kind and fields: at most 26 bytes.
    pub fn emit(&self, w: &mut Writer<'_>) {
        w.u8(Kind::Accept.code());
        w.varint(self.transfer.into());
        w.u8(self.have.into());
        w.varint(self.offset);
        w.u32(self.check);
        w.varint(self.credit.into());
    }
}

/// What a DECLINE answers (§5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Answered {
    /// An OFFER; the number is the transfer's id.
    Offer = 0,
    /// A WANT; the number is its own.
    Want = 1,
}

/// DECLINE: refuses an OFFER or a WANT (§5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Decline<'a> {
    /// What is refused.
    pub what: Answered,
    /// Its id or number, not 0.
    pub number: u32,
    /// Why. [`Code::Ok`] is read as [`Code::Other`].
    pub code: Code,
    /// For people, at most 256 bytes.
    pub words: &'a str,
}

impl<'a> Decline<'a> {
    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`]; among them `Value` if it answers neither, and for number 0.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut f = Fields::new(body);
        let what = if f.flags(1) == 0 { Answered::Offer } else { Answered::Want };
        let decline = Self { what, number: f.id(), code: Code::from_refusal(f.u8()), words: f.words() };
        f.make(decline)
    }

    /// Writes kind and fields, the words cut to the writer's room; leave 4 bytes for the check.
    pub fn emit(&self, w: &mut Writer<'_>) {
        w.u8(Kind::Decline.code());
        w.u8(self.what as u8);
        w.varint(self.number.into());
        w.u8(self.code.code());
        w.words(self.words);
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::Frame;
    use super::*;

    #[test]
    fn a_want_is_for_a_file_or_a_listing() {
        let want = Want { number: 1, listing: false, name: UncheckedName::new(b"a") };
        assert_eq!(Want::parse(&[1, 0, b'a']), Ok(want));
        let everything = Want { number: 300, listing: true, name: UncheckedName::new(b"") };
        assert_eq!(Want::parse(&[0xAC, 0x02, 1]), Ok(everything));
        assert_eq!(Want::parse(&[0, 0, b'a']), Err(Malformed::Value));
        assert_eq!(Want::parse(&[1, 2, b'a']), Err(Malformed::Value));
    }

    #[test]
    fn an_accept_says_where_to_begin() {
        let accept = Accept { transfer: 1, have: false, offset: 2, check: 0x0403_0201, credit: 5 };
        assert_eq!(Accept::parse(&[1, 0, 2, 1, 2, 3, 4, 5]), Ok(accept));
        assert_eq!(Accept::parse(&[1, 0, 2, 1, 2, 3, 4, 5, 0]), Err(Malformed::Trailing));
        assert_eq!(Accept::parse(&[0, 0, 2, 1, 2, 3, 4, 5]), Err(Malformed::Value));
        assert_eq!(Accept::parse(&[1, 2, 2, 1, 2, 3, 4, 5]), Err(Malformed::Value));
    }

    #[test]
    fn an_accept_of_nothing_has_no_check() {
        assert!(Accept::parse(&[1, 0, 0, 0, 0, 0, 0, 5]).is_ok());
        assert_eq!(Accept::parse(&[1, 0, 0, 1, 0, 0, 0, 5]), Err(Malformed::Value));
        assert!(Accept::parse(&[1, 0, 1, 0, 0, 0, 0, 5]).is_ok());
    }

    #[test]
    fn an_accept_that_has_it_all_says_nothing_else() {
        let accept = Accept { transfer: 1, have: true, offset: 0, check: 0, credit: 0 };
        assert_eq!(Accept::parse(&[1, 1, 0, 0, 0, 0, 0, 0]), Ok(accept));
        assert_eq!(Accept::parse(&[1, 1, 1, 0, 0, 0, 0, 0]), Err(Malformed::Value));
        assert_eq!(Accept::parse(&[1, 1, 0, 1, 0, 0, 0, 0]), Err(Malformed::Value));
        assert_eq!(Accept::parse(&[1, 1, 0, 0, 0, 0, 0, 1]), Err(Malformed::Value));
    }

    #[test]
    fn a_decline_answers_an_offer_or_a_want() {
        let decline = Decline { what: Answered::Want, number: 3, code: Code::NotFound, words: "x" };
        assert_eq!(Decline::parse(&[1, 3, 8, b'x']), Ok(decline));
        assert_eq!(
            Decline::parse(&[0, 3, 0]).map(|decline| (decline.what, decline.code)),
            Ok((Answered::Offer, Code::Other))
        );
        assert_eq!(Decline::parse(&[2, 3, 8]), Err(Malformed::Value));
        assert_eq!(Decline::parse(&[0, 0, 8]), Err(Malformed::Value));
        assert_eq!(Decline::parse(&[0, 1, 8, 0x80]), Err(Malformed::Text));
    }

    #[test]
    fn the_largest_without_a_name_or_words_are_as_large_as_documented() {
        let accept = Accept { transfer: u32::MAX, have: false, offset: u64::MAX, check: 0, credit: u32::MAX };
        let want = Want { number: u32::MAX, listing: true, name: UncheckedName::new(b"") };
        for (frame, len) in [(Frame::Accept(accept), 26), (Frame::Want(want), 7)] {
            let mut out = [0; 64];
            let mut w = Writer::new(&mut out);
            frame.emit(&mut w);
            assert_eq!(w.len(), len);
        }
    }
}
