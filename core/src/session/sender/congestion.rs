//! How fast datagrams go, and how many may be under way (§8.7): after BBR version 1
//! (draft-cardwell-iccrg-bbr-congestion-control-00).

use crate::units::{Instant, Millis};

/// Gains are in 1/256.
const ONE: u64 = 256;
/// 2 / ln 2, and its inverse.
const HIGH: u64 = 739;
const LOW: u64 = 89;
/// The phases of `ProbeBandwidth`.
const CYCLE: [u64; 8] = [320, 192, ONE, ONE, ONE, ONE, ONE, ONE];
/// So much of what fills the path may be under way, and so many bytes more: what does not grow with the rate is what makes flows equal.
const WINDOW: u64 = 384;
const SLACK: u64 = 32_768;
/// The fastest of so many round trips is taken for the rate.
const ROUNDS: u64 = 10;
/// The pipe is full when the rate has not risen by a quarter in so many round trips.
const FULL: u8 = 3;
/// The shortest round trip is looked for again after so long ...
const TRIP_HOLDS: Millis = Millis(10_000);
/// ... with few frames under way for so long.
const TRIP_PROBE: Millis = Millis(200);
/// Bytes that may be under way before anything is known, and always.
const FIRST_WINDOW: u64 = 12_000;
const LEAST_WINDOW: u64 = 4_800;
/// A sender that was late makes up for so long, in nanoseconds.
const BURST: u64 = 2_000_000;

#[derive(Clone, Copy, Debug)]
pub(super) struct Congestion {
    mode: Mode,
    fastest: Fastest,
    /// Round trips, counted.
    round: u64,
    /// The shortest round trip in microseconds, and when it was found.
    trip: Option<u64>,
    trip_at: Instant,
    /// Bytes that have arrived, and when the last of them were heard of.
    delivered: u64,
    delivered_at: Instant,
    /// Up to here rates say more about the source than about the path.
    limited: u64,
    sample: Option<Sample>,
    /// When the frame was sent that the last sample was.
    first_at: Instant,
    /// The rate that a full pipe is measured by, and the rounds without one that is a quarter higher.
    full_rate: u64,
    full_rounds: u8,
    /// When the next frame may go, in nanoseconds.
    next: u64,
    held: Held,
    /// The length of a frame.
    frame: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The rate is looked for.
    Startup,
    /// The queue that this has made is let go.
    Drain,
    ProbeBandwidth {
        phase: usize,
        since: Instant,
        /// Something was lost in it.
        lost: bool,
    },
    /// Little is under way until then, once it is little; and until this round has passed.
    ProbeTrip { until: Option<Instant>, round: u64 },
}

/// What kept the last frame from being followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    ByWindow,
    /// Time, or nothing but the source.
    Otherwise,
}

/// A frame by which the rate is measured: the transfer, where it ends, and how things stood when it was sent.
#[derive(Clone, Copy, Debug)]
struct Sample {
    transfer: u32,
    end: u64,
    sent_at: Instant,
    first_at: Instant,
    delivered: u64,
    delivered_at: Instant,
}

/// The highest rates of the last rounds, in bytes a second: a windowed maximum of three.
#[derive(Clone, Copy, Debug, Default)]
struct Fastest {
    best: Rate,
    second: Rate,
    third: Rate,
}

#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    round: u64,
    rate: u64,
}

impl Fastest {
    fn add(&mut self, new: Rate) {
        let since = |rate: Rate| new.round.saturating_sub(rate.round);
        if new.rate >= self.best.rate || since(self.third) > ROUNDS {
            (self.best, self.second, self.third) = (new, new, new);
            return;
        }
        if new.rate >= self.second.rate {
            (self.second, self.third) = (new, new);
        } else if new.rate >= self.third.rate {
            self.third = new;
        }
        if since(self.best) > ROUNDS {
            (self.best, self.second, self.third) = (self.second, self.third, new);
            if since(self.best) > ROUNDS {
                (self.best, self.second) = (self.second, self.third);
            }
        } else if self.second.round == self.best.round && since(self.best) > ROUNDS / 4 {
            (self.second, self.third) = (new, new);
        } else if self.third.round == self.second.round && since(self.best) > ROUNDS / 2 {
            self.third = new;
        }
    }
}

fn scaled(value: u64, gain: u64) -> u64 {
    value.saturating_mul(gain) / ONE
}

