//! Two ends that each send to the other at once, over real TCP with small socket buffers (§11).

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use sampan::clock::Clock;
use sampan::link::{BlockingTcp, Listener, SocketBuffers, StreamLink, TcpOptions, Url};
use sampan::memory::{Memory, Opening};
use sampan::run::Connection;
use sampan_core::driver::{Turn, blocking};
use sampan_core::wire::{Code, DigestKind, FileName, Identity, Offer};
use sampan_core::{
    Description, Directions, Ending, Event, FileType, Limits, Refusal, ResumePoint, Speaks, Start, Storage,
    TransferId, Verdict,
};

const LENGTH: u64 = 64 << 20;

const LATER: Option<Duration> = Some(Duration::from_secs(20));

/// Sends contents that follow from their offset, and compares what comes with them.
#[derive(Debug, Default)]
struct Counting {
    received: u64,
    first_byte: Option<Instant>,
    committed: Option<Instant>,
}

fn byte_at(offset: u64) -> u8 {
    (offset ^ (offset >> 8) ^ (offset >> 17)) as u8
}

impl Storage for Counting {
    fn offered(&mut self, _: TransferId, offer: &Offer<'_>) -> Verdict {
        assert_eq!(offer.size, Some(LENGTH));
        Verdict::Accept(ResumePoint::START)
    }

    fn store(&mut self, _: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        self.first_byte.get_or_insert_with(Instant::now);
        assert_eq!(offset, self.received);
        assert!(
            data.iter().zip(offset..).all(|(byte, offset)| *byte == byte_at(offset)),
            "other bytes than were sent"
        );
        self.received += data.len() as u64;
        Ok(data.len())
    }

    fn commit(&mut self, _: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        assert_eq!((end.size, self.received), (LENGTH, LENGTH));
        self.committed = Some(Instant::now());
        Some(Ok(()))
    }

    fn describe(&mut self, _: TransferId, _: DigestKind) -> Result<Description<'_>, Refusal> {
        Ok(Description {
            name: FileName::new("stream").ok(),
            file_type: FileType::File,
            size: Some(LENGTH),
            modified: None,
            identity: Identity::EMPTY,
            start: Start::Eager,
        })
    }

    fn fetch(&mut self, _: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let length = into.len().min((LENGTH - offset) as usize);
        for (byte, offset) in into[..length].iter_mut().zip(offset..) {
            *byte = byte_at(offset);
        }
        Ok(length)
    }
}

/// Notes what an end has to say; it says goodbye once its own file is there.
fn note(event: Event<'_>) -> bool {
    match event {
        Event::Sent { .. } => true,
        Event::SendFailed(failure) | Event::ReceiveFailed(failure) => panic!("{failure:?}"),
        _ => false,
    }
}

fn limits(directions: Directions) -> Limits {
    Limits { directions, ..Limits::LARGE }
}

fn small() -> TcpOptions {
    TcpOptions { buffers: SocketBuffers::Fixed(8 << 10), ..TcpOptions::default() }
}

/// One end over the non-blocking link.
fn run(link: StreamLink, speaks: Speaks) -> Counting {
    let (clock, mut memory) = (Clock::start(), Memory::new().unwrap().with_limits(limits(Directions::Both)));
    let mut session = memory.both(Opening::new(speaks, clock).expect("randomness")).expect("large enough");
    session.offer().expect("a free slot");
    let mut connection = Connection::new(session, link, Counting::default(), clock);
    loop {
        match connection.turn().expect("the session goes well") {
            Turn::Closed => return connection.storage,
            Turn::Event(event) if note(event) => connection.engine.close(Code::Ok),
            _ => {}
        }
    }
}

/// One end over a link that blocks.
fn run_blocking(mut link: BlockingTcp, speaks: Speaks) -> Counting {
    let (clock, mut memory) =
        (Clock::start(), Memory::new().unwrap().with_limits(limits(Directions::OneAtATime)));
    let mut session = memory.both(Opening::new(speaks, clock).expect("randomness")).expect("large enough");
    session.offer().expect("a free slot");
    let mut storage = Counting::default();
    loop {
        match blocking::step(&mut session, &mut link, &mut storage, clock.now())
            .expect("the session goes well")
        {
            Turn::Closed => return storage,
            Turn::Event(event) if note(event) => session.close(Code::Ok),
            _ => {}
        }
    }
}

fn listener() -> Listener {
    Listener::bind(&"127.0.0.1:0".parse().expect("a URL"), &small()).expect("a free port")
}

fn address_of(url: &Url) -> SocketAddr {
    match url {
        Url::Tcp { host, port } => SocketAddr::new(host.parse().expect("an address"), *port),
        _ => panic!("{url} is not TCP"),
    }
}

#[test]
fn both_at_once() {
    let listener = listener();
    let url = listener.url();
    let server = thread::spawn(move || run(listener.accept_within(LATER).expect("a client"), Speaks::Second));
    let client = run(StreamLink::dial(&url, &small()).expect("a server"), Speaks::First);
    let server = server.join().expect("the server goes well");
    assert_eq!((client.received, server.received), (LENGTH, LENGTH));
    let (client, server) = ((client.first_byte, client.committed), (server.first_byte, server.committed));
    assert!(client.0 < server.1 && server.0 < client.1, "the directions were to overlap");
}

#[test]
fn one_after_the_other_where_one_end_blocks() {
    for blocks in [Speaks::First, Speaks::Second] {
        let listener = listener();
        let url = listener.url();
        let patience = Duration::from_millis(50);
        let server = thread::spawn(move || {
            let link = listener.accept_within(LATER).expect("a client");
            match blocks {
                Speaks::First => run(link, Speaks::Second),
                Speaks::Second => run_blocking(
                    BlockingTcp::new(link.into_tcp().expect("TCP"), patience).expect("options"),
                    Speaks::Second,
                ),
            }
        });
        let client = match blocks {
            Speaks::First => run_blocking(
                BlockingTcp::connect(address_of(&url), &small(), patience).expect("a server"),
                Speaks::First,
            ),
            Speaks::Second => run(StreamLink::dial(&url, &small()).expect("a server"), Speaks::First),
        };
        let server = server.join().expect("the server goes well");
        assert_eq!((client.received, server.received), (LENGTH, LENGTH));
        let one_by_one = client.committed < server.first_byte || server.committed < client.first_byte;
        assert!(one_by_one, "the directions overlap");
    }
}
