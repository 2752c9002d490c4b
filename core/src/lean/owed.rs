//! What is owed to the peer: at most one frame of each kind.

use super::framing::Framing;
use super::sender::Role;
use super::session::{Session, Sink};
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

/// The fields of every frame that this end sends (§4, §5), in the order of [`Owed`] and then of [`Reply`]; the number is its place in those of `emit`.
#[rustfmt::skip]
const FRAMES: &[u8] = &[
    Kind::Hello as u8, 1, FIXED, FIXED | 1, FIXED | 2, FIXED | 3, VARINT | 4, VARINT | 5, VARINT | 10, 0, 1, 0, VARINT | 6, 0, END,
    Kind::Pong as u8, VARINT | 13, END,
    Kind::Accept as u8, VARINT | 7, 0, VARINT | 8, FIXED | 9, VARINT | 12, END,
    Kind::Ping as u8, 0, END,
    Kind::Bye as u8, 0, END,
    Kind::Ack as u8, VARINT | 7, VARINT | 8, VARINT | 11, VARINT | 12, 0, END,
    Kind::Ack as u8, VARINT | 7, VARINT | 8, VARINT | 11, VARINT | 12, 1, 0, 1, 0, END,
    Kind::Accept as u8, VARINT | 13, 1, 0, 0, 0, 0, 0, 0, END,
    Kind::Decline as u8, 0, VARINT | 13, VARINT | 14, END,
    Kind::Done as u8, VARINT | 13, VARINT | 14, END,
    Kind::Abort as u8, 2, VARINT | 13, VARINT | 14, END,
    Kind::Abort as u8, 0, 0, VARINT | 14, END,
];

impl<F: Framing, C: Crc32, R: Role> Session<'_, F, C, R> {
    /// A frame that says a code of a transfer, or of the session. Until it is sent no further frame is taken.
    #[inline(never)]
    pub(super) fn reply(&mut self, reply: Reply, transfer: u32, code: Code) {
        self.reply = reply;
        self.replying = transfer;
        self.saying = code;
        self.owed.add(Owed::REPLY);
    }

    /// Lays the first frame that is owed into the transmit buffer, which is empty.
    pub(super) fn emit(&mut self) {
        let frame = Self::largest(self.receive.len()) as u32;
        let wants = if self.role.sender().is_some() { Hello::ANSWERS_WANT } else { 0 };
        let flags = if self.is_open() && self.echo == self.peer { wants | Hello::OPEN } else { wants };
        let numbers = [
            self.nonce as u32,
            (self.nonce >> 32) as u32,
            self.echo as u32,
            (self.echo >> 32) as u32,
            flags.into(),
            frame,
            // An OFFER has at most so many bytes beside the name.
            frame.wrapping_sub(54),
            self.id,
            self.received,
            self.check,
            self.window,
            self.durable,
            match self.sink {
                Sink::Ready => self.window,
                Sink::Busy => 0,
            },
            self.replying,
            self.saying as u32,
            0,
        ];
        let mut nth = self.owed.take_first();
        if nth == REPLY {
            nth = self.reply as u8;
        } else if nth == ACK {
            self.untold = 0;
            nth = nth.wrapping_add(self.gap as u8);
        }
        let tag = if nth == 0 { 0 } else { self.sending };
        if nth == 0 {
            self.echo = self.peer;
        }
        self.end = F::HEAD;
        for &field in FRAMES {
            if field == END {
                match nth.checked_sub(1) {
                    Some(next) => nth = next,
                    None => break,
                }
            } else if nth == 0 {
                let number = numbers.get(usize::from(field & 0x0F)).copied().unwrap_or_default();
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