/// Bytes in so many microseconds at `rate` bytes a second.
fn bytes(rate: u64, micros: u64) -> u64 {
    rate.saturating_mul(micros) / 1_000_000
}

impl Congestion {
    pub(super) fn new() -> Self {
        Self {
            mode: Mode::Startup,
            fastest: Fastest::default(),
            round: 0,
            trip: None,
            trip_at: Instant::ZERO,
            delivered: 0,
            delivered_at: Instant::ZERO,
            limited: 0,
            sample: None,
            first_at: Instant::ZERO,
            full_rate: 0,
            full_rounds: 0,
            next: 0,
            held: Held::Otherwise,
            frame: 1_200,
        }
    }

    /// Frames are so long from now on.
    pub(super) fn frames(&mut self, length: u64) {
        self.frame = length;
    }

    fn least(&self) -> u64 {
        LEAST_WINDOW.max(self.frame.saturating_mul(2))
    }

    /// The rate of the path in bytes a second, and its round trip in microseconds, once they are known.
    fn path(&self) -> Option<(u64, u64)> {
        let trip = self.trip?.max(1);
        if self.fastest.best.rate == 0 {
            return None;
        }
        let least = LEAST_WINDOW.saturating_mul(1_000_000).checked_div(trip).unwrap_or(0);
        Some((self.fastest.best.rate.max(least), trip))
    }

    fn gain(&self) -> u64 {
        match self.mode {
            Mode::Startup => HIGH,
            Mode::Drain => LOW,
            Mode::ProbeBandwidth { phase, .. } => CYCLE.get(phase).copied().unwrap_or(ONE),
            Mode::ProbeTrip { .. } => ONE,
        }
    }

    /// Bytes under way that fill the path, times `gain`.
    fn fills(&self, gain: u64) -> u64 {
        let Some((rate, trip)) = self.path() else { return FIRST_WINDOW };
        let full = bytes(rate, trip);
        let slack = full.min(SLACK).saturating_add(self.frame.saturating_mul(2));
        scaled(full, gain).saturating_add(slack)
    }

    /// So many bytes may be under way.
    pub(super) fn window(&self) -> u64 {
        match self.mode {
            Mode::Startup | Mode::Drain => self.fills(HIGH).max(FIRST_WINDOW),
            Mode::ProbeBandwidth { .. } => self.fills(WINDOW),
            Mode::ProbeTrip { .. } => self.least(),
        }
    }

    /// When the next frame may go.
    pub(super) fn next_at(&self) -> Instant {
        Instant::from_micros(self.next.div_ceil(1_000))
    }

    /// So many bytes are sent, while `flight` were under way.
    pub(super) fn sent(&mut self, length: u64, flight: u64, now: Instant) {
        if flight == 0 {
            self.delivered_at = now;
            self.first_at = now;
        }
        let (rate, _) = self.path().unwrap_or((FIRST_WINDOW.saturating_mul(1_000), 1_000));
        let pace = scaled(rate, self.gain()).max(1);
        let takes = length.saturating_mul(1_000_000_000).checked_div(pace).unwrap_or(0);
        let from = now.as_micros().saturating_mul(1_000).saturating_sub(BURST);
        let under_way = flight.saturating_add(length);
        if self.next < from && self.held == Held::Otherwise {
            // Neither the window nor the rate has held it back.
            self.limited = self.delivered.saturating_add(under_way);
        }
        self.next = self.next.max(from).saturating_add(takes);
        let holds = under_way.saturating_add(self.frame) > self.window();
        self.held = if holds { Held::ByWindow } else { Held::Otherwise };
    }

    /// The frame that was sent last ends there, and was never sent before.
    pub(super) fn samples(&mut self, transfer: u32, end: u64, now: Instant) {
        if self.sample.is_none() {
            self.sample = Some(Sample {
                transfer,
                end,
                sent_at: now,
                first_at: self.first_at,
                delivered: self.delivered,
                delivered_at: self.delivered_at,
            });
        }
    }

    pub(super) fn forget(&mut self, transfer: u32) {
        self.sample = self.sample.filter(|sample| sample.transfer != transfer);
    }

    /// So many bytes have arrived.
    pub(super) fn arrived(&mut self, bytes: u64, now: Instant) {
        self.delivered = self.delivered.saturating_add(bytes);
        self.delivered_at = now;
    }

