//! A peer that breaks the rules: a typed end, or nothing at all, as §3.3, §8.1 and §8.3 say.

use sampan_core::wire::{
    Abort, Accept, Ack, Code, Data, Decline, DigestKind, Done, End, Frame, Gaps, Hello, Kind, Malformed,
    Offer, Ping, Scope, UncheckedName, Want,
};
use sampan_core::{Engine, Error, Instant, Limits, LinkError, Next, Part, PeerError, TransferId};
use sampan_tests::{Heard, Offer as Outgoing, Policy, Puppet, content};

const MEMORY: (usize, usize, usize) = (4096, 4096, 2);

fn opened() -> Puppet {
    Puppet::opened(Limits::LARGE, MEMORY)
}

/// Says `frame`; how the session ends, and whether it says why.
fn ends(mut puppet: Puppet, say: impl FnOnce(&mut Puppet)) -> (Option<Error>, Option<Code>) {
    say(&mut puppet);
    let told = puppet.listen().iter().find(|frame| frame[0] == Kind::Abort.code()).map(|frame| {
        let abort = Abort::parse(&frame[1..]).expect("an ABORT");
        assert_eq!((abort.scope, abort.transfer), (Scope::Session, 0));
        abort.code
    });
    (puppet.node.finish.and_then(Result::err), told)
}

fn broken(error: PeerError) -> (Option<Error>, Option<Code>) {
    (Some(Error::Peer(error)), Some(Code::Protocol))
}

#[test]
fn a_wrong_check_ends_the_link() {
    let (error, told) = ends(opened(), |puppet| puppet.say_bytes(&[6, 0, 0, 2, 1, 0, 0, 0, 0]));
    assert_eq!((error, told), (Some(Error::Link(LinkError::Corrupt)), Some(Code::Integrity)));
    assert!(error.is_some_and(Error::is_resumable));
}

#[test]
fn a_length_out_of_bounds_ends_it() {
    for (length, value) in [([4, 0, 0], 4), ([0xFE, 0x0F, 0], 4094), ([0xFF; 3], 0xFF_FFFF)] {
        let (error, told) = ends(opened(), |puppet| puppet.say_bytes(&length));
        assert_eq!((error, told), broken(PeerError::FrameLength { length: value }));
    }
}

#[test]
fn malformed_and_unknown_frames_end_it_and_skippable_ones_do_not() {
    let truncated = PeerError::Malformed(Kind::Ping, Malformed::Truncated);
    assert_eq!(ends(opened(), |puppet| puppet.say_raw(&[0x02])), broken(truncated));
    assert_eq!(ends(opened(), |puppet| puppet.say_raw(&[0x2A, 1, 2])), broken(PeerError::UnknownKind(0x2A)));
    assert_eq!(ends(opened(), |puppet| puppet.say_raw(&[0xC2, 1])), broken(PeerError::UnknownKind(0xC2)));
    let mut puppet = opened();
    puppet.say_raw(&[0x6A, 1, 2]);
    puppet.say(&Frame::Ping(Ping { number: 7 }));
    assert_eq!(puppet.listen(), [[0x03, 7]]);
}

#[test]
fn what_was_never_offered_ends_it() {
    let data = Data { transfer: 1, offset: 0, payload: b"x" };
    let end = End { transfer: 1, size: 0, check: 0, digest: DigestKind::Crc32, value: &[] };
    let accept = Accept { transfer: 1, have: false, offset: 0, check: 0, credit: 0 };
    let ack = Ack { transfer: 1, received: 0, durable: 0, credit: 0, gaps: Gaps::NONE };
    let done = Done { transfer: 1, code: Code::Ok, words: "" };
    for (frame, kind) in [
        (Frame::Data(data), Kind::Data),
        (Frame::End(end), Kind::End),
        (Frame::Accept(accept), Kind::Accept),
        (Frame::Ack(ack), Kind::Ack),
        (Frame::Done(done), Kind::Done),
    ] {
        assert_eq!(ends(opened(), |puppet| puppet.say(&frame)), broken(PeerError::Unexpected(kind)));
    }
}

#[test]
fn a_restart_that_does_not_begin_at_the_start_ends_it() {
    let mut puppet = opened();
    puppet.node.send(Outgoing::file("file", content(1, 3_000)).patient());
    puppet.say(&Frame::Ping(Ping { number: 1 }));
    puppet.listen();
    let accept = Accept { transfer: 1, have: false, offset: 100, check: 1, credit: 1_000 };
    puppet.say(&Frame::Accept(accept));
    let said = puppet.listen();
    let offers: Vec<_> = said.iter().filter(|frame| frame[0] == Kind::Offer.code()).collect();
    let offer = Offer::parse(&offers.last().expect("an OFFER")[1..]).expect("an OFFER");
    assert!(offer.restart);
    assert_eq!(
        ends(puppet, |puppet| puppet.say(&Frame::Accept(accept))),
        broken(PeerError::Unexpected(Kind::Accept))
    );
}

