//! Bytes and text as C has them: where they begin and how many there are.

use core::ffi::{CStr, c_char};
use core::{ptr, slice, str};

/// Bytes to be read.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Bytes {
    /// The first; may be NULL if there are none.
    pub bytes: *const u8,
    /// How many.
    pub length: usize,
}

/// Room to be written to.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Room {
    /// The first byte.
    pub bytes: *mut u8,
    /// How many.
    pub length: usize,
}

/// Text in UTF-8, which no zero ends.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Text {
    /// The first byte; may be NULL if there are none.
    pub text: *const c_char,
    /// How many bytes.
    pub length: usize,
}

impl Bytes {
    /// # Safety
    ///
    /// There are as many bytes as it says, for as long as the result is used.
    pub(crate) unsafe fn get<'a>(self) -> &'a [u8] {
        if self.bytes.is_null() {
            return &[];
        }
        // SAFETY: the caller's promise.
        unsafe { slice::from_raw_parts(self.bytes, self.length) }
    }
}

impl Room {
    /// # Safety
    ///
    /// There are as many bytes as it says, which nobody else uses as long as the result is used.
    pub(crate) unsafe fn get<'a>(self) -> &'a mut [u8] {
        if self.bytes.is_null() {
            return &mut [];
        }
        // SAFETY: the caller's promise.
        unsafe { slice::from_raw_parts_mut(self.bytes, self.length) }
    }
}

impl Text {
    /// # Safety
    ///
    /// There are as many bytes as it says, for as long as the result is used.
    pub(crate) unsafe fn get<'a>(self) -> &'a [u8] {
        // SAFETY: the caller's promise.
        unsafe { Bytes { bytes: self.text.cast(), length: self.length }.get() }
    }

    /// As text; `None` if it is not UTF-8.
    ///
    /// # Safety
    ///
    /// There are as many bytes as it says, for as long as the result is used.
    pub(crate) unsafe fn as_str<'a>(self) -> Option<&'a str> {
        // SAFETY: the caller's promise.
        str::from_utf8(unsafe { self.get() }).ok()
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self { bytes: bytes.as_ptr(), length: bytes.len() }
    }
}

impl From<&mut [u8]> for Room {
    fn from(bytes: &mut [u8]) -> Self {
        Self { bytes: bytes.as_mut_ptr(), length: bytes.len() }
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self { text: bytes.as_ptr().cast(), length: bytes.len() }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

/// The words of a refusal, empty where they are NULL or not UTF-8.
///
/// # Safety
///
/// A zero ends them, and they stay as they are until the session is over.
pub(crate) unsafe fn words(words: *const c_char) -> &'static str {
    if words.is_null() {
        return "";
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(words) }.to_str().unwrap_or_default()
}

/// The text of a string that a zero ends.
/// It is NULL, or a zero ends it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sampan_text_of(string: *const c_char) -> Text {
    if string.is_null() {
        return Text { text: ptr::null(), length: 0 };
    }
    // SAFETY: the caller's promise.
    let length = unsafe { CStr::from_ptr(string) }.count_bytes();
    Text { text: string, length }
}