    /// Frames were lost.
    pub(super) fn lost(&mut self) {
        if let Mode::ProbeBandwidth { lost, .. } = &mut self.mode {
            *lost = true;
        }
    }

    /// A round trip has taken so many microseconds.
    pub(super) fn took(&mut self, micros: u64, now: Instant) {
        if self.trip.is_none_or(|trip| micros <= trip || self.trip_is_old(now)) {
            self.trip_is_looked_for(now);
            self.trip = Some(micros);
            self.trip_at = now;
        }
    }

    fn trip_is_old(&self, now: Instant) -> bool {
        now > self.trip_at.after(TRIP_HOLDS)
    }

    fn trip_is_looked_for(&mut self, now: Instant) {
        let probes = matches!(self.mode, Mode::ProbeTrip { .. });
        if self.trip.is_some() && self.trip_is_old(now) && !probes {
            self.mode = Mode::ProbeTrip { until: None, round: self.round };
        }
    }

    /// Everything of a transfer below `known` is known, and `flight` bytes are under way.
    pub(super) fn heard(&mut self, transfer: u32, known: u64, flight: u64, now: Instant) {
        if let Some(sample) = self.sample.filter(|sample| sample.transfer == transfer && sample.end <= known)
        {
            self.sample = None;
            self.measure(&sample, now);
        }
        self.trip_is_looked_for(now);
        match self.mode {
            Mode::Startup => {}
            Mode::Drain if flight <= self.fills(ONE) => self.probe_bandwidth(now),
            Mode::Drain => {}
            Mode::ProbeBandwidth { phase, since, lost } => {
                let passed = now.since(since).as_micros() > u128::from(self.trip.unwrap_or(0));
                let ends = match self.gain() {
                    gain if gain > ONE => passed && (lost || flight >= self.fills(gain)),
                    gain if gain < ONE => passed || flight <= self.fills(ONE),
                    _ => passed,
                };
                if ends {
                    let next = phase.saturating_add(1);
                    let phase = if next < CYCLE.len() { next } else { 0 };
                    self.mode = Mode::ProbeBandwidth { phase, since: now, lost: false };
                }
            }
            Mode::ProbeTrip { until: None, .. } => {
                if flight <= self.least() {
                    let round = self.round.saturating_add(1);
                    self.mode = Mode::ProbeTrip { until: Some(now.after(TRIP_PROBE)), round };
                }
            }
            Mode::ProbeTrip { until: Some(until), round } => {
                if now >= until && self.round >= round {
                    self.trip_at = now;
                    if self.is_full() { self.probe_bandwidth(now) } else { self.mode = Mode::Startup }
                }
            }
        }
    }

    fn is_full(&self) -> bool {
        self.full_rounds >= FULL
    }

    /// Begins in any phase but the one that lets a queue go, so that flows do not probe together.
    fn probe_bandwidth(&mut self, now: Instant) {
        let any = now.as_micros() % 7;
        let phase = usize::try_from(if any == 0 { 0 } else { any.saturating_add(1) }).unwrap_or(0);
        self.mode = Mode::ProbeBandwidth { phase, since: now, lost: false };
    }

