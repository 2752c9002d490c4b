//! What an emulator does for the program that runs in it: a file of the computer's, and the end.

use core::arch::asm;
use core::ffi::CStr;

const OPEN: u32 = 0x01;
const WRITE: u32 = 0x05;
const EXIT: u32 = 0x18;
const NEW: u32 = 7;

/// A file in the directory that the emulator was started in.
pub(crate) struct File(u32);

/// How the program ends.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum End {
    Well = 0x2_0026,
    Badly = 0x2_0023,
}

fn call(operation: u32, argument: u32) -> u32 {
    let mut result = operation;
    // SAFETY: callers pass what the operation wants: a value, or the address of its arguments.
    unsafe { asm!("bkpt 0xab", inout("r0") result, in("r1") argument) };
    result
}

impl File {
    pub(crate) fn new(name: &CStr) -> Self {
        let arguments = [name.as_ptr() as u32, NEW, name.count_bytes() as u32];
        Self(call(OPEN, arguments.as_ptr() as u32))
    }

    pub(crate) fn write(&self, bytes: &[u8]) {
        let arguments = [self.0, bytes.as_ptr() as u32, bytes.len() as u32];
        if call(WRITE, arguments.as_ptr() as u32) != 0 {
            end(End::Badly);
        }
    }
}

/// Ends the emulator.
pub(crate) fn end(how: End) -> ! {
    call(EXIT, how as u32);
    loop {}
}
