//! HELLO, as it opens a session over datagrams (`docs/protocol.md` §4.1, §8.6).

use sampan_core::wire::{CHECK_LEN, Crc32 as _, Hello, Kind, MIN_FRAME, Writer, split_check};

use crate::checks::FastCrc32;

/// The HELLOs of one end, which differ by nonce and echo.
#[derive(Clone, Debug)]
pub(crate) struct Greeting(Hello);

/// What matters of a HELLO before a session is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) nonce: u64,
    pub(crate) echo: u64,
}

impl Greeting {
    pub(crate) const fn new(hello: Hello) -> Self {
        Self(hello)
    }

    /// Padded, so that no answer to it is longer.
    pub(crate) fn say(&self, Heard { nonce, echo }: Heard) -> [u8; MIN_FRAME] {
        let mut frame = [0; MIN_FRAME];
        let (fields, place) = frame.split_at_mut(MIN_FRAME - CHECK_LEN);
        Hello { nonce, echo, ..self.0 }.emit(&mut Writer::new(fields));
        place.copy_from_slice(&FastCrc32.update(0, fields).to_le_bytes());
        frame
    }
}

/// The HELLO that a datagram is, if it is one that may be answered.
pub(crate) fn heard(datagram: &[u8]) -> Option<Heard> {
    let fields = fields(datagram)?;
    let Hello { nonce, echo, .. } = Hello::parse(fields).ok()?;
    Some(Heard { nonce, echo })
}

/// The fields of a HELLO that is long enough and whose check is right.
fn fields(datagram: &[u8]) -> Option<&[u8]> {
    if datagram.len() < MIN_FRAME || *datagram.first()? != Kind::Hello.code() {
        return None;
    }
    let (content, check) = split_check(datagram)?;
    (FastCrc32.update(0, content) == check).then(|| content.get(1..)).flatten()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use sampan_core::wire::DigestList;

    pub(crate) const HELLO: Hello = Hello {
        version: 1,
        nonce: 1,
        echo: 0,
        flags: 0,
        frame: 1200,
        window: 1 << 20,
        eager: 0,
        transfers: 1,
        gaps: 0,
        name: 255,
        digests: DigestList::EMPTY,
    };

    #[test]
    fn what_is_said_is_heard_and_never_longer_than_an_answer_may_be() {
        let said = Heard { nonce: u64::MAX, echo: 7 };
        let frame = Greeting::new(HELLO).say(said);
        assert_eq!((frame.len(), heard(&frame)), (60, Some(said)));
    }

    #[test]
    fn what_is_short_damaged_or_something_else_is_no_hello() {
        let frame = Greeting::new(HELLO).say(Heard { nonce: 5, echo: 7 });
        for cut in 0..frame.len() {
            assert_eq!(heard(&frame[..cut]), None, "{cut}");
        }
        for bit in 0..frame.len() * 8 {
            let mut damaged = frame;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(heard(&damaged), None, "{bit}");
        }
        assert_eq!(heard(&Greeting::new(HELLO).say(Heard { nonce: 0, echo: 7 })), None);
    }
}
