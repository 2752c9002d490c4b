//! How much goes through.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::session::{Pinging, Sent};
use crate::failure::Failure;
use crate::link::Nature;

/// How long it is measured, and how long at most until there are some answers.
const SPAN: Duration = Duration::from_secs(1);
const LONGEST_SPAN: Duration = Duration::from_secs(5);
const ANSWERS: u64 = 4;
/// Frames are no longer than that.
const STREAM_FRAME: usize = 64 << 10;
const LINE_FRAME: usize = 256;
/// So many bytes may be on their way.
const UNDER_WAY: usize = 1 << 20;
/// What is overtaken by so many is lost.
const OVERTAKEN: usize = 3;

/// Bytes a second of frames to the peer, if any arrived: as many as answers say that there may be, in a second.
pub(super) fn measure(
    pinging: &mut Pinging<'_>,
    nature: Nature,
    largest: usize,
) -> Result<Option<f64>, Failure> {
    let frame = match nature {
        Nature::Stream => largest.min(STREAM_FRAME),
        Nature::Line { .. } => largest.min(LINE_FRAME),
        Nature::Datagrams { .. } => largest,
    };
    let mut flight = Flight::new(frame, nature);
    let began = Instant::now();
    let mut heard = began;
    while began.elapsed() < SPAN || (flight.answers < ANSWERS && began.elapsed() < LONGEST_SPAN) {
        let room = flight.has_room();
        if room && let Some(sent) = pinging.ping(frame) {
            flight.sent(sent);
        }
        let patience = pinging.patience().max(4 * flight.slowest);
        let until = (heard.max(flight.since()) + patience).min(began + LONGEST_SPAN);
        let answer = if room { pinging.go_on(until)? } else { pinging.answer(until)? };
        match answer {
            Some(number) => {
                heard = Instant::now();
                flight.answered(number, heard);
            }
            None if !room && Instant::now() >= until => flight.silent(),
            None => {}
        }
    }
    let took = heard.saturating_duration_since(began).as_secs_f64();
    Ok((flight.bytes > 0 && took > 0.0).then(|| flight.bytes as f64 / took))
}

/// What is under way: it grows with each answer until something is lost, then slowly.
struct Flight {
    frame: usize,
    nature: Nature,
    open: VecDeque<Sent>,
    /// How many may be under way, and how many answers came since that grew.
    window: usize,
    most: usize,
    since_growth: usize,
    growth: Growth,
    bytes: u64,
    answers: u64,
    slowest: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Growth {
    Fast,
    Slow,
}

impl Flight {
    fn new(frame: usize, nature: Nature) -> Self {
        Self {
            frame,
            nature,
            open: VecDeque::new(),
            window: 2,
            most: (UNDER_WAY / frame.max(1)).clamp(2, 1 << 12),
            since_growth: 0,
            growth: Growth::Fast,
            bytes: 0,
            answers: 0,
            slowest: Duration::ZERO,
        }
    }

    fn has_room(&self) -> bool {
        self.open.len() < self.window
    }

    /// When what waits longest was sent.
    fn since(&self) -> Instant {
        self.open.front().map_or_else(Instant::now, |sent| sent.at)
    }

    fn sent(&mut self, sent: Sent) {
        self.open.push_back(sent);
    }

    fn answered(&mut self, number: u32, now: Instant) {
        let Some(index) = self.open.iter().position(|sent| sent.number == number) else { return };
        let arrived = match self.nature {
            Nature::Stream => index + 1,
            Nature::Line { .. } | Nature::Datagrams { .. } => 1,
        };
        if let Some(sent) = self.open.get(index) {
            self.slowest = self.slowest.max(now.saturating_duration_since(sent.at));
        }
        if arrived > 1 {
            self.open.drain(..=index);
        } else {
            self.open.remove(index);
        }
        self.bytes += (arrived * self.frame) as u64;
        self.answers += arrived as u64;
        if arrived == 1 && index >= OVERTAKEN {
            self.open.drain(..index);
            self.lost();
            return;
        }
        self.since_growth += arrived;
        let needed = if self.growth == Growth::Fast { 1 } else { self.window };
        if self.since_growth >= needed {
            self.window = (self.window + self.since_growth / needed).min(self.most);
            self.since_growth = 0;
        }
    }

    /// Half as many may be under way.
    fn lost(&mut self) {
        self.growth = Growth::Slow;
        self.window = (self.window / 2).max(1);
        self.since_growth = 0;
    }

    /// No answer has come in time: all is lost.
    fn silent(&mut self) {
        if self.nature != Nature::Stream {
            self.open.clear();
            self.lost();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flight(nature: Nature, numbers: std::ops::Range<u32>) -> Flight {
        let mut flight = Flight::new(1000, nature);
        numbers.for_each(|number| flight.sent(Sent { number, at: Instant::now() }));
        flight
    }

    #[test]
    fn on_a_stream_an_answer_is_for_all_before_it() {
        let mut flight = flight(Nature::Stream, 1..5);
        flight.answered(3, Instant::now());
        assert_eq!((flight.bytes, flight.open.len(), flight.window), (3000, 1, 5));
        flight.answered(3, Instant::now());
        assert_eq!(flight.bytes, 3000, "it is answered once");
    }

    #[test]
    fn what_is_overtaken_is_lost_and_less_is_sent() {
        let mut flight = flight(Nature::Datagrams { holds: 0 }, 1..9);
        flight.window = 8;
        for number in [2, 3, 4] {
            flight.answered(number, Instant::now());
        }
        assert_eq!((flight.bytes, flight.open.len(), flight.window), (3000, 5, 11));
        flight.answered(7, Instant::now());
        assert_eq!((flight.bytes, flight.open.len(), flight.window), (4000, 1, 5));
        flight.silent();
        assert_eq!((flight.open.len(), flight.window), (0, 2));
    }
}
