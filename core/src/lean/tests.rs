//! Frames of every kind and in every order, also such as no honest peer sends, with checks that are right.

use std::vec;
use std::vec::Vec;

use super::framing::{Cobs, Framing, Piece, Stream};
use super::{Ask, Contents, Description, Node, Receiver, Role, Sender, Session, Setup, owed};
use crate::error::{Error, LinkError, PeerError};
use crate::framing::Place;
use crate::session::{Buffers, Nonce, Speaks};
use crate::storage::Part;
use crate::units::Instant;
use crate::wire::{
    Abort, Accept, Ack, Answered, Bye, Code, Crc32, Data, Decline, DigestKind, DigestList, Done, End, Gap,
    Gaps, Hello, Identity, Kind, Nibble, Notice, Offer, Ping, Pong, Scope, UncheckedName, Want, Writer,
    split_check, tag,
};

const OURS: u64 = 7;
const PEER: u64 = 9;

fn session<F: Framing, R: Role + Default>(framing: F) -> Session<'static, F, Nibble, R> {
    let buffers = Buffers { receive: vec![0; 160].leak(), transmit: vec![0; 96].leak() };
    let setup = Setup { speaks: Speaks::Second, nonce: Nonce::new(OURS), window: 128, sync_bytes: 64 };
    Session::new(buffers, &setup, (framing, Nibble, R::default()), Instant::ZERO)
        .expect("buffers of this length")
}

fn hello(echo: u64, flags: u8) -> Hello {
    Hello {
        version: 1,
        nonce: PEER,
        echo,
        flags,
        frame: 200,
        window: 500,
        eager: 0,
        transfers: 1,
        gaps: 0,
        name: 64,
        digests: DigestList::EMPTY,
    }
}

fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = [0; 300];
    let mut w = Writer::new(&mut out);
    write(&mut w);
    let length = w.len();
    out[..length].to_vec()
}

/// A frame of the peer's, from kind to check.
fn sealed(content: &[u8]) -> Vec<u8> {
    let start = if content[0] == Kind::Hello.code() { 0 } else { tag(&mut Nibble, PEER, OURS) };
    let mut frame = content.to_vec();
    frame.extend(Nibble.update(start, content).to_le_bytes());
    frame
}

/// As it is on the link.
fn laid<F: Framing>(framing: &mut F, frame: &[u8]) -> Vec<u8> {
    let mut out = vec![0xAA; F::HEAD + frame.len() + F::TAIL];
    out[F::HEAD..F::HEAD + frame.len()].copy_from_slice(frame);
    let range = framing.lay(&mut out, frame.len());
    out[range].to_vec()
}

/// What a session asks of its storage and sends to its peer.
#[derive(Debug, Default)]
struct Seen {
    frames: Vec<Vec<u8>>,
    stored: Vec<u8>,
    commits: usize,
    abandoned: Vec<Part>,
    sent: Vec<Result<(), Code>>,
    end: Option<Result<(), Error>>,
}

/// A session, and a peer that says what it likes.
struct Puppet<F, R> {
    session: Session<'static, F, Nibble, R>,
    to: F,
    from: F,
    partial: Vec<u8>,
    now: u64,
    seen: Seen,
    source: Vec<u8>,
}

impl<F: Framing + Copy, R: Role + Default> Puppet<F, R> {
    fn new(framing: F) -> Self {
        let session = session(framing);
        let seen = Seen::default();
        Self { session, to: framing, from: framing, partial: Vec::new(), now: 0, seen, source: vec![5; 700] }
    }

    /// One whose session is open.
    fn open(framing: F) -> Self {
        let mut puppet = Self::new(framing);
        puppet.say(|w| hello(OURS, Hello::OPEN).emit(w));
        puppet
    }

