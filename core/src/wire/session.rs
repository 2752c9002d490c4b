//! The small session frames: PING, PONG, NOTICE, ABORT, BYE (§4.2 to §4.5).

use super::code::Code;
use super::fields::Fields;
use super::kind::{Kind, MAX_CONTROL};
use super::reader::{Malformed, Reader};
use super::writer::Writer;

/// PING (§4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ping {
    /// Counted together with the sender's NOTICEs.
    pub number: u32,
}

impl Ping {
    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        // What follows is padding.
        Ok(Self { number: Reader::new(body).varint32()? })
    }

    /// Writes kind and fields, without padding: at most 6 bytes.
    pub fn emit(&self, w: &mut Writer<'_>) {
        w.u8(Kind::Ping.code());
        w.varint(self.number.into());
    }
}

/// PONG (§4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Pong {
    /// The number of the PING or NOTICE that this answers.
    pub number: u32,
}

impl Pong {
    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        Ok(Self { number: parse_number(body)? })
    }

    /// Writes kind and fields: at most 6 bytes.
    pub fn emit(&self, w: &mut Writer<'_>) {
        w.u8(Kind::Pong.code());
        w.varint(self.number.into());
    }
}

fn parse_number(body: &[u8]) -> Result<u32, Malformed> {
    let mut f = Fields::new(body);
    let number = f.varint32();
    f.finish();
    f.make(number)
}

/// NOTICE: text for whoever uses the other end (§4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Notice<'a> {
    /// Counted together with the sender's PINGs.
    pub number: u32,
    /// The text, as long as a frame holds. Whoever shows it escapes control characters.
    pub words: &'a str,
}

impl<'a> Notice<'a> {
    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut f = Fields::new(body);
        let notice = Self { number: f.varint32(), words: f.text(MAX_CONTROL) };
        f.make(notice)
    }

    /// Writes kind and fields, the words cut to the writer's room; leave 4 bytes for the check.
    pub fn emit(&self, w: &mut Writer<'_>) {
        w.u8(Kind::Notice.code());
        w.varint(self.number.into());
        w.text(self.words, MAX_CONTROL);
    }
}

/// What an ABORT ends (§4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Scope {
    /// The session.
    Session = 0,
    /// A transfer that the end that says ABORT is sending.
    Sending = 1,
    /// A transfer that the end that says ABORT is receiving.
    Receiving = 2,
}

impl Scope {
    /// The scope with this code, if it is one of §4.4.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Session,
            1 => Self::Sending,
            2 => Self::Receiving,
            _ => return None,
        })
    }
}

/// ABORT (§4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Abort<'a> {
    /// What ends.
    pub scope: Scope,
    /// The transfer's id; 0 for the session, and only then.
    pub transfer: u32,
    /// Why. [`Code::Ok`] is read as [`Code::Other`].
    pub code: Code,
    /// For people, at most 256 bytes.
    pub words: &'a str,
}

