//! What may happen on a link that loses, alters and injects; all of it follows from a seed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::dice::Dice;

/// Faults of one direction. Frames are counted from 0: those that end with a delimiter of COBS (§2.2), or datagrams (§2.3).
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// How often a bit of a byte is turned.
    pub flip: Chance,
    /// How often a frame is lost.
    pub loss: Chance,
    /// Losses that come together.
    pub bursts: Option<Bursts>,
    /// How often a frame comes twice.
    pub doubling: Chance,
    /// How often random bytes go before a frame.
    pub babble: Chance,
    /// A datagram takes up to so many microseconds longer than it must.
    pub jitter: u64,
    /// Frames that are lost.
    pub lost: BTreeSet<u64>,
    /// Frames that come twice.
    pub twice: BTreeSet<u64>,
    /// Datagrams that arrive behind so many later ones.
    pub late: BTreeMap<u64, u32>,
    /// Put in before this frame.
    pub junk: Option<(u64, Vec<u8>)>,
    /// When nothing passes, in microseconds.
    pub outages: Vec<Range<u64>>,
    /// From this moment on the link is whole, in microseconds.
    pub until: Option<u64>,
    dice: Dice,
    /// The frame that is passing, as far as it has come.
    frame: u64,
    passing: Vec<u8>,
    fate: Fate,
}

/// A chance in 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chance(u32);

impl Chance {
    /// From a number between 0 and 1.
    pub fn of(chance: f64) -> Self {
        Self((chance * 2_f64.powi(32)) as u32)
    }
}

/// Gilbert and Elliott's line: a good state that loses nothing, and a bad one.
#[derive(Clone, Copy, Debug)]
pub struct Bursts {
    /// How often a frame is the first bad one.
    pub begin: Chance,
    /// How often a frame is the first good one again.
    pub end: Chance,
    /// How often one is lost in between.
    pub loss: Chance,
    state: Weather,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weather {
    Good,
    Bad,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    Arrives,
    ArrivesTwice,
    Lost,
}

impl Bursts {
    /// Bad times begin and end with these chances a frame, and lose frames with the third.
    pub fn new(begin: f64, end: f64, loss: f64) -> Self {
        Self { begin: Chance::of(begin), end: Chance::of(end), loss: Chance::of(loss), state: Weather::Good }
    }

    fn loses(&mut self, dice: &mut Dice) -> bool {
        let (chance, other) = match self.state {
            Weather::Good => (self.begin, Weather::Bad),
            Weather::Bad => (self.end, Weather::Good),
        };
        if dice.happens(chance.0) {
            self.state = other;
        }
        self.state == Weather::Bad && dice.happens(self.loss.0)
    }
}

/// A datagram that arrives.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) bytes: Vec<u8>,
    /// So many microseconds later than it must.
    pub(crate) later: u64,
    /// Behind so many later ones.
    pub(crate) behind: u32,
}

impl Faults {
    /// None yet; what is random follows from this seed.
    pub fn seeded(seed: u64) -> Self {
        Self { dice: Dice::new(seed), ..Self::default() }
    }

    /// Bits are turned with this chance a byte, by this seed.
    pub fn flips(chance: f64, seed: u64) -> Self {
        Self { flip: Chance::of(chance), ..Self::seeded(seed) }
    }

    /// Frames are lost with this chance, by this seed.
    pub fn drops(chance: f64, seed: u64) -> Self {
        Self { loss: Chance::of(chance), ..Self::seeded(seed) }
    }

    /// These frames are lost.
    pub fn loses(frames: impl IntoIterator<Item = u64>) -> Self {
        Self { lost: frames.into_iter().collect(), ..Self::default() }
    }

    /// These frames come twice.
    pub fn doubles(frames: impl IntoIterator<Item = u64>) -> Self {
        Self { twice: frames.into_iter().collect(), ..Self::default() }
    }

