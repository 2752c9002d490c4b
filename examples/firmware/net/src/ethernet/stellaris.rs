//! The controller of an LM3S6965. Before a frame goes its length, in two bytes, so that all of it is whole words.

use core::ops::Range;

use super::{peek, placed, poke, put, take};

pub(super) const BOARD: &str = "lm3s6965evb";
pub(super) const HALF_MEGAHERTZ: u32 = 25;
pub(super) const INTERRUPT: u32 = 42;
/// Bytes before a frame that is sent.
pub(super) const HEAD: usize = 2;

const BASE: u32 = 0x4004_8000;
const STATUS: u32 = BASE;
const MASK: u32 = BASE + 0x04;
const RECEIVE: u32 = BASE + 0x08;
const TRANSMIT: u32 = BASE + 0x0C;
const DATA: u32 = BASE + 0x10;
const ADDRESS: u32 = BASE + 0x14;
const WAITING: u32 = BASE + 0x34;
const REQUEST: u32 = BASE + 0x38;

/// Of a frame that comes: the length that stands before it and the check behind it, which that length counts.
const AROUND: usize = 6;
/// Of a frame that goes: what its length does not count.
const HEADER: usize = 14;
const FRAME_CAME: u32 = 1;

pub(super) fn begin(mac: [u8; 6]) {
    let [a, b, c, d, e, f] = mac;
    poke(ADDRESS, u32::from_le_bytes([a, b, c, d]));
    poke(ADDRESS + 4, u32::from_le_bytes([e, f, 0, 0]));
    poke(MASK, FRAME_CAME);
    poke(RECEIVE, 0x18);
    poke(RECEIVE, 0x09);
    poke(TRANSMIT, 0x17);
}

pub(super) fn acknowledge() {
    poke(STATUS, FRAME_CAME);
}

pub(super) fn has_frame() -> bool {
    peek(WAITING) & 0x3F != 0
}

pub(super) fn receive(into: &mut [u8]) -> Option<Range<usize>> {
    if !has_frame() {
        return None;
    }
    let first = peek(DATA).to_le_bytes();
    let length = usize::from(u16::from_le_bytes([first[0], first[1]]));
    let (start, rest) = into.split_at_mut(4);
    start.copy_from_slice(&first);
    take(DATA, length.div_ceil(4).saturating_sub(1), rest);
    placed(HEAD, length.checked_sub(AROUND)?)
}

pub(super) fn has_room() -> bool {
    peek(REQUEST) & 1 == 0
}

pub(super) fn send(buffer: &mut [u8], frame: Range<usize>) {
    let length = (frame.len().saturating_sub(HEADER) as u16).to_le_bytes();
    buffer[..HEAD].copy_from_slice(&length);
    put(DATA, &buffer[..frame.end]);
    poke(REQUEST, 1);
}
