//! Memory of the module's that lasts as long as its instance.

use core::cell::UnsafeCell;

/// A value that is made once.
pub(crate) struct Once<T>(UnsafeCell<Option<T>>);

// SAFETY: Whoever calls its methods promises that there is one thread.
unsafe impl<T> Sync for Once<T> {}

impl<T> Once<T> {
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new(None))
    }

    /// Makes the value, unless there is one.
    ///
    /// # Safety
    ///
    /// Nobody else uses it meanwhile, nor anything that was lent of it.
    pub(crate) unsafe fn set(&self, make: impl FnOnce() -> T) {
        // SAFETY: As promised by the caller.
        unsafe { &mut *self.0.get() }.get_or_insert_with(make);
    }

    /// The value; traps if there is none.
    ///
    /// # Safety
    ///
    /// Nobody else uses it meanwhile, nor anything that was lent of it.
    #[expect(clippy::mut_from_ref, reason = "the caller promises that there is one of them")]
    pub(crate) unsafe fn get(&self) -> &mut T {
        // SAFETY: As promised by the caller.
        unsafe { &mut *self.0.get() }.as_mut().expect("the session has begun")
    }

    /// Makes the value anew and lends it for good.
    ///
    /// # Safety
    ///
    /// It is called once.
    #[expect(clippy::mut_from_ref, reason = "the caller promises that there is one of them")]
    pub(crate) unsafe fn lend(&'static self, value: T) -> &'static mut T {
        // SAFETY: As promised by the caller.
        unsafe { &mut *self.0.get() }.insert(value)
    }
}
