//! Digests of whole files, computed on the bytes in hand by whoever fetches or stores them (§7.2).

use crate::wire::DigestKind;

/// A digest that is computed as the bytes come. The caller gives the implementation: CRC-64/NVME, BLAKE3, SHA-256.
///
/// CRC-32 needs none: the engine has it from the frames' own checks.
pub trait Digest {
    /// Which digest it is.
    fn kind(&self) -> DigestKind;

    /// Goes on with the next bytes.
    fn update(&mut self, data: &[u8]);

    /// Writes the value of what has come so far, as §7.2 lays it out, and says how many bytes; 0 if `out` is too short.
    fn value(&self, out: &mut [u8]) -> usize;
}

/// A digest that follows a transfer: it takes each byte once, however often it is fetched, and knows when it has missed some.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Running<D> {
    digest: D,
    next: u64,
}

impl<D: Digest> Running<D> {
    /// From the start of the file.
    pub const fn new(digest: D) -> Self {
        Self { digest, next: 0 }
    }

    /// The digest itself.
    pub const fn digest(&self) -> &D {
        &self.digest
    }

    /// How many bytes it has taken: everything below this offset.
    pub const fn position(&self) -> u64 {
        self.next
    }

    /// Takes what is new in `data`, which begins at `offset`. Bytes beyond a gap are not taken; the position tells.
    pub fn absorb(&mut self, offset: u64, data: &[u8]) {
        let Some(known) = self.next.checked_sub(offset) else { return };
        let new = usize::try_from(known).ok().and_then(|known| data.get(known..)).unwrap_or_default();
        self.digest.update(new);
        self.next = self.next.saturating_add(new.len() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[derive(Default)]
    struct Log(Vec<u8>);

    impl Digest for Log {
        fn kind(&self) -> DigestKind {
            DigestKind::Crc64Nvme
        }

        fn update(&mut self, data: &[u8]) {
            self.0.extend_from_slice(data);
        }

        fn value(&self, _: &mut [u8]) -> usize {
            0
        }
    }

    #[test]
    fn every_byte_counts_once_and_none_after_a_gap() {
        let mut running = Running::new(Log::default());
        running.absorb(0, b"abcd");
        running.absorb(2, b"cdef");
        running.absorb(0, b"ab");
        running.absorb(7, b"hi");
        assert_eq!((running.digest().0.as_slice(), running.position()), (&b"abcdef"[..], 6));
    }
}
