//! What an emulator does for the program that runs in it: files of the computer, the time of day, what it was started with, and lines of text.

use core::arch::asm;
use core::ffi::CStr;

const OPEN: u32 = 0x01;
const SAY: u32 = 0x04;
const WRITE: u32 = 0x05;
const READ: u32 = 0x06;
const SEEK: u32 = 0x0A;
const LENGTH: u32 = 0x0C;
const TIME: u32 = 0x11;
const COMMAND: u32 = 0x15;
const EXIT: u32 = 0x18;
const RUN_TIME_ERROR: u32 = 0x2_0023;

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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handle(u32);

/// The computer did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

fn call(operation: u32, argument: u32) -> u32 {
    let mut result = operation;
    // SAFETY: callers pass what the operation wants: a value, or the address of its arguments, of which those that are written to were borrowed
    // mutably.
    unsafe { asm!("bkpt 0xab", inout("r0") result, in("r1") argument) };
    result
}

fn call_with(operation: u32, arguments: &[u32; 3]) -> u32 {
    call(operation, arguments.as_ptr() as u32)
}

impl Handle {
    pub(crate) fn open(name: &CStr, mode: Mode) -> Option<Self> {
        let arguments = [name.as_ptr() as u32, mode as u32, name.count_bytes() as u32];
        let handle = call_with(OPEN, &arguments);
        (handle != u32::MAX).then_some(Self(handle))
    }

    pub(crate) fn length(self) -> u32 {
        call_with(LENGTH, &[self.0, 0, 0])
    }

    pub(crate) fn seek(self, offset: u32) -> Result<(), Failed> {
        if call_with(SEEK, &[self.0, offset, 0]) == 0 { Ok(()) } else { Err(Failed) }
    }

    pub(crate) fn read(self, into: &mut [u8]) -> Result<(), Failed> {
        let missing = call_with(READ, &[self.0, into.as_mut_ptr() as u32, into.len() as u32]);
        if missing == 0 { Ok(()) } else { Err(Failed) }
    }

    pub(crate) fn write(self, bytes: &[u8]) -> Result<(), Failed> {
        let missing = call_with(WRITE, &[self.0, bytes.as_ptr() as u32, bytes.len() as u32]);
        if missing == 0 { Ok(()) } else { Err(Failed) }
    }
}

/// Seconds since 1970.
pub(crate) fn time() -> u32 {
    call(TIME, 0)
}

/// What the program was started with, words between spaces.
pub(crate) fn command(into: &mut [u8]) -> &str {
    let mut arguments = [into.as_mut_ptr() as u32, into.len() as u32];
    let refused = call(COMMAND, arguments.as_mut_ptr() as u32);
    let text = into.split(|byte| *byte == 0).next().unwrap_or_default();
    if refused == 0 { core::str::from_utf8(text).unwrap_or_default() } else { "" }
}

/// Says a text.
pub(crate) fn say(text: &CStr) {
    call(SAY, text.as_ptr() as u32);
}

/// Says why, and ends the emulator.
pub(crate) fn fail(why: &CStr) -> ! {
    say(why);
    call(EXIT, RUN_TIME_ERROR);
    loop {}
}