#[test]
fn what_answers_nothing_is_dropped() {
    let mut puppet = opened();
    let what = sampan_core::wire::Answered::Offer;
    puppet.say(&Frame::Decline(Decline { what, number: 9, code: Code::Busy, words: "" }));
    puppet.say(&Frame::Abort(Abort { scope: Scope::Sending, transfer: 9, code: Code::Other, words: "" }));
    puppet.say(&Frame::Abort(Abort { scope: Scope::Receiving, transfer: 9, code: Code::Other, words: "" }));
    puppet.say(&Frame::Pong(sampan_core::wire::Pong { number: 9 }));
    assert!(puppet.listen().is_empty());
    assert_eq!(puppet.node.finish, None);
}

#[test]
fn ids_go_up_and_are_not_offered_twice() {
    let unexpected = broken(PeerError::Unexpected(Kind::Offer));
    for second in [1, 2] {
        let end = ends(opened(), |puppet| {
            puppet.say(&Frame::Offer(Puppet::offer(2, 10)));
            puppet.say(&Frame::Offer(Puppet::offer(second, 10)));
        });
        assert_eq!(end, unexpected);
    }
}

#[test]
fn more_offers_than_slots_are_declined_and_a_flood_ends_it() {
    let mut puppet = opened();
    for id in 1..=3 {
        puppet.say(&Frame::Offer(Puppet::offer(id, 10)));
    }
    assert_eq!(puppet.listen_kinds(), [Kind::Accept, Kind::Accept, Kind::Decline]);
    assert_eq!(puppet.node.finish, None);
    // Where no answer can leave, no more is read than one that cannot be answered.
    let mut puppet = opened();
    puppet.close_ears();
    for id in 1..=1_000 {
        puppet.say(&Frame::Offer(Puppet::offer(id, 10)));
    }
    assert_eq!(puppet.node.storage.accepted.len(), 2);
    puppet.pass(31_000_000);
    puppet.pass(31_000_000);
    assert_eq!(puppet.node.finish, Some(Err(Error::Link(LinkError::Silent))));
}

#[test]
fn data_beyond_the_size_or_beyond_a_gap() {
    let mut puppet = opened();
    puppet.say(&Frame::Offer(Puppet::offer(1, 10)));
    puppet.say(&Frame::Data(Data { transfer: 1, offset: 5, payload: b"123456" }));
    assert_eq!(puppet.listen_kinds(), [Kind::Accept, Kind::Abort]);
    assert_eq!(puppet.node.finish, None, "only the transfer ends");
    assert!(matches!(&puppet.node.heard[1], Heard::ReceiveFailed(TransferId(1), Code::TooLarge, ..)));
    let gap = ends(opened(), |puppet| {
        puppet.say(&Frame::Offer(Puppet::offer(1, 10)));
        puppet.say(&Frame::Data(Data { transfer: 1, offset: 5, payload: b"12345" }));
    });
    assert_eq!(gap, broken(PeerError::Unexpected(Kind::Data)));
    let mut puppet = opened();
    puppet.say(&Frame::Offer(Offer { size: None, ..Puppet::offer(1, 0) }));
    puppet.say(&Frame::Data(Data { transfer: 1, offset: u64::MAX, payload: b"12345" }));
    assert_eq!(puppet.listen_kinds(), [Kind::Accept, Kind::Abort], "an end beyond all offsets");
    assert_eq!(puppet.node.finish, None);
}

#[test]
fn overlapping_and_repeated_data_count_once() {
    let mut puppet = opened();
    puppet.say(&Frame::Offer(Puppet::offer(1, 10)));
    for (offset, payload) in [(0, &b"01234"[..]), (0, b"01"), (3, b"3456"), (2, b"234"), (0, b"0123456789")] {
        puppet.say(&Frame::Data(Data { transfer: 1, offset, payload }));
    }
    let check = sampan_core::wire::Crc32::update(&mut sampan_core::wire::Nibble, 0, b"0123456789");
    puppet.say(&Frame::End(End { transfer: 1, size: 10, check, digest: DigestKind::Crc32, value: &[] }));
    assert!(puppet.node.heard.contains(&Heard::Received(TransferId(1))));
    assert_eq!(puppet.node.storage.disk.file("name"), Some(b"0123456789".to_vec()));
    assert_eq!(puppet.node.storage.stored, 10);
}

