//! What else a board does.

use sampan_core::{Instant, Millis};

/// Work that wants to be done ten times a second, and what keeps it from that.
#[derive(Debug)]
pub struct Work {
    due: Instant,
    /// How late it was at most, in microseconds.
    pub latest: u32,
    /// How long a turn of the session has kept it waiting at most, in microseconds.
    pub longest_turn: u32,
}

impl Work {
    const EVERY: Millis = Millis(100);

    /// It begins now.
    pub fn new(now: Instant) -> Self {
        Self { due: now.after(Self::EVERY), latest: 0, longest_turn: 0 }
    }

    /// A turn of the session was taken.
    pub fn waited(&mut self, before: Instant, now: Instant) {
        self.longest_turn = self.longest_turn.max(now.since(before).as_micros() as u32);
    }

    /// Does it, if it is time.
    pub fn go_on(&mut self, now: Instant) {
        if now >= self.due {
            self.latest = self.latest.max(now.since(self.due).as_micros() as u32);
            self.due = now.after(Self::EVERY);
        }
    }
}
