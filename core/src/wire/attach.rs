//! A node that stays, and its name: ATTACH (§4.6).

use core::fmt;

use super::fields::Fields;
use super::kind::Kind;
use super::reader::Malformed;
use super::writer::Writer;

/// What no node is called, in any case: it means every node.
const ALL: &str = "all";

/// The name of a node that stays (§4.6): ASCII letters, digits, `.`, `_` and `-`. It may be empty: the node has none of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NodeName<'a>(&'a str);

impl<'a> NodeName<'a> {
    /// Longest name, in bytes.
    pub const MAX_LEN: usize = 64;

    /// No name.
    pub const EMPTY: NodeName<'static> = NodeName("");

    /// `name`, if it is valid.
    ///
    /// # Errors
    /// The first rule of §4.6 that it breaks.
    pub fn new(name: &'a str) -> Result<Self, NodeNameError> {
        if name.len() > Self::MAX_LEN {
            return Err(NodeNameError::TooLong);
        }
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if !name.bytes().all(is_allowed) {
            return Err(NodeNameError::Character);
        }
        if name.eq_ignore_ascii_case(ALL) {
            return Err(NodeNameError::All);
        }
        Ok(Self(name))
    }

    /// The name as text.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether the node has no name of its own.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for NodeName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// Why a name is not that of a node (§4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum NodeNameError {
    /// It has more than [`NodeName::MAX_LEN`] bytes.
    TooLong,
    /// It has something else than ASCII letters, digits, `.`, `_` and `-`.
    Character,
    /// It is `all`, in some case.
    All,
}

impl fmt::Display for NodeNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the name of a node has at most {} bytes", NodeName::MAX_LEN),
            Self::Character => {
                f.write_str("the name of a node has only ASCII letters, digits, '.', '_' and '-'")
            }
            Self::All => f.write_str("no node is called \"all\""),
        }
    }
}

impl core::error::Error for NodeNameError {}

/// ATTACH: this end stays, to be spoken to (§4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Attach<'a> {
    /// What the node is called.
    pub name: NodeName<'a>,
}

impl<'a> Attach<'a> {
    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`]; among them `Value` for a name of other characters, and for `all`.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut f = Fields::new(body);
        let name = NodeName::new(f.text(NodeName::MAX_LEN));
        f.require(name.is_ok());
        f.make(Self { name: name.unwrap_or_default() })
    }

    /// Writes kind and fields: at most 65 bytes. A name that does not fit is left out.
    pub fn emit(&self, w: &mut Writer<'_>) {
        w.u8(Kind::Attach.code());
        w.bytes(self.name.as_str().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::kind::CHECK_LEN;
    use super::*;
    use std::string::ToString;

    #[test]
    fn letters_digits_and_three_signs_make_a_name() {
        for name in ["", "a", "Board-7_b.2", ".", "-", "0", "al", "alle", "all.", "a-l-l"] {
            assert_eq!(NodeName::new(name).map(NodeName::as_str), Ok(name));
        }
        for code in 0..=0x7Fu8 {
            let name = char::from(code).to_string();
            let is_right = code.is_ascii_alphanumeric() || b"._-".contains(&code);
            assert_eq!(NodeName::new(&name).is_ok(), is_right, "{name:?}");
        }
        assert_eq!(NodeName::new("b\u{f6}ard"), Err(NodeNameError::Character));
        assert!(NodeName::EMPTY.is_empty());
    }

    #[test]
    fn a_name_has_at_most_64_bytes() {
        let longest = "n".repeat(NodeName::MAX_LEN);
        let name = NodeName::new(&longest).unwrap();
        assert_eq!(NodeName::new(&(longest.clone() + "n")), Err(NodeNameError::TooLong));
        let mut out = [0; NodeName::MAX_LEN + 1 + CHECK_LEN];
        let mut w = Writer::new(&mut out);
        Attach { name }.emit(&mut w);
        assert_eq!((w.len(), w.is_full()), (65, false));
        assert_eq!(Attach::parse(&out[1..65]), Ok(Attach { name }));
        assert_eq!(Attach::parse("n".repeat(65).as_bytes()), Err(Malformed::Text));
    }

    #[test]
    fn no_node_is_called_all() {
        for name in ["all", "ALL", "aLl"] {
            assert_eq!(NodeName::new(name), Err(NodeNameError::All));
            assert_eq!(Attach::parse(name.as_bytes()), Err(Malformed::Value));
        }
    }

    #[test]
    fn what_is_no_name_is_malformed() {
        assert_eq!(Attach::parse(b""), Ok(Attach { name: NodeName::EMPTY }));
        assert_eq!(Attach::parse(b"a/b"), Err(Malformed::Value));
        assert_eq!(Attach::parse("\u{f6}".as_bytes()), Err(Malformed::Value));
        assert_eq!(Attach::parse(b"a\xFF"), Err(Malformed::Text));
    }

    #[test]
    fn refusals_say_why() {
        assert_eq!(NodeNameError::TooLong.to_string(), "the name of a node has at most 64 bytes");
        assert_eq!(NodeNameError::All.to_string(), "no node is called \"all\"");
    }
}