    fn say(&mut self, write: impl FnOnce(&mut Writer<'_>)) {
        let content = written(write);
        self.content(&content);
    }

    fn content(&mut self, content: &[u8]) {
        let bytes = laid(&mut self.to, &sealed(content));
        self.bytes(&bytes);
    }

    fn bytes(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.seen.end.is_none() {
            let room = self.session.receive_buffer();
            let n = room.len().min(bytes.len());
            assert!(n > 0, "it takes no bytes, and asks for nothing: {:?}", self.session.state);
            room[..n].copy_from_slice(&bytes[..n]);
            bytes = &bytes[n..];
            self.session.received(n, Instant::from_micros(self.now));
            self.work();
        }
    }

    fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds * 4 {
            self.now += 250_000;
            self.work();
        }
    }

    /// Does what is asked until there is nothing to do.
    fn work(&mut self) {
        let now = Instant::from_micros(self.now);
        for _ in 0..10_000 {
            match self.session.poll(now) {
                Ask::Wait => return,
                Ask::Closed(result) => {
                    self.seen.end = Some(result);
                    return;
                }
                Ask::Transmit(bytes) => {
                    let bytes = bytes.to_vec();
                    self.session.transmitted(bytes.len());
                    self.hear(&bytes);
                }
                Ask::Offered(_) => {
                    self.seen.stored.clear();
                    self.session.accept(0, 0);
                }
                Ask::Store { offset, data } => {
                    assert_eq!(offset as usize, self.seen.stored.len(), "not behind what was stored");
                    assert!(!data.is_empty());
                    self.seen.stored.extend_from_slice(data);
                    let n = data.len();
                    self.session.stored(Ok(n));
                }
                Ask::Sync { offset, check } => {
                    assert_eq!(offset as usize, self.seen.stored.len());
                    assert_eq!(check, Nibble.update(0, &self.seen.stored));
                    self.session.synced(offset);
                }
                Ask::Commit { size, check } => {
                    assert_eq!(size as usize, self.seen.stored.len());
                    assert_eq!(check, Nibble.update(0, &self.seen.stored));
                    self.seen.commits += 1;
                    self.session.committed(Ok(()));
                }
                Ask::Abandon(part) => self.seen.abandoned.push(part),
                Ask::Wanted(_) => self.session.serve(),
                Ask::Describe => {
                    let name = UncheckedName::new(b"file");
                    let size = Some(self.source.len() as u32);
                    let description = Description { name, size, identity: b"id", contents: Contents::File };
                    self.session.described(Ok(description));
                }
                Ask::Fetch { offset, into } => {
                    let rest = self.source.get(offset as usize..).unwrap_or_default();
                    let n = rest.len().min(into.len());
                    into[..n].copy_from_slice(&rest[..n]);
                    self.session.fetched(Ok(n));
                }
                Ask::Sent(result) => self.seen.sent.push(result),
            }
        }
        panic!("it has always something to do at one and the same moment");
    }

    fn hear(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match self.from.take(*byte, 1_000) {
                Piece::Nothing => {}
                Piece::Byte(byte) => self.partial.push(byte),
                Piece::LastByte(byte) => {
                    self.partial.push(byte);
                    self.seen.frames.push(core::mem::take(&mut self.partial));
                }
                Piece::End if self.partial.is_empty() => {}
                Piece::End => self.seen.frames.push(core::mem::take(&mut self.partial)),
                other => panic!("it sends {other:?}"),
            }
        }
    }

    /// The kinds of the frames since the last time, whose checks are right.
    fn said(&mut self) -> Vec<Kind> {
        self.said_bodies().into_iter().map(|(kind, _)| kind).collect()
    }

    fn said_bodies(&mut self) -> Vec<(Kind, Vec<u8>)> {
        let frames = core::mem::take(&mut self.seen.frames);
        let kind = |frame: &Vec<u8>| {
            let (content, check) = split_check(frame).expect("a frame");
            let kind = Kind::from_code(content[0]).expect("a known kind");
            let start = if kind == Kind::Hello { 0 } else { tag(&mut Nibble, OURS, PEER) };
            assert_eq!(Nibble.update(start, content), check, "{kind:?}");
            (kind, content[1..].to_vec())
        };
        frames.iter().map(kind).collect()
    }
}

