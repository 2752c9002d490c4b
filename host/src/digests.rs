//! Digests of whole files (`docs/protocol.md` §7.2).

use std::fmt;

use crc_fast::CrcAlgorithm;
use sampan_core::wire::{Crc32 as _, DigestKind, DigestList, combine};
use sampan_core::{Digest, Ending};
use sha2::Digest as _;

use crate::checks::FastCrc32;

/// Every digest that this host makes and checks, the default first.
pub const ALL: DigestList =
    DigestList::new(&[DigestKind::Crc64Nvme, DigestKind::Blake3, DigestKind::Sha256, DigestKind::Crc32]);

/// A digest of any kind.
///
/// CRC-32 has no value in the protocol, whose frames bear it already; here it is computed to be shown.
#[derive(Clone)]
#[non_exhaustive]
pub enum AnyDigest {
    /// The check of END.
    Crc32(u32),
    /// CRC-64/NVME.
    Crc64Nvme(crc_fast::Digest),
    /// BLAKE3.
    Blake3(Box<blake3::Hasher>),
    /// SHA-256.
    Sha256(sha2::Sha256),
}

/// How a digest takes the pieces of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pieces {
    /// Each has one of its own, and they are put together.
    Join,
    /// One after the other.
    Follow,
}

impl AnyDigest {
    /// An empty digest of this kind.
    #[must_use]
    pub fn new(kind: DigestKind) -> Self {
        match kind {
            DigestKind::Crc32 => Self::Crc32(0),
            DigestKind::Crc64Nvme => Self::Crc64Nvme(crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme)),
            DigestKind::Blake3 => Self::Blake3(Box::default()),
            DigestKind::Sha256 => Self::Sha256(sha2::Sha256::new()),
        }
    }

    /// An empty one of the same kind.
    #[must_use]
    pub fn empty(&self) -> Self {
        Self::new(self.kind())
    }

    /// Whether the digest of two pieces follows from those of each.
    #[must_use]
    pub const fn pieces(&self) -> Pieces {
        match self {
            Self::Crc32(_) | Self::Crc64Nvme(_) => Pieces::Join,
            Self::Blake3(_) | Self::Sha256(_) => Pieces::Follow,
        }
    }

    /// Goes on with the `length` bytes of which `next` is the digest. Both are of the same kind, and of one whose pieces [join](Pieces::Join);
    /// otherwise nothing happens.
    pub fn append(&mut self, next: &Self, length: u64) {
        match (self, next) {
            (Self::Crc32(check), Self::Crc32(next)) => *check = combine(*check, *next, length),
            (Self::Crc64Nvme(digest), Self::Crc64Nvme(next)) => digest.combine(next),
            _ => {}
        }
    }

    /// What has come so far, as people see it.
    #[must_use]
    pub fn shown(&self) -> Shown {
        match self {
            Self::Crc32(check) => Shown::Number { value: u64::from(*check), digits: 8 },
            Self::Crc64Nvme(digest) => Shown::Number { value: digest.finalize(), digits: 16 },
            Self::Blake3(hasher) => Shown::Hash(*hasher.finalize().as_bytes()),
            Self::Sha256(hasher) => Shown::Hash(hasher.clone().finalize().into()),
        }
    }
}

/// A digest as events show it: `KIND:HEX` (`docs/cli.md` §9).
#[must_use]
pub fn named(digest: &AnyDigest) -> String {
    format!("{}:{}", digest.kind(), digest.shown())
}

/// The digest that an END bears, as [`named`] shows it; its check where that is all there is.
#[must_use]
pub fn of_end(end: &Ending<'_>) -> Option<String> {
    let shown = match end.digest {
        DigestKind::Crc32 => Shown::Number { value: u64::from(end.check), digits: 8 },
        DigestKind::Crc64Nvme => {
            Shown::Number { value: u64::from_le_bytes(end.value.try_into().ok()?), digits: 16 }
        }
        DigestKind::Blake3 | DigestKind::Sha256 => Shown::Hash(end.value.try_into().ok()?),
    };
    Some(format!("{}:{shown}", end.digest))
}

