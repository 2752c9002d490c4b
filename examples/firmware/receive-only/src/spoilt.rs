//! What should be in no other image, so that it is seen whether it would be found: a panic, formatting, an allocator, floating point.

extern crate alloc;

use alloc::alloc::{GlobalAlloc, Layout};
use alloc::boxed::Box;
use core::fmt::{self, Write};

struct Once;

static mut MEMORY: [u64; 8] = [0; 8];

// SAFETY: there is one allocation, in `spoil`, which is called once.
unsafe impl GlobalAlloc for Once {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > 64 { core::ptr::null_mut() } else { (&raw mut MEMORY).cast() }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Once = Once;

struct Nowhere(usize);

impl Write for Nowhere {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// Does something of each, with a number that the compiler does not know.
#[inline(never)]
pub(crate) fn spoil(number: u64) -> usize {
    let mut nowhere = Nowhere(0);
    let half = Box::new(number as f32 / 2.0);
    write!(nowhere, "{half}").unwrap();
    nowhere.0
}
