//! A simulated link: two byte channels in virtual time.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use crate::faults::Faults;
use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

/// What a link is like.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// One-way delay in microseconds.
    pub delay: u64,
    /// Bytes that one direction holds before it takes no more.
    pub capacity: usize,
    /// The most that one read brings.
    pub read_max: usize,
    /// The most that one write takes.
    pub write_max: usize,
    /// Bytes a second, in each direction; 0 for any.
    pub rate: u64,
}

impl Default for Conditions {
    fn default() -> Self {
        Self { delay: 10_000, capacity: usize::MAX, read_max: usize::MAX, write_max: usize::MAX, rate: 0 }
    }
}

/// One direction.
#[derive(Debug, Default)]
pub struct Channel {
    flights: VecDeque<(u64, Vec<u8>)>,
    inside: usize,
    /// Bytes that went in.
    pub carried: u64,
    /// The link ends once so many bytes went in.
    pub cut_after: Option<u64>,
    /// Bytes beyond so many vanish, while the link stays open.
    pub mute_after: Option<u64>,
    /// Everything that went in, if it is kept.
    pub tape: Option<Vec<u8>>,
    /// What happens to what goes in.
    pub faults: Faults,
    /// When the last byte that went in will have left.
    busy_until: u64,
    closed: bool,
}

/// Both directions, and the time.
#[derive(Clone, Debug)]
pub struct Wire {
    /// What it is like.
    pub conditions: Conditions,
    now: Rc<Cell<u64>>,
    channels: [Rc<RefCell<Channel>>; 2],
}

impl Wire {
    /// A link at `now` microseconds.
    pub fn new(conditions: Conditions, now: u64) -> Self {
        Self { conditions, now: Rc::new(Cell::new(now)), channels: Default::default() }
    }

    /// Both ends of it; the first writes into channel 0.
    pub fn ends(&self) -> (SimLink, SimLink) {
        let end = |out: usize| SimLink { wire: self.clone(), out, trickle: None, last_read: 0 };
        (end(0), end(1))
    }

    /// The direction that end `index` writes into.
    pub fn channel(&self, index: usize) -> std::cell::RefMut<'_, Channel> {
        self.channels[index].borrow_mut()
    }

    /// The time in microseconds.
    pub fn now(&self) -> u64 {
        self.now.get()
    }

    /// Moves the time on.
    pub fn advance(&self, to: u64) {
        assert!(to >= self.now.get(), "time runs backwards");
        self.now.set(to);
    }

    /// Ends both directions; what is under way still arrives.
    pub fn close(&self) {
        for channel in &self.channels {
            channel.borrow_mut().closed = true;
        }
    }

    /// When the next bytes arrive that are not there yet.
    pub fn next_arrival(&self) -> Option<u64> {
        let now = self.now();
        self.channels
            .iter()
            .flat_map(|channel| channel.borrow().flights.iter().map(|(at, _)| *at).collect::<Vec<_>>())
            .filter(|at| *at > now)
            .min()
    }
}

/// One end of a link, for a driver.
#[derive(Clone, Debug)]
pub struct SimLink {
    wire: Wire,
    out: usize,
    trickle: Option<u64>,
    last_read: u64,
}

impl SimLink {
    /// From now on a read brings something only every so many microseconds.
    pub fn trickle(&mut self, every: u64) {
        self.trickle = Some(every);
    }

    /// From now on a read brings at most 100 bytes, every tenth of a second, and a direction holds `capacity` bytes.
    pub fn slow(&mut self, capacity: usize) {
        self.wire.conditions.capacity = capacity;
        self.wire.conditions.read_max = 100;
        self.trickle(100_000);
    }

    pub(crate) fn wire_mut(&mut self) -> &mut Wire {
        &mut self.wire
    }

    fn trickles(&self) -> bool {
        self.trickle.is_some_and(|every| self.wire.now() < self.last_read + every)
    }
}

impl ErrorType for SimLink {
    type Error = ErrorKind;
}

