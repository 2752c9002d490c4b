//! Names (§6): a name from the wire is bytes until it has been checked.

use core::fmt::{self, Write as _};

/// Longest name, in bytes (§6). A peer may take less (§4.1).
pub const MAX_NAME: usize = 1024;
/// Longest part of a name, in bytes (§6).
pub const MAX_PART: usize = 255;

/// What no part of a name begins with, in any case: it is kept for what the receiver stores beside the files.
const RESERVED: &[u8] = b".sampan";

/// A name as it came from the peer.
///
/// Both `Debug` and `Display` escape whatever is not printable, so that it can be shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UncheckedName<'a>(&'a [u8]);

impl<'a> UncheckedName<'a> {
    /// The name of these bytes, whatever they are.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes as they came.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The name, if it is valid.
    ///
    /// # Errors
    /// The first rule of §6 that it breaks. It is never repaired.
    pub fn check(self) -> Result<FileName<'a>, NameError> {
        if self.0.len() > MAX_NAME {
            return Err(NameError::TooLong { len: self.0.len() });
        }
        FileName::new(core::str::from_utf8(self.0).map_err(|_| NameError::NotUtf8)?)
    }

    /// The prefix of a listing (§12), which may be empty: `None`.
    ///
    /// # Errors
    /// As [`check`](Self::check), except [`NameError::Empty`].
    pub fn check_prefix(self) -> Result<Option<FileName<'a>>, NameError> {
        if self.0.is_empty() { Ok(None) } else { self.check().map(Some) }
    }
}

impl fmt::Display for UncheckedName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\'' | '"' => f.write_char(c)?,
                    _ => write!(f, "{}", c.escape_debug())?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for UncheckedName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UncheckedName(\"{self}\")")
    }
}

/// A valid name: UTF-8, relative, its parts divided by `/` (§6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FileName<'a>(&'a str);

impl<'a> FileName<'a> {
    /// `name`, if it is valid.
    ///
    /// # Errors
    /// The first rule of §6 that it breaks.
    pub fn new(name: &'a str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > MAX_NAME {
            return Err(NameError::TooLong { len: name.len() });
        }
        for c in name.chars() {
            check_char(c)?;
        }
        for part in name.as_bytes().split(|byte| *byte == b'/') {
            check_part(part)?;
        }
        Ok(Self(name))
    }

    /// The name as text.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Its parts, the outermost directory first; at least one, and none is empty.
    pub fn parts(self) -> impl DoubleEndedIterator<Item = &'a str> + Clone {
        self.0.split('/')
    }

    /// The part after the last `/`.
    #[must_use]
    pub fn last_part(self) -> &'a str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for FileName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl<'a> From<FileName<'a>> for UncheckedName<'a> {
    fn from(name: FileName<'a>) -> Self {
        Self(name.0.as_bytes())
    }
}

fn check_char(c: char) -> Result<(), NameError> {
    match c {
        '\\' => Err(NameError::Backslash),
        '\0'..='\x1F' | '\x7F'..='\u{9F}' | '\u{2028}' | '\u{2029}' => Err(NameError::Control),
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            Err(NameError::Direction)
        }
        _ => Ok(()),
    }
}

fn check_part(part: &[u8]) -> Result<(), NameError> {
    match part {
        b"" => Err(NameError::EmptyPart),
        b"." | b".." => Err(NameError::DotPart),
        _ if part.len() > MAX_PART => Err(NameError::PartTooLong { len: part.len() }),
        _ if part.get(..RESERVED.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED)) => {
            Err(NameError::Reserved)
        }
        _ => Ok(()),
    }
}

/// Why a name is refused (§6). Whoever refuses it answers with [`Code::BadName`](super::Code::BadName).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum NameError {
    /// It has no bytes.
    Empty,
    /// It is longer than 1,024 bytes.
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// It is not UTF-8.
    NotUtf8,
    /// It begins or ends with `/`, or has two of them in a row.
    EmptyPart,
    /// A part is longer than 255 bytes.
    PartTooLong {
        /// The part's length in bytes.
        len: usize,
    },
    /// A part is `.` or `..`.
    DotPart,
    /// A part begins with `.sampan`, in any case.
    Reserved,
    /// It has a control character, or a line or paragraph separator.
    Control,
    /// It has a character that changes the direction of the text around it.
    Direction,
    /// It has a backslash.
    Backslash,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the name is empty",
            Self::TooLong { len } => {
                return write!(f, "the name is {len} bytes long, at most {MAX_NAME} are allowed");
            }
            Self::NotUtf8 => "the name is not UTF-8",
            Self::EmptyPart => "a part of the name is empty",
            Self::PartTooLong { len } => {
                return write!(f, "a part of the name is {len} bytes long, at most {MAX_PART} are allowed");
            }
            Self::DotPart => "a part of the name is . or ..",
            Self::Reserved => "a part of the name begins with .sampan",
            Self::Control => "the name has a control character",
            Self::Direction => "the name has a character that changes the direction of text",
            Self::Backslash => "the name has a backslash",
        })
    }
}

