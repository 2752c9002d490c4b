//! What is owed to the peer: at most one frame of each kind.

use super::framing::Framing;
use super::sender::Role;
use super::session::Session;
use crate::wire::{Code, Crc32, Hello, Kind};

/// A set of frames that are to be sent; the lowest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Owed(u8);

impl Owed {
    pub(super) const NOTHING: Self = Self(0);
    pub(super) const HELLO: Self = Self(1);
    pub(super) const PONG: Self = Self(1 << 1);
    pub(super) const ACCEPT: Self = Self(1 << 2);
    pub(super) const PING: Self = Self(1 << 3);
    pub(super) const BYE: Self = Self(1 << 4);
    pub(super) const ACK: Self = Self(1 << ACK);
    pub(super) const REPLY: Self = Self(1 << REPLY);

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Takes the lowest out, and says which it was.
    fn take_first(&mut self) -> u8 {
        let mut nth = 0;
        let mut bit = 1_u8;
        while self.0 & bit == 0 && bit != 0 {
            nth = u8::wrapping_add(nth, 1);
            bit <<= 1;
        }
        self.0 &= !bit;
        nth
    }
}

const ACK: u8 = 5;
const REPLY: u8 = 7;

/// A frame that says a code: its row below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub(super) enum Reply {
    Have = 7,
    Decline = 8,
    Done = 9,
    /// Of a transfer.
    Abort = 10,
    /// Of the session.
    End = 11,
}

/// A field that is the varint of a number, the same in four bytes, and the end of a frame. What is below is a byte as it is.
const VARINT: u8 = 0x80;
const FIXED: u8 = 0xC0;
const END: u8 = 0xFF;

/// How many numbers frames say. Those that begin as zero lie in short runs (see [`Session`]).
pub(super) const SAID: usize = 16;
/// The transfer: the newest that was offered.
pub(super) const ID: usize = 0;
pub(super) const RECEIVED: usize = 1;
/// CRC-32 of what has been received.
pub(super) const CHECK: usize = 2;
pub(super) const DURABLE: usize = 3;
/// The window, or 0 while the sink is busy.
pub(super) const CREDIT: usize = 4;
pub(super) const WINDOW: usize = 5;
/// What the reply or PONG is about.
pub(super) const REPLYING: usize = 6;
/// What the reply says.
const SAYING: usize = 7;
/// The nonce that HELLO echoes: that of the peer, or of one that may have begun a new session.
pub(super) const ECHO: usize = 8;
pub(super) const ECHO_HIGH: usize = 9;
pub(super) const NONCE: usize = 10;
pub(super) const NONCE_HIGH: usize = 11;
const FLAGS: usize = 12;
pub(super) const FRAME: usize = 13;
pub(super) const NAME: usize = 14;

const fn varint(number: usize) -> u8 {
    VARINT | number as u8
}

const fn fixed(number: usize) -> u8 {
    FIXED | number as u8
}

/// The fields of every frame that this end sends (§4, §5), in the order of [`Owed`] and then of [`Reply`].
#[rustfmt::skip]
const FRAMES: &[u8] = &[
    Kind::Hello as u8, 1, fixed(NONCE), fixed(NONCE_HIGH), fixed(ECHO), fixed(ECHO_HIGH), varint(FLAGS),
        varint(FRAME), varint(WINDOW), 0, 1, 0, varint(NAME), 0, END,
    Kind::Pong as u8, varint(REPLYING), END,
    Kind::Accept as u8, varint(ID), 0, varint(RECEIVED), fixed(CHECK), varint(CREDIT), END,
    Kind::Ping as u8, 0, END,
    Kind::Bye as u8, 0, END,
    Kind::Ack as u8, varint(ID), varint(RECEIVED), varint(DURABLE), varint(CREDIT), 0, END,
    Kind::Ack as u8, varint(ID), varint(RECEIVED), varint(DURABLE), varint(CREDIT), 1, 0, 1, 0, END,
    Kind::Accept as u8, varint(REPLYING), 1, 0, 0, 0, 0, 0, 0, END,
    Kind::Decline as u8, 0, varint(REPLYING), varint(SAYING), END,
    Kind::Done as u8, varint(REPLYING), varint(SAYING), END,
    Kind::Abort as u8, 2, varint(REPLYING), varint(SAYING), END,
    Kind::Abort as u8, 0, 0, varint(SAYING), END,
];

impl<F: Framing, C: Crc32, R: Role> Session<'_, F, C, R> {
    /// A frame that says a code of a transfer, or of the session. Until it is sent no further frame is taken.
    #[inline(never)]
    pub(super) fn reply(&mut self, reply: Reply, transfer: u32, code: Code) {
        self.reply = reply;
        self.said[REPLYING] = transfer;
        self.said[SAYING] = code as u32;
        self.owed.add(Owed::REPLY);
    }

    fn echo(&self) -> u64 {
        u64::from(self.said[ECHO]) | u64::from(self.said[ECHO_HIGH]) << 32
    }

    /// Lays the first frame that is owed into the transmit buffer, which is empty.
    #[inline(never)]
    pub(super) fn emit(&mut self) {
        let mut nth = self.owed.take_first();
        if nth == REPLY {
            nth = self.reply as u8;
        } else if nth == ACK {
            self.untold = 0;
            nth = nth.wrapping_add(self.gap as u8);
        }
        let mut tag = self.sending;
        if nth == 0 {
            tag = 0;
            let wants = if self.role.sender().is_some() { Hello::ANSWERS_WANT } else { 0 };
            let with_peer = self.is_open() && self.echo() == self.peer;
            self.said[FLAGS] = if with_peer { wants | Hello::OPEN } else { wants }.into();
        }
        self.end = F::HEAD;
        for &field in FRAMES {
            if field == END {
                match nth.checked_sub(1) {
                    Some(next) => nth = next,
                    None => break,
                }
            } else if nth == 0 {
                let number = self.said.get(usize::from(field & 0x0F)).copied().unwrap_or_default();
                match field >> 6 {
                    0 | 1 => self.put_u8(field),
                    2 => self.put(number),
                    _ => self.put_u32(number),
                }
            }
        }
        self.seal(tag);
    }

    /// Finishes the frame that stands in the transmit buffer up to `end`.
    pub(super) fn seal(&mut self, tag: u32) {
        let frame = self.transmit.get(F::HEAD..self.end).unwrap_or_default();
        let check = self.crc.update(tag, frame);
        self.put_u32(check);
        let laid = self.framing.lay(self.transmit, self.end.wrapping_sub(F::HEAD));
        (self.sent, self.end) = (laid.start, laid.end);
        self.spoke = self.now;
    }

    #[inline(never)]
    pub(super) fn put_u8(&mut self, byte: u8) {
        if let Some(place) = self.transmit.get_mut(self.end) {
            *place = byte;
            self.end = self.end.wrapping_add(1);
        }
    }

    pub(super) fn put(&mut self, number: u32) {
        let mut left = number;
        while left > 0x7F {
            self.put_u8(left as u8 | 0x80);
            left >>= 7;
        }
        self.put_u8(left as u8);
    }

    #[inline(never)]
    pub(super) fn put_u32(&mut self, number: u32) {
        for byte in number.to_le_bytes() {
            self.put_u8(byte);
        }
    }
}