impl Digest for AnyDigest {
    fn kind(&self) -> DigestKind {
        match self {
            Self::Crc32(_) => DigestKind::Crc32,
            Self::Crc64Nvme(_) => DigestKind::Crc64Nvme,
            Self::Blake3(_) => DigestKind::Blake3,
            Self::Sha256(_) => DigestKind::Sha256,
        }
    }

    fn update(&mut self, data: &[u8]) {
        match self {
            Self::Crc32(check) => *check = FastCrc32.update(*check, data),
            Self::Crc64Nvme(digest) => digest.update(data),
            Self::Blake3(hasher) => {
                hasher.update(data);
            }
            Self::Sha256(hasher) => sha2::Digest::update(hasher, data),
        }
    }

    fn value(&self, out: &mut [u8]) -> usize {
        let put = |out: &mut [u8], value: &[u8]| {
            let Some(place) = out.get_mut(..value.len()) else { return 0 };
            place.copy_from_slice(value);
            value.len()
        };
        match self.shown() {
            Shown::Number { digits: 8, .. } => 0,
            Shown::Number { value, .. } => put(out, &value.to_le_bytes()),
            Shown::Hash(hash) => put(out, &hash),
        }
    }
}

impl fmt::Debug for AnyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.shown())
    }
}

/// The value of a digest; `Display` writes it in hexadecimal, a number with its highest digit first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A CRC.
    Number {
        /// Its value.
        value: u64,
        /// How many digits it always has.
        digits: usize,
    },
    /// BLAKE3 or SHA-256.
    Hash([u8; 32]),
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { value, digits } => write!(f, "{value:0digits$x}"),
            Self::Hash(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: &[u8] = b"123456789";

    fn of(kind: DigestKind) -> AnyDigest {
        let mut digest = AnyDigest::new(kind);
        let (a, b) = NUMBERS.split_at(4);
        digest.update(a);
        digest.update(b);
        digest
    }

    #[test]
    fn values_are_the_published_ones() {
        let shown = |kind| of(kind).shown().to_string();
        assert_eq!(shown(DigestKind::Crc32), "cbf43926");
        assert_eq!(shown(DigestKind::Crc64Nvme), "ae8b14860a799888");
        assert_eq!(
            shown(DigestKind::Sha256),
            "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"
        );
        assert_eq!(shown(DigestKind::Blake3), blake3::hash(NUMBERS).to_hex().as_str());
        assert_eq!(
            AnyDigest::new(DigestKind::Blake3).shown().to_string(),
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        );
    }

    #[test]
    fn pieces_are_put_together_where_that_can_be() {
        for kind in DigestKind::ALL {
            for cut in 0..=NUMBERS.len() {
                let (a, b) = NUMBERS.split_at(cut);
                let mut digest = AnyDigest::new(kind);
                digest.update(a);
                let mut next = digest.empty();
                next.update(b);
                match digest.pieces() {
                    Pieces::Join => digest.append(&next, b.len() as u64),
                    Pieces::Follow => digest.update(b),
                }
                assert_eq!(digest.shown(), of(kind).shown());
            }
        }
    }

    #[test]
    fn values_are_laid_out_as_the_protocol_says() {
        let mut out = [0xA5; 40];
        assert_eq!(of(DigestKind::Crc64Nvme).value(&mut out), 8);
        assert_eq!(out[..9], [0x88, 0x98, 0x79, 0x0A, 0x86, 0x14, 0x8B, 0xAE, 0xA5]);
        assert_eq!(of(DigestKind::Crc64Nvme).value(&mut out[..7]), 0);
        for kind in DigestKind::ALL {
            assert_eq!((of(kind).kind(), of(kind).value(&mut out)), (kind, kind.len()));
        }
    }
}
