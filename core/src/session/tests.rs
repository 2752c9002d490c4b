//! What an engine does in moments that a driver seldom meets.

use super::*;
use crate::action::{Action, Refusal, ResumePoint};
use crate::engine::Engine;
use crate::storage::{Description, FileType, Start};
use crate::units::{Millis, TransferId};
use crate::wire::{FileName, Identity, NodeName};
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

type Engines = Session<'static, Both<'static>>;

fn session(limits: Limits, speaks: Speaks, nonce: u64) -> Engines {
    let role = Both {
        sender: Sender::new(vec![Outgoing::FREE; 2].leak()),
        receiver: Receiver::new(vec![Incoming::FREE; 2].leak()),
    };
    let buffers = Buffers { receive: vec![0; 512].leak(), transmit: vec![0; 512].leak() };
    let limits = std::boxed::Box::leak(std::boxed::Box::new(limits));
    Session::new(buffers, limits, role, speaks, Nonce::new(nonce), Instant::ZERO).unwrap()
}

/// Two ends that have opened a session, and what one has to say to the other.
struct Pair {
    a: Engines,
    b: Engines,
    size: u64,
    now: Instant,
}

impl Pair {
    fn open(limits: Limits, size: u64) -> Self {
        let (a, b) = (session(limits, Speaks::First, 1), session(limits, Speaks::Second, 2));
        let mut pair = Self { a, b, size, now: Instant::ZERO };
        pair.exchange_hellos();
        pair
    }

    fn exchange_hellos(&mut self) {
        for _ in 0..3 {
            let said = self.a();
            self.b.hear(&said, self.now);
            let said = self.b();
            self.a.hear(&said, self.now);
        }
    }

    /// What the first end transmits until it waits.
    fn a(&mut self) -> Vec<u8> {
        self.a.work(self.size, self.now).0
    }

    fn b(&mut self) -> Vec<u8> {
        self.b.work(self.size, self.now).0
    }
}

impl Engines {
    fn hear(&mut self, mut bytes: &[u8], now: Instant) {
        while !bytes.is_empty() {
            let room = self.receive_buffer();
            let n = room.len().min(bytes.len());
            room[..n].copy_from_slice(&bytes[..n]);
            self.received(n, now);
            bytes = &bytes[n..];
        }
    }

    /// Works until there is nothing to do but to wait, or to answer Store or Commit: what was transmitted, and what happened.
    fn work(&mut self, size: u64, now: Instant) -> (Vec<u8>, Vec<String>) {
        let (mut out, mut seen) = (Vec::new(), Vec::new());
        loop {
            let seen_now = match self.poll(now) {
                Action::Transmit(bytes) => {
                    out.extend_from_slice(bytes);
                    let n = bytes.len();
                    self.transmitted(n);
                    continue;
                }
                Action::Describe { .. } => {
                    let name = Some(FileName::new("x").unwrap());
                    let (file_type, identity, start) = (FileType::File, Identity::EMPTY, Start::Eager);
                    self.described(Ok(Description {
                        name,
                        file_type,
                        size: Some(size),
                        modified: None,
                        identity,
                        start,
                    }));
                    continue;
                }
                Action::Fetch { into, .. } => {
                    let n = into.len();
                    into.fill(0);
                    self.fetched(Ok(n));
                    continue;
                }
                Action::Finish { .. } => {
                    self.finished(Ok(0));
                    continue;
                }
                Action::Offered(offered) => {
                    offered.accept(ResumePoint::START);
                    continue;
                }
                Action::Event(event) => std::format!("{event:?}"),
                Action::Abandon { part, .. } => std::format!("{part:?}"),
                Action::Commit { .. } => "commit".to_string(),
                Action::Store { .. } => {
                    seen.push("store".to_string());
                    return (out, seen);
                }
                Action::Closed(result) => {
                    seen.push(std::format!("{result:?}"));
                    return (out, seen);
                }
                _ => return (out, seen),
            };
            seen.push(seen_now);
        }
    }
}

const SECOND: Instant = Instant::from_millis(1_000);