impl<'a> Abort<'a> {
    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`]; among them `Value` for an undefined scope, and for an id that does not suit the scope.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut f = Fields::new(body);
        let scope = Scope::from_code(f.u8());
        f.require(scope.is_some());
        let scope = scope.unwrap_or(Scope::Session);
        let transfer = f.varint32();
        f.require((scope == Scope::Session) == (transfer == 0));
        let abort = Self { scope, transfer, code: Code::from_refusal(f.u8()), words: f.words() };
        f.make(abort)
    }

    /// Writes kind and fields, the words cut to the writer's room; leave 4 bytes for the check.
    pub fn emit(&self, w: &mut Writer<'_>) {
        w.u8(Kind::Abort.code());
        w.u8(self.scope as u8);
        w.varint(self.transfer.into());
        w.u8(self.code.code());
        w.words(self.words);
    }
}

/// BYE (§4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Bye<'a> {
    /// Why; [`Code::Ok`]: all done.
    pub code: Code,
    /// For people, at most 256 bytes.
    pub words: &'a str,
}

impl<'a> Bye<'a> {
    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut f = Fields::new(body);
        let bye = Self { code: Code::from_code(f.u8()), words: f.words() };
        f.make(bye)
    }

    /// Writes kind and fields, the words cut to the writer's room; leave 4 bytes for the check.
    pub fn emit(&self, w: &mut Writer<'_>) {
        w.u8(Kind::Bye.code());
        w.u8(self.code.code());
        w.words(self.words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_all_that_counts_in_ping_and_all_there_is_in_pong() {
        assert_eq!(Ping::parse(&[0x80, 0x01]), Ok(Ping { number: 128 }));
        assert_eq!(Pong::parse(&[0]), Ok(Pong { number: 0 }));
        assert_eq!(Ping::parse(&[1, 0, 0xFF]), Ok(Ping { number: 1 }));
        assert_eq!(Pong::parse(&[1, 0]), Err(Malformed::Trailing));
        assert_eq!(Ping::parse(&[]), Err(Malformed::Truncated));
        assert_eq!(Pong::parse(&[0xFF, 0xFF, 0xFF, 0xFF, 0x10]), Err(Malformed::Varint));
    }

    #[test]
    fn a_notice_may_be_longer_than_other_words() {
        let mut body = [b'a'; 300];
        body[0] = 7;
        let notice = Notice::parse(&body).unwrap();
        assert_eq!((notice.number, notice.words.len()), (7, 299));
        let mut out = [0; 200];
        let mut w = Writer::new(&mut out);
        notice.emit(&mut w);
        assert_eq!((w.len(), w.is_full()), (200, false));
    }

    #[test]
    fn an_abort_names_a_transfer_unless_it_ends_the_session() {
        let abort = Abort::parse(&[2, 3, 12, b'n', b'o']).unwrap();
        let expected = Abort { scope: Scope::Receiving, transfer: 3, code: Code::Cancelled, words: "no" };
        assert_eq!(abort, expected);
        assert_eq!(Abort::parse(&[0, 0, 15]).map(|abort| abort.scope), Ok(Scope::Session));
        assert_eq!(Abort::parse(&[0, 1, 15]), Err(Malformed::Value));
        assert_eq!(Abort::parse(&[1, 0, 15]), Err(Malformed::Value));
        assert_eq!(Abort::parse(&[2, 0, 15]), Err(Malformed::Value));
        assert_eq!(Abort::parse(&[3, 1, 15]), Err(Malformed::Value));
    }

    #[test]
    fn an_abort_is_never_ok_but_a_bye_is() {
        assert_eq!(Abort::parse(&[0, 0, 0]).map(|abort| abort.code), Ok(Code::Other));
        assert_eq!(Bye::parse(&[0]), Ok(Bye { code: Code::Ok, words: "" }));
        assert_eq!(Bye::parse(&[19]), Ok(Bye { code: Code::Other, words: "" }));
    }

    #[test]
    fn words_are_text_of_at_most_256_bytes() {
        let long = [b'a'; 300];
        assert_eq!(Bye::parse(&long[..257]).map(|bye| bye.words.len()), Ok(256));
        assert_eq!(Bye::parse(&long[..258]), Err(Malformed::Text));
        assert_eq!(Abort::parse(&[0, 0, 1, 0xFF]), Err(Malformed::Text));
        assert_eq!(Notice::parse(&[0, 0xFF]), Err(Malformed::Text));
    }

    #[test]
    fn words_are_cut_to_fit_and_the_rest_is_not() {
        let abort =
            Abort { scope: Scope::Session, transfer: 0, code: Code::Protocol, words: "\u{20ac}\u{20ac}" };
        let mut out = [0; 8];
        let mut w = Writer::new(&mut out);
        abort.emit(&mut w);
        assert_eq!((w.len(), w.is_full()), (7, false));
        assert_eq!(Abort::parse(&out[1..7]).map(|abort| abort.words), Ok("\u{20ac}"));
        let mut w = Writer::new(&mut out[..3]);
        abort.emit(&mut w);
        assert!(w.is_full());
    }
}
