//! What computes the check.

use sampan_core::wire::Crc32;

#[cfg(feature = "bitwise")]
pub(crate) use Bitwise as Check;
#[cfg(feature = "bytewise")]
pub(crate) use sampan_core::wire::Bytewise as Check;
#[cfg(not(any(feature = "bitwise", feature = "bytewise")))]
pub(crate) use sampan_core::wire::Nibble as Check;

pub(crate) const NAME: &str = if cfg!(feature = "bytewise") {
    "table-1024"
} else if cfg!(feature = "bitwise") {
    "no-table"
} else {
    "table-64"
};

/// Without a table: one bit at a time.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(not(feature = "bitwise"), expect(dead_code, reason = "one of three is chosen"))]
pub(crate) struct Bitwise;

impl Crc32 for Bitwise {
    fn update(&mut self, crc: u32, data: &[u8]) -> u32 {
        let mut state = !crc;
        for byte in data {
            state ^= u32::from(*byte);
            for _ in 0..8 {
                state = (state >> 1) ^ (0xEDB8_8320 & (state & 1).wrapping_neg());
            }
        }
        !state
    }
}
