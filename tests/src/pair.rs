//! Two engines over a simulated link in virtual time.

use sampan_core::driver::{Turn, nb as driver};
use sampan_core::session::Role;
use sampan_core::wire::{Code, Nibble};
use sampan_core::{
    Both, By, Engine, Error, Event, Framing, Instant, LinkError, Missing, Next, Nonce, Reliability, Session,
    Speaks, Stream, Stretches, TransferId, WantId,
};

use crate::link::{Conditions, SimLink, Wire};
use crate::storage::MemoryStorage;

/// An event, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Heard {
    Opened,
    Sent(TransferId),
    HadIt(TransferId),
    SendFailed(TransferId, Code, By, String),
    Received(TransferId),
    ReceiveFailed(TransferId, Code, By, String),
    WantFailed(WantId, Code),
    Notice(String),
    Attached(String),
    NoticeTaken(u32),
    Bye(Code),
    EndOfStream,
    Noise(Vec<u8>),
}

impl Heard {
    /// A copy of an event.
    pub fn from_event(event: Event<'_>) -> Self {
        match event {
            Event::Opened => Self::Opened,
            Event::Sent { transfer, how: sampan_core::Sent::Stored, .. } => Self::Sent(transfer),
            Event::Sent { transfer, how: sampan_core::Sent::HadIt, .. } => Self::HadIt(transfer),
            Event::SendFailed(f) => Self::SendFailed(f.transfer, f.code, f.by, f.words.into()),
            Event::Received { transfer } => Self::Received(transfer),
            Event::ReceiveFailed(f) => Self::ReceiveFailed(f.transfer, f.code, f.by, f.words.into()),
            Event::WantFailed { want, code, .. } => Self::WantFailed(want, code),
            Event::Notice(words) => Self::Notice(words.into()),
            Event::Attached(name) => Self::Attached(name.as_str().into()),
            Event::NoticeTaken { number } => Self::NoticeTaken(number),
            Event::Bye { code } => Self::Bye(code),
            Event::EndOfStream => Self::EndOfStream,
            Event::Noise(bytes) => Self::Noise(bytes.to_vec()),
            _ => unreachable!("an event the kit does not know"),
        }
    }
}

/// How an engine ended.
pub type Finish = Result<(), Error>;

/// One engine with what belongs to it.
#[derive(Debug)]
pub struct End<E> {
    /// The engine.
    pub engine: E,
    /// Its storage.
    pub storage: MemoryStorage,
    /// Its end of the link.
    pub link: SimLink,
    /// What it said.
    pub heard: Vec<Heard>,
    /// How it ended.
    pub finish: Option<Finish>,
}

impl<E: Engine> End<E> {
    /// Turns until there is nothing to do now; whether anything was done.
    pub fn work(&mut self, now: u64) -> bool {
        let mut worked = false;
        for _ in 0..500_000 {
            if self.finish.is_some() {
                return worked;
            }
            let now = Instant::from_micros(now);
            match driver::turn(&mut self.engine, &mut self.link, &mut self.storage, now) {
                Ok(Turn::Worked) => worked = true,
                Ok(Turn::Event(event)) => {
                    self.heard.push(Heard::from_event(event));
                    worked = true;
                }
                Ok(Turn::Closed) => self.finish = Some(Ok(())),
                Err(nb::Error::WouldBlock) => return worked,
                Err(nb::Error::Other(error)) => self.finish = Some(Err(error)),
            }
            if self.storage.disk.is_off() {
                self.finish = Some(Err(LinkError::Lost.into()));
            }
        }
        panic!("never done at one and the same moment: {:?} {:?}", self.heard, self.link);
    }

    /// When it wants to be called again.
    pub fn deadline(&mut self, now: u64) -> Option<u64> {
        if self.finish.is_some() {
            return None;
        }
        match self.engine.next(Instant::from_micros(now)) {
            Next::Wait(until) => Some(until.expect("a state without a deadline").as_micros()),
            _ => self.engine.deadline().map(Instant::as_micros),
        }
    }
}

