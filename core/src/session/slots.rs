//! The lent slots of a role, of which most are free most of the time.

use core::ops::{Deref, DerefMut};

/// Room for one transfer.
pub(super) trait Slot {
    /// Whether no transfer has it.
    fn is_free(&self) -> bool;
}

/// Slots, seen as far as the last one that may be taken: whoever looks through them does not look through hundreds of free ones.
#[derive(Debug)]
pub(super) struct Slots<'b, T> {
    all: &'b mut [T],
    seen: usize,
}

impl<'b, T: Slot> Slots<'b, T> {
    /// All of them are free.
    pub(super) fn new(all: &'b mut [T]) -> Self {
        Self { all, seen: 0 }
    }

    /// All of them, for others.
    pub(super) fn release(self) -> &'b mut [T] {
        self.all
    }

    /// How many there are, free or not.
    pub(super) fn capacity(&self) -> u32 {
        u32::try_from(self.all.len()).unwrap_or(u32::MAX)
    }

    /// A free one, if there is any.
    pub(super) fn free(&mut self) -> Option<(usize, &mut T)> {
        let (index, slot) = self.all.iter_mut().enumerate().find(|(_, slot)| slot.is_free())?;
        self.seen = self.seen.max(index.saturating_add(1));
        Some((index, slot))
    }

    /// All of them, also those that are free.
    pub(super) fn all(&self) -> &[T] {
        self.all
    }

    /// Looks no further than need be.
    pub(super) fn trim(&mut self) {
        while self.last().is_some_and(Slot::is_free) {
            self.seen = self.seen.saturating_sub(1);
        }
    }
}

impl<T> Deref for Slots<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.all.get(..self.seen).unwrap_or_default()
    }
}

impl<T> DerefMut for Slots<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.all.get_mut(..self.seen).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Slot for bool {
        fn is_free(&self) -> bool {
            !*self
        }
    }

    #[test]
    fn only_what_may_be_taken_is_seen() {
        let mut all = [false; 4];
        let mut slots = Slots::new(&mut all);
        assert_eq!((slots.len(), slots.capacity()), (0, 4));
        for index in 0..3 {
            let (at, slot) = slots.free().expect("a free slot");
            assert_eq!(at, index);
            *slot = true;
        }
        slots[1] = false;
        slots.trim();
        assert_eq!(*slots, [true, false, true]);
        slots[2] = false;
        slots.trim();
        assert_eq!(*slots, [true]);
        assert_eq!(slots.free().map(|(index, _)| index), Some(1));
    }
}
