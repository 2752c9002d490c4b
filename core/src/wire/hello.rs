//! HELLO: who speaks and what it takes (§4.1).

use super::digest::{DigestKind, DigestList};
use super::fields::Fields;
use super::kind::{Kind, MIN_FRAME};
use super::reader::Malformed;
use super::writer::Writer;

/// HELLO (§4.1).
///
/// The one frame that may grow: bytes after its last field, unknown flags and unknown digests are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Hello {
    /// Highest protocol version this end speaks, at least 1. The smaller of the two rules.
    pub version: u8,
    /// A number this end drew for this session, not 0.
    pub nonce: u64,
    /// The nonce last seen from the peer, 0 if none.
    pub echo: u64,
    /// [`ONE_DIRECTION`](Self::ONE_DIRECTION), [`ANSWERS_WANT`](Self::ANSWERS_WANT) and [`OPEN`](Self::OPEN); others are neither sent nor read.
    pub flags: u8,
    /// Largest frame it takes, kind to check, in bytes; at least [`MIN_FRAME`].
    pub frame: u32,
    /// Bytes of DATA that may be on their way to it, over all transfers, unacknowledged.
    pub window: u32,
    /// How many of these may belong to transfers whose OFFER it has not answered.
    pub eager: u32,
    /// Transfers that may be offered to it, or await its DONE, at one time; 0: takes no OFFER.
    pub transfers: u32,
    /// Gaps it can remember (§5.6).
    pub gaps: u32,
    /// Longest name it takes, in bytes.
    pub name: u32,
    /// Digests it can check as a receiver, the preferred first.
    pub digests: DigestList,
}

impl Hello {
    /// Flag: DATA in one direction at a time (§11).
    pub const ONE_DIRECTION: u8 = 1;
    /// Flag: answers WANT.
    pub const ANSWERS_WANT: u8 = 2;
    /// Flag: the session is open at this end, which needs no answer (§8.5).
    pub const OPEN: u8 = 4;

    const FLAGS: u8 = Self::ONE_DIRECTION | Self::ANSWERS_WANT | Self::OPEN;

    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`]; among them `Value` for version 0, nonce 0, a frame below 60 bytes and more than four digests.
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut f = Fields::new(body);
        let mut hello = Self {
            version: f.u8(),
            nonce: f.u64(),
            echo: f.u64(),
            flags: f.u8() & Self::FLAGS,
            frame: f.varint32(),
            window: f.varint32(),
            eager: f.varint32(),
            transfers: f.varint32(),
            gaps: f.varint32(),
            name: f.varint32(),
            digests: DigestList::EMPTY,
        };
        let digests = usize::from(f.u8());
        f.require(hello.version != 0 && hello.nonce != 0);
        f.require(hello.frame >= MIN_FRAME as u32 && digests <= DigestList::MAX_LEN);
        for &code in f.bytes(digests) {
            if let Some(kind) = DigestKind::from_code(code) {
                hello.digests = hello.digests.with(kind);
            }
        }
        f.make(hello)
    }

    /// Writes kind and fields: at most 54 bytes.
    pub fn emit(&self, w: &mut Writer<'_>) {
        w.u8(Kind::Hello.code());
        w.u8(self.version);
        w.u64(self.nonce);
        w.u64(self.echo);
        w.u8(self.flags & Self::FLAGS);
        for limit in [self.frame, self.window, self.eager, self.transfers, self.gaps, self.name] {
            w.varint(limit.into());
        }
        let [digests, ..] = self.digests.len().to_le_bytes();
        w.u8(digests);
        for kind in self.digests.iter() {
            w.u8(kind.code());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::kind::CHECK_LEN;
    use super::*;

    const LARGEST: Hello = Hello {
        version: 255,
        nonce: u64::MAX,
        echo: u64::MAX,
        flags: Hello::FLAGS,
        frame: u32::MAX,
        window: u32::MAX,
        eager: u32::MAX,
        transfers: u32::MAX,
        gaps: u32::MAX,
        name: u32::MAX,
        digests: DigestList::new(&DigestKind::ALL),
    };
    const SMALLEST: Hello = Hello {
        version: 1,
        nonce: 1,
        echo: 0,
        flags: 0,
        frame: 60,
        window: 0,
        eager: 0,
        transfers: 0,
        gaps: 0,
        name: 0,
        digests: DigestList::EMPTY,
    };
    /// Where fields begin in the body of `SMALLEST`.
    const VERSION: usize = 0;
    const NONCE: usize = 1;
    const FLAGS: usize = 17;
    const FRAME: usize = 18;
    const DIGESTS: usize = 24;

    fn body(hello: &Hello) -> std::vec::Vec<u8> {
        let mut out = [0; MIN_FRAME];
        let mut w = Writer::new(&mut out);
        hello.emit(&mut w);
        let len = w.len();
        assert!(!w.is_full());
        assert_eq!(out[0], 0x01);
        out[1..len].to_vec()
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        for hello in [SMALLEST, LARGEST] {
            assert_eq!(Hello::parse(&body(&hello)), Ok(hello));
        }
    }

    #[test]
    fn the_largest_is_within_what_every_end_takes() {
        assert!(1 + body(&LARGEST).len() + CHECK_LEN <= MIN_FRAME);
    }

    #[test]
    fn numbers_that_cannot_be_are_refused() {
        for (at, value) in [(VERSION, 0), (NONCE, 0), (FRAME, 59), (DIGESTS, 5)] {
            let mut bytes = body(&SMALLEST);
            bytes[at] = value;
            bytes.extend([0; 5]);
            assert_eq!(Hello::parse(&bytes), Err(Malformed::Value), "{at}");
        }
    }

    #[test]
    fn what_a_later_version_adds_is_ignored() {
        let mut bytes = body(&SMALLEST);
        bytes[FLAGS] = 0xFF;
        bytes[DIGESTS] = 4;
        bytes.extend([9, DigestKind::Sha256.code(), 4, DigestKind::Blake3.code(), 1, 2, 3]);
        let digests = DigestList::new(&[DigestKind::Sha256, DigestKind::Blake3]);
        assert_eq!(Hello::parse(&bytes), Ok(Hello { flags: Hello::FLAGS, digests, ..SMALLEST }));
    }

    #[test]
    fn unknown_flags_are_not_sent() {
        assert_eq!(body(&Hello { flags: 0xFF, ..SMALLEST })[FLAGS], 0b111);
    }

    #[test]
    fn a_limit_above_32_bits_is_refused() {
        let mut bytes = body(&SMALLEST);
        bytes.splice(FRAME..=FRAME, [0x80, 0x80, 0x80, 0x80, 0x10]);
        assert_eq!(Hello::parse(&bytes), Err(Malformed::Varint));
    }

    #[test]
    fn cut_short_it_is_refused() {
        let bytes = body(&LARGEST);
        for len in 0..bytes.len() {
            assert_eq!(Hello::parse(&bytes[..len]), Err(Malformed::Truncated));
        }
    }
}
