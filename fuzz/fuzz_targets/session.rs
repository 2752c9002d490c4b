//! One engine with a peer that keeps to no rule, or two engines over a bad link.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sampan_fuzz::session(data));
