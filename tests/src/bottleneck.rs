//! Where a link is narrow: bytes leave at a rate, and what does not fit into the queue before it is dropped.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// The narrow place of one direction; clones are the same, so that several links may share it.
#[derive(Clone, Debug)]
pub struct Bottleneck(Rc<RefCell<Queue>>);

#[derive(Debug)]
struct Queue {
    /// Bytes a second; 0 for any.
    rate: u64,
    /// Bytes that wait at most, what is leaving included.
    room: usize,
    /// When the last byte will have left, in nanoseconds.
    busy_until: u64,
    /// What waits: when it has left, in nanoseconds, and its length.
    waiting: VecDeque<(u64, usize)>,
    waits: usize,
    /// How much waited since when, in microseconds.
    occupancy: Vec<(u64, usize)>,
    carried: u64,
    dropped: u64,
}

impl Bottleneck {
    /// So many bytes a second (0 for any) leave a queue of so many bytes.
    pub fn new(rate: u64, room: usize) -> Self {
        Self(Rc::new(RefCell::new(Queue {
            rate,
            room,
            busy_until: 0,
            waiting: VecDeque::new(),
            waits: 0,
            occupancy: Vec::new(),
            carried: 0,
            dropped: 0,
        })))
    }

    /// When `length` bytes that come at `now` have left it, in microseconds; `None` if they are dropped.
    pub(crate) fn pass(&self, length: usize, now: u64) -> Option<u64> {
        self.0.borrow_mut().pass(length, now)
    }

    /// Bytes that have come and were not dropped.
    pub fn carried(&self) -> u64 {
        self.0.borrow().carried
    }

    /// Bytes that were dropped.
    pub fn dropped(&self) -> u64 {
        self.0.borrow().dropped
    }

    /// How many bytes waited for at least half of the time from `from` to `to`, in microseconds.
    pub fn median_occupancy(&self, from: u64, to: u64) -> usize {
        let mut queue = self.0.borrow_mut();
        queue.leave(to);
        let ends = queue.occupancy.iter().skip(1).map(|(at, _)| *at).chain([u64::MAX]);
        let mut spans: Vec<(usize, u64)> = queue
            .occupancy
            .iter()
            .zip(ends)
            .map(|((at, waits), end)| (*waits, end.min(to).saturating_sub((*at).max(from))))
            .collect();
        spans.sort_unstable();
        let half = spans.iter().map(|(_, span)| span).sum::<u64>() / 2;
        let mut passed = 0;
        for (waits, span) in spans {
            passed += span;
            if passed > half {
                return waits;
            }
        }
        0
    }
}

impl Queue {
    fn note(&mut self, at: u64) {
        match self.occupancy.last_mut() {
            Some((last, waits)) if *last == at => *waits = self.waits,
            _ => self.occupancy.push((at, self.waits)),
        }
    }

    /// What has left by `now` waits no more.
    fn leave(&mut self, now: u64) {
        while let Some((at, length)) = self.waiting.front().copied()
            && at.div_ceil(1_000) <= now
        {
            self.waiting.pop_front();
            self.waits -= length;
            self.note(at.div_ceil(1_000));
        }
    }

    fn pass(&mut self, length: usize, now: u64) -> Option<u64> {
        if self.rate == 0 {
            self.carried += length as u64;
            return Some(now);
        }
        self.leave(now);
        if self.waits + length > self.room {
            self.dropped += length as u64;
            return None;
        }
        self.carried += length as u64;
        self.busy_until = self.busy_until.max(now * 1_000) + length as u64 * 1_000_000_000 / self.rate;
        self.waiting.push_back((self.busy_until, length));
        self.waits += length;
        self.note(now);
        Some(self.busy_until.div_ceil(1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_dropped_and_the_rest_leaves_at_the_rate() {
        let narrow = Bottleneck::new(1_000_000, 250);
        assert_eq!(narrow.pass(100, 0), Some(100));
        assert_eq!(narrow.pass(100, 0), Some(200));
        assert_eq!(narrow.pass(100, 0), None);
        assert_eq!(narrow.pass(100, 100), Some(300));
        assert_eq!((narrow.carried(), narrow.dropped()), (300, 100));
        assert_eq!(narrow.median_occupancy(0, 300), 200);
        assert_eq!(narrow.median_occupancy(0, 10_000), 0);
    }
}
