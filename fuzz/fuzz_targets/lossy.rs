//! Two engines over a link that loses frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sampan_fuzz::lossy(data));