#[test]
fn an_end_that_does_not_match_discards_the_part() {
    for (size, check) in [(9, 0), (10, 1), (11, 0)] {
        let mut puppet = opened();
        puppet.say(&Frame::Offer(Puppet::offer(1, 10)));
        puppet.say(&Frame::Data(Data { transfer: 1, offset: 0, payload: b"0123456789" }));
        puppet.say(&Frame::End(End { transfer: 1, size, check, digest: DigestKind::Crc32, value: &[] }));
        let done = puppet.listen().pop().expect("an answer");
        assert_eq!(Done::parse(&done[1..]).map(|done| done.code), Ok(Code::Integrity));
        assert!(puppet.node.storage.disk.names().is_empty());
        assert!(puppet.node.storage.disk.part("name").is_none());
    }
}

#[test]
fn an_ack_of_what_was_not_sent() {
    let end = ends(opened(), |puppet| {
        puppet.node.send(sampan_tests::Offer::file("n", vec![1; 100]).patient());
        puppet.say(&Frame::Ping(Ping { number: 1 }));
        puppet.say(&Frame::Accept(Accept { transfer: 1, have: false, offset: 0, check: 0, credit: 10 }));
        puppet.say(&Frame::Ack(Ack { transfer: 1, received: 11, durable: 0, credit: 0, gaps: Gaps::NONE }));
    });
    assert_eq!(end, broken(PeerError::Unexpected(Kind::Ack)));
    let end = ends(opened(), |puppet| {
        puppet.node.send(sampan_tests::Offer::file("n", vec![1; 100]).patient());
        puppet.say(&Frame::Ping(Ping { number: 1 }));
        puppet.say(&Frame::Accept(Accept { transfer: 1, have: false, offset: 101, check: 0, credit: 10 }));
    });
    assert_eq!(end, broken(PeerError::Unexpected(Kind::Accept)));
}

#[test]
fn done_before_end() {
    let end = ends(opened(), |puppet| {
        puppet.node.send(sampan_tests::Offer::file("n", vec![1; 100]).patient());
        puppet.say(&Frame::Ping(Ping { number: 1 }));
        puppet.say(&Frame::Done(Done { transfer: 1, code: Code::Ok, words: "" }));
    });
    assert_eq!(end, broken(PeerError::Unexpected(Kind::Done)));
}

#[test]
fn a_new_session_on_the_same_stream_and_our_own_echo() {
    let end = ends(opened(), |puppet| puppet.say_hello(&Hello { nonce: 33, ..Puppet::hello() }));
    assert_eq!(
        end,
        (Some(Error::Peer(PeerError::Restarted)), None),
        "there is nobody who could check an ABORT"
    );
    assert!(Error::Peer(PeerError::Restarted).is_resumable());
    let mut puppet = opened();
    puppet.say_hello(&Hello { nonce: 11, ..Puppet::hello() });
    assert!(puppet.listen().is_empty());
    puppet.say_hello(&Puppet::hello());
    assert_eq!(puppet.listen_kinds(), [Kind::Hello], "a HELLO that does not echo us is answered");
    puppet.say_hello(&Hello { echo: 11, ..Puppet::hello() });
    assert!(puppet.listen().is_empty());
    assert_eq!(puppet.node.finish, None);
}

#[test]
fn frames_before_the_session_is_open() {
    let mut puppet = Puppet::new(Limits::LARGE, MEMORY);
    puppet.say_bytes(b"\xF5SPN\x01");
    puppet.say_hello(&Puppet::hello());
    puppet.say(&Frame::Offer(Puppet::offer(1, 10)));
    assert_eq!(puppet.node.finish, Some(Err(Error::Peer(PeerError::Unexpected(Kind::Offer)))));
    assert!(puppet.node.storage.accepted.is_empty());
}

#[test]
fn other_protocols_are_told_by_their_first_bytes() {
    for (bytes, error) in [
        (&b"GET / HTTP/1.1\r\n"[..], PeerError::NotSampan),
        (b"SSH-2.0-OpenSSH", PeerError::NotSampan),
        (b"\x16\x03\x01\x02\x00", PeerError::NotSampan),
        (b"[+] server : filename query ok", PeerError::Classic),
        (b"\xF5SPN\x09", PeerError::FramingVersion { theirs: 9 }),
    ] {
        let mut puppet = Puppet::new(Limits::LARGE, MEMORY);
        puppet.say_bytes(bytes);
        assert_eq!(puppet.node.finish, Some(Err(Error::Peer(error))));
        assert!(puppet.listen().is_empty(), "nothing is said to what is not known");
    }
}