    /// This datagram arrives behind the next `behind`.
    pub fn delays(frame: u64, behind: u32) -> Self {
        Self { late: [(frame, behind)].into(), ..Self::default() }
    }

    /// Something else is said before this frame.
    pub fn says(before: u64, junk: &[u8]) -> Self {
        Self { junk: Some((before, junk.to_vec())), ..Self::default() }
    }

    /// How many frames have passed.
    pub fn passed(&self) -> u64 {
        self.frame
    }

    fn is_out(&self, now: u64) -> bool {
        self.outages.iter().any(|outage| outage.contains(&now))
    }

    fn is_over(&self, now: u64) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    fn decide(&mut self) -> Fate {
        let unlucky = self.dice.happens(self.loss.0);
        let in_burst = self.bursts.as_mut().is_some_and(|bursts| bursts.loses(&mut self.dice));
        let doubled = self.dice.happens(self.doubling.0);
        if unlucky || in_burst || self.lost.contains(&self.frame) {
            Fate::Lost
        } else if doubled || self.twice.contains(&self.frame) {
            Fate::ArrivesTwice
        } else {
            Fate::Arrives
        }
    }

    /// What is said before the frame that comes now.
    fn before(&mut self) -> Vec<u8> {
        let mut said = Vec::new();
        if self.junk.as_ref().is_some_and(|(before, _)| *before == self.frame) {
            said.extend(self.junk.take().map(|(_, junk)| junk).unwrap_or_default());
        }
        if self.dice.happens(self.babble.0) {
            let length = 1 + self.dice.roll(200);
            said.extend((0..length).map(|_| self.dice.roll(256) as u8));
        }
        said
    }

    fn turned(&mut self, byte: u8) -> u8 {
        if self.dice.happens(self.flip.0) { byte ^ (1 << self.dice.roll(8)) } else { byte }
    }

    /// What arrives of these bytes of a line.
    pub(crate) fn apply(&mut self, bytes: &[u8], now: u64) -> Vec<u8> {
        if self.is_over(now) {
            return bytes.to_vec();
        }
        let out = self.is_out(now);
        let mut arrives = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            if self.passing.is_empty() {
                if byte != 0 || self.junk.is_some() {
                    arrives.extend(self.before());
                }
                if byte != 0 {
                    self.fate = self.decide();
                }
            }
            if self.fate != Fate::Lost && !out {
                arrives.push(self.turned(byte));
            }
            if byte != 0 {
                self.passing.push(byte);
            } else if !self.passing.is_empty() {
                let frame = std::mem::take(&mut self.passing);
                if self.fate == Fate::ArrivesTwice && !out {
                    arrives.extend(frame);
                    arrives.push(0);
                }
                self.frame += 1;
                self.fate = Fate::Arrives;
            }
        }
        arrives
    }

    /// What arrives of this datagram.
    pub(crate) fn datagram(&mut self, bytes: &[u8], now: u64) -> Vec<Arrival> {
        if self.is_over(now) {
            return vec![Arrival { bytes: bytes.to_vec(), later: 0, behind: 0 }];
        }
        let behind = self.late.get(&self.frame).copied().unwrap_or(0);
        let junk = self.before();
        let fate = self.decide();
        self.frame += 1;
        let mut arrivals = Vec::new();
        if !junk.is_empty() {
            arrivals.push(Arrival { bytes: junk, later: 0, behind: 0 });
        }
        let times = match fate {
            _ if self.is_out(now) => 0,
            Fate::Lost => 0,
            Fate::Arrives => 1,
            Fate::ArrivesTwice => 2,
        };
        for _ in 0..times {
            let later = if self.jitter == 0 { 0 } else { self.dice.roll(self.jitter + 1) };
            let bytes = bytes.iter().map(|byte| self.turned(*byte)).collect();
            arrivals.push(Arrival { bytes, later, behind });
        }
        arrivals
    }
}
