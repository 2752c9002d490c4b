//! What parts are called: not after the file, whose name is the peer's.

use std::fmt;

/// What names of this store's own files begin with. No transfer can have such a name (`docs/protocol.md` §6).
pub(super) const RESERVED: &str = ".sampan-";
const PART: &str = ".part";
const RECORD: &str = ".record";
const TEMPORARY: &str = ".new";

/// Which part: of which name, and of which contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    name: u64,
    identity: u64,
}

/// What a file of the store's own is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// The beginning of a file, which may be resumed.
    Part(Key),
    /// What is known of such a beginning.
    Record(Key),
    /// What cannot be resumed.
    Temporary,
}

impl Key {
    /// For this name and identity.
    pub(super) fn of(name: &str, identity: &[u8]) -> Self {
        let half = |bytes: &[u8]| {
            let hash = *blake3::hash(bytes).as_bytes();
            u64::from_be_bytes(hash.first_chunk().copied().unwrap_or_default())
        };
        Self { name: half(name.as_bytes()), identity: half(identity) }
    }

    /// Whether it is a part of the same name.
    pub(super) const fn is_of_same_name(self, other: Self) -> bool {
        self.name == other.name
    }

    pub(super) fn part(self) -> String {
        format!("{self}{PART}")
    }

    pub(super) fn record(self) -> String {
        format!("{self}{RECORD}")
    }

    /// For something that cannot be resumed: another one each time.
    pub(super) fn temporary(number: u128) -> String {
        format!("{RESERVED}{number:032x}{TEMPORARY}")
    }

    fn parse(digits: &str) -> Option<Self> {
        let (name, identity) = digits.split_at_checked(16)?;
        let number = |digits: &str| {
            let plain = digits.len() == 16 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            plain.then(|| u64::from_str_radix(digits, 16).ok())?
        };
        Some(Self { name: number(name)?, identity: number(identity)? })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{RESERVED}{:016x}{:016x}", self.name, self.identity)
    }
}

impl Own {
    /// What a file of this name is, if it is the store's own.
    pub(super) fn of(file: &str) -> Option<Self> {
        let rest = file.strip_prefix(RESERVED)?;
        if let Some(digits) = rest.strip_suffix(PART) {
            return Key::parse(digits).map(Self::Part);
        }
        if let Some(digits) = rest.strip_suffix(RECORD) {
            return Key::parse(digits).map(Self::Record);
        }
        let digits = rest.strip_suffix(TEMPORARY)?;
        Key::parse(digits).map(|_| Self::Temporary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_again() {
        let key = Key::of("a/b", b"one");
        assert_eq!(Own::of(&key.part()), Some(Own::Part(key)));
        assert_eq!(Own::of(&key.record()), Some(Own::Record(key)));
        assert_eq!(Own::of(&Key::temporary(7)), Some(Own::Temporary));
        for other in [".sampan-", ".sampan-x.part", "a", ".sampan-00112233445566778899AABBCCDDEEFF.part"] {
            assert_eq!(Own::of(other), None, "{other}");
        }
    }

    #[test]
    fn other_contents_of_a_name_are_another_part_of_it() {
        let (one, two) = (Key::of("a", b"1"), Key::of("a", b"2"));
        assert_ne!(one, two);
        assert!(one.is_of_same_name(two) && !one.is_of_same_name(Key::of("b", b"1")));
    }
}
