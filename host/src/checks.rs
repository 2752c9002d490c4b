//! The check of frames, as fast as the processor can.

use crc_fast::{CrcAlgorithm, Digest};
use sampan_core::wire::Crc32;

/// CRC-32 by carry-less multiplication where the processor has it, else by table.
#[derive(Clone, Copy, Debug, Default)]
pub struct FastCrc32;

impl Crc32 for FastCrc32 {
    fn update(&mut self, crc: u32, data: &[u8]) -> u32 {
        let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc32IsoHdlc, u64::from(!crc));
        digest.update(data);
        digest.finalize() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sampan_core::wire::Nibble;

    #[test]
    fn it_is_the_check_of_the_protocol() {
        assert_eq!(FastCrc32.update(0, b"123456789"), 0xCBF4_3926);
        assert_eq!(FastCrc32.update(7, b""), 7);
    }

    #[test]
    fn it_goes_on_from_any_check_wherever_the_data_are_split() {
        let data: Vec<u8> = (0..5_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let mut seed = 1_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % below
        };
        for _ in 0..500 {
            let end = random(data.len());
            let cut = random(end + 1);
            let start = random(usize::MAX) as u32;
            let (a, b) = data[..end].split_at(cut);
            let ours = FastCrc32.update(FastCrc32.update(start, a), b);
            assert_eq!(ours, Nibble.update(start, &data[..end]), "{start:#x} {cut} {end}");
        }
    }
}
