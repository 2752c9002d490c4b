//! One direction of a simulated link.

use std::collections::BTreeMap;

use crate::bottleneck::Bottleneck;
use crate::faults::Faults;
use crate::link::Conditions;

/// What a link carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// Bytes, whole and in order.
    Stream,
    /// Bytes that may be lost and altered, with a delimiter after each frame (§2.2).
    Line,
    /// Datagrams: what is written at once is read at once, or not at all (§2.3).
    Datagrams,
}

/// A datagram that is held back waits at most so long for those that are to overtake it, in microseconds.
const PATIENCE: u64 = 2_000_000;

/// One direction.
#[derive(Debug)]
pub struct Channel {
    carries: Carries,
    /// What is under way, by when it arrives and a number that keeps the order.
    flights: BTreeMap<(u64, u64), Vec<u8>>,
    /// Flights that arrive with one that has not left yet, once so many have.
    held: Vec<((u64, u64), u32)>,
    number: u64,
    inside: usize,
    /// Bytes that went in.
    pub carried: u64,
    /// Bytes that were read.
    pub delivered: u64,
    /// The link ends once so many bytes went in.
    pub cut_after: Option<u64>,
    /// Bytes beyond so many vanish, while the link stays open.
    pub mute_after: Option<u64>,
    /// Everything that went in, if it is kept.
    pub tape: Option<Vec<u8>>,
    /// What happens to what goes in.
    pub faults: Faults,
    /// Where it is narrow.
    pub bottleneck: Bottleneck,
    closed: bool,
}

impl Channel {
    pub(crate) fn new(conditions: &Conditions) -> Self {
        let queue = if conditions.carries == Carries::Datagrams { conditions.queue } else { usize::MAX };
        Self {
            carries: conditions.carries,
            flights: BTreeMap::new(),
            held: Vec::new(),
            number: 0,
            inside: 0,
            carried: 0,
            delivered: 0,
            cut_after: None,
            mute_after: None,
            tape: None,
            faults: Faults::default(),
            bottleneck: Bottleneck::new(conditions.rate, queue),
            closed: false,
        }
    }

    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.closed && self.flights.is_empty()
    }

    /// When the next bytes arrive that are not there at `now`.
    pub(crate) fn next_arrival(&self, now: u64) -> Option<u64> {
        self.flights.range((now + 1, 0)..).next().map(|((at, _), _)| *at)
    }

    pub(crate) fn is_readable(&self, now: u64) -> bool {
        match self.flights.first_key_value() {
            Some(((at, _), _)) => *at <= now,
            None => self.closed,
        }
    }

    /// What has arrived and was not read is gone.
    pub fn lose_arrived(&mut self, now: u64) {
        let later = self.flights.split_off(&(now + 1, 0));
        self.inside -= self.flights.values().map(Vec::len).sum::<usize>();
        self.flights = later;
    }

    /// How many of `length` bytes it takes now.
    pub(crate) fn room(&self, length: usize, conditions: &Conditions) -> usize {
        let room = conditions.capacity.saturating_sub(self.inside);
        if self.carries == Carries::Datagrams && room < length { 0 } else { length.min(room) }
    }

    /// How many of `n` bytes go in before the link ends, and whether it ends with them.
    pub(crate) fn until_cut(&self, n: usize) -> (usize, bool) {
        match self.cut_after {
            Some(cut) if self.carried + n as u64 >= cut => ((cut - self.carried) as usize, true),
            _ => (n, false),
        }
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8], now: u64) -> usize {
        let mut n = 0;
        while n < buffer.len()
            && let Some(mut flight) = self.flights.first_entry()
            && flight.key().0 <= now
        {
            let bytes = flight.get_mut();
            let taken = bytes.len().min(buffer.len() - n);
            buffer[n..n + taken].copy_from_slice(&bytes[..taken]);
            n += taken;
            if self.carries == Carries::Datagrams {
                // What does not fit is lost, as it is with a socket.
                self.inside -= bytes.len();
                flight.remove();
                break;
            }
            bytes.drain(..taken);
            self.inside -= taken;
            if bytes.is_empty() {
                flight.remove();
            }
        }
        self.delivered += n as u64;
        n
    }

    pub(crate) fn write(&mut self, bytes: &[u8], now: u64, delay: u64) {
        let heard = match self.mute_after {
            Some(mute) => mute.saturating_sub(self.carried).min(bytes.len() as u64) as usize,
            None => bytes.len(),
        };
        self.carried += bytes.len() as u64;
        if let Some(tape) = &mut self.tape {
            tape.extend_from_slice(bytes);
        }
        match self.carries {
            _ if heard == 0 => {}
            Carries::Stream => self.bytes(&bytes[..heard], now, delay),
            Carries::Line => {
                for frame in bytes[..heard].split_inclusive(|byte| *byte == 0) {
                    self.bytes(frame, now, delay);
                }
            }
            Carries::Datagrams if heard < bytes.len() => {}
            Carries::Datagrams => self.datagram(bytes, now, delay),
        }
    }

    fn bytes(&mut self, bytes: &[u8], now: u64, delay: u64) {
        let left = self.bottleneck.pass(bytes.len(), now).expect("a queue without an end");
        let arrives = self.faults.apply(bytes, now);
        self.fly(left + delay, arrives);
    }

    fn datagram(&mut self, bytes: &[u8], now: u64, delay: u64) {
        let Some(left) = self.bottleneck.pass(bytes.len(), now) else { return };
        let at = left + delay;
        self.overtaken(at);
        for arrival in self.faults.datagram(bytes, now) {
            let patience = if arrival.behind > 0 { PATIENCE } else { 0 };
            let key = self.fly(at + arrival.later + patience, arrival.bytes);
            if arrival.behind > 0 {
                self.held.push((key, arrival.behind));
            }
        }
    }

    /// A datagram passes those that are held back; it arrives at `at`.
    fn overtaken(&mut self, at: u64) {
        for (_, behind) in &mut self.held {
            *behind -= 1;
        }
        let (free, held) = self.held.drain(..).partition(|(_, behind)| *behind == 0);
        self.held = held;
        let free: Vec<((u64, u64), u32)> = free;
        for (key, _) in free {
            if let Some(bytes) = self.flights.remove(&key) {
                self.inside -= bytes.len();
                self.fly(at + 1, bytes);
            }
        }
    }

    fn fly(&mut self, at: u64, bytes: Vec<u8>) -> (u64, u64) {
        let key = (at, self.number);
        self.number += 1;
        if !bytes.is_empty() {
            self.inside += bytes.len();
            self.flights.insert(key, bytes);
        }
        key
    }
}
