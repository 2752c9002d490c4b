//! A store that takes everything and keeps nothing.

use sampan_core::wire::Offer;
use sampan_core::{Ending, Refusal, ResumePoint, Storage, TransferId, Verdict};
#[cfg(feature = "lean")]
use sampan_core::{Part, lean, wire::Code};

#[derive(Default)]
pub(crate) struct Nowhere {
    /// Bytes of the files that are complete: their check was right.
    pub(crate) received: u32,
    /// How often it was given bytes.
    pub(crate) stores: u32,
    /// Bytes of the file that is coming: of its end the lean engine says nothing but that it is there.
    #[cfg(feature = "lean")]
    taken: u32,
}

impl Storage for Nowhere {
    #[inline(never)]
    fn offered(&mut self, _: TransferId, _: &Offer<'_>) -> Verdict {
        Verdict::AcceptInOrder(ResumePoint::START)
    }

    #[inline(never)]
    fn store(&mut self, _: TransferId, _: u64, data: &[u8]) -> Result<usize, Refusal> {
        self.stores += 1;
        Ok(data.len())
    }

    #[inline(never)]
    fn sync(&mut self, _: TransferId, offset: u64, _: u32) -> Option<u64> {
        Some(offset)
    }

    #[inline(never)]
    fn commit(&mut self, _: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        self.received += end.size as u32;
        Some(Ok(()))
    }
}

#[cfg(feature = "lean")]
impl lean::Store for Nowhere {
    #[inline(never)]
    fn offered(&mut self, _: &lean::Offer<'_>) -> lean::Verdict {
        lean::Verdict::Accept { offset: 0, check: 0 }
    }

    #[inline(never)]
    fn store(&mut self, offset: u32, data: &[u8]) -> Result<usize, Code> {
        self.stores += 1;
        self.taken = offset + data.len() as u32;
        Ok(data.len())
    }

    #[inline(never)]
    fn sync(&mut self, offset: u32, _: u32) -> u32 {
        offset
    }

    #[inline(never)]
    fn commit(&mut self, _: u32, _: u32) -> Result<(), Code> {
        self.received += self.taken;
        Ok(())
    }

    fn abandon(&mut self, _: Part) {}
}
