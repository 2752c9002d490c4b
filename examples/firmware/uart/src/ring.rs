//! Bytes on their way from an interrupt routine to the program.

use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// Bytes that it holds, and one.
const LEN: usize = 4_096;

/// One puts, one takes; neither ever waits.
pub(crate) struct Ring {
    bytes: [AtomicU8; LEN],
    put: AtomicUsize,
    taken: AtomicUsize,
}

impl Ring {
    pub(crate) const NEW: Self = Self {
        bytes: [const { AtomicU8::new(0) }; LEN],
        put: AtomicUsize::new(0),
        taken: AtomicUsize::new(0),
    };

    pub(crate) fn is_empty(&self) -> bool {
        self.put.load(Ordering::Acquire) == self.taken.load(Ordering::Acquire)
    }

    pub(crate) fn is_full(&self) -> bool {
        (self.put.load(Ordering::Acquire) + 1) % LEN == self.taken.load(Ordering::Acquire)
    }

    pub(crate) fn is_half_empty(&self) -> bool {
        let length = self.put.load(Ordering::Acquire) + LEN - self.taken.load(Ordering::Acquire);
        length % LEN <= LEN / 2
    }

    /// Puts a byte in that there is room for.
    pub(crate) fn put(&self, byte: u8) {
        let at = self.put.load(Ordering::Acquire);
        self.bytes[at].store(byte, Ordering::Release);
        self.put.store((at + 1) % LEN, Ordering::Release);
    }

    pub(crate) fn take(&self) -> Option<u8> {
        if self.is_empty() {
            return None;
        }
        let at = self.taken.load(Ordering::Acquire);
        let byte = self.bytes[at].load(Ordering::Acquire);
        self.taken.store((at + 1) % LEN, Ordering::Release);
        Some(byte)
    }
}