/// Two ends and the link between them.
#[derive(Debug)]
pub struct Pair<A, B> {
    /// The end that dialled.
    pub a: End<A>,
    /// The other.
    pub b: End<B>,
    /// The link.
    pub wire: Wire,
    /// What becomes of it when an end has finished.
    pub after: After,
}

/// What becomes of a link when an end has finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It is closed: a connection.
    Closed,
    /// It stays, and nobody hears what comes there: a line.
    Open,
}

impl<A: Engine + core::fmt::Debug, B: Engine + core::fmt::Debug> Pair<A, B> {
    /// Joins two engines that were made at `now`.
    pub fn join(a: (A, MemoryStorage), b: (B, MemoryStorage), conditions: Conditions, now: u64) -> Self {
        let wire = Wire::new(conditions, now);
        let (link_a, link_b) = wire.ends();
        let end_a = End { engine: a.0, storage: a.1, link: link_a, heard: Vec::new(), finish: None };
        let end_b = End { engine: b.0, storage: b.1, link: link_b, heard: Vec::new(), finish: None };
        Self { a: end_a, b: end_b, wire, after: After::Closed }
    }

    /// The time in microseconds.
    pub fn now(&self) -> u64 {
        self.wire.now()
    }

    fn keep_time_of(&mut self, wire: &Wire) {
        for own in [&mut self.wire, self.a.link.wire_mut(), self.b.link.wire_mut()] {
            own.keep_time_of(wire);
        }
    }

    /// Works at both ends until neither has anything to do at this moment.
    ///
    /// # Panics
    ///
    /// If they go on for ever, each answering the other.
    pub fn settle(&mut self) {
        let began = [0, 1].map(|way| self.wire.channel(way).carried);
        for _ in 0..5_000 {
            let now = self.now();
            let a = self.a.work(now);
            let b = self.b.work(now);
            if self.after == After::Closed && (self.a.finish.is_some() || self.b.finish.is_some()) {
                // An end that has finished lets go of the link.
                self.wire.close();
            }
            if !a && !b {
                return;
            }
        }
        let carried = [0, 1].map(|way| self.wire.channel(way).carried - began[way]);
        panic!(
            "both ends answer each other for ever, with {carried:?} bytes so far: {:?} {:?}",
            self.a, self.b
        );
    }

    /// A new link between both ends, at `now`.
    pub(crate) fn renew_link(&mut self, conditions: Conditions, now: u64) {
        self.wire = Wire::new(conditions, now);
        (self.a.link, self.b.link) = self.wire.ends();
    }

    /// The next moment at which something happens; `None` if nothing ever will.
    pub(crate) fn next(&mut self) -> Option<u64> {
        let now = self.now();
        let next = [self.wire.next_arrival(), self.a.deadline(now), self.b.deadline(now)];
        next.into_iter().flatten().min().map(|at| at.max(now + u64::from(at <= now)))
    }

    /// Goes on to the next moment at which something happens; `false` if both ends have finished.
    pub fn advance(&mut self) -> bool {
        match self.next() {
            Some(at) => {
                self.wire.advance(at);
                true
            }
            None => self.a.finish.is_none() || self.b.finish.is_none(),
        }
    }

    /// Runs until `done`, for at most `seconds` of virtual time.
    pub fn run_until(&mut self, seconds: u64, mut done: impl FnMut(&mut Self) -> bool) {
        let end = self.now() + seconds * 1_000_000;
        loop {
            self.settle();
            if done(self) {
                return;
            }
            self.settle();
            assert!(self.now() <= end, "not done in time: {self:#?}");
            if !self.advance() {
                assert!(done(self), "both ends are finished: {:?} {:?}", self.a.finish, self.b.finish);
                return;
            }
        }
    }

