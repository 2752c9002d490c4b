//! What is owed to the peer: at most one frame of each kind.

use super::framing::Framing;
use super::receiver::{Gap, Receiver, Sink};
use crate::wire::{
    Abort, Accept, Ack, Answered, Bye, CHECK_LEN, Code, Crc32, Decline, DigestList, Done, Gaps, Hello, Ping, Pong,
    Scope, Writer,
};

/// A set of frames that are to be sent; the lowest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Owed(u8);

impl Owed {
    pub(super) const NOTHING: Self = Self(0);
    pub(super) const HELLO: Self = Self(1);
    pub(super) const PONG: Self = Self(2);
    pub(super) const ACCEPT: Self = Self(4);
    pub(super) const REPLY: Self = Self(8);
    pub(super) const ACK: Self = Self(16);
    pub(super) const PING: Self = Self(32);
    pub(super) const BYE: Self = Self(64);

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn take_first(&mut self) -> Self {
        let first = self.0 & self.0.wrapping_neg();
        self.0 ^= first;
        Self(first)
    }
}

/// A frame that says a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Reply {
    Have,
    Decline,
    Done,
    /// Of a transfer.
    Abort,
    /// Of the session.
    End,
}

impl<F: Framing, C: Crc32> Receiver<'_, F, C> {
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
        let credit = self.credit();
        let is_open = self.is_open();
        let mut w = Writer::new(self.transmit.get_mut(F::HEAD..).unwrap_or_default());
        let (id, code) = (self.replying, self.saying);
        let first = self.owed.take_first();
        match first {
            Owed::HELLO => {
                let frame = Self::largest(self.receive.len()) as u32;
                Hello {
                    version: 1,
                    nonce: self.nonce,
                    echo: self.echo,
                    flags: if is_open && self.echo == self.peer { Hello::OPEN } else { 0 },
                    frame,
                    window: self.window,
                    eager: 0,
                    transfers: 1,
                    gaps: 0,
                    // What an OFFER has beside it.
                    name: frame.saturating_sub(54),
                    digests: DigestList::EMPTY,
                }
                .emit(&mut w);
                self.echo = self.peer;
            }
            Owed::PONG => Pong { number: self.pong }.emit(&mut w),
            Owed::ACCEPT => Accept {
                transfer: self.id,
                have: false,
                offset: self.received.into(),
                check: self.check,
                credit,
            }
            .emit(&mut w),
            Owed::ACK => {
                self.untold = 0;
                let ack = Ack {
                    transfer: self.id,
                    received: self.received.into(),
                    durable: self.durable.into(),
                    credit,
                    gaps: Gaps::NONE,
                };
                match self.gap {
                    Gap::None => ack.emit_without_gaps(&mut w),
                    Gap::Told => ack.emit_lost(&mut w),
                }
            }
            Owed::PING => Ping { number: 0 }.emit(&mut w),
            Owed::BYE => Bye { code: Code::Ok, words: "" }.emit(&mut w),
            _ => match self.reply {
                Reply::Have => {
                    Accept { transfer: id, have: true, offset: 0, check: 0, credit: 0 }.emit(&mut w);
                }
                Reply::Decline => {
                    Decline { what: Answered::Offer, number: id, code, words: "" }.emit(&mut w);
                }
                Reply::Done => Done { transfer: id, code, words: "" }.emit(&mut w),
                Reply::Abort => Abort { scope: Scope::Receiving, transfer: id, code, words: "" }.emit(&mut w),
                Reply::End => Abort { scope: Scope::Session, transfer: 0, code, words: "" }.emit(&mut w),
            },
        }
        let length = w.len();
        let tag = if first == Owed::HELLO { 0 } else { self.sending };
        let frame = area_of(self.transmit, F::HEAD, length);
        let check = self.crc.update(tag, frame);
        if let Some(place) = self.transmit.get_mut(F::HEAD.wrapping_add(length)..).and_then(<[u8]>::first_chunk_mut) {
            *place = check.to_le_bytes();
        }
        let laid = self.framing.lay(self.transmit, length.wrapping_add(CHECK_LEN));
        (self.sent, self.end) = (laid.start, laid.end);
        self.spoke = self.now;
    }

    fn credit(&self) -> u32 {
        match self.sink {
            Sink::Ready => self.window,
            Sink::Busy => 0,
        }
    }
}

fn area_of(buffer: &[u8], start: usize, length: usize) -> &[u8] {
    buffer.get(start..start.wrapping_add(length)).unwrap_or_default()
}
