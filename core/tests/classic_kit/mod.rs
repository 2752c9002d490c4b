//! A link, a storage and a clock for the engines of the classic handshake.

#![allow(dead_code, unreachable_pub, reason = "each test crate uses a part of it")]

pub mod receiving;
pub mod sending;

use std::collections::VecDeque;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use sampan_core::classic::TRANSFER;
use sampan_core::driver::{Turn, blocking, nb};
use sampan_core::wire::{Code, Crc32, DigestKind, FileName, Identity, Nibble, Offer};
use sampan_core::{
    Completion, Description, Ending, Engine, Error, Event, FileType, Instant, Next, Part, Refusal,
    ResumePoint, Start, Storage, TransferId, Verdict,
};

/// What no buffer may be believed to hold.
pub const POISON: u8 = 0xA5;

/// One end of a link, with reads and writes as small as one likes.
#[derive(Clone, Debug)]
pub struct Link {
    pub inbox: VecDeque<u8>,
    pub outbox: Vec<u8>,
    pub ended: bool,
    /// Writes fail.
    pub reset: bool,
    /// Bytes of one read.
    pub read: usize,
    /// Bytes of one write.
    pub write: usize,
    /// Bytes that are taken until somebody reads them.
    pub capacity: usize,
}

impl Link {
    pub fn new() -> Self {
        Self {
            inbox: VecDeque::new(),
            outbox: Vec::new(),
            ended: false,
            reset: false,
            read: usize::MAX,
            write: usize::MAX,
            capacity: usize::MAX,
        }
    }
}

impl ErrorType for Link {
    type Error = ErrorKind;
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        assert!(!buffer.is_empty());
        buffer.fill(POISON);
        if self.inbox.is_empty() {
            return match (self.ended, self.reset) {
                (_, true) => Err(ErrorKind::ConnectionReset),
                (true, _) => Ok(0),
                _ => Err(ErrorKind::TimedOut),
            };
        }
        let n = buffer.len().min(self.read).min(self.inbox.len());
        for (to, from) in buffer.iter_mut().zip(self.inbox.drain(..n)) {
            *to = from;
        }
        Ok(n)
    }
}

impl ReadReady for Link {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(!self.inbox.is_empty() || self.ended || self.reset)
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        assert!(!bytes.is_empty());
        if self.reset {
            return Err(ErrorKind::BrokenPipe);
        }
        let n = bytes.len().min(self.write).min(self.capacity.saturating_sub(self.outbox.len()));
        if n == 0 {
            return Err(ErrorKind::TimedOut);
        }
        self.outbox.extend(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl WriteReady for Link {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.reset || self.outbox.len() < self.capacity)
    }
}

/// Takes or gives one file, and checks that it is asked in order.
#[derive(Clone, Debug)]
pub struct Shelf {
    pub verdict: Verdict,
    /// Bytes of one store.
    pub take: usize,
    /// Whether every other store is answered *busy*; `Always`: every one.
    pub busy: Busy,
    pub store_error: Option<Refusal>,
    pub commit: Result<(), Refusal>,
    /// The answer to a commit comes later, or never.
    pub commit_later: Later,
    pub words: &'static str,

    pub name: Option<Vec<u8>>,
    pub size: Option<u64>,
    pub stored: Vec<u8>,
    pub committed: usize,
    pub abandoned: usize,
    pub due: bool,
    pub alternate: bool,

    pub source: Option<(String, Vec<u8>)>,
    pub source_size: Option<u64>,
    pub source_type: FileType,
    /// Bytes of one fetch.
    pub give: usize,
    pub fetch_error: Option<Refusal>,
    pub finish: Result<(), Refusal>,
    pub finished: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    Never,
    EveryOther,
    Always,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Later {
    AtOnce,
    Delayed,
    Never,
}

impl Shelf {
    pub fn new() -> Self {
        Self {
            verdict: Verdict::Accept(ResumePoint::START),
            take: usize::MAX,
            busy: Busy::Never,
            store_error: None,
            commit: Ok(()),
            commit_later: Later::AtOnce,
            words: "",
            name: None,
            size: None,
            stored: Vec::new(),
            committed: 0,
            abandoned: 0,
            due: false,
            alternate: false,
            source: None,
            source_size: None,
            source_type: FileType::File,
            give: usize::MAX,
            fetch_error: None,
            finish: Ok(()),
            finished: 0,
        }
    }

    pub fn with(name: &str, contents: &[u8]) -> Self {
        Self {
            source: Some((name.into(), contents.into())),
            source_size: Some(contents.len() as u64),
            ..Self::new()
        }
    }