fn offer(transfer: u32, size: Option<u64>) -> Offer<'static> {
    Offer {
        transfer,
        size,
        modified: Some(-5),
        executable: false,
        directory: false,
        restart: false,
        want: None,
        listing: false,
        digest: DigestKind::Crc32,
        identity: Identity::EMPTY,
        name: UncheckedName::new(b"name"),
    }
}

fn end(transfer: u32, contents: &[u8]) -> End<'static> {
    let check = Nibble.update(0, contents);
    End { transfer, size: contents.len() as u64, check, digest: DigestKind::Crc32, value: &[] }
}

type OnLine = Puppet<Cobs, ()>;
type OnStream = Puppet<Stream, ()>;

#[test]
fn what_it_sends_is_what_the_protocol_says() {
    let mut puppet = OnLine::new(Cobs::new());
    puppet.say(|w| hello(0, 0).emit(w));
    let said = puppet.said_bodies();
    let [(Kind::Hello, body)] = said.as_slice() else { panic!("{said:?}") };
    let theirs = Hello::parse(body).expect("a HELLO");
    assert_eq!((theirs.nonce, theirs.echo, theirs.flags), (OURS, PEER, 0));
    assert_eq!((theirs.frame, theirs.window, theirs.transfers, theirs.name), (159, 128, 1, 105));
    puppet.say(|w| hello(OURS, Hello::OPEN).emit(w));
    puppet.said();
    puppet.say(|w| offer(1, Some(6)).emit(w));
    let accept = Accept { transfer: 1, have: false, offset: 0, check: 0, credit: 128 };
    assert_eq!(puppet.said_bodies(), [(Kind::Accept, written(|w| accept.emit(w))[1..].to_vec())]);
    puppet.say(|w| Data { transfer: 1, offset: 0, payload: b"abc" }.emit(w));
    let ack = Ack { transfer: 1, received: 3, durable: 0, credit: 128, gaps: Gaps::NONE };
    assert_eq!(puppet.said_bodies(), [(Kind::Ack, written(|w| ack.emit(w))[1..].to_vec())]);
    puppet.say(|w| Data { transfer: 1, offset: 4, payload: b"ef" }.emit(w));
    let gap = [Gap { start: 3, length: 1 }];
    let lost = Ack { gaps: Gaps::new(&gap, 0), ..ack };
    assert_eq!(puppet.said_bodies(), [(Kind::Ack, written(|w| lost.emit(w))[1..].to_vec())]);
    // It is told once for DATA, and each time for END.
    puppet.say(|w| Data { transfer: 1, offset: 5, payload: b"f" }.emit(w));
    assert_eq!(puppet.said(), []);
    puppet.say(|w| end(1, b"abcdef").emit(w));
    assert_eq!(puppet.said(), [Kind::Ack]);
    puppet.say(|w| Data { transfer: 1, offset: 2, payload: b"cdef" }.emit(w));
    assert_eq!(puppet.said(), [Kind::Ack]);
    puppet.say(|w| end(1, b"abcdef").emit(w));
    let done = Done { transfer: 1, code: Code::Ok, words: "" };
    assert_eq!(puppet.said_bodies(), [(Kind::Done, written(|w| done.emit(w))[1..].to_vec())]);
    assert_eq!((puppet.seen.commits, puppet.seen.stored.as_slice()), (1, &b"abcdef"[..]));
    // What is repeated is answered again, and done once.
    puppet.say(|w| end(1, b"abcdef").emit(w));
    puppet.say(|w| Data { transfer: 1, offset: 0, payload: b"abc" }.emit(w));
    puppet.say(|w| offer(1, Some(6)).emit(w));
    assert_eq!(puppet.said(), [Kind::Done, Kind::Done, Kind::Done]);
    assert_eq!(puppet.seen.commits, 1);
    puppet.say(|w| Notice { number: 3, words: "tea" }.emit(w));
    assert_eq!(puppet.said_bodies(), [(Kind::Pong, vec![3])]);
    puppet.say(|w| Bye { code: Code::Ok, words: "" }.emit(w));
    assert_eq!(puppet.said(), [Kind::Bye]);
    assert_eq!(puppet.seen.end, Some(Ok(())));
}

