//! How fast a link may be.

use std::time::{Duration, Instant};

/// Of one byte, as fine as time is measured.
const FRACTIONS: i128 = 1_000_000_000;

/// Fills with so many bytes a second, up to a tenth of a second's worth, and is empty at first.
///
/// It gives nothing before an eightieth of a second's worth is in, or whoever waits for it would be woken for every byte.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    bytes_per_second: u64,
    /// What is in, in fractions of a byte; below 0 if more was taken than was in.
    level: i128,
    full: i128,
    enough: i128,
    filled: Instant,
}

impl Bucket {
    /// An empty one; a rate of 0 counts as 1.
    pub(super) fn new(bytes_per_second: u64, now: Instant) -> Self {
        let bytes_per_second = bytes_per_second.max(1);
        let burst = i128::from(bytes_per_second / 10).max(1);
        Self {
            bytes_per_second,
            level: 0,
            // The fraction of a byte more is what a small bucket would lose by a waiter that comes late.
            full: burst * FRACTIONS + (FRACTIONS - 1),
            enough: (burst / 8).max(1) * FRACTIONS,
            filled: now,
        }
    }

    /// Bytes that may move now.
    pub(super) fn allows(&mut self, now: Instant) -> usize {
        self.fill(now);
        if self.level < self.enough {
            return 0;
        }
        usize::try_from(self.level / FRACTIONS).unwrap_or(usize::MAX)
    }

    /// Takes out what has moved: of datagrams, which move whole, perhaps more than is in.
    pub(super) fn take(&mut self, bytes: usize) {
        self.level = self.level.saturating_sub(bytes as i128 * FRACTIONS);
    }

    /// How long until it allows any; zero if it does.
    pub(super) fn ready_in(&mut self, now: Instant) -> Duration {
        self.fill(now);
        let missing = self.enough.saturating_sub(self.level).max(0).unsigned_abs();
        let nanos = missing.div_ceil(u128::from(self.bytes_per_second));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn fill(&mut self, now: Instant) {
        let nanos = now.saturating_duration_since(self.filled).as_nanos();
        self.filled = self.filled.max(now);
        let gain = nanos.saturating_mul(u128::from(self.bytes_per_second));
        self.level = self.level.saturating_add(i128::try_from(gain).unwrap_or(i128::MAX)).min(self.full);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that `bucket` gives in `time` to one who wants as many as possible, and comes `late` each time.
    fn given(bucket: &mut Bucket, mut now: Instant, time: Duration, late: Duration) -> u128 {
        let end = now + time;
        let mut bytes = 0;
        loop {
            now += bucket.ready_in(now) + late;
            if now > end {
                return bytes;
            }
            let allowed = bucket.allows(now);
            assert_ne!(allowed, 0, "it was to be ready");
            bytes += allowed as u128;
            bucket.take(allowed);
        }
    }

    #[test]
    fn the_average_is_the_rate_from_slow_to_fast() {
        for rate in [1, 7, 10, 19, 20, 1000, 123_456, 10_000_000, 5_000_000_000] {
            for late in [Duration::ZERO, Duration::from_millis(3)] {
                let now = Instant::now();
                let seconds = if rate < 100 { 1000 } else { 20 };
                let mut bucket = Bucket::new(rate, now);
                let bytes = given(&mut bucket, now, Duration::from_secs(seconds), late);
                let due = u128::from(rate * seconds);
                assert!((due * 98 / 100..=due).contains(&bytes), "{rate}, {late:?}: {bytes} of {due}");
            }
        }
    }

    #[test]
    fn idle_time_gives_no_more_than_a_tenth_of_a_second() {
        for (rate, burst) in [(1, 1), (10, 1), (1000, 100), (1_000_000, 100_000)] {
            let now = Instant::now();
            let mut bucket = Bucket::new(rate, now);
            assert_eq!(bucket.allows(now), 0);
            assert_eq!(bucket.allows(now + Duration::from_secs(3600)), burst);
        }
    }

    #[test]
    fn what_was_allowed_and_not_taken_remains() {
        let now = Instant::now();
        let mut bucket = Bucket::new(1000, now);
        let later = now + Duration::from_millis(100);
        assert_eq!(bucket.allows(later), 100);
        bucket.take(40);
        assert_eq!((bucket.allows(later), bucket.ready_in(later)), (60, Duration::ZERO));
        bucket.take(59);
        assert_eq!((bucket.allows(later), bucket.ready_in(later)), (0, Duration::from_millis(11)));
    }

    #[test]
    fn what_was_taken_beyond_what_was_in_is_waited_for() {
        let now = Instant::now();
        let mut bucket = Bucket::new(1000, now);
        let later = now + Duration::from_millis(100);
        assert_eq!(bucket.allows(later), 100);
        bucket.take(1100);
        assert_eq!((bucket.allows(later), bucket.ready_in(later)), (0, Duration::from_millis(1012)));
    }

    #[test]
    fn extreme_rates_and_times_do_no_harm() {
        let now = Instant::now();
        for rate in [0, u64::MAX] {
            let mut bucket = Bucket::new(rate, now);
            assert!(bucket.allows(now + Duration::from_secs(1 << 32)) > 0);
            assert_eq!(bucket.ready_in(now), Duration::ZERO);
            bucket.take(usize::MAX);
            assert!(bucket.ready_in(now) > Duration::ZERO);
        }
    }
}