impl core::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str) -> NameError {
        FileName::new(name).unwrap_err()
    }

    #[test]
    fn ordinary_names_pass_unchanged() {
        for name in [
            "a",
            "a/b",
            "a b/..c",
            "...",
            ".hidden",
            "x/.sampa",
            "x.sampan",
            "\u{fc}\u{1f600}",
            " ",
            "a:b",
            "~",
            "-",
        ] {
            assert_eq!(UncheckedName::new(name.as_bytes()).check().map(FileName::as_str), Ok(name));
        }
    }

    #[test]
    fn parts_are_divided_by_slashes() {
        let name = FileName::new("a/b/c").unwrap();
        assert!(name.parts().eq(["a", "b", "c"]));
        assert_eq!(name.last_part(), "c");
        assert_eq!(FileName::new("a").unwrap().last_part(), "a");
        assert_eq!(std::format!("{name:>7}"), "  a/b/c");
    }

    #[test]
    fn lengths_are_limited() {
        let long = [b'a'; MAX_NAME + 1];
        let long = core::str::from_utf8(&long).unwrap();
        assert_eq!(refused(""), NameError::Empty);
        assert!(FileName::new(&long[..255]).is_ok());
        assert_eq!(refused(&long[..256]), NameError::PartTooLong { len: 256 });
        let mut parts = [b'a'; MAX_NAME + 1];
        parts[200] = b'/';
        parts[400] = b'/';
        parts[600] = b'/';
        parts[800] = b'/';
        let parts = core::str::from_utf8(&parts).unwrap();
        assert!(FileName::new(&parts[..1024]).is_ok());
        assert_eq!(refused(parts), NameError::TooLong { len: 1025 });
        assert_eq!(UncheckedName::new(parts.as_bytes()).check(), Err(NameError::TooLong { len: 1025 }));
    }

    #[test]
    fn a_name_is_relative_and_stays_below_its_directory() {
        for name in ["/", "/a", "a/", "a//b"] {
            assert_eq!(refused(name), NameError::EmptyPart, "{name}");
        }
        for name in [".", "..", "a/..", "../a", "a/./b", "a/../b"] {
            assert_eq!(refused(name), NameError::DotPart, "{name}");
        }
        for name in [".sampan", ".sampan-part", "a/.sampan/b", "a/.sampanx", ".SAMPAN", "a/.Sampan-x"] {
            assert_eq!(refused(name), NameError::Reserved, "{name}");
        }
    }

    #[test]
    fn characters_that_mislead_are_refused() {
        for c in '\0'..='\u{2100}' {
            let mut buffer = [0; 4];
            let expected = match u32::from(c) {
                0..=0x1F | 0x7F..=0x9F | 0x2028 | 0x2029 => Err(NameError::Control),
                0x61C | 0x200E | 0x200F | 0x202A..=0x202E | 0x2066..=0x2069 => Err(NameError::Direction),
                0x5C => Err(NameError::Backslash),
                0x2E => Err(NameError::DotPart),
                0x2F => Err(NameError::EmptyPart),
                _ => Ok(()),
            };
            assert_eq!(FileName::new(c.encode_utf8(&mut buffer)).map(|_| ()), expected, "{c:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused() {
        for bytes in [&[0xFF][..], &[b'a', 0xC3], &[0xC0, 0xAF], &[0xED, 0xA0, 0x80]] {
            assert_eq!(UncheckedName::new(bytes).check(), Err(NameError::NotUtf8));
        }
    }

    #[test]
    fn a_prefix_may_be_empty() {
        assert_eq!(UncheckedName::new(b"").check_prefix(), Ok(None));
        assert_eq!(UncheckedName::new(b"a").check_prefix(), Ok(Some(FileName("a"))));
        assert_eq!(UncheckedName::new(b"a/").check_prefix(), Err(NameError::EmptyPart));
        assert_eq!(UncheckedName::new(b"").check(), Err(NameError::Empty));
    }

    #[test]
    fn what_is_not_printable_is_escaped() {
        let name = UncheckedName::new(b"it's \"\x1b[31m\xff\\\xe2\x80\xae\xc3\xbc");
        assert_eq!(std::format!("{name}"), "it's \"\\u{1b}[31m\\xff\\\\\\u{202e}\u{fc}");
        assert_eq!(std::format!("{:?}", UncheckedName::new(b"a\n")), "UncheckedName(\"a\\n\")");
    }

    #[test]
    fn refusals_say_why() {
        let shown = std::format!("{}", NameError::TooLong { len: 1025 });
        assert_eq!(shown, "the name is 1025 bytes long, at most 1024 are allowed");
        assert_eq!(std::format!("{}", NameError::DotPart), "a part of the name is . or ..");
    }
}