#[test]
fn what_is_wrong_is_thrown_away_and_begun_anew() {
    let mut puppet = OnStream::open(Stream::new());
    puppet.say(|w| offer(1, Some(3)).emit(w));
    puppet.say(|w| Data { transfer: 1, offset: 0, payload: b"abc" }.emit(w));
    puppet.said();
    puppet.say(|w| End { check: 1, ..end(1, b"abc") }.emit(w));
    let done = Done { transfer: 1, code: Code::Integrity, words: "" };
    assert_eq!(puppet.said_bodies(), [(Kind::Done, written(|w| done.emit(w))[1..].to_vec())]);
    assert_eq!(puppet.seen.abandoned, [Part::Discard]);
    puppet.say(|w| Offer { restart: true, ..offer(1, Some(3)) }.emit(w));
    assert_eq!(puppet.said(), [Kind::Accept]);
    puppet.say(|w| Data { transfer: 1, offset: 0, payload: b"abc" }.emit(w));
    puppet.say(|w| end(1, b"abc").emit(w));
    assert_eq!(puppet.said().last(), Some(&Kind::Done));
    assert_eq!(puppet.seen.commits, 1);
}

#[test]
fn a_restart_begins_at_the_start() {
    let mut session = session::<Stream, ()>(Stream::new());
    let bytes = laid(&mut Stream::new(), &sealed(&written(|w| hello(OURS, 0).emit(w))));
    let mut offered = written(|w| Offer { restart: true, ..offer(1, Some(100)) }.emit(w));
    offered = sealed(&offered);
    let mut framing = Stream::new();
    laid(&mut framing, &offered);
    let all = [bytes, laid(&mut framing, &offered)].concat();
    session.receive_buffer()[..all.len()].copy_from_slice(&all);
    session.received(all.len(), Instant::ZERO);
    loop {
        match session.poll(Instant::ZERO) {
            Ask::Transmit(bytes) => {
                let n = bytes.len();
                session.transmitted(n);
            }
            Ask::Offered(offer) => {
                assert!(offer.restarts());
                session.accept(40, 77);
            }
            Ask::Wait => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        (session.said[owed::RECEIVED], session.said[owed::DURABLE], session.said[owed::CHECK]),
        (0, 0, 0)
    );
    // The other end holds a peer to it.
    let mut puppet = Puppet::<Stream, Sender>::open(Stream::new());
    assert_eq!(puppet.session.offer(), Some(1));
    puppet.work();
    let accept = Accept { transfer: 1, have: false, offset: 100, check: 1, credit: 300 };
    puppet.say(|w| accept.emit(w));
    puppet.say(|w| accept.emit(w));
    assert_eq!(puppet.seen.end, Some(Err(PeerError::Unexpected(Kind::Accept).into())));
}

#[test]
fn more_than_was_announced_is_refused() {
    for size in [Some(2), Some(0)] {
        let mut puppet = OnLine::open(Cobs::new());
        puppet.say(|w| offer(1, size).emit(w));
        puppet.said();
        puppet.say(|w| Data { transfer: 1, offset: 0, payload: b"abc" }.emit(w));
        let abort = Abort { scope: Scope::Receiving, transfer: 1, code: Code::TooLarge, words: "" };
        assert_eq!(puppet.said_bodies(), [(Kind::Abort, written(|w| abort.emit(w))[1..].to_vec())]);
        assert_eq!((puppet.seen.abandoned.as_slice(), puppet.seen.stored.len()), (&[Part::Discard][..], 0));
    }
    let mut puppet = OnLine::open(Cobs::new());
    puppet.said();
    puppet.say(|w| offer(1, Some(1 << 32)).emit(w));
    puppet.say(|w| Offer { digest: DigestKind::Sha256, ..offer(2, None) }.emit(w));
    let declined = |number, code| {
        let frame = Decline { what: Answered::Offer, number, code, words: "" };
        (Kind::Decline, written(|w| frame.emit(w))[1..].to_vec())
    };
    assert_eq!(puppet.said_bodies(), [declined(1, Code::TooLarge), declined(2, Code::Unsupported)]);
}

#[test]
fn an_offset_beyond_all_files_is_one_beyond_the_size() {
    let mut puppet = OnLine::open(Cobs::new());
    puppet.say(|w| offer(1, None).emit(w));
    puppet.said();
    puppet.say(|w| Data { transfer: 1, offset: u64::MAX - 1, payload: b"abc" }.emit(w));
    assert_eq!(puppet.said(), [Kind::Abort]);
}

#[test]
fn a_broken_rule_ends_a_session_over_a_stream_and_is_dropped_on_a_line() {
    type Write = fn(&mut Writer<'_>);
    let unexpected: [(Kind, Write); 6] = [
        (Kind::Data, |w| Data { transfer: 4, offset: 0, payload: b"x" }.emit(w)),
        (Kind::End, |w| end(4, b"").emit(w)),
        (Kind::Accept, |w| Accept { transfer: 1, have: true, offset: 0, check: 0, credit: 0 }.emit(w)),
        (Kind::Ack, |w| w.bytes(&[0x15, 1, 0, 0, 0, 0])),
        (Kind::Done, |w| Done { transfer: 1, code: Code::Ok, words: "" }.emit(w)),
        (Kind::Want, |w| Want { number: 1, listing: false, name: UncheckedName::new(b"n") }.emit(w)),
    ];
    for (kind, write) in unexpected {
        let mut puppet = OnStream::open(Stream::new());
        puppet.said();
        puppet.say(write);
        assert_eq!(puppet.said(), [Kind::Abort], "{kind:?}");
        assert_eq!(puppet.seen.end, Some(Err(PeerError::Unexpected(kind).into())));
        let mut puppet = OnLine::open(Cobs::new());
        puppet.said();
        puppet.say(write);
        assert_eq!((puppet.said(), puppet.seen.end), (vec![], None), "{kind:?}");
    }
    for (kind, body) in
        [(Kind::Offer, &[1][..]), (Kind::Data, &[1, 0]), (Kind::End, &[1]), (Kind::Hello, &[1; 20])]
    {
        let mut content = vec![kind.code()];
        content.extend(body);
        let mut puppet = OnLine::open(Cobs::new());
        puppet.said();
        puppet.content(&content);
        assert_eq!(puppet.said(), [Kind::Abort], "{kind:?}");
        let error = puppet.seen.end.and_then(Result::err);
        let malformed = matches!(error, Some(Error::Peer(PeerError::Malformed(of, _))) if of == kind);
        assert!(malformed, "{kind:?}: {error:?}");
    }
    for (code, dropped) in [(0x30, false), (0x5F, true), (0x95, false), (0x47, true)] {
        let mut puppet = OnStream::open(Stream::new());
        puppet.content(&[code, 1, 2, 3]);
        let end = if dropped { None } else { Some(Err(PeerError::UnknownKind(code).into())) };
        assert_eq!(puppet.seen.end, end, "{code:#x}");
    }
}

#[test]
fn damage_ends_a_session_over_a_stream_and_is_dropped_on_a_line() {
    let mut frame = sealed(&written(|w| Ping { number: 3 }.emit(w)));
    frame[1] ^= 1;
    let mut puppet = OnStream::open(Stream::new());
    puppet.said();
    let bytes = laid(&mut puppet.to, &frame);
    puppet.bytes(&bytes);
    assert_eq!(puppet.said(), [Kind::Abort]);
    assert_eq!(puppet.seen.end, Some(Err(LinkError::Corrupt.into())));
    let mut puppet = OnLine::open(Cobs::new());
    puppet.said();
    let bytes = laid(&mut puppet.to, &frame);
    puppet.bytes(&bytes);
    puppet.bytes(b"a line of a log, and a long one: longer than any frame that the board can take, so that it does not fit into its memory, and then some more until it is really over\n\0");
    assert_eq!((puppet.said(), puppet.seen.end), (vec![], None));
    puppet.say(|w| Ping { number: 3 }.emit(w));
    assert_eq!(puppet.said(), [Kind::Pong]);
}

#[test]
fn a_new_session_of_the_peers_takes_over_on_a_line_once_it_has_our_nonce() {
    let mut puppet = OnLine::open(Cobs::new());
    puppet.say(|w| offer(1, Some(6)).emit(w));
    puppet.say(|w| Data { transfer: 1, offset: 0, payload: b"abc" }.emit(w));
    puppet.said();
    // A late one changes nothing, but is told our nonce.
    puppet.say(|w| Hello { nonce: 77, ..hello(0, 0) }.emit(w));
    let said = puppet.said_bodies();
    let [(Kind::Hello, body)] = said.as_slice() else { panic!("{said:?}") };
    let theirs = Hello::parse(body).expect("a HELLO");
    assert_eq!((theirs.nonce, theirs.echo, theirs.flags), (OURS, 77, 0));
    puppet.say(|w| Data { transfer: 1, offset: 3, payload: b"de" }.emit(w));
    assert_eq!(puppet.said(), [Kind::Ack]);
    puppet.say(|w| Hello { nonce: 77, ..hello(OURS, Hello::OPEN) }.emit(w));
    assert_eq!(puppet.seen.abandoned, [Part::Keep]);
    assert_eq!(puppet.seen.end, None);
    // What the old session still says has a check that is not right any more.
    puppet.seen.frames.clear();
    puppet.say(|w| Data { transfer: 1, offset: 5, payload: b"f" }.emit(w));
    assert_eq!(puppet.seen.frames.len(), 0);
    let mut puppet = OnStream::open(Stream::new());
    puppet.said();
    puppet.say(|w| Hello { nonce: 77, ..hello(0, 0) }.emit(w));
    assert_eq!(puppet.seen.end, Some(Err(PeerError::Restarted.into())));
    assert_eq!(puppet.said(), []);
}

#[test]
fn another_protocol_is_named() {
    let mut puppet = OnStream::new(Stream::new());
    puppet.bytes(b"\xF5SPN\x02");
    assert_eq!(puppet.seen.end, Some(Err(PeerError::FramingVersion { theirs: 2 }.into())));
    let mut puppet = OnStream::new(Stream::new());
    puppet.bytes(b"GET / HTTP/1.1\r\n");
    assert_eq!(puppet.seen.end, Some(Err(PeerError::NotSampan.into())));
    let mut puppet = OnStream::open(Stream::new());
    puppet.bytes(&[0xFF, 0xFF, 0]);
    assert_eq!(puppet.seen.end, Some(Err(PeerError::FrameLength { length: 0xFFFF }.into())));
    assert_eq!(puppet.seen.frames.len(), 2);
}

#[test]
fn a_transfer_that_comes_no_further_ends_the_session() {
    let mut puppet = OnLine::open(Cobs::new());
    puppet.say(|w| offer(1, Some(6)).emit(w));
    puppet.said();
    puppet.wait(16);
    let acks = puppet.said().into_iter().filter(|kind| *kind == Kind::Ack).count();
    // After 1, 2, 4 and then every 5 seconds.
    assert_eq!(acks, 4);
    for _ in 0..40 {
        puppet.say(|w| Ping { number: 0 }.emit(w));
        puppet.wait(8);
    }
    assert_eq!(puppet.seen.end, Some(Err(LinkError::Stalled.into())));
    assert_eq!(puppet.said().last(), Some(&Kind::Abort));
}

#[test]
fn a_name_that_the_peer_cannot_take_is_not_offered() {
    let mut puppet = Puppet::<Cobs, Sender>::new(Cobs::new());
    puppet.say(|w| Hello { frame: 60, ..hello(OURS, Hello::OPEN) }.emit(w));
    puppet.said();
    assert_eq!(puppet.session.offer(), Some(1));
    puppet.work();
    assert_eq!(puppet.said(), [Kind::Offer]);
    let mut puppet = Puppet::<Cobs, Sender>::new(Cobs::new());
    puppet.say(|w| Hello { transfers: 0, ..hello(OURS, Hello::OPEN) }.emit(w));
    puppet.said();
    assert_eq!(puppet.session.offer(), Some(1));
    puppet.work();
    assert_eq!((puppet.said(), puppet.seen.sent), (vec![], vec![Err(Code::NotAllowed)]));
}

#[test]
fn only_what_is_missing_is_sent_again() {
    let mut puppet = Puppet::<Cobs, Sender>::open(Cobs::new());
    assert_eq!(puppet.session.offer(), Some(1));
    puppet.work();
    puppet.said();
    puppet.say(|w| Accept { transfer: 1, have: false, offset: 0, check: 0, credit: 300 }.emit(w));
    let offsets = |puppet: &mut Puppet<Cobs, Sender>| -> Vec<(u64, usize)> {
        let said = puppet.said_bodies();
        said.iter()
            .filter(|(kind, _)| *kind == Kind::Data)
            .map(|(_, body)| {
                let data = Data::parse(body).expect("DATA");
                (data.offset, data.payload.len())
            })
            .collect()
    };
    let first = offsets(&mut puppet);
    let frame = first[0].1 as u64;
    assert!(first.len() > 2 && frame > 32, "{first:?}");
    let gap = [Gap { start: frame, length: frame }];
    let ack = Ack { transfer: 1, received: frame, durable: 0, credit: 300, gaps: Gaps::new(&gap, frame) };
    puppet.say(|w| ack.emit(w));
    let again = offsets(&mut puppet);
    assert_eq!(again[0], (frame, frame as usize), "{first:?} {again:?}");
    assert!(again[1].0 > first.last().expect("some").0, "{first:?} {again:?}");
    // Once only, as long as the timer has not run out.
    puppet.say(|w| ack.emit(w));
    assert_eq!(offsets(&mut puppet), []);
    puppet.wait(2);
    assert_eq!(offsets(&mut puppet)[0].0, frame);
}

/// Frames of every kind with fields at random, and pieces of them: no session panics, spins, or stores what is not in order (which the puppet asserts).
fn at_random<F: Framing + Copy, R: Role + Default>(framing: F, seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut roll = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) % below
    };
    let mut puppet = Puppet::<F, R>::open(framing);
    let contents = [7_u8; 400];
    for _ in 0..60 {
        if puppet.seen.end.is_some() {
            return;
        }
        let transfer = roll(3) as u32 + u32::from(roll(8) > 0);
        let offset = puppet.seen.stored.len() as u64;
        let near = [offset, 0, offset.saturating_sub(5), offset + 3, u64::MAX][roll(5) as usize];
        let sizes = [None, Some(offset), Some(40), Some(0), Some(1 << 33), Some(400)];
        let size = sizes[roll(6) as usize];
        let payload = &contents[..roll(100) as usize + 1];
        let whole = vec![7; puppet.seen.stored.len()];
        let credit = roll(300) as u32;
        let gap = [Gap { start: near.min(1 << 40), length: roll(90) + 1 }];
        let gaps = if roll(3) == 0 { Gaps::new(&gap, roll(3) * 40) } else { Gaps::NONE };
        let code = Code::from_code(roll(20) as u8);
        let mut content = written(|w| match roll(16) {
            0 => hello(OURS, roll(8) as u8).emit(w),
            1 => Offer {
                restart: roll(3) == 0,
                want: (roll(9) == 0).then_some(1),
                ..offer(transfer.max(1), size)
            }
            .emit(w),
            2..=4 => Data { transfer: transfer.max(1), offset: near, payload }.emit(w),
            5 | 6 => end(transfer.max(1), &whole).emit(w),
            7 => Ping { number: roll(3) as u32 }.emit(w),
            8 => Pong { number: 0 }.emit(w),
            9 => Want { number: transfer.max(1), listing: roll(2) == 0, name: UncheckedName::new(b"n") }
                .emit(w),
            10 => Accept { transfer: transfer.max(1), have: roll(4) == 0, offset: near, check: 5, credit }
                .emit(w),
            11 | 12 => {
                let received = near.min(700);
                Ack { transfer: transfer.max(1), received, durable: 0, credit, gaps: Gaps::NONE }.emit(w);
                if roll(2) == 0 {
                    Ack { transfer: 1, received: gap[0].start, durable: 0, credit, gaps }.emit(w);
                }
            }
            13 => Done { transfer: transfer.max(1), code, words: "" }.emit(w),
            14 => Decline { what: Answered::Offer, number: transfer.max(1), code, words: "" }.emit(w),
            _ => Abort {
                scope: [Scope::Sending, Scope::Receiving][roll(2) as usize],
                transfer: 1,
                code,
                words: "",
            }
            .emit(w),
        });
        if roll(12) == 0 {
            let at = roll(content.len() as u64) as usize;
            content[at] = roll(256) as u8;
        }
        if roll(12) == 0 {
            content.truncate(roll(content.len() as u64) as usize + 1);
        }
        if roll(10) == 0 {
            let _ = puppet.session.offer();
        }
        puppet.content(&content);
        if roll(8) == 0 {
            puppet.wait(roll(6));
        }
    }
}

