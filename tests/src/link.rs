//! A simulated link: two channels in virtual time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::channel::{Carries, Channel};
use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

/// What a link is like.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// What it carries.
    pub carries: Carries,
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
    /// Bytes that wait for their turn at this rate; datagrams beyond them are dropped.
    pub queue: usize,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            carries: Carries::Stream,
            delay: 10_000,
            capacity: usize::MAX,
            read_max: usize::MAX,
            write_max: usize::MAX,
            rate: 0,
            queue: usize::MAX,
        }
    }
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
        let channel = || Rc::new(RefCell::new(Channel::new(&conditions)));
        Self { conditions, now: Rc::new(Cell::new(now)), channels: [channel(), channel()] }
    }

    /// The time of this link is from now on that of `other`.
    pub(crate) fn keep_time_of(&mut self, other: &Self) {
        assert!(other.now() >= self.now(), "time runs backwards");
        self.now = other.now.clone();
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
            channel.borrow_mut().close();
        }
    }

    /// When the next bytes arrive that are not there yet.
    pub fn next_arrival(&self) -> Option<u64> {
        let now = self.now();
        self.channels.iter().filter_map(|channel| channel.borrow().next_arrival(now)).min()
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
        let limit = buffer.len().min(self.wire.conditions.read_max);
        let mut channel = self.wire.channel(1 - self.out);
        let n = channel.read(&mut buffer[..limit], self.wire.now());
        match n {
            0 if channel.has_ended() => Ok(0),
            0 => Err(ErrorKind::TimedOut),
            n => Ok(n),
        }
    }
}

impl ReadReady for SimLink {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        if self.trickles() {
            return Ok(false);
        }
        Ok(self.wire.channel(1 - self.out).is_readable(self.wire.now()))
    }
}

impl Write for SimLink {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let conditions = self.wire.conditions;
        let mut channel = self.wire.channel(self.out);
        if channel.is_closed() {
            return Err(ErrorKind::ConnectionReset);
        }
        let n = channel.room(bytes.len().min(conditions.write_max), &conditions);
        if n == 0 {
            return Err(ErrorKind::TimedOut);
        }
        let (n, cut) = channel.until_cut(n);
        channel.write(&bytes[..n], self.wire.now(), conditions.delay);
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
        Ok(channel.is_closed() || channel.room(1, &self.wire.conditions) > 0)
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
