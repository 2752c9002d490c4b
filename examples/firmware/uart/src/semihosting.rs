//! What an emulator does for the program that runs in it: files of the computer, and the time of day.

use core::ffi::CStr;

use crate::cpu;

const OPEN: u32 = 0x01;
const SAY: u32 = 0x04;
const WRITE: u32 = 0x05;
const READ: u32 = 0x06;
const SEEK: u32 = 0x0A;
const LENGTH: u32 = 0x0C;
const TIME: u32 = 0x11;
const EXIT: u32 = 0x18;
const RUN_TIME_ERROR: u32 = 0x2_0023;
const DONE: u32 = 0x2_0026;

/// How a file is opened.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(crate) enum Mode {
    /// One that is there, to read and to write.
    Existing = 3,
    /// A new one.
    New = 7,
}

/// A file of the computer's, in the directory that the emulator was started in.
#[derive(Debug)]
pub(crate) struct File(u32);

/// The computer did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

fn call(operation: u32, argument: u32) -> u32 {
    // SAFETY: callers in this file pass what the operation wants; those of a file's bytes have them borrowed, mutably where they are written to.
    unsafe { cpu::ask(operation, argument) }
}

fn call_with(operation: u32, arguments: &[u32; 3]) -> u32 {
    call(operation, arguments.as_ptr() as u32)
}

impl File {
    pub(crate) fn open(name: &CStr, mode: Mode) -> Option<Self> {
        let arguments = [name.as_ptr() as u32, mode as u32, name.count_bytes() as u32];
        let handle = call_with(OPEN, &arguments);
        (handle != u32::MAX).then_some(Self(handle))
    }

    pub(crate) fn length(&self) -> u32 {
        call_with(LENGTH, &[self.0, 0, 0])
    }

    pub(crate) fn seek(&self, offset: u32) -> Result<(), Failed> {
        if call_with(SEEK, &[self.0, offset, 0]) == 0 { Ok(()) } else { Err(Failed) }
    }

    pub(crate) fn read(&self, into: &mut [u8]) -> Result<(), Failed> {
        let missing = call_with(READ, &[self.0, into.as_mut_ptr() as u32, into.len() as u32]);
        if missing == 0 { Ok(()) } else { Err(Failed) }
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Failed> {
        let missing = call_with(WRITE, &[self.0, bytes.as_ptr() as u32, bytes.len() as u32]);
        if missing == 0 { Ok(()) } else { Err(Failed) }
    }
}

/// Seconds since 1970.
pub(crate) fn time() -> u32 {
    call(TIME, 0)
}

/// Says something on the emulator's own output.
pub fn say(words: &CStr) {
    call(SAY, words.as_ptr() as u32);
}

/// Ends the emulator.
pub fn end() -> ! {
    call(EXIT, DONE);
    loop {}
}

/// Says why, and ends the emulator.
pub fn fail(why: &CStr) -> ! {
    say(why);
    call(EXIT, RUN_TIME_ERROR);
    loop {}
}