    /// Whether it holds a part that nobody has committed or abandoned.
    pub fn is_open(&self) -> bool {
        let accepted = self.name.is_some() && matches!(self.verdict, Verdict::Accept(_));
        accepted && self.committed == 0 && self.abandoned == 0
    }
}

impl Storage for Shelf {
    fn offered(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Verdict {
        assert_eq!((transfer, offer.transfer, self.name.is_none()), (TRANSFER, TRANSFER.0, true));
        assert_eq!((offer.modified, offer.identity, offer.want), (None, Identity::EMPTY, None));
        assert_eq!((offer.digest, offer.size.is_some()), (DigestKind::Crc32, true));
        assert!(!(offer.executable || offer.directory || offer.restart || offer.listing));
        assert!(offer.name.check().is_ok_and(|name| name.parts().count() == 1));
        self.name = Some(offer.name.as_bytes().to_vec());
        self.size = offer.size;
        self.verdict
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        assert_eq!((transfer, offset, self.is_open()), (TRANSFER, self.stored.len() as u64, true));
        assert!(!data.is_empty());
        assert!(offset + data.len() as u64 <= self.size.unwrap());
        if let Some(refusal) = self.store_error {
            return Err(refusal);
        }
        self.alternate = !self.alternate;
        if self.busy == Busy::Always || (self.busy == Busy::EveryOther && self.alternate) {
            return Ok(0);
        }
        let n = data.len().min(self.take);
        self.stored.extend(&data[..n]);
        Ok(n)
    }

    fn sync(&mut self, _: TransferId, _: u64, _: u32) -> Option<u64> {
        panic!("nothing of a classic transfer can be resumed");
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        assert_eq!((transfer, self.is_open(), self.due), (TRANSFER, true, false));
        assert_eq!((end.digest, end.value), (DigestKind::Crc32, &[][..]));
        assert_eq!((end.size, Some(end.size)), (self.stored.len() as u64, self.size));
        assert_eq!(end.check, Nibble.update(0, &self.stored));
        if self.commit_later != Later::AtOnce {
            self.due = true;
            return None;
        }
        self.committed += usize::from(self.commit.is_ok());
        Some(self.commit)
    }

    fn completed(&mut self) -> Option<Completion> {
        if !self.due || self.commit_later == Later::Never {
            return None;
        }
        self.due = false;
        self.committed += usize::from(self.commit.is_ok());
        Some(Completion::Committed { transfer: TRANSFER, result: self.commit })
    }

    fn abandon(&mut self, transfer: TransferId, part: Part) {
        assert_eq!((transfer, part, self.is_open()), (TRANSFER, Part::Discard, true));
        self.abandoned += 1;
    }

    fn say(&mut self, number: u32, into: &mut [u8]) -> usize {
        assert_eq!(number, 1);
        into.fill(POISON);
        let n = self.words.len().min(into.len());
        into[..n].copy_from_slice(&self.words.as_bytes()[..n]);
        n
    }

    fn describe(&mut self, transfer: TransferId, digest: DigestKind) -> Result<Description<'_>, Refusal> {
        assert_eq!((transfer, digest), (TRANSFER, DigestKind::Crc32));
        let Some((name, _)) = &self.source else { return Err(Code::NotFound.into()) };
        Ok(Description {
            name: Some(FileName::new(name).unwrap()),
            file_type: self.source_type,
            size: self.source_size,
            modified: Some(1),
            identity: Identity::new(b"identity").unwrap(),
            start: Start::Eager,
        })
    }

    fn fetch(&mut self, transfer: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        assert_eq!(transfer, TRANSFER);
        assert!(!into.is_empty());
        assert!(offset + into.len() as u64 <= self.source_size.unwrap());
        if let Some(refusal) = self.fetch_error {
            return Err(refusal);
        }
        into.fill(POISON);
        let contents = &self.source.as_ref().unwrap().1;
        let rest = &contents[contents.len().min(offset as usize)..];
        let n = rest.len().min(into.len()).min(self.give);
        into[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn finish(&mut self, transfer: TransferId, into: &mut [u8]) -> Result<usize, Refusal> {
        assert_eq!((transfer, into.len()), (TRANSFER, 0));
        self.finished += 1;
        self.finish.map(|()| 0)
    }
}

/// What the application was told, with words of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Sent,
    Received,
    Failed { receiving: bool, code: Code, words: String, by: sampan_core::By },
    Notice(String),
    EndOfStream,
    Closed(Result<(), Error>),
}

impl Told {
    fn of(event: Event<'_>) -> Self {
        match event {
            Event::Sent { transfer: TRANSFER, how: sampan_core::Sent::Stored, .. } => Self::Sent,
            Event::Received { transfer: TRANSFER } => Self::Received,
            Event::SendFailed(failure) => Self::failed(false, failure),
            Event::ReceiveFailed(failure) => Self::failed(true, failure),
            Event::Notice(words) => Self::Notice(words.into()),
            Event::EndOfStream => Self::EndOfStream,
            other => panic!("{other:?}"),
        }
    }

