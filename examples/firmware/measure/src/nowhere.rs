//! A store that takes everything and keeps nothing.

use sampan_core::wire::Offer;
use sampan_core::{Ending, Refusal, ResumePoint, Storage, TransferId, Verdict};

#[derive(Default)]
pub(crate) struct Nowhere {
    /// Bytes of the files that are complete: their check was right.
    pub(crate) received: u32,
    /// How often it was given bytes.
    pub(crate) stores: u32,
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
