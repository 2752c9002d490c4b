//! ACK: how far the receiver is (§5.6).

use core::fmt;

use super::kind::Kind;
use super::reader::{Malformed, Reader};
use super::writer::{Writer, varint_len};

/// A missing range (§5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Gap {
    /// Offset of its first byte in the file.
    pub start: u64,
    /// Its length in bytes, at least 1.
    pub length: u64,
}

impl Gap {
    /// Offset of the first byte after it.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }
}

/// The gaps of an ACK, in ascending order and not overlapping, and what has been received beyond the last of them.
#[derive(Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Gaps<'a> {
    source: Source<'a>,
    beyond: u64,
}

#[derive(Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Source<'a> {
    Ranges(&'a [Gap]),
    /// As on the wire, relative to `received`; looked through once.
    Wire {
        received: u64,
        count: u32,
        bytes: &'a [u8],
    },
}

impl<'a> Gaps<'a> {
    /// No gaps.
    pub const NONE: Self = Self::new(&[], 0);

    /// These gaps, and how many bytes have been received in one piece from the end of the last on. They must ascend from the ACK's `received` on,
    /// not overlap, and have at least 1 byte each; of others the frame becomes one that the peer refuses or misreads.
    #[must_use]
    pub const fn new(ranges: &'a [Gap], beyond: u64) -> Self {
        Self { source: Source::Ranges(ranges), beyond }
    }

    /// The gaps that follow in a frame, their number first, after `received`.
    ///
    /// # Errors
    /// [`Malformed`]; among them `Value` for a gap of no length, one that touches the gap before it, or what ends above 2^64 - 1.
    pub fn parse(received: u64, r: &mut Reader<'a>) -> Result<Self, Malformed> {
        let count = r.varint32()?;
        let all = r.rest();
        let mut bytes = Reader::new(all);
        let mut from = received;
        for index in 0..count {
            let gap = gap_after(from, &mut bytes)?;
            if index > 0 && gap.start == from {
                return Err(Malformed::Value);
            }
            from = gap.end();
        }
        let beyond = if count > 0 { bytes.varint()? } else { 0 };
        bytes.finish()?;
        from.checked_add(beyond).ok_or(Malformed::Value)?;
        Ok(Self { source: Source::Wire { received, count, bytes: all }, beyond })
    }

    /// How many bytes have been received in one piece from the end of the last gap on. 0: everything from its start on is to be sent again.
    #[must_use]
    pub const fn beyond(&self) -> u64 {
        self.beyond
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        match self.source {
            Source::Ranges(ranges) => u32::try_from(ranges.len()).unwrap_or(u32::MAX),
            Source::Wire { count, .. } => count,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// The gaps at absolute offsets, ascending.
    #[must_use]
    pub const fn iter(&self) -> GapsIter<'a> {
        match self.source {
            Source::Ranges(ranges) => GapsIter { ranges, from: 0, left: 0, bytes: Reader::new(&[]) },
            Source::Wire { received, count, bytes } => {
                GapsIter { ranges: &[], from: received, left: count, bytes: Reader::new(bytes) }
            }
        }
    }
}

impl PartialEq for Gaps<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.beyond == other.beyond && self.iter().eq(other.iter())
    }
}

impl Eq for Gaps<'_> {}

impl fmt::Debug for Gaps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).entry(&format_args!("+{}", self.beyond)).finish()
    }
}

impl<'a> IntoIterator for &Gaps<'a> {
    type Item = Gap;
    type IntoIter = GapsIter<'a>;

    fn into_iter(self) -> GapsIter<'a> {
        self.iter()
    }
}

/// The gaps of [`Gaps::iter`].
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct GapsIter<'a> {
    ranges: &'a [Gap],
    from: u64,
    /// How many follow in `bytes`.
    left: u32,
    bytes: Reader<'a>,
}

impl Iterator for GapsIter<'_> {
    type Item = Gap;

    fn next(&mut self) -> Option<Gap> {
        if let Some((&gap, rest)) = self.ranges.split_first() {
            self.ranges = rest;
            return Some(gap);
        }
        self.left = self.left.checked_sub(1)?;
        let gap = gap_after(self.from, &mut self.bytes).ok()?;
        self.from = gap.end();
        Some(gap)
    }
}

