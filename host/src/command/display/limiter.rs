//! A limit on how many failures a server's log shows: whoever provokes them must not fill a disk.

use std::time::{Duration, Instant};

/// Failures that are shown of each [`SPAN`].
const BURST: u64 = 50;

/// From the first failure on.
const SPAN: Duration = Duration::from_secs(10);

/// Counts failures.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limiter {
    span: Option<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    began: Instant,
    failures: u64,
}

/// What becomes of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Show,
    Count,
}

impl Limiter {
    /// One more failure. [`over`](Self::over) is asked first.
    pub(super) fn failed(&mut self, now: Instant) -> Verdict {
        let span = self.span.get_or_insert(Span { began: now, failures: 0 });
        span.failures = span.failures.saturating_add(1);
        if span.failures <= BURST { Verdict::Show } else { Verdict::Count }
    }

    /// How many failures were counted and not shown, once their span is over and if there were any.
    pub(super) fn over(&mut self, now: Instant) -> Option<u64> {
        match self.span {
            Some(span) if now.saturating_duration_since(span.began) >= SPAN => self.end(),
            _ => None,
        }
    }

    /// The same, without waiting for the end of the span.
    pub(super) fn end(&mut self) -> Option<u64> {
        let hidden = self.span.take()?.failures.saturating_sub(BURST);
        (hidden > 0).then_some(hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_a_burst_is_counted() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut limiter = Limiter::default();
        for failure in 0..1_284 {
            let now = at(failure);
            assert_eq!(limiter.over(now), None);
            let verdict = if failure < 50 { Verdict::Show } else { Verdict::Count };
            assert_eq!(limiter.failed(now), verdict, "{failure}");
        }
        assert_eq!(limiter.over(at(9_999)), None);
        assert_eq!(limiter.over(at(10_000)), Some(1_234));
        assert_eq!(limiter.over(at(10_000)), None);
        assert_eq!(limiter.failed(at(10_001)), Verdict::Show);
        assert_eq!(limiter.over(at(30_000)), None);
    }

    #[test]
    fn a_few_are_all_shown_whenever_they_come() {
        let start = Instant::now();
        let mut limiter = Limiter::default();
        for failure in 0..1_000_u32 {
            let now = start + Duration::from_millis(250) * failure;
            assert_eq!(limiter.over(now), None);
            assert_eq!(limiter.failed(now), Verdict::Show);
        }
        assert_eq!(limiter.end(), None);
    }

    #[test]
    fn the_end_tells_what_is_left() {
        let now = Instant::now();
        let mut limiter = Limiter::default();
        let hidden = (0..51).filter(|_| limiter.failed(now) == Verdict::Count).count();
        assert_eq!(hidden, 1);
        assert_eq!((limiter.end(), limiter.end()), (Some(1), None));
    }
}
