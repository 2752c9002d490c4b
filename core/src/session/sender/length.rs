//! How long datagrams are (§8.7): raised by probing as in RFC 8899.

use super::repairs::Repairs;
use crate::units::{Instant, Millis};

/// What every path carries.
const BASE: u64 = 1_200;
/// What is tried, one after the other: Ethernet, jumbo frames, and the longest that UDP over IPv4 carries.
const STEPS: [u64; 6] = [1_452, 4_048, 8_952, 16_384, 32_768, 65_507];
/// A length is given up after so many frames of it that were lost.
const TRIES: u8 = 3;
/// So many timeouts in a row: what was proven arrives no more.
const TIMEOUTS: u8 = 3;
/// What was given up is tried again after so long.
const PAUSE: Millis = Millis(600_000);
/// And so long after it had arrived before.
const SHORT_PAUSE: Millis = Millis(60_000);

#[derive(Clone, Copy, Debug)]
pub(super) struct Length {
    proven: u64,
    probe: Option<Probe>,
    tries: u8,
    timeouts: u8,
    /// Nothing longer is tried before.
    waits_until: Instant,
}

/// A frame that is longer than what is proven.
#[derive(Clone, Copy, Debug)]
struct Probe {
    transfer: u32,
    start: u64,
    end: u64,
    length: u64,
}

impl Length {
    pub(super) fn new() -> Self {
        Self { proven: BASE, probe: None, tries: 0, timeouts: 0, waits_until: Instant::ZERO }
    }

    /// The longest frame that arrives, kind to check.
    pub(super) fn proven(&self) -> u64 {
        self.proven
    }

    /// The length that is to be tried next, where neither end takes more than `most`.
    pub(super) fn wanted(&self, most: u64, now: Instant) -> Option<u64> {
        if self.probe.is_some() || now < self.waits_until {
            return None;
        }
        let next = STEPS.iter().copied().find(|step| *step > self.proven)?.min(most);
        (next > self.proven).then_some(next)
    }

    /// A frame of `length` is sent, with these bytes of a transfer.
    pub(super) fn sent(&mut self, transfer: u32, start: u64, end: u64, length: u64) {
        if length > self.proven {
            self.probe = Some(Probe { transfer, start, end, length });
        }
    }

    /// Something has arrived, and everything of a transfer below `known` is known.
    pub(super) fn heard(&mut self, transfer: u32, known: u64, repairs: &Repairs<'_>, now: Instant) {
        self.timeouts = 0;
        let Some(probe) = self.probe.filter(|probe| probe.transfer == transfer && probe.end <= known) else {
            return;
        };
        if repairs.touches(transfer, probe.start, probe.end) {
            self.failed(now);
        } else {
            self.probe = None;
            self.tries = 0;
            self.proven = self.proven.max(probe.length);
        }
    }

    pub(super) fn forget(&mut self, transfer: u32) {
        self.probe = self.probe.filter(|probe| probe.transfer != transfer);
    }

    fn failed(&mut self, now: Instant) {
        if self.probe.take().is_some() {
            self.tries = self.tries.saturating_add(1);
            if self.tries >= TRIES {
                self.tries = 0;
                self.waits_until = now.after(PAUSE);
            }
        }
    }

    /// No answer has come in time.
    pub(super) fn ran_out(&mut self, now: Instant) {
        self.failed(now);
        self.timeouts = self.timeouts.saturating_add(1);
        if self.timeouts >= TIMEOUTS && self.proven > BASE {
            self.timeouts = 0;
            self.proven = BASE;
            self.waits_until = now.after(SHORT_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::ZERO;

    fn probe(length: &mut Length, most: u64, arrives: bool, now: Instant) -> Option<u64> {
        let wanted = length.wanted(most, now)?;
        length.sent(1, 0, wanted, wanted);
        assert_eq!(length.wanted(most, now), None, "one at a time");
        if arrives {
            length.heard(1, wanted, &Repairs::new(None), now);
        } else {
            length.failed(now);
        }
        Some(wanted)
    }

    #[test]
    fn it_rises_as_far_as_both_ends_take_it() {
        let mut length = Length::new();
        let mut tried = std::vec::Vec::new();
        while let Some(next) = probe(&mut length, 20_000, true, NOW) {
            tried.push(next);
        }
        assert_eq!(tried, [1_452, 4_048, 8_952, 16_384, 20_000]);
        assert_eq!(length.proven(), 20_000);
        assert_eq!(Length::new().wanted(1_200, NOW), None);
        assert_eq!(Length::new().wanted(1_300, NOW), Some(1_300));
    }

    #[test]
    fn what_does_not_arrive_is_tried_three_times_and_much_later_again() {
        let mut length = Length::new();
        assert_eq!(probe(&mut length, 70_000, true, NOW), Some(1_452));
        for _ in 0..3 {
            assert_eq!(probe(&mut length, 70_000, false, NOW), Some(4_048));
        }
        assert_eq!((length.wanted(70_000, NOW), length.proven()), (None, 1_452));
        assert_eq!(length.wanted(70_000, NOW.after(PAUSE)), Some(4_048));
    }

    #[test]
    fn what_arrives_no_more_is_given_up() {
        let mut length = Length::new();
        probe(&mut length, 70_000, true, NOW);
        for _ in 0..2 {
            length.ran_out(NOW);
        }
        length.heard(1, 0, &Repairs::new(None), NOW);
        for _ in 0..2 {
            length.ran_out(NOW);
            assert_eq!(length.proven(), 1_452);
        }
        length.ran_out(NOW);
        assert_eq!((length.proven(), length.wanted(70_000, NOW)), (1_200, None));
        assert_eq!(length.wanted(70_000, NOW.after(SHORT_PAUSE)), Some(1_452));
    }
}