#[test]
fn frames_after_the_farewell() {
    let end = ends(opened(), |puppet| {
        puppet.node.storage.policy = Policy { never_commit: true, ..Policy::default() };
        puppet.say(&Frame::Offer(Puppet::offer(1, 0)));
        puppet.say(&Frame::End(End {
            transfer: 1,
            size: 0,
            check: 0,
            digest: DigestKind::Crc32,
            value: &[],
        }));
        puppet.say_raw(&[0x06, 0]);
        puppet.say(&Frame::Offer(Puppet::offer(2, 0)));
    });
    assert_eq!(end, broken(PeerError::Unexpected(Kind::Offer)));
}

#[test]
fn wants_that_cross_with_a_farewell_are_refused_and_later_ones_are_wrong() {
    let mut puppet = opened();
    puppet.node.storage.offers_on_want.insert("name".into(), sampan_tests::Offer::file("name", vec![1]));
    puppet.node.engine.close(Code::Ok);
    puppet.say(&Frame::Ping(Ping { number: 1 }));
    puppet.say(&Frame::Want(Want { number: 1, listing: false, name: UncheckedName::new(b"name") }));
    let answer = puppet.listen().pop().expect("an answer");
    assert_eq!(Decline::parse(&answer[1..]).map(|decline| decline.code), Ok(Code::Closing));
    let end = ends(opened(), |puppet| {
        puppet.say_raw(&[0x06, 0]);
        puppet.say(&Frame::Want(Want { number: 1, listing: false, name: UncheckedName::new(b"name") }));
    });
    assert_eq!(end.0, None, "both have said BYE: it is over before the WANT is looked at");
}

#[test]
fn a_digest_that_was_not_announced_is_declined() {
    let mut puppet = opened();
    puppet.say(&Frame::Offer(Offer { digest: DigestKind::Sha256, ..Puppet::offer(1, 3) }));
    puppet.say(&Frame::Data(Data { transfer: 1, offset: 0, payload: b"abc" }));
    let answers = puppet.listen();
    assert_eq!(Decline::parse(&answers[0][1..]).map(|decline| decline.code), Ok(Code::Unsupported));
    assert_eq!((answers.len(), puppet.node.finish), (1, None), "what follows is dropped");
}

#[test]
fn a_notice_and_a_ping_are_both_answered() {
    let mut puppet = opened();
    puppet.close_ears();
    puppet.say(&Frame::Notice(sampan_core::wire::Notice { number: 5, words: "hear" }));
    puppet.say(&Frame::Ping(Ping { number: 6 }));
    puppet.open_ears();
    puppet.say(&Frame::Ping(Ping { number: 7 }));
    let numbers: Vec<u8> = puppet.listen().iter().map(|frame| frame[1]).collect();
    assert!(numbers.contains(&5), "{numbers:?}");
}

#[test]
fn an_offer_that_was_told_to_wait_may_come_after_later_ones() {
    let mut puppet = Puppet::new(Limits::LARGE, MEMORY);
    let hello = Hello { flags: Hello::ONE_DIRECTION | Hello::ANSWERS_WANT, ..Puppet::hello() };
    puppet.say_bytes(b"\xF5SPN\x01");
    puppet.say_hello(&hello);
    let id = puppet.node.send(sampan_tests::Offer::file("n", vec![1; 100]));
    puppet.say_hello(&Hello { echo: 11, ..hello });
    puppet.say(&Frame::Offer(Puppet::offer(1, 10)));
    let answers = puppet.listen();
    let decline = Decline::parse(&answers.last().expect("an answer")[1..]).expect("a DECLINE");
    assert_eq!((decline.number, decline.code), (1, Code::Wait), "the smaller nonce goes first");
    puppet.node.engine.cancel(id, Code::Cancelled);
    puppet.say(&Frame::Offer(Puppet::offer(2, 10)));
    puppet.say(&Frame::Offer(Puppet::offer(1, 10)));
    assert_eq!(puppet.listen_kinds(), [Kind::Abort, Kind::Accept, Kind::Accept]);
    assert_eq!(puppet.node.finish, None);
}

