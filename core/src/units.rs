//! Units: time and the ids that tell transfers apart.

use core::fmt;
use core::time::Duration;

/// A point in time on a monotonic clock of the caller's, in microseconds since any start it likes.
///
/// The engine never reads a clock: every call that may depend on time takes one of these. 2^64 microseconds are over half a
/// million years, so there is no wrap to think of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant(u64);

impl Instant {
    /// The clock's start.
    pub const ZERO: Self = Self(0);

    /// `micros` microseconds after the clock's start.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// `millis` milliseconds after the clock's start.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Microseconds since the clock's start.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// This instant and `span` after it; stops at the end of time.
    #[inline(never)]
    pub const fn after(self, span: Millis) -> Self {
        Self(self.0.saturating_add((span.0 as u64).wrapping_mul(1_000)))
    }

    /// This instant and `micros` microseconds after it; stops at the end of time.
    pub(crate) const fn after_micros(self, micros: u64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// The time from `earlier` to this instant, zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// A span of time in milliseconds, up to 49 days: what limits are given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Millis(pub u32);

impl Millis {
    /// Half of this span.
    pub const fn half(self) -> Self {
        Self(self.0 / 2)
    }
}

impl From<Millis> for Duration {
    fn from(span: Millis) -> Self {
        Self::from_millis(span.0.into())
    }
}

/// The id of a transfer (§5): chosen by its sender, counted from 1 in each direction of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TransferId(pub u32);

impl fmt::Display for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a WANT (§5.2), counted from 1 in each direction of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WantId(pub u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stops_at_its_end_and_never_runs_backwards() {
        let end = Instant::from_micros(u64::MAX);
        assert_eq!(end.after(Millis(1)), end);
        assert_eq!(Instant::ZERO.since(end), Duration::ZERO);
        assert_eq!(Instant::from_millis(3).after(Millis(2)), Instant::from_micros(5_000));
    }
}