/// The next gap, `skip` bytes after `from`.
fn gap_after(from: u64, r: &mut Reader<'_>) -> Result<Gap, Malformed> {
    let start = from.checked_add(r.varint()?).ok_or(Malformed::Value)?;
    let length = r.varint()?;
    if length == 0 || start.checked_add(length).is_none() {
        return Err(Malformed::Value);
    }
    Ok(Gap { start, length })
}

/// ACK (§5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ack<'a> {
    /// Id, not 0.
    pub transfer: u32,
    /// Every byte below this offset has been received.
    pub received: u64,
    /// Every byte below this offset survives a power cut; at most `received`.
    pub durable: u64,
    /// How many bytes DATA may go beyond `received`; 0: wait, ask again by PING.
    pub credit: u32,
    /// What is missing beyond `received`, of what has been seen.
    pub gaps: Gaps<'a>,
}

impl<'a> Ack<'a> {
    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`]; among them `Value` if more is durable than received, and for gaps that cannot be.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(body);
        let transfer = r.id()?;
        let received = r.varint()?;
        let durable = r.varint()?;
        if durable > received {
            return Err(Malformed::Value);
        }
        let credit = r.varint32()?;
        let gaps = Gaps::parse(received, &mut r)?;
        Ok(Self { transfer, received, durable, credit, gaps })
    }

    /// Writes kind and fields: at most 46 bytes, and up to 20 for each gap.
    pub fn emit(&self, w: &mut Writer<'_>) {
        self.emit_until_gaps(w);
        w.varint(self.gaps.count().into());
        let mut from = self.received;
        for gap in &self.gaps {
            w.varint(gap.start.wrapping_sub(from));
            w.varint(gap.length);
            from = gap.end();
        }
        if from != self.received {
            w.varint(self.gaps.beyond);
        }
    }

    /// Writes an ACK without gaps, as they all are on a reliable stream: no code for gaps is linked.
    pub(crate) fn emit_without_gaps(&self, w: &mut Writer<'_>) {
        self.emit_until_gaps(w);
        w.u8(0);
    }

    /// Writes an ACK with as many of these gaps as find room, the first first. With each comes how many bytes have been received in one
    /// piece from its end on.
    pub(crate) fn emit_first(&self, gaps: impl Iterator<Item = (Gap, u64)> + Clone, w: &mut Writer<'_>) {
        self.emit_until_gaps(w);
        let (mut count, mut from, mut taken) = (0u32, self.received, 0usize);
        for (gap, beyond) in gaps.clone() {
            let more = count.saturating_add(1);
            let skip = varint_len(gap.start.wrapping_sub(from));
            let with_it = taken.saturating_add(skip).saturating_add(varint_len(gap.length));
            let around = varint_len(more.into()).saturating_add(varint_len(beyond));
            if with_it.saturating_add(around) > w.room() {
                break;
            }
            (count, from, taken) = (more, gap.end(), with_it);
        }
        w.varint(count.into());
        let (mut from, mut last) = (self.received, None);
        for (gap, beyond) in gaps.take(usize::try_from(count).unwrap_or(usize::MAX)) {
            w.varint(gap.start.wrapping_sub(from));
            w.varint(gap.length);
            (from, last) = (gap.end(), Some(beyond));
        }
        if let Some(beyond) = last {
            w.varint(beyond);
        }
    }

    fn emit_until_gaps(&self, w: &mut Writer<'_>) {
        w.u8(Kind::Ack.code());
        w.varint(self.transfer.into());
        w.varint(self.received);
        w.varint(self.durable);
        w.varint(self.credit.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emit<'o>(ack: &Ack<'_>, out: &'o mut [u8]) -> &'o [u8] {
        let mut w = Writer::new(out);
        ack.emit(&mut w);
        assert!(!w.is_full());
        let len = w.len();
        &out[..len]
    }

    #[test]
    fn without_gaps_the_count_is_0() {
        let ack = Ack { transfer: 1, received: 300, durable: 2, credit: 3, gaps: Gaps::NONE };
        let mut out = [0; 16];
        let frame = emit(&ack, &mut out);
        assert_eq!(frame, [0x15, 1, 0xAC, 0x02, 2, 3, 0]);
        assert_eq!(Ack::parse(&frame[1..]), Ok(ack));
        assert!(Gaps::NONE.is_empty());
    }

    #[test]
    fn gaps_are_relative_to_the_one_before() {
        let ranges =
            [Gap { start: 10, length: 5 }, Gap { start: 17, length: 1 }, Gap { start: 19, length: 200 }];
        let ack = Ack { transfer: 1, received: 10, durable: 10, credit: 0, gaps: Gaps::new(&ranges, 6) };
        let mut out = [0; 32];
        let frame = emit(&ack, &mut out);
        assert_eq!(frame, [0x15, 1, 10, 10, 0, 3, 0, 5, 2, 1, 1, 0xC8, 0x01, 6]);
        let parsed = Ack::parse(&frame[1..]).unwrap();
        assert!(parsed.gaps.iter().eq(ranges));
        assert_eq!((parsed.gaps.count(), parsed.gaps.beyond()), (3, 6));
        assert_eq!(parsed, ack);
        assert_eq!(emit(&parsed, &mut [0; 32]), frame);
    }

    #[test]
    fn parsed_gaps_stay_where_they_are_when_more_is_received() {
        let parsed = Ack::parse(&[1, 10, 10, 0, 1, 8, 5, 4]).unwrap();
        let mut out = [0; 16];
        assert_eq!(emit(&Ack { received: 12, ..parsed }, &mut out), [0x15, 1, 12, 10, 0, 1, 6, 5, 4]);
    }

    #[test]
    fn no_more_is_durable_than_received() {
        assert!(Ack::parse(&[1, 5, 5, 0, 0]).is_ok());
        assert_eq!(Ack::parse(&[1, 5, 6, 0, 0]), Err(Malformed::Value));
        assert_eq!(Ack::parse(&[0, 5, 5, 0, 0]), Err(Malformed::Value));
    }

    #[test]
    fn gaps_have_a_length_and_end_within_64_bits() {
        let max = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
        assert_eq!(Ack::parse(&[1, 5, 5, 0, 1, 3, 0]), Err(Malformed::Value));
        let mut skips_too_far = [1, 1, 0, 0, 1].to_vec();
        skips_too_far.extend(max);
        skips_too_far.push(1);
        assert_eq!(Ack::parse(&skips_too_far), Err(Malformed::Value));
        let mut too_long = [1, 1, 0, 0, 1, 0].to_vec();
        too_long.extend(max);
        assert_eq!(Ack::parse(&too_long), Err(Malformed::Value));
        let mut to_the_end = [1, 0, 0, 0, 1, 0].to_vec();
        to_the_end.extend(max);
        to_the_end.push(0);
        assert!(Ack::parse(&to_the_end).is_ok());
        *to_the_end.last_mut().unwrap() = 1;
        assert_eq!(Ack::parse(&to_the_end), Err(Malformed::Value));
    }

    #[test]
    fn there_are_as_many_gaps_as_the_count_says() {
        assert_eq!(Ack::parse(&[1, 5, 5, 0, 2, 3, 1]), Err(Malformed::Truncated));
        assert_eq!(Ack::parse(&[1, 5, 5, 0, 1, 3, 1]), Err(Malformed::Truncated));
        assert_eq!(Ack::parse(&[1, 5, 5, 0, 1, 3, 1, 3, 1]), Err(Malformed::Trailing));
        assert_eq!(Ack::parse(&[1, 5, 5, 0, 0, 3, 1]), Err(Malformed::Trailing));
        assert_eq!(Ack::parse(&[1, 5, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 1]), Err(Malformed::Truncated));
    }

    #[test]
    fn gaps_are_equal_when_they_are_the_same_ranges() {
        let ranges = [Gap { start: 18, length: 5 }];
        let wire = Ack::parse(&[1, 10, 10, 0, 1, 8, 5, 2]).unwrap().gaps;
        assert_eq!(wire, Gaps::new(&ranges, 2));
        assert_ne!(wire, Gaps::NONE);
        assert_ne!(wire, Gaps::new(&ranges, 3));
        assert_ne!(wire, Ack::parse(&[1, 10, 10, 0, 1, 8, 6, 2]).unwrap().gaps);
        assert!(!wire.is_empty());
        assert_eq!(std::format!("{wire:?}"), "[Gap { start: 18, length: 5 }, +2]");
    }
}
