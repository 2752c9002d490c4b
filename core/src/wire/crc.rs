//! The check of §3.4: CRC-32 as in zlib, PNG and Ethernet.

/// The polynomial, reflected: bit 31 stands for x^0.
pub(super) const POLYNOMIAL: u32 = 0xEDB8_8320;

/// An engine of the check: a table, an instruction, or a peripheral.
pub trait Crc32 {
    /// The CRC-32 of what `crc` stands for followed by `data`.
    ///
    /// `crc` is a finished CRC-32, as zlib's `crc32` takes and gives it; 0 stands for nothing yet.
    fn update(&mut self, crc: u32, data: &[u8]) -> u32;
}

impl<T: Crc32 + ?Sized> Crc32 for &mut T {
    fn update(&mut self, crc: u32, data: &[u8]) -> u32 {
        (**self).update(crc, data)
    }
}

/// The check by a table of 16 entries (64 bytes): four bits at a time.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Nibble;

impl Crc32 for Nibble {
    fn update(&mut self, crc: u32, data: &[u8]) -> u32 {
        let mut state = !crc;
        for &byte in data {
            state ^= u32::from(byte);
            state = (state >> 4) ^ entry(&NIBBLES, state & 0x0F);
            state = (state >> 4) ^ entry(&NIBBLES, state & 0x0F);
        }
        !state
    }
}

/// The check by a table of 256 entries (1 KiB): eight bits at a time.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Bytewise;

impl Crc32 for Bytewise {
    fn update(&mut self, crc: u32, data: &[u8]) -> u32 {
        let mut state = !crc;
        for &byte in data {
            state = (state >> 8) ^ entry(&BYTES, (state ^ u32::from(byte)) & 0xFF);
        }
        !state
    }
}

static NIBBLES: [u32; 16] = table(4);
static BYTES: [u32; 256] = table(8);

/// `table[index]`; every index here is masked to the table's length, so that the branch is compiled away.
#[inline]
fn entry<const N: usize>(table: &[u32; N], index: u32) -> u32 {
    match table.get(index as usize) {
        Some(entry) => *entry,
        None => 0,
    }
}

/// What `bits` steps of the shift register make of each index.
const fn table<const N: usize>(bits: u32) -> [u32; N] {
    let mut table = [0; N];
    let mut rest: &mut [u32] = &mut table;
    let mut index = 0u32;
    while let Some((first, tail)) = rest.split_first_mut() {
        let mut state = index;
        let mut left = bits;
        while left > 0 {
            state = times_x(state);
            left = left.wrapping_sub(1);
        }
        *first = state;
        index = index.wrapping_add(1);
        rest = tail;
    }
    table
}

/// A reflected polynomial times x, modulo [`POLYNOMIAL`].
pub(super) const fn times_x(value: u32) -> u32 {
    (value >> 1) ^ (POLYNOMIAL & (value & 1).wrapping_neg())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_engine(engine: &mut dyn Crc32) {
        assert_eq!(engine.update(0, b"123456789"), 0xCBF4_3926);
        assert_eq!(engine.update(0, b""), 0);
        assert_eq!(engine.update(0, b"a"), 0xE8B7_BE43);
        assert_eq!(engine.update(0x1234_5678, b""), 0x1234_5678);
        let begun = engine.update(0, b"1234");
        assert_eq!(engine.update(begun, b"56789"), 0xCBF4_3926);
    }

    #[test]
    fn engines_give_the_check_value_at_once_and_in_pieces() {
        assert_engine(&mut Nibble);
        assert_engine(&mut Bytewise);
        assert_engine(&mut &mut Nibble);
    }

    #[test]
    fn engines_agree_on_every_byte() {
        for byte in 0..=u8::MAX {
            assert_eq!(Nibble.update(0x89AB_CDEF, &[byte]), Bytewise.update(0x89AB_CDEF, &[byte]));
        }
    }
}
