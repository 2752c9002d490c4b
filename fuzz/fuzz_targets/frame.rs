//! Any bytes, read as every thing the wire knows.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sampan_fuzz::frame::run(data));
