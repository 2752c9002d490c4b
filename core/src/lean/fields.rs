//! The fields of the frame in the receive buffer, one after another (§3.3).

use super::framing::Framing;
use super::sender::Role;
use super::session::Session;
use crate::session::Fault;
use crate::wire::{Crc32, Malformed};

impl<F: Framing, C: Crc32, R: Role> Session<'_, F, C, R> {
    /// The next byte; 0 behind the last, which [`whole`](Self::whole) then tells.
    #[inline(never)]
    pub(super) fn u8(&mut self) -> u8 {
        let byte = self.rest().first().copied().unwrap_or_default();
        self.at = self.at.wrapping_add(1);
        byte
    }

    #[inline(never)]
    pub(super) fn u32(&mut self) -> u32 {
        let bytes = [(); 4].map(|()| self.u8());
        u32::from_le_bytes(bytes)
    }

    pub(super) fn u64(&mut self) -> u64 {
        u64::from(self.u32()) | u64::from(self.u32()) << 32
    }

    /// A varint; `u32::MAX` stands for all that are larger. One that is not in its shortest form counts as cut short.
    #[inline(never)]
    pub(super) fn varint(&mut self) -> u32 {
        let (mut value, mut shift) = (0_u32, 0_u32);
        loop {
            let byte = self.u8();
            let bits = u32::from(byte & 0x7F);
            let shifted = bits.checked_shl(shift).unwrap_or_default();
            if shifted.checked_shr(shift).unwrap_or_default() != bits {
                value = u32::MAX;
            }
            value |= shifted;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    self.at = usize::MAX;
                }
                return value;
            }
            shift = shift.wrapping_add(7);
        }
    }

    /// What is left of the frame's fields.
    #[inline(never)]
    pub(super) fn rest(&self) -> &[u8] {
        self.receive.get(self.at..self.stop).unwrap_or_default()
    }

    /// Whether all fields were there.
    pub(super) fn whole(&self) -> Result<(), Fault> {
        if self.at > self.stop { Err(Fault::Malformed(Malformed::Truncated)) } else { Ok(()) }
    }
}