#[test]
fn frames_at_random_do_no_harm() {
    for seed in 0..4_000 {
        at_random::<Cobs, ()>(Cobs::new(), seed);
        at_random::<Stream, ()>(Stream::new(), seed);
        at_random::<Cobs, Sender>(Cobs::new(), seed);
        at_random::<Stream, Sender>(Stream::new(), seed);
    }
}

#[test]
fn both_framings_are_those_of_the_other_engine() {
    for length in [5, 60, 200, 253] {
        for byte in [0, 1, 0xFF] {
            let frame = vec![byte; length];
            let mut out = vec![0xAA; length + 3];
            out[2..length + 2].copy_from_slice(&frame);
            let wrapped =
                crate::framing::Framing::wrap(&mut crate::Cobs::new(), &mut out, length, Place::First);
            assert_eq!(laid(&mut Cobs::new(), &frame), out[wrapped], "{length} x {byte}");
        }
    }
}

#[test]
fn too_small_a_buffer_is_refused() {
    let setup = Setup { speaks: Speaks::First, nonce: Nonce::new(OURS), window: 128, sync_bytes: 64 };
    for (receive, transmit, fits) in [(61, 64, true), (60, 64, false), (61, 63, false), (0, 0, false)] {
        let buffers = Buffers { receive: vec![0; receive].leak(), transmit: vec![0; transmit].leak() };
        let made = Receiver::new(buffers, &setup, (Cobs::new(), Nibble, ()), Instant::ZERO);
        assert_eq!(made.is_ok(), fits, "{receive} {transmit}");
    }
    assert!(size_of::<Receiver<'_, Cobs>>() < size_of::<Node<'_, Cobs>>());
}
