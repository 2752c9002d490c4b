//! What a peer may not do for long: nothing, or almost nothing.

use std::time::Duration;

use sampan_core::Instant;

/// Over this time a peer's rate is measured.
const SPAN: Duration = Duration::from_secs(10);
/// How often it is looked at.
const STEP: Duration = Duration::from_millis(250);
/// How often where there is nothing to watch.
const LONG: Duration = Duration::from_secs(3600);

/// What a peer may not do for long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Move no contents.
    pub(crate) idle: Duration,
    /// Give or take fewer bytes a second than this while contents are under way.
    pub(crate) min_rate: u64,
}

/// Watches one connection.
#[derive(Debug)]
pub(crate) struct Watch {
    patience: Option<Patience>,
    /// Contents moved so far, and when that last changed.
    contents: u64,
    moved_at: Instant,
    /// When the present span began, and what the link had moved then.
    span: Instant,
    linked: u64,
}

/// Who has to do something now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The peer: contents are under way.
    Peer,
    /// This end: it flushes, for instance.
    Ours,
    /// Nobody.
    Nobody,
}

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooSlow {
    Idle,
    Rate,
}

impl Watch {
    /// Of a peer that may do what it likes there is nothing to watch.
    pub(crate) fn new(patience: Option<Patience>, now: Instant) -> Self {
        Self { patience, contents: 0, moved_at: now, span: now, linked: 0 }
    }

    /// From now on the peer may be idle and slow: it stays.
    pub(crate) fn stays(&mut self) {
        self.patience = None;
    }

    /// When to look again at the latest, while something is under way.
    pub(crate) fn soon(now: Instant) -> Instant {
        after(now, STEP)
    }

    /// When to look again at the latest, while nothing is.
    pub(crate) fn later(&self, now: Instant) -> Instant {
        self.patience.map_or(after(now, LONG), |patience| after(self.moved_at, patience.idle))
    }

    /// Looks at it: `contents` and `linked` are the bytes that have moved so far, of files and over the link.
    pub(crate) fn look(&mut self, now: Instant, turn: Turn, contents: u64, linked: u64) -> Option<TooSlow> {
        if contents != self.contents || turn == Turn::Ours {
            self.contents = contents;
            self.moved_at = now;
        }
        let Patience { idle, min_rate } = self.patience?;
        if now.since(self.moved_at) >= idle {
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
        let needed = min_rate.saturating_mul(span.as_secs());
        let slow = linked.saturating_sub(self.linked) < needed;
        self.span = now;
        self.linked = linked;
        slow.then_some(TooSlow::Rate)
    }
}

fn after(instant: Instant, span: Duration) -> Instant {
    let span = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    Instant::from_micros(instant.as_micros().saturating_add(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    fn watch() -> Watch {
        Watch::new(Some(Patience { idle: Duration::from_secs(60), min_rate: 100 }), at(0))
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