    fn measure(&mut self, sample: &Sample, now: Instant) {
        self.round = self.round.saturating_add(1);
        self.first_at = sample.sent_at;
        let acked = now.since(sample.delivered_at);
        let sent = sample.sent_at.since(sample.first_at);
        let micros = u64::try_from(acked.max(sent).as_micros()).unwrap_or(u64::MAX);
        if micros == 0 || self.trip.is_some_and(|trip| micros < trip) {
            return;
        }
        let more = self.delivered.saturating_sub(sample.delivered);
        let rate = more.saturating_mul(1_000_000).checked_div(micros).unwrap_or(0);
        let limited = sample.delivered < self.limited;
        if !limited || rate >= self.fastest.best.rate {
            self.fastest.add(Rate { round: self.round, rate });
        }
        if self.is_full() || limited {
            return;
        }
        let best = self.fastest.best.rate;
        if best >= self.full_rate.saturating_add(self.full_rate / 4) {
            self.full_rate = best;
            self.full_rounds = 0;
            return;
        }
        self.full_rounds = self.full_rounds.saturating_add(1);
        if self.is_full() && self.mode == Mode::Startup {
            self.mode = Mode::Drain;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: u64 = 1_200;

    /// A path with so many bytes a second, this round trip, and any queue: frame by frame, until `end`.
    struct Path {
        congestion: Congestion,
        now: u64,
        /// When the ACK of each frame comes, and when it was sent.
        acks: std::collections::VecDeque<(u64, u64)>,
        busy_until: u64,
        sent: u64,
        acked: u64,
    }

    impl Path {
        fn new() -> Self {
            let acks = std::collections::VecDeque::new();
            Self { congestion: Congestion::new(), now: 0, acks, busy_until: 0, sent: 0, acked: 0 }
        }

        /// Goes on for so many microseconds, with bytes for the path as far as `has` says.
        fn go(&mut self, rate: u64, trip: u64, micros: u64, has: impl Fn(u64) -> u64) {
            let end = self.now + micros;
            while self.now < end {
                let now = Instant::from_micros(self.now);
                while self.acks.front().is_some_and(|(at, _)| *at <= self.now) {
                    let (_, sent) = self.acks.pop_front().unwrap();
                    self.acked += FRAME;
                    self.congestion.arrived(FRAME, now);
                    self.congestion.took(self.now - sent, now);
                    self.congestion.heard(1, self.acked, self.sent - self.acked, now);
                }
                let flight = self.sent - self.acked;
                if self.sent < has(self.now)
                    && flight + FRAME <= self.congestion.window()
                    && self.congestion.next_at() <= now
                {
                    self.congestion.sent(FRAME, flight, now);
                    self.sent += FRAME;
                    self.congestion.samples(1, self.sent, now);
                    self.busy_until = self.busy_until.max(self.now) + FRAME * 1_000_000 / rate;
                    self.acks.push_back((self.busy_until + trip, self.now));
                } else {
                    self.now += 50;
                }
            }
        }
    }

    #[test]
    fn it_finds_the_rate_and_the_round_trip_and_leaves_no_queue() {
        let mut path = Path::new();
        path.go(1_000_000, 40_000, 2_000_000, |_| u64::MAX);
        assert!(matches!(path.congestion.mode, Mode::ProbeBandwidth { .. }), "{:?}", path.congestion.mode);
        let (rate, trip) = path.congestion.path().unwrap();
        assert!((960_000..1_100_000).contains(&rate), "{rate}");
        assert!((40_000..45_000).contains(&trip), "{trip}");
        assert!(path.sent - path.acked < 80_000, "{} bytes under way", path.sent - path.acked);
        // The path becomes slower, and faster.
        path.go(200_000, 40_000, 5_000_000, |_| u64::MAX);
        let (rate, _) = path.congestion.path().unwrap();
        assert!((190_000..260_000).contains(&rate), "{rate}");
        path.go(1_000_000, 40_000, 10_000_000, |_| u64::MAX);
        let (rate, _) = path.congestion.path().unwrap();
        assert!(rate > 900_000, "{rate}");
    }

    #[test]
    fn a_slow_source_is_not_a_slow_path() {
        let mut path = Path::new();
        path.go(1_000_000, 40_000, 2_000_000, |_| u64::MAX);
        let (sent, begun) = (path.sent, path.now);
        path.go(1_000_000, 40_000, 5_000_000, |now| sent + (now - begun) / 50);
        let (rate, _) = path.congestion.path().unwrap();
        assert!(rate > 900_000, "{rate}");
    }

    #[test]
    fn the_shortest_round_trip_is_looked_for_again() {
        let mut path = Path::new();
        path.go(1_000_000, 40_000, 2_000_000, |_| u64::MAX);
        // The path is longer from now on.
        path.go(1_000_000, 80_000, 15_000_000, |_| u64::MAX);
        let (rate, trip) = path.congestion.path().unwrap();
        assert!((80_000..85_000).contains(&trip), "{trip}");
        assert!(rate > 900_000, "{rate}");
    }

    #[test]
    fn the_fastest_of_the_last_rounds_counts() {
        let mut fastest = Fastest::default();
        let mut after = |round, rate| {
            fastest.add(Rate { round, rate });
            fastest.best.rate
        };
        assert_eq!(after(1, 100), 100);
        assert!((2..=11).all(|round| after(round, 60 + round) == 100));
        assert!((60..100).contains(&after(12, 50)));
        assert_eq!(after(13, 90), 90);
    }
}
