//! Names that every usual file system can hold.

use core::fmt;

use super::name::FileName;

/// Whether a valid name can also be held by systems that are narrower than §6, such as Windows.
///
/// # Errors
/// The first thing that some system does not take.
pub fn is_portable(name: FileName<'_>) -> Result<(), NotPortable> {
    for part in name.parts() {
        check_part(part)?;
    }
    Ok(())
}

fn check_part(part: &str) -> Result<(), NotPortable> {
    for c in part.chars() {
        if matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|') {
            return Err(NotPortable::Character(c));
        }
    }
    if part.ends_with(['.', ' ']) {
        return Err(NotPortable::Ending);
    }
    if is_device(part) {
        return Err(NotPortable::Device);
    }
    Ok(())
}

const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
const NUMBERED: [&str; 2] = ["COM", "LPT"];

/// Whether the part means a device on Windows, with or without an extension.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end_matches(' ');
    if DEVICES.iter().any(|device| stem.eq_ignore_ascii_case(device)) {
        return true;
    }
    let mut chars = stem.chars();
    let number = chars.next_back();
    matches!(number, Some('0'..='9' | '\u{B9}' | '\u{B2}' | '\u{B3}'))
        && NUMBERED.iter().any(|device| chars.as_str().eq_ignore_ascii_case(device))
}

/// Why some systems cannot hold a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum NotPortable {
    /// It has this one of `: * ? " < > |`.
    Character(char),
    /// A part ends with a dot or a space.
    Ending,
    /// A part means a device, such as `CON` or `lpt1.txt`.
    Device,
}

impl fmt::Display for NotPortable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Character(c) => {
                return write!(f, "the name has a {c}, which some systems do not allow");
            }
            Self::Ending => "a part of the name ends with a dot or a space, which some systems do not allow",
            Self::Device => "a part of the name means a device on some systems",
        })
    }
}

impl core::error::Error for NotPortable {}

#[cfg(test)]
mod tests {
    use super::*;

    fn portable(name: &str) -> Result<(), NotPortable> {
        is_portable(FileName::new(name).unwrap())
    }

    #[test]
    fn ordinary_names_are_portable() {
        for name in [
            "a/b.c",
            ".hidden",
            " a",
            "con1",
            "icon",
            "CONS",
            "COM",
            "COM10",
            "lpt",
            "LPTx",
            "CON-x.txt",
            "a.con",
            "conin",
            "x.sampan",
            "\u{fc}",
            "COM\u{2074}",
            "null",
            ".samp",
        ] {
            assert_eq!(portable(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn characters_of_other_systems_are_not() {
        for c in [':', '*', '?', '"', '<', '>', '|'] {
            assert_eq!(portable(&std::format!("a/b{c}c")), Err(NotPortable::Character(c)));
        }
    }

    #[test]
    fn a_part_ends_with_neither_dot_nor_space() {
        for name in ["a.", "a ", "a./b", "a /b", "..."] {
            assert_eq!(portable(name), Err(NotPortable::Ending), "{name}");
        }
    }

    #[test]
    fn devices_are_not_files() {
        for name in [
            "CON",
            "con",
            "Prn",
            "AUX",
            "nul",
            "COM0",
            "com9",
            "LPT0",
            "lpt9",
            "COM\u{b9}",
            "lpt\u{b2}",
            "LPT\u{b3}",
            "CONIN$",
            "conout$",
            "con.txt",
            "a/NUL.tar.gz/b",
            "aux .txt",
            "com1.",
        ] {
            let expected = if name.ends_with('.') { NotPortable::Ending } else { NotPortable::Device };
            assert_eq!(portable(name), Err(expected), "{name}");
        }
    }

    #[test]
    fn the_reserved_prefix_has_other_spellings() {}

    #[test]
    fn refusals_say_why() {
        let shown = std::format!("{}", NotPortable::Character('?'));
        assert_eq!(shown, "the name has a ?, which some systems do not allow");
        assert_eq!(
            std::format!("{}", NotPortable::Device),
            "a part of the name means a device on some systems"
        );
    }
}
