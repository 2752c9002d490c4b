//! What a peer may not do for long: nothing, or almost nothing.

use std::time::Duration;

use sampan_core::Instant;

/// Over this time a peer's rate is measured.
const SPAN: Duration = Duration::from_secs(10);
/// How often it is looked at.
const STEP: Duration = Duration::from_millis(250);

/// Watches one connection.
#[derive(Debug)]
pub(super) struct Watch {
    idle: Duration,
    min_rate: u64,
    /// Contents moved so far, and when that last changed.
    contents: u64,
    moved_at: Instant,
    /// When the present span began, and what the link had moved then.
    span: Instant,
    linked: u64,
}

/// Who has to do something now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The peer: contents are under way.
    Peer,
    /// This end: it flushes, for instance.
    Ours,
    /// Nobody.
    Nobody,
}

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooSlow {
    Idle,
    Rate,
}

impl Watch {
    pub(super) fn new(idle: Duration, min_rate: u64, now: Instant) -> Self {
        Self { idle, min_rate, contents: 0, moved_at: now, span: now, linked: 0 }
    }

    /// When to look again at the latest.
    pub(super) fn next(&self, now: Instant) -> Instant {
        Instant::from_micros(now.as_micros().saturating_add(STEP.as_micros() as u64))
    }

    /// Looks at it: `contents` and `linked` are the bytes that have moved so far, of files and over the link.
    pub(super) fn look(&mut self, now: Instant, turn: Turn, contents: u64, linked: u64) -> Option<TooSlow> {
        if contents != self.contents || turn == Turn::Ours {
            self.contents = contents;
            self.moved_at = now;
        }
        if now.since(self.moved_at) >= self.idle {
            return Some(TooSlow::Idle);
        }
        if turn != Turn::Peer {
            self.span = now;
            self.linked = linked;
        }
        let span = now.since(self.span);
        if span < SPAN {
            return None;
        }
        let needed = self.min_rate.saturating_mul(span.as_secs());
        let slow = linked.saturating_sub(self.linked) < needed;
        self.span = now;
        self.linked = linked;
        slow.then_some(TooSlow::Rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    fn watch() -> Watch {
        Watch::new(Duration::from_secs(60), 100, at(0))
    }

    #[test]
    fn contents_that_come_too_slowly_are_too_slow() {
        let mut watch = watch();
        assert_eq!(watch.look(at(10), Turn::Peer, 1000, 1000), None);
        assert_eq!(watch.look(at(19), Turn::Peer, 1400, 1400), None);
        assert_eq!(watch.look(at(20), Turn::Peer, 1900, 1900), Some(TooSlow::Rate));
    }

    #[test]
    fn who_waits_for_this_end_is_not_slow() {
        let mut watch = watch();
        assert_eq!(watch.look(at(59), Turn::Ours, 0, 0), None);
        assert_eq!(watch.look(at(100), Turn::Peer, 5000, 5000), None);
    }

    #[test]
    fn nothing_for_long_is_idle() {
        let mut watch = watch();
        assert_eq!(watch.look(at(59), Turn::Nobody, 0, 500), None);
        assert_eq!(watch.look(at(60), Turn::Nobody, 0, 900), Some(TooSlow::Idle));
    }
}
