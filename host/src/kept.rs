//! What was read of a source that cannot be read again, as far back as a peer may ask for it.

use std::collections::VecDeque;

use crate::link::Nature;

/// The last bytes that were read, none unless some may have to be sent again (`docs/protocol.md` §8.5).
#[derive(Debug, Default)]
pub(crate) struct Kept {
    bytes: VecDeque<u8>,
    /// Offset of the first byte after them.
    end: u64,
    most: usize,
}

impl Kept {
    /// From now on as many bytes as may be under way over such a link.
    pub(crate) fn suit(&mut self, link: Nature) {
        self.most = match link {
            Nature::Stream => 0,
            Nature::Line { .. } => 1 << 20,
            Nature::Datagrams { .. } => 16 << 20,
        };
    }

    /// Where the source goes on.
    pub(crate) const fn end(&self) -> u64 {
        self.end
    }

    /// More was read.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.end += bytes.len() as u64;
        self.bytes.extend(bytes.iter().skip(bytes.len().saturating_sub(self.most)));
        let beyond = self.bytes.len().saturating_sub(self.most);
        self.bytes.drain(..beyond);
    }

    /// Reads again what was read before; `None` if it is not kept any more.
    pub(crate) fn read(&self, offset: u64, into: &mut [u8]) -> Option<usize> {
        let start = self.end - self.bytes.len() as u64;
        let from = usize::try_from(offset.checked_sub(start)?).ok()?;
        let n = self.bytes.len().checked_sub(from)?.min(into.len());
        for (to, byte) in into.iter_mut().zip(self.bytes.range(from..)) {
            *to = *byte;
        }
        Some(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_last_can_be_read_again() {
        let mut kept = Kept { most: 4, ..Kept::default() };
        kept.push(b"abc");
        kept.push(b"de");
        assert_eq!(kept.end(), 5);
        let mut into = [0; 3];
        assert_eq!(kept.read(0, &mut into), None);
        assert_eq!((kept.read(1, &mut into), &into), (Some(3), b"bcd"));
        assert_eq!((kept.read(4, &mut into), into[0]), (Some(1), b'e'));
        assert_eq!(kept.read(5, &mut into), Some(0));
        assert_eq!(kept.read(6, &mut into), None);
        kept.push(b"0123456789");
        assert_eq!((kept.end(), kept.read(11, &mut into), &into), (15, Some(3), b"678"));
    }

    #[test]
    fn over_a_link_that_loses_nothing_nothing_is_kept() {
        let mut kept = Kept::default();
        kept.suit(Nature::Stream);
        kept.push(b"abc");
        assert_eq!((kept.end(), kept.read(2, &mut [0; 1])), (3, None));
    }
}