#[test]
fn done_waits_for_the_commit_even_if_the_end_comes_with_the_offer() {
    let mut pair = Pair::open(Limits::LARGE, 0);
    let transfer = pair.a.offer().unwrap();
    let offer_and_end = pair.a();
    pair.b.hear(&offer_and_end, pair.now);
    let (accept, seen) = pair.b.work(0, pair.now);
    assert_eq!(seen, ["commit"]);
    pair.a.hear(&accept, pair.now);
    assert_eq!(pair.a.work(0, pair.now).1, [""; 0]);
    pair.b.committed(transfer, Ok(()));
    let (done, seen) = pair.b.work(0, pair.now);
    assert_eq!(seen, ["Received { transfer: TransferId(1) }"]);
    pair.a.hear(&done, pair.now);
    assert_eq!(
        pair.a.work(0, pair.now).1,
        ["Sent { transfer: TransferId(1), how: Stored, resumed_from: 0 }"]
    );
}

#[test]
fn idleness_is_not_stalling() {
    let limits = Limits { stall: Millis(500), ..Limits::LARGE };
    let mut pair = Pair::open(limits, 0);
    pair.now = SECOND;
    assert_eq!(pair.a.work(0, pair.now).1, [""; 0]);
    pair.a.offer().unwrap();
    assert_eq!(pair.a.work(0, pair.now).1, [""; 0]);
    assert_eq!(pair.a.state(), SessionState::Open);
}

#[test]
fn nothing_more_is_stored_of_what_was_refused() {
    let mut pair = Pair::open(Limits::LARGE, 5);
    let transfer = pair.a.offer().unwrap();
    let said = pair.a();
    pair.b.hear(&said, pair.now);
    assert_eq!(pair.b.work(5, pair.now).1, ["store"]);
    pair.b.refuse(transfer, Code::Cancelled);
    pair.b.stored(Ok(5));
    let (abort, seen) = pair.b.work(5, pair.now);
    assert_eq!(seen[0], "Keep");
    assert_eq!(seen.len(), 2, "{seen:?}");
    pair.a.hear(&abort, pair.now);
    let seen = pair.a.work(5, pair.now).1;
    assert!(seen[0].starts_with("SendFailed") && seen[0].contains("Cancelled"), "{seen:?}");
}

#[test]
fn what_failed_is_never_told_as_a_success() {
    let mut pair = Pair::open(Limits::LARGE, 5);
    let transfer = pair.a.offer().unwrap();
    pair.a.cancel(transfer, Code::Ok);
    let seen = pair.a.work(5, pair.now).1;
    assert!(seen[0].starts_with("SendFailed") && seen[0].contains("Other"), "{seen:?}");
    let transfer = pair.a.offer().unwrap();
    let said = pair.a();
    pair.b.hear(&said, pair.now);
    assert_eq!(pair.b.work(5, pair.now).1, ["store"]);
    pair.b.stored(Err(Refusal::from(Code::Ok)));
    let seen = pair.b.work(5, pair.now).1;
    assert!(seen[1].contains("ReceiveFailed") && seen[1].contains("Other"), "{transfer} {seen:?}");
}

#[test]
fn a_frame_is_stored_in_pieces_and_the_check_is_right_after_each() {
    let mut pair = Pair::open(Limits { sync_bytes: 1, ..Limits::LARGE }, 5);
    pair.a.offer().unwrap();
    let said = pair.a();
    pair.b.hear(&said, pair.now);
    assert_eq!(pair.b.work(5, pair.now).1, ["store"]);
    for (piece, end) in [(2, 2), (1, 3), (1, 4)] {
        let Action::Store { offset, data, .. } = pair.b.poll(pair.now) else { panic!("no Store") };
        assert_eq!((offset, data.len()), (end - piece, 5 - (end - piece) as usize));
        pair.b.stored(Ok(piece as usize));
        let Action::Sync { offset, check, .. } = pair.b.poll(pair.now) else { panic!("no Sync") };
        assert_eq!((offset, check), (end, Nibble.update(0, &[0; 5][..end as usize])));
    }
    assert!(matches!(pair.b.poll(pair.now), Action::Store { offset: 4, .. }));
    pair.b.stored(Ok(1));
    assert_eq!(pair.b.work(5, pair.now).1, ["commit"]);
}

