//! The LAN9118 of an MPS2 AN385.

use core::ops::Range;

use super::{peek, placed, poke, put, take};

pub(super) const BOARD: &str = "mps2-an385";
pub(super) const HALF_MEGAHERTZ: u32 = 50;
pub(super) const INTERRUPT: u32 = 13;
/// Bytes before a frame that is sent.
pub(super) const HEAD: usize = 0;

const BASE: u32 = 0x4020_0000;
const RECEIVED: u32 = BASE;
const TO_SEND: u32 = BASE + 0x20;
const RECEIVE_STATUS: u32 = BASE + 0x40;
const TRANSMIT_STATUS: u32 = BASE + 0x48;
const INTERRUPTS: u32 = BASE + 0x54;
const INTERRUPT_STATUS: u32 = BASE + 0x58;
const INTERRUPT_ENABLE: u32 = BASE + 0x5C;
const RECEIVE: u32 = BASE + 0x6C;
const TRANSMIT: u32 = BASE + 0x70;
const HARDWARE: u32 = BASE + 0x74;
const RECEIVED_COUNT: u32 = BASE + 0x7C;
const TO_SEND_COUNT: u32 = BASE + 0x80;
const MAC_COMMAND: u32 = BASE + 0xA4;
const MAC_DATA: u32 = BASE + 0xA8;

const FRAME_CAME: u32 = 1 << 3;
const CHECK: usize = 4;
/// The longest frame, and the two words before it.
const ROOM: u32 = 1_528;
/// So often a flag is looked at before it is taken to be set.
const PATIENCE: u32 = 100_000;

pub(super) fn begin(mac: [u8; 6]) {
    poke(HARDWARE, 1);
    wait_until(|| peek(HARDWARE) & 1 == 0);
    poke(HARDWARE, 0x0015_0000);
    let [a, b, c, d, e, f] = mac;
    set(3, u32::from_le_bytes([a, b, c, d]));
    set(2, u32::from_le_bytes([e, f, 0, 0]));
    poke(INTERRUPTS, 0x111);
    poke(INTERRUPT_ENABLE, FRAME_CAME);
    poke(RECEIVE, 0);
    poke(TRANSMIT, 2);
    set(1, get(1) | 1 << 3 | 1 << 2);
}

fn wait_until(is_done: impl Fn() -> bool) {
    let _ = (0..PATIENCE).find(|_| is_done());
}

fn set(register: u32, value: u32) {
    poke(MAC_DATA, value);
    poke(MAC_COMMAND, 1 << 31 | register);
    wait_until(|| peek(MAC_COMMAND) & 1 << 31 == 0);
}

fn get(register: u32) -> u32 {
    poke(MAC_COMMAND, 3 << 30 | register);
    wait_until(|| peek(MAC_COMMAND) & 1 << 31 == 0);
    peek(MAC_DATA)
}

pub(super) fn acknowledge() {
    poke(INTERRUPT_STATUS, FRAME_CAME);
}

pub(super) fn has_frame() -> bool {
    peek(RECEIVED_COUNT) & 0x00FF_0000 != 0
}

pub(super) fn receive(into: &mut [u8]) -> Option<Range<usize>> {
    if !has_frame() {
        return None;
    }
    let status = peek(RECEIVE_STATUS);
    let length = (status >> 16 & 0x3FFF) as usize;
    take(RECEIVED, length.div_ceil(4), into);
    let is_good = status & 1 << 15 == 0;
    placed(HEAD, length.checked_sub(CHECK)?).filter(|_| is_good)
}

pub(super) fn has_room() -> bool {
    let count = peek(TO_SEND_COUNT);
    for _ in 0..count >> 16 & 0xFF {
        peek(TRANSMIT_STATUS);
    }
    count & 0xFFFF >= ROOM
}

pub(super) fn send(buffer: &mut [u8], frame: Range<usize>) {
    let length = frame.len() as u32;
    poke(TO_SEND, 1 << 13 | 1 << 12 | length);
    poke(TO_SEND, length << 16 | length);
    put(TO_SEND, &buffer[frame]);
}