impl Read for SimLink {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        assert!(!buffer.is_empty(), "a read into nothing looks like the end of the stream");
        if self.trickles() {
            return Err(ErrorKind::TimedOut);
        }
        self.last_read = self.wire.now();
        let mut channel = self.wire.channel(1 - self.out);
        let now = self.wire.now();
        let limit = buffer.len().min(self.wire.conditions.read_max);
        let mut n = 0;
        while n < limit {
            let Some((at, bytes)) = channel.flights.front_mut() else { break };
            if *at > now {
                break;
            }
            let taken = bytes.len().min(limit - n);
            buffer[n..n + taken].copy_from_slice(&bytes[..taken]);
            bytes.drain(..taken);
            n += taken;
            if bytes.is_empty() {
                channel.flights.pop_front();
            }
        }
        channel.inside -= n;
        if n == 0 {
            let ended = channel.closed && channel.flights.is_empty();
            return if ended { Ok(0) } else { Err(ErrorKind::TimedOut) };
        }
        Ok(n)
    }
}

impl ReadReady for SimLink {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        if self.trickles() {
            return Ok(false);
        }
        let channel = self.wire.channel(1 - self.out);
        let now = self.wire.now();
        Ok(match channel.flights.front() {
            Some((at, _)) => *at <= now,
            None => channel.closed,
        })
    }
}

impl Write for SimLink {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let conditions = self.wire.conditions;
        let mut channel = self.wire.channel(self.out);
        if channel.closed {
            return Err(ErrorKind::ConnectionReset);
        }
        let mut n =
            bytes.len().min(conditions.write_max).min(conditions.capacity.saturating_sub(channel.inside));
        if n == 0 {
            return Err(ErrorKind::TimedOut);
        }
        let cut = channel.cut_after.is_some_and(|cut| channel.carried + n as u64 >= cut);
        if let (true, Some(after)) = (cut, channel.cut_after) {
            n = (after - channel.carried) as usize;
        }
        if let Some(mute) = channel.mute_after {
            let heard = mute.saturating_sub(channel.carried).min(n as u64) as usize;
            channel.carried += n as u64;
            if heard > 0 {
                let at = self.wire.now() + conditions.delay;
                channel.inside += heard;
                channel.flights.push_back((at, bytes[..heard].to_vec()));
            }
            return Ok(n);
        }
        channel.carried += n as u64;
        if let Some(tape) = &mut channel.tape {
            tape.extend_from_slice(&bytes[..n]);
        }
        let left = (n as u64 * 1_000_000).checked_div(conditions.rate).unwrap_or(0);
        channel.busy_until = channel.busy_until.max(self.wire.now()) + left;
        let at = channel.busy_until + conditions.delay;
        let arrives = channel.faults.apply(&bytes[..n]);
        if !arrives.is_empty() {
            channel.inside += arrives.len();
            channel.flights.push_back((at, arrives));
        }
        drop(channel);
        if cut {
            self.wire.close();
            if n == 0 {
                return Err(ErrorKind::ConnectionReset);
            }
        }
        Ok(n)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl WriteReady for SimLink {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        let channel = self.wire.channel(self.out);
        Ok(channel.closed || channel.inside < self.wire.conditions.capacity)
    }
}

/// A link that plays a tape in given pieces, over and over, and keeps what is written.
#[derive(Debug)]
pub struct TapeLink<'t> {
    tape: &'t [u8],
    pieces: &'t [usize],
    reads: usize,
    /// What was written.
    pub written: Vec<u8>,
}

impl<'t> TapeLink<'t> {
    /// Plays `tape`; the n-th read brings at most the n-th of `pieces`.
    pub fn new(tape: &'t [u8], pieces: &'t [usize]) -> Self {
        Self { tape, pieces, reads: 0, written: Vec::new() }
    }

    /// Whether the tape has ended.
    pub fn is_done(&self) -> bool {
        self.tape.is_empty()
    }
}

impl ErrorType for TapeLink<'_> {
    type Error = ErrorKind;
}

impl Read for TapeLink<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        let n = self.pieces[self.reads % self.pieces.len()].min(buffer.len()).min(self.tape.len());
        self.reads += 1;
        let (now, later) = self.tape.split_at(n);
        buffer[..n].copy_from_slice(now);
        self.tape = later;
        if n == 0 { Err(ErrorKind::TimedOut) } else { Ok(n) }
    }
}

impl ReadReady for TapeLink<'_> {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(!self.tape.is_empty())
    }
}

impl Write for TapeLink<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let n = bytes.len().min(self.pieces[self.reads % self.pieces.len()]);
        self.written.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl WriteReady for TapeLink<'_> {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(true)
    }
}