#[test]
fn every_offer_of_one_read_is_declined() {
    let mut pair = Pair::open(Limits::LARGE, 0);
    let mut offers = Vec::new();
    for transfer in 1..=9 {
        let mut buffer = [0; 64];
        let mut w = crate::wire::Writer::new(&mut buffer[3..]);
        let offer = crate::wire::Offer {
            transfer,
            size: Some(5),
            modified: None,
            executable: false,
            directory: false,
            restart: false,
            want: None,
            listing: false,
            digest: crate::wire::DigestKind::Crc32,
            identity: Identity::EMPTY,
            name: crate::wire::UncheckedName::new(b"x"),
        };
        offer.emit(&mut w);
        let length = w.len();
        let check = Nibble.update(pair.a.opening.sending, &buffer[3..3 + length]);
        buffer[3 + length..7 + length].copy_from_slice(&check.to_le_bytes());
        let whole = Stream::new().wrap(&mut buffer, length + 4, crate::Place::First).end;
        offers.extend_from_slice(&buffer[..whole]);
    }
    pair.b.hear(&offers, pair.now);
    let (answers, seen) = pair.b.work(0, pair.now);
    assert_eq!(seen, [""; 0]);
    let declined = answers.windows(2).filter(|window| *window == [0x13, 0]).count();
    assert_eq!((declined, pair.b.state()), (7, SessionState::Open));
}

fn unsized_file() -> Description<'static> {
    let name = FileName::new("x").ok();
    let (file_type, identity, start) = (FileType::File, Identity::EMPTY, Start::Eager);
    Description { name, file_type, size: None, modified: None, identity, start }
}

#[test]
fn a_source_that_has_nothing_now_is_asked_again_in_the_next_round() {
    let mut pair = Pair::open(Limits::LARGE, 0);
    pair.a.offer().unwrap();
    let mut fetches = Vec::new();
    for round in 0..3 {
        loop {
            match pair.a.poll(pair.now) {
                Action::Describe { .. } => pair.a.described(Ok(unsized_file())),
                Action::Fetch { offset, .. } => {
                    fetches.push(offset);
                    pair.a.fetched(if round < 2 { Err(Code::Wait.into()) } else { Ok(5) });
                    if round == 2 {
                        break;
                    }
                }
                Action::Transmit(bytes) => {
                    let n = bytes.len();
                    pair.a.transmitted(n);
                }
                Action::Wait { .. } => break,
                _ => {}
            }
        }
    }
    assert_eq!(fetches, [0, 0, 0]);
    assert!(pair.a.deadline().unwrap() > pair.now, "it does not spin");
}

#[test]
fn a_want_that_cannot_be_described_is_declined() {
    let mut pair = Pair::open(Limits::LARGE, 0);
    let want = pair.a.want().unwrap();
    let Action::Ask { .. } = pair.a.poll(pair.now) else { panic!("no name is asked for") };
    pair.a.asked(Ok(crate::storage::Asked::File(FileName::new("x").unwrap())));
    let said = pair.a();
    pair.b.hear(&said, pair.now);
    let Action::Wanted(wanted) = pair.b.poll(pair.now) else { panic!("nothing is wanted") };
    wanted.serve();
    let Action::Describe { .. } = pair.b.poll(pair.now) else { panic!("nothing is to be described") };
    pair.b.described(Err(Code::NotFound.into()));
    let (said, seen) = pair.b.work(0, pair.now);
    assert_eq!(seen.len(), 1, "{seen:?}");
    pair.a.hear(&said, pair.now);
    let (_, seen) = pair.a.work(0, pair.now);
    assert_eq!(seen, [std::format!("WantFailed {{ want: {want:?}, code: NotFound, words: \"\" }}")]);
}

/// How often the storage of a round says that it does not know yet, and what it is asked meanwhile.
#[derive(Default)]
struct Dry {
    describes: usize,
    finishes: usize,
}