#[test]
fn wait_is_a_refusal_where_both_directions_run() {
    let mut puppet = opened();
    let id = puppet.node.send(sampan_tests::Offer::file("n", vec![1; 100]).patient());
    puppet.say(&Frame::Ping(Ping { number: 1 }));
    let what = sampan_core::wire::Answered::Offer;
    puppet.say(&Frame::Decline(Decline { what, number: 1, code: Code::Wait, words: "later" }));
    let failed = Heard::SendFailed(id, Code::Wait, sampan_core::By::Peer, "later".into());
    assert_eq!(puppet.node.heard, [Heard::Opened, failed]);
}

#[test]
fn a_peer_that_takes_nothing_is_offered_nothing() {
    let mut puppet = Puppet::opened_with(Limits::LARGE, MEMORY, 0);
    let id = puppet.node.send(sampan_tests::Offer::file("n", vec![1; 100]));
    puppet.say(&Frame::Ping(Ping { number: 1 }));
    assert_eq!(puppet.listen_kinds(), [Kind::Pong]);
    let Heard::SendFailed(failed, Code::NotAllowed, sampan_core::By::Us, _) = &puppet.node.heard[1] else {
        panic!("{:?}", puppet.node.heard)
    };
    assert_eq!(*failed, id);
}

#[test]
fn wants_for_what_is_not_there_are_refused_however_many() {
    let mut puppet = opened();
    for number in 1..=50 {
        let name = UncheckedName::new(if number % 2 == 0 { b"absent" } else { b"../up" });
        puppet.say(&Frame::Want(Want { number, listing: false, name }));
        let answer = puppet.listen().pop().expect("an answer");
        let decline = Decline::parse(&answer[1..]).expect("a DECLINE");
        let code = if number % 2 == 0 { Code::NotFound } else { Code::BadName };
        assert_eq!((decline.number, decline.code), (number, code));
    }
    assert_eq!(puppet.node.finish, None);
}

#[test]
fn an_abort_of_the_session_is_final_and_typed() {
    for (code, resumable) in [(Code::Protocol, false), (Code::Busy, true), (Code::Closing, true)] {
        let (error, told) = ends(opened(), |puppet| {
            puppet.say(&Frame::Abort(Abort { scope: Scope::Session, transfer: 0, code, words: "enough" }));
        });
        assert_eq!(
            (error, told),
            (Some(Error::Peer(PeerError::Aborted(code))), None),
            "it is never answered"
        );
        assert_eq!(error.is_some_and(Error::is_resumable), resumable);
    }
}

#[test]
fn a_want_for_which_there_is_no_slot_is_declined_and_the_storage_not_asked() {
    let mut puppet = Puppet::opened_with(Limits::LARGE, (4096, 4096, 1), 1);
    puppet.node.storage.offers_on_want.insert("first".into(), Outgoing::file("first", vec![1; 10]).patient());
    puppet
        .node
        .storage
        .offers_on_want
        .insert("second".into(), Outgoing::file("second", vec![2; 10]).patient());
    let want = |number, name: &'static [u8]| {
        Frame::Want(Want { number, listing: false, name: UncheckedName::new(name) })
    };
    puppet.say(&want(1, b"first"));
    assert_eq!(puppet.listen_kinds(), [Kind::Offer]);
    puppet.say(&want(2, b"second"));
    assert_eq!(puppet.listen_kinds(), [Kind::Decline]);
    assert_eq!(puppet.node.storage.wanted, ["first"]);
}

#[test]
fn an_end_is_not_announced_before_the_part_is_let_go_of_though_a_want_is_declined_meanwhile() {
    // Room for one answer.
    let mut puppet = Puppet::opened(Limits::LARGE, (600, 70, 1));
    puppet.node.send(Outgoing::file("ours", content(1, 10)));
    puppet.say(&Frame::Offer(Puppet::offer(1, 100)));
    puppet.say(&Frame::Data(Data { transfer: 1, offset: 0, payload: b"a part" }));
    let want = Want { number: 1, listing: false, name: UncheckedName::new(b"theirs") };
    let end = End { transfer: 9, size: 0, check: 0, digest: DigestKind::Crc32, value: &[] };
    let bytes = puppet.laid_together(&[&Frame::Want(want), &Frame::End(end)]);
    let engine = &mut puppet.node.engine;
    engine.receive_buffer()[..bytes.len()].copy_from_slice(&bytes);
    engine.received(bytes.len(), Instant::ZERO);
    // That END is a broken rule; the part is still to be kept.
    assert_eq!(engine.next(Instant::ZERO), Next::Storage);
    puppet.pass(0);
    assert_eq!(puppet.node.storage.abandoned, [("name".to_owned(), Part::Keep)]);
    assert_eq!(puppet.node.finish, Some(Err(Error::Peer(PeerError::Unexpected(Kind::End)))));
}