    fn failed(receiving: bool, failure: sampan_core::Failure<'_>) -> Self {
        assert_eq!(failure.transfer, TRANSFER);
        Self::Failed { receiving, code: failure.code, words: failure.words.into(), by: failure.by }
    }
}

/// Which driver turns the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    Nb,
    Blocking,
}

/// An engine with all that it needs.
#[derive(Debug)]
pub struct Rig<E> {
    pub engine: E,
    pub link: Link,
    pub shelf: Shelf,
    pub driver: Driver,
    pub now: Instant,
    pub told: Vec<Told>,
    closed: bool,
}

impl<E: Engine> Rig<E> {
    /// `engine` was made at the clock's start.
    pub fn new(engine: E, shelf: Shelf) -> Self {
        Self { engine, link: Link::new(), shelf, driver: Driver::Nb, now: START, told: vec![], closed: false }
    }

    /// Works until there is nothing to do now; says when there will be, if the engine is not closed.
    pub fn run(&mut self) -> Option<Instant> {
        for _ in 0..1_000_000 {
            let next = self.engine.next(self.now);
            let readable = self.link.read_ready().unwrap() && !self.engine.receive_buffer().is_empty();
            let idle = !readable && !self.pending();
            let turn = match self.driver {
                Driver::Nb => nb::turn(&mut self.engine, &mut self.link, &mut self.shelf, self.now),
                Driver::Blocking => {
                    blocking::step(&mut self.engine, &mut self.link, &mut self.shelf, self.now)
                        .map_err(::nb::Error::Other)
                }
            };
            let told = match turn {
                Ok(Turn::Worked) if self.driver == Driver::Nb || !idle || !matches!(next, Next::Wait(_)) => {
                    continue;
                }
                Ok(Turn::Worked) | Err(::nb::Error::WouldBlock) => match self.until() {
                    Some(until) if until > self.now || self.shelf.busy == Busy::Always => return Some(until),
                    _ => continue,
                },
                Ok(Turn::Event(event)) => Told::of(event),
                Ok(Turn::Closed) => Told::Closed(Ok(())),
                Err(::nb::Error::Other(error)) => Told::Closed(Err(error)),
            };
            let closed = matches!(told, Told::Closed(_));
            self.told.push(told);
            if closed {
                self.closed = true;
                assert_eq!(self.engine.next(self.now), Next::Closed);
                assert!(self.engine.receive_buffer().is_empty());
                return None;
            }
        }
        panic!("it goes round in circles: {:?}", self.told);
    }

    /// When there will be something to do, if there is nothing now.
    fn until(&mut self) -> Option<Instant> {
        if self.engine.next(self.now) == Next::Transmit {
            self.engine.transmitted(0);
        }
        let next = self.engine.next(self.now);
        let _ = matches!(next, Next::Wait(_)).then(|| self.engine.poll(self.now));
        match (next, self.shelf.busy) {
            (Next::Wait(until), _) => Some(until.expect("every state but the last has a deadline")),
            (Next::Storage, Busy::Always) => Some(self.now),
            _ => None,
        }
    }

    fn pending(&self) -> bool {
        self.shelf.due && self.shelf.commit_later == Later::Delayed
    }

    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Lets `millis` pass, with nobody but the engine doing anything.
    pub fn wait(&mut self, millis: u64) {
        let end = Instant::from_micros(self.now.as_micros() + millis * 1_000);
        while let Some(until) = if self.closed { None } else { self.run() } {
            let step = Instant::from_micros(self.now.as_micros() + 1_000);
            let until = if until > self.now { until } else { step };
            if until > end {
                break;
            }
            self.now = until;
        }
        self.now = end;
    }

    /// The clock, in milliseconds since the start.
    pub fn elapsed(&self) -> u64 {
        self.now.since(START).as_millis() as u64
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.link.inbox.extend(bytes);
        if !self.closed {
            self.run();
        }
    }

    /// The peer ends its stream.
    pub fn end(&mut self) {
        self.link.ended = true;
        if !self.closed {
            self.run();
        }
    }

    /// What was written, and waits to be read by the peer.
    pub fn written(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.link.outbox)
    }

    /// Waits at most the 50 ms of a message for these bytes.
    #[track_caller]
    pub fn expect(&mut self, bytes: &[u8]) {
        let mut passed = 0;
        let mut written = self.written();
        while written.len() < bytes.len() && passed <= 50 {
            self.wait(1);
            written.extend(self.written());
            passed += 1;
        }
        let (now, later) = written.split_at(written.len().min(bytes.len()));
        assert_eq!(String::from_utf8_lossy(now), String::from_utf8_lossy(bytes));
        self.link.outbox = later.to_vec();
    }
}

/// When every engine is made: not at zero, so that nothing depends on that.
pub const START: Instant = Instant::from_millis(123_456_789);

/// Memory for an engine, poisoned, for as long as the test runs.
pub fn memory(length: usize) -> &'static mut [u8] {
    Box::leak(vec![POISON; length].into_boxed_slice())
}

pub fn buffers(receive: usize, transmit: usize) -> sampan_core::Buffers<'static> {
    sampan_core::Buffers { receive: memory(receive), transmit: memory(transmit) }
}