    /// Runs until both ends have finished, and says how.
    pub fn finish(&mut self, seconds: u64) -> (Finish, Finish) {
        self.run_until(seconds, |pair| pair.a.finish.is_some() && pair.b.finish.is_some());
        (self.a.finish.expect("finished"), self.b.finish.expect("finished"))
    }
}

/// Runs several pairs by one clock until `done`, for at most `seconds` of virtual time.
///
/// # Panics
///
/// If it takes longer, or nothing happens any more.
pub fn run_together<A, B>(
    pairs: &mut [Pair<A, B>],
    seconds: u64,
    mut done: impl FnMut(&mut [Pair<A, B>]) -> bool,
) where
    A: Engine + core::fmt::Debug,
    B: Engine + core::fmt::Debug,
{
    let [first, others @ ..] = &mut *pairs else { return };
    for pair in others {
        pair.keep_time_of(&first.wire);
    }
    let end = pairs[0].now() + seconds * 1_000_000;
    loop {
        for pair in &mut *pairs {
            pair.settle();
        }
        if done(pairs) {
            return;
        }
        let next = pairs.iter_mut().filter_map(Pair::next).min().expect("something that happens later");
        assert!(next <= end, "not done in time");
        pairs[0].wire.advance(next);
    }
}

impl<'b, R: Role<'b>, F: Framing> End<Session<'b, R, F>> {
    /// Whether it has nothing under way.
    pub fn is_idle(&mut self) -> bool {
        self.engine.is_idle()
    }
}

/// Memory for one end, to be leaked: tests are short.
pub(crate) fn leak<T: Clone>(value: T, length: usize) -> &'static mut [T] {
    vec![value; length].leak()
}

/// A session that can both send and receive, in leaked memory.
pub fn session(
    limits: sampan_core::Limits,
    memory: (usize, usize, usize),
    opening: (Speaks, u64),
    now: u64,
) -> Session<'static, Both<'static>> {
    session_over(Stream::new(), limits, memory, opening, now)
}

/// Both roles, of which the receiver remembers so many gaps and the sender so many ranges that are missing.
fn remembering<const GAPS: usize, const REPAIRS: usize>(slots: usize) -> Both<'static> {
    let gaps: &'static mut Stretches<GAPS> = Box::leak(Box::default());
    let repairs: &'static mut heapless::Vec<Missing, REPAIRS> = Box::leak(Box::default());
    Both {
        sender: sampan_core::Sender::with_repairs(leak(sampan_core::Outgoing::FREE, slots), repairs),
        receiver: sampan_core::Receiver::with_gaps(leak(sampan_core::Incoming::FREE, slots), gaps),
    }
}

/// The same in this framing.
pub fn session_over<F: Framing>(
    framing: F,
    limits: sampan_core::Limits,
    memory: (usize, usize, usize),
    (speaks, nonce): (Speaks, u64),
    now: u64,
) -> Session<'static, Both<'static>, F> {
    session_begun(framing, limits, memory, (speaks, Nonce::new(nonce)), now)
}

/// The same, begun as another one has said that its successor should (§8.5).
pub fn session_begun<F: Framing>(
    framing: F,
    limits: sampan_core::Limits,
    (receive, transmit, slots): (usize, usize, usize),
    opening: (Speaks, Nonce),
    now: u64,
) -> Session<'static, Both<'static>, F> {
    let role = match framing.link() {
        // As a host, but where little can be under way.
        Reliability::Datagrams if limits.window > 16 << 10 => remembering::<1024, 256>(slots),
        Reliability::Datagrams => remembering::<32, 32>(slots),
        Reliability::Reliable | Reliability::Lossy => remembering::<4, 4>(slots),
    };
    let buffers = sampan_core::Buffers { receive: leak(0xA5, receive), transmit: leak(0xA5, transmit) };
    let limits = Box::leak(Box::new(limits));
    let now = Instant::from_micros(now);
    Session::with_framing(buffers, limits, role, (framing, Nibble), opening, now).expect("large enough")
}
