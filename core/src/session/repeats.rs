//! When what the link may have lost is sent again (§8.5): the retransmission timer of RFC 6298, without its floor of a second.

use crate::units::{Instant, Millis};

/// Before anything is known of the round trip.
const FIRST: Millis = Millis(1_000);
/// A clock's grain and what an answer takes at least, in microseconds.
const GRAIN: u32 = 10_000;
/// No later than this.
const LONGEST: Millis = Millis(5_000);

/// The one timer of a session, for everything that awaits an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repeats {
    /// Smoothed round trip and its variation, in microseconds; none before the first sample.
    smoothed: Option<(u32, u32)>,
    /// How often it has run out since something came further.
    doubled: u8,
    /// When it was started.
    since: Instant,
}

impl Repeats {
    pub(super) fn new(now: Instant) -> Self {
        Self { smoothed: None, doubled: 0, since: now }
    }

    /// Something came further, or nothing is awaited: it starts anew.
    pub(super) fn advanced(&mut self, now: Instant) {
        self.doubled = 0;
        self.since = now;
    }

    /// It has run out: it takes twice as long the next time.
    pub(super) fn ran_out(&mut self, now: Instant) {
        self.doubled = self.doubled.saturating_add(1);
        self.since = now;
    }

    /// An answer has come after so long to what was sent once only (§2 and §3 of RFC 6298).
    pub(super) fn measured(&mut self, sent: Instant, now: Instant) {
        let trip = u32::try_from(now.since(sent).as_micros()).unwrap_or(u32::MAX);
        self.smoothed = Some(match self.smoothed {
            None => (trip, trip / 2),
            Some((smoothed, varies)) => {
                let differs = smoothed.abs_diff(trip);
                let varies = (varies / 4).saturating_mul(3).saturating_add(differs / 4);
                ((smoothed / 8).saturating_mul(7).saturating_add(trip / 8), varies)
            }
        });
    }

    /// The round trip as far as it is known, in microseconds.
    pub(super) fn round_trip(&self) -> u64 {
        self.smoothed.map_or(u64::from(FIRST.0).saturating_mul(1_000), |(smoothed, _)| smoothed.into())
    }

    /// After so many microseconds what was sent once more should have been answered.
    pub(super) fn answered_after(&self) -> u64 {
        let varies = self.smoothed.map_or(0, |(_, varies)| varies.saturating_mul(4).max(GRAIN / 4));
        self.round_trip().saturating_add(varies.into())
    }

    /// When it runs out.
    pub(super) fn due_at(&self) -> Instant {
        let span = match self.smoothed {
            None => FIRST,
            Some((smoothed, varies)) => {
                // Frames grow, and the next may wait for one that is twice as long.
                let varies = varies.saturating_mul(4).max(smoothed / 2).max(GRAIN);
                Millis(smoothed.saturating_add(varies).div_ceil(1_000))
            }
        };
        let doubled = span.0.saturating_mul(1_u32.checked_shl(self.doubled.into()).unwrap_or(u32::MAX));
        self.since.after(Millis(doubled).min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(repeats: &Repeats) -> u64 {
        repeats.due_at().as_micros() / 1_000
    }

    #[test]
    fn it_doubles_up_to_a_limit_and_begins_anew_with_progress() {
        let mut repeats = Repeats::new(Instant::ZERO);
        let mut spans = std::vec::Vec::new();
        for _ in 0..4 {
            spans.push(after(&repeats));
            repeats.ran_out(Instant::ZERO);
        }
        assert_eq!(spans, [1_000, 2_000, 4_000, 5_000]);
        repeats.advanced(Instant::from_millis(50));
        assert_eq!(after(&repeats), 1_050);
    }

    #[test]
    fn it_follows_the_round_trip() {
        let mut repeats = Repeats::new(Instant::ZERO);
        repeats.measured(Instant::ZERO, Instant::from_millis(100));
        assert_eq!(after(&repeats), 300);
        for _ in 0..100 {
            repeats.measured(Instant::ZERO, Instant::from_millis(100));
        }
        assert!((145..=150).contains(&after(&repeats)), "{}", after(&repeats));
        for _ in 0..100 {
            repeats.measured(Instant::ZERO, Instant::from_micros(20));
        }
        assert_eq!(after(&repeats), 11);
    }
}
