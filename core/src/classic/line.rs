//! What both sides have: the bytes that go out, whether the link still moves any, and the time.

use super::shift;
use crate::units::Instant;

#[derive(Debug)]
pub(super) struct Line<'b> {
    buffer: &'b mut [u8],
    sent: usize,
    end: usize,
    outward: Outward,
    inward: Inward,
    /// The latest time that was passed in.
    now: Instant,
    /// Since when the present state is waited in: the first poll after the last [`restart`](Self::restart), so that time spent in the
    /// storage, or before a read that waited, is not held against the peer.
    since: Option<Instant>,
}

/// Whether the link takes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outward {
    Ready,
    /// Not until the next round.
    Busy,
    Lost,
}

/// Whether the link brings bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inward {
    Open,
    Ended,
}

impl<'b> Line<'b> {
    pub(super) fn new(buffer: &'b mut [u8], now: Instant) -> Self {
        Self { buffer, sent: 0, end: 0, outward: Outward::Ready, inward: Inward::Open, now, since: None }
    }

    // Time.

    pub(super) fn heard(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    pub(super) fn polled(&mut self, now: Instant) {
        self.heard(now);
        self.since();
    }

    pub(super) fn now(&self) -> Instant {
        self.now
    }

    pub(super) fn since(&mut self) -> Instant {
        *self.since.get_or_insert(self.now)
    }

    pub(super) fn restart(&mut self) {
        self.since = None;
    }

    // The link.

    /// Bytes come no more; or, if they did not before, none go.
    pub(super) fn lost(&mut self) {
        match self.inward {
            Inward::Open => self.inward = Inward::Ended,
            Inward::Ended => self.outward = Outward::Lost,
        }
    }

    /// No byte goes any more, though some may still come.
    pub(super) fn outward_lost(&mut self) {
        self.outward = Outward::Lost;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.inward == Inward::Ended
    }

    /// A round is over: a link that was busy is asked again.
    pub(super) fn waited(&mut self) {
        if self.outward == Outward::Busy {
            self.outward = Outward::Ready;
        }
    }

    // Bytes.

    pub(super) fn can_transmit(&self) -> bool {
        !self.is_empty() && self.outward == Outward::Ready
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.end
    }

    /// Whether nothing waits, or nothing that waits can go.
    pub(super) fn is_done(&self) -> bool {
        self.is_empty() || self.outward == Outward::Lost
    }

    pub(super) fn waiting(&self) -> &[u8] {
        self.buffer.get(self.sent..self.end).unwrap_or_default()
    }

    pub(super) fn transmitted(&mut self, n: usize) {
        if n == 0 && self.outward == Outward::Ready {
            self.outward = Outward::Busy;
        }
        self.sent = self.sent.saturating_add(n).min(self.end);
    }

    pub(super) fn clear(&mut self) {
        self.sent = 0;
        self.end = 0;
    }

    /// Where more bytes can be put.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.sent > 0 {
            shift::to_start(self.buffer, self.sent..self.end);
            self.end = self.end.saturating_sub(self.sent);
            self.sent = 0;
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// `n` bytes were put into [`room`](Self::room).
    pub(super) fn filled(&mut self, n: usize) {
        self.end = self.end.saturating_add(n).min(self.buffer.len());
    }

    /// Appends as much of `bytes` as there is room for.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let length = bytes.len().min(self.room().len());
        if let (Some(room), Some(bytes)) = (self.room().get_mut(..length), bytes.get(..length)) {
            room.copy_from_slice(bytes);
            self.filled(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_in_order_however_few_are_taken() {
        let mut buffer = [0xA5; 8];
        let mut line = Line::new(&mut buffer, Instant::ZERO);
        assert!(line.is_empty() && !line.can_transmit());
        line.put(b"abcde");
        line.transmitted(2);
        assert_eq!(line.waiting(), b"cde");
        line.put(b"fghijkl");
        assert_eq!(line.waiting(), b"cdefghij");
        line.transmitted(100);
        assert!(line.is_empty());
        assert_eq!(line.room().len(), 8);
    }

    #[test]
    fn a_busy_link_is_asked_again_after_a_round_and_a_lost_one_never() {
        let mut buffer = [0; 8];
        let mut line = Line::new(&mut buffer, Instant::ZERO);
        line.put(b"a");
        line.transmitted(0);
        assert!(!line.can_transmit() && !line.is_done());
        line.waited();
        assert!(line.can_transmit());
        line.lost();
        assert!(line.has_ended() && line.can_transmit());
        line.lost();
        line.waited();
        assert!(!line.can_transmit() && line.is_done());
    }

    #[test]
    fn time_counts_from_the_first_poll_after_a_restart() {
        let mut line = Line::new(&mut [], Instant::from_millis(1));
        line.polled(Instant::from_millis(5));
        line.polled(Instant::from_millis(9));
        assert_eq!(line.since(), Instant::from_millis(5));
        line.restart();
        line.heard(Instant::from_millis(7));
        line.polled(Instant::from_millis(20));
        assert_eq!((line.since(), line.now()), (Instant::from_millis(20), Instant::from_millis(20)));
    }
}
