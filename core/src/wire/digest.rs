//! Kinds of digests, and which of them an end can check (§7.2, §4.1).

use core::fmt;

/// A hash of the whole file (§7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum DigestKind {
    /// None beyond the check of END, which every end can do.
    Crc32 = 0,
    /// CRC-64/NVME, a u64, little-endian.
    Crc64Nvme = 1,
    /// BLAKE3, 32 bytes.
    Blake3 = 2,
    /// SHA-256.
    Sha256 = 3,
}

impl DigestKind {
    /// Every kind, in the order of §7.2.
    pub const ALL: [Self; 4] = [Self::Crc32, Self::Crc64Nvme, Self::Blake3, Self::Sha256];

    /// The digest with this code, if it is one of §7.2.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Crc32,
            1 => Self::Crc64Nvme,
            2 => Self::Blake3,
            3 => Self::Sha256,
            _ => return None,
        })
    }

    /// The digest's byte on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Bytes of the value in END: 0, 8 or 32.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a kind is not a container")]
    pub const fn len(self) -> usize {
        match self {
            Self::Crc32 => 0,
            Self::Crc64Nvme => 8,
            Self::Blake3 | Self::Sha256 => 32,
        }
    }

    /// The name that people type: `crc32`, `crc64`, `blake3` or `sha256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "crc32",
            Self::Crc64Nvme => "crc64",
            Self::Blake3 => "blake3",
            Self::Sha256 => "sha256",
        }
    }
}

impl fmt::Display for DigestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Up to four digests, the preferred first, none twice (§4.1).
///
/// CRC-32 is implied at the end; it may also be named, to say that what follows it is liked less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DigestList([Option<DigestKind>; 4]);

impl DigestList {
    /// Nothing but the CRC-32 that is implied.
    pub const EMPTY: Self = Self([None; 4]);
    /// As many digests as a HELLO may list.
    pub const MAX_LEN: usize = 4;

    /// A list in this order. A digest that came before is left out.
    #[must_use]
    pub const fn new(kinds: &[DigestKind]) -> Self {
        let mut list = Self::EMPTY;
        let mut rest = kinds;
        while let Some((kind, tail)) = rest.split_first() {
            list = list.with(*kind);
            rest = tail;
        }
        list
    }

    /// This list with `kind` at its end, unless it has it already.
    #[must_use]
    pub const fn with(self, kind: DigestKind) -> Self {
        if self.contains(kind) {
            return self;
        }
        let last = Some(kind);
        Self(match self.0 {
            [None, ..] => [last, None, None, None],
            [a, None, ..] => [a, last, None, None],
            [a, b, None, _] => [a, b, last, None],
            [a, b, c, _] => [a, b, c, last],
        })
    }

    /// The digests named, the preferred first.
    pub fn iter(&self) -> impl Iterator<Item = DigestKind> {
        self.0.into_iter().flatten()
    }

    /// Whether `kind` is named. CRC-32 may be used even if it is not.
    #[must_use]
    pub const fn contains(&self, kind: DigestKind) -> bool {
        let [a, b, c, d] = self.0;
        is(a, kind) || is(b, kind) || is(c, kind) || is(d, kind)
    }

    /// How many are named: 0 to 4.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether none is named.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0[0].is_none()
    }

    /// The digest of a transfer to the end whose list this is, from one that can make those of `available`: the first of this list
    /// that the sender can make, else CRC-32 (§5.1).
    #[must_use]
    pub fn choose(&self, available: Self) -> DigestKind {
        for kind in self.iter() {
            if kind == DigestKind::Crc32 || available.contains(kind) {
                return kind;
            }
        }
        DigestKind::Crc32
    }
}

const fn is(entry: Option<DigestKind>, kind: DigestKind) -> bool {
    match entry {
        Some(entry) => entry.code() == kind.code(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::DigestKind::{Blake3, Crc32, Crc64Nvme, Sha256};
    use super::*;

    #[test]
    fn kinds_are_those_of_the_protocol() {
        for (code, kind) in (0..).zip(DigestKind::ALL) {
            assert_eq!(DigestKind::from_code(code), Some(kind));
            assert_eq!(kind.code(), code);
        }
        assert_eq!(DigestKind::from_code(4), None);
        assert_eq!(DigestKind::ALL.map(DigestKind::len), [0, 8, 32, 32]);
        assert_eq!(DigestKind::ALL.map(DigestKind::name), ["crc32", "crc64", "blake3", "sha256"]);
    }

    #[test]
    fn a_list_keeps_its_order_and_holds_nothing_twice() {
        let list = DigestList::new(&[Sha256, Crc32, Sha256, Blake3, Crc64Nvme, Blake3]);
        assert!(list.iter().eq([Sha256, Crc32, Blake3, Crc64Nvme]));
        assert_eq!(list.len(), 4);
        assert!(!list.is_empty());
        assert!(DigestKind::ALL.iter().all(|kind| list.contains(*kind)));
        assert!(DigestList::EMPTY.is_empty());
        assert_eq!(DigestList::new(&[]), DigestList::EMPTY);
        assert!(!DigestList::new(&[Blake3]).contains(Sha256));
    }

    #[test]
    fn the_receivers_preference_rules() {
        let receiver = DigestList::new(&[Blake3, Crc64Nvme]);
        assert_eq!(receiver.choose(DigestList::new(&[Crc64Nvme, Blake3])), Blake3);
        assert_eq!(receiver.choose(DigestList::new(&[Sha256, Crc64Nvme])), Crc64Nvme);
        assert_eq!(receiver.choose(DigestList::new(&[Sha256])), Crc32);
        assert_eq!(DigestList::EMPTY.choose(receiver), Crc32);
    }

    #[test]
    fn every_end_can_do_crc32() {
        let receiver = DigestList::new(&[Blake3, Crc32, Sha256]);
        assert_eq!(receiver.choose(DigestList::new(&[Sha256])), Crc32);
    }
}