impl Dry {
    /// Works for one round; each question is answered `wait` in all rounds but the last.
    fn round(&mut self, pair: &mut Pair, is_last: bool) -> (Vec<u8>, Vec<String>) {
        let (mut out, mut seen) = (Vec::new(), Vec::new());
        let wait = Refusal::from(Code::Wait);
        loop {
            match pair.a.poll(pair.now) {
                Action::Describe { .. } => {
                    self.describes += 1;
                    pair.a.described(if is_last { Ok(unsized_file()) } else { Err(wait) });
                }
                Action::Fetch { .. } => pair.a.fetched(Ok(0)),
                Action::Finish { .. } => {
                    self.finishes += 1;
                    pair.a.finished(if is_last { Ok(0) } else { Err(wait) });
                }
                Action::Transmit(bytes) => {
                    out.extend_from_slice(bytes);
                    let n = bytes.len();
                    pair.a.transmitted(n);
                }
                Action::Event(event) => seen.push(std::format!("{event:?}")),
                Action::Wait { until } => {
                    assert!(until.unwrap() > pair.now, "it does not spin");
                    return (out, seen);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_transfer_that_is_not_known_yet_stays_queued_and_nothing_is_said() {
    let mut pair = Pair::open(Limits::LARGE, 0);
    let transfer = pair.a.offer().unwrap();
    let mut dry = Dry::default();
    for _ in 0..3 {
        assert_eq!(dry.round(&mut pair, false), (vec![], vec![]));
    }
    assert_eq!((dry.describes, pair.a.acknowledged(transfer)), (3, Some(0)));
    // What else is owed goes on.
    pair.b.hear(&[], pair.now);
    let number = pair.b.notify().unwrap();
    let Action::Say { .. } = pair.b.poll(pair.now) else { panic!("no words are asked for") };
    pair.b.said(0);
    let said = pair.b();
    pair.a.hear(&said, pair.now);
    let (said, seen) = dry.round(&mut pair, false);
    assert_eq!(seen, ["Notice(\"\")"]);
    pair.b.hear(&said, pair.now);
    let taken = std::format!("NoticeTaken {{ number: {number} }}");
    assert_eq!(pair.b.work(0, pair.now), (vec![], vec![taken]));
    // Then it is offered like any other.
    let (said, _) = dry.round(&mut pair, true);
    pair.b.hear(&said, pair.now);
    assert_eq!(pair.b.work(0, pair.now).1, ["commit"]);
}

#[test]
fn a_transfer_that_is_not_known_yet_can_be_given_up_and_the_session_ends() {
    let mut pair = Pair::open(Limits::LARGE, 0);
    let transfer = pair.a.offer().unwrap();
    pair.a.close(Code::Ok);
    let mut dry = Dry::default();
    assert_eq!(dry.round(&mut pair, false), (vec![], vec![]), "no BYE while something is queued");
    pair.a.cancel(transfer, Code::Cancelled);
    let (said, seen) = dry.round(&mut pair, false);
    assert!(seen[0].starts_with("SendFailed") && seen.len() == 1, "{seen:?}");
    pair.b.hear(&said, pair.now);
    let (said, seen) = pair.b.work(0, pair.now);
    assert_eq!(seen, ["Bye { code: Ok }", "Ok(())"]);
    pair.a.hear(&said, pair.now);
    assert_eq!(pair.a.work(0, pair.now).1, ["Bye { code: Ok }", "Ok(())"]);
}

#[test]
fn a_transfer_that_never_becomes_known_stalls_the_session() {
    let limits = Limits { stall: Millis(500), ..Limits::LARGE };
    let mut pair = Pair::open(limits, 0);
    pair.a.offer().unwrap();
    assert_eq!(Dry::default().round(&mut pair, false), (vec![], vec![]));
    assert_eq!(pair.a.deadline(), Some(pair.now.after(limits.stall)));
    pair.now = pair.now.after(limits.stall);
    assert_eq!(pair.a.work(0, pair.now).1, ["Err(Link(Stalled))"]);
}

#[test]
fn a_digest_that_is_not_known_yet_is_asked_for_again() {
    let mut pair = Pair::open(Limits::LARGE, 0);
    pair.a.offer().unwrap();
    let Action::Describe { .. } = pair.a.poll(pair.now) else { panic!("nothing is to be described") };
    pair.a.described(Ok(unsized_file()));
    let mut dry = Dry::default();
    let (said, _) = dry.round(&mut pair, false);
    pair.b.hear(&said, pair.now);
    let (said, seen) = pair.b.work(0, pair.now);
    assert_eq!(seen, [""; 0], "no END has come");
    pair.a.hear(&said, pair.now);
    assert_eq!(dry.round(&mut pair, false), (vec![], vec![]));
    let (said, _) = dry.round(&mut pair, true);
    assert_eq!(dry.finishes, 3);
    pair.b.hear(&said, pair.now);
    assert_eq!(pair.b.work(0, pair.now).1, ["commit"]);
}

#[test]
fn a_prefix_that_cannot_be_read_now_is_read_again() {
    let mut pair = Pair::open(Limits::LARGE, 4);
    pair.a.offer().unwrap();
    let describe = |pair: &mut Pair| {
        let Action::Describe { .. } = pair.a.poll(pair.now) else { panic!("nothing is to be described") };
        let description = Description { size: Some(4), start: Start::AfterAnswer, ..unsized_file() };
        pair.a.described(Ok(description));
    };
    describe(&mut pair);
    let said = pair.a();
    pair.b.hear(&said, pair.now);
    let Action::Offered(offered) = pair.b.poll(pair.now) else { panic!("nothing is offered") };
    offered.accept(ResumePoint { offset: 3, check: Nibble.update(0, &[0; 3]) });
    let said = pair.b();
    pair.a.hear(&said, pair.now);
    for fetched in [Err(Refusal::from(Code::Wait)), Ok(2), Err(Code::Wait.into()), Ok(1)] {
        let Action::Fetch { offset, into, .. } = pair.a.poll(pair.now) else { panic!("nothing is read") };
        assert_eq!(offset as usize + into.len(), 3, "the prefix");
        into.fill(0);
        pair.a.fetched(fetched);
        if fetched.is_err() {
            assert!(matches!(pair.a.poll(pair.now), Action::Wait { .. }), "in the next round");
        }
    }
    let said = pair.a();
    pair.b.hear(&said, pair.now);
    let Action::Store { offset: 3, data, .. } = pair.b.poll(pair.now) else { panic!("not the rest") };
    assert_eq!(data, [0]);
}

fn node(name: &str) -> NodeName<'_> {
    NodeName::new(name).unwrap()
}

#[test]
fn attach_goes_ahead_of_everything_but_hello() {
    let (a, b) = (session(Limits::LARGE, Speaks::First, 1), session(Limits::LARGE, Speaks::Second, 2));
    let mut pair = Pair { a, b, size: 0, now: Instant::ZERO };
    pair.a.offer().unwrap();
    pair.a.attach(node("dropped"));
    pair.a.attach(node("board-7"));
    for said in [pair.a(), pair.b()] {
        pair.b.hear(&said, pair.now);
        let said = pair.b();
        pair.a.hear(&said, pair.now);
    }
    let said = pair.a();
    pair.b.hear(&said, pair.now);
    assert_eq!(pair.b.work(0, pair.now).1, ["Opened", "Attached(NodeName(\"board-7\"))", "commit"]);
    pair.a.attach(NodeName::EMPTY);
    assert!(pair.a.notify().is_some());
    let said = pair.a();
    pair.b.hear(&said, pair.now);
    assert_eq!(pair.b.work(0, pair.now).1, ["Attached(NodeName(\"\"))"]);
}

#[test]
fn a_node_is_not_named_after_bye() {
    let mut pair = Pair::open(Limits::LARGE, 0);
    pair.a.attach(node("x"));
    pair.a.close(Code::Ok);
    let said = pair.a();
    pair.b.hear(&said, pair.now);
    let seen = pair.b.work(0, pair.now).1;
    assert_eq!(seen[..2], ["Attached(NodeName(\"x\"))", "Bye { code: Ok }"]);
    pair.a.attach(node("y"));
    assert_eq!(pair.a(), [0; 0]);
}

#[test]
fn a_long_name_waits_for_room_and_is_left_out_only_where_there_never_is_any() {
    let longest = "n".repeat(NodeName::MAX_LEN);
    let with_buffers = |speaks, nonce, receive: usize, transmit: usize| {
        let role = Both {
            sender: Sender::new(vec![Outgoing::FREE; 1].leak()),
            receiver: Receiver::new(vec![Incoming::FREE; 1].leak()),
        };
        let buffers = Buffers { receive: vec![0; receive].leak(), transmit: vec![0; transmit].leak() };
        let limits: &'static Limits = std::boxed::Box::leak(std::boxed::Box::new(Limits::LARGE));
        Session::new(buffers, limits, role, speaks, Nonce::new(nonce), Instant::ZERO).unwrap()
    };
    for length in [55, 56, 64] {
        for transmit in 64..=200 {
            for receive in [63, 72] {
                let name = node(longest[..length].to_string().leak());
                let mut pair = Pair {
                    a: with_buffers(Speaks::First, 1, 512, transmit),
                    b: with_buffers(Speaks::Second, 2, receive, 512),
                    size: 0,
                    now: Instant::ZERO,
                };
                pair.a.attach(name);
                assert!(pair.a.offer().is_some());
                let mut seen = Vec::new();
                while seen.len() < 2 {
                    for byte in pair.a() {
                        pair.b.hear(&[byte], pair.now);
                        let (said, heard) = pair.b.work(0, pair.now);
                        seen.extend(heard);
                        pair.a.hear(&said, pair.now);
                        if seen.len() == 2 {
                            break;
                        }
                    }
                }
                let fits = length + 5 <= 60 || (length + 5 <= transmit - 3 && receive == 72);
                let expected = std::format!("Attached({:?})", if fits { name } else { NodeName::EMPTY });
                assert_eq!(seen, ["Opened".to_string(), expected], "{length} {transmit} {receive}");
            }
        }
    }
}

#[test]
fn a_ping_is_as_long_as_asked_and_its_answer_is_told() {
    let mut pair = Pair::open(Limits::LARGE, 0);
    let longest = pair.a.longest_ping();
    assert_eq!(longest, 512 - 3);
    for (length, sent) in [(0, 10), (11, 11), (100, 100), (longest, longest), (usize::MAX, longest)] {
        let number = pair.a.ping(length).unwrap();
        assert_eq!(pair.a.ping(length), None, "one after the other");
        let said = pair.a();
        assert_eq!((said.len(), said[3]), (3 + sent, 2), "{length}");
        pair.b.hear(&said, pair.now);
        let said = pair.b();
        pair.a.hear(&said, pair.now);
        let told = std::format!("Ponged {{ number: {number} }}");
        assert_eq!(pair.a.work(0, pair.now), (vec![], vec![told]));
    }
    pair.a.close(Code::Ok);
    assert_eq!(pair.a.ping(0), None);
    assert_eq!(session(Limits::LARGE, Speaks::First, 1).ping(0), None, "before it is open");
}

#[test]
fn the_memory_of_a_session_serves_the_next_one_and_nothing_is_left_of_the_first() {
    let mut pair = Pair::open(Limits::LARGE, 5);
    pair.a.offer().unwrap();
    let said = pair.a();
    pair.b.hear(&said, pair.now);
    assert_eq!(pair.b.work(5, pair.now).1, ["store"]);
    let Pair { a, b, size, now } = pair;
    let a = a.renewed(Stream::new(), (Speaks::First, Nonce::new(3)), SECOND);
    let b = b.renewed(Stream::new(), (Speaks::Second, Nonce::new(4)), SECOND);
    let mut pair = Pair { a, b, size, now: SECOND.max(now) };
    assert!(pair.a.is_idle() && pair.b.is_idle());
    pair.exchange_hellos();
    assert_eq!(pair.a.offer(), Some(TransferId(1)));
    assert_eq!(pair.a.offer(), Some(TransferId(2)), "both places are free");
    let said = pair.a();
    pair.b.hear(&said, pair.now);
    assert_eq!(pair.b.work(5, pair.now).1, ["store"]);
}
