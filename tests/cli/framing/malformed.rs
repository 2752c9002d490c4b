//! Frames with a right check and wrong fields, and right frames at the wrong time (`docs/protocol.md` §3.3, §8.3).

use sampan_core::wire::{
    Abort, Accept, Answered, Code, Data, Decline, DigestKind, Done, End, Frame, Kind, Ping, Pong, Scope,
};

use crate::kit::framed::{PREAMBLE, ack, wrap};
use crate::kit::{Arena, Framed, PATIENCE, Raw};

const VECTORS: &str = include_str!("../../vectors/malformed.txt");

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.trim_start_matches('-');
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
    (0..digits.len()).step_by(2).map(byte).collect()
}

#[test]
fn missing_wrong_and_surplus_fields_end_the_session() {
    let mut arena = Arena::new();
    let mut tried = 0;
    for line in VECTORS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let mut words = line.split(' ');
        let (Some(kind), Some(_), Some(body)) = (words.next(), words.next(), words.next()) else {
            panic!("no vector: {line}")
        };
        let Some(kind) = Kind::ALL.into_iter().find(|known| known.name() == kind) else { continue };
        let content = [&[kind.code()][..], &bytes(body)].concat();
        tried += 1;
        if kind == Kind::Hello {
            let mut raw = Raw::dial(arena.url());
            raw.write(PREAMBLE);
            raw.write(&wrap(&content, 0));
            let _ = raw.expect_close(PATIENCE);
        } else {
            let mut framed = Framed::dial(arena.url());
            framed.say_raw(&content);
            framed.expect_end(Code::Protocol);
        }
    }
    assert!(tried > 100, "{tried}");
    arena.oracle().failed_times(tried, "protocol").check();
}

/// Says frames that end the session, each in a session of its own.
#[track_caller]
fn each_ends_it(frames: &[&[Frame<'_>]]) {
    let mut arena = Arena::new();
    for said in frames {
        let mut framed = Framed::dial(arena.url());
        for frame in *said {
            framed.say(frame);
        }
        framed.expect_end(Code::Protocol);
    }
    arena.oracle().any_failures().check();
    let failures = arena.server.failures(0);
    let broken = failures.iter().filter(|failed| failed["error"] == "protocol").count();
    assert!(broken >= frames.len(), "{failures:#?}");
}

#[test]
fn answers_to_what_was_never_offered_end_the_session() {
    let accept = Accept { transfer: 1, have: false, offset: 0, check: 0, credit: 9 };
    each_ends_it(&[
        &[Frame::Accept(accept)],
        &[Frame::Accept(Accept { have: true, credit: 0, ..accept })],
        &[ack(1, 0, 9)],
        &[Frame::Done(Done { transfer: 1, code: Code::Ok, words: "" })],
        &[Frame::Done(Done { transfer: u32::MAX, code: Code::Integrity, words: "" })],
    ]);
}

#[test]
fn contents_without_an_offer_and_offers_that_repeat_end_the_session() {
    let offer = Frame::Offer(Framed::offer(2, "name", 9));
    let end = End { transfer: 1, size: 0, check: 0, digest: DigestKind::Crc32, value: &[] };
    each_ends_it(&[
        &[Frame::Data(Data { transfer: 1, offset: 0, payload: b"x" })],
        &[Frame::End(end)],
        &[offer, offer],
        &[offer, Frame::Offer(Framed::offer(1, "other", 9))],
        &[offer, Frame::End(End { transfer: 2, digest: DigestKind::Sha256, value: &[0; 32], ..end })],
    ]);
}

#[test]
fn replies_and_errors_that_answer_nothing_are_not_answered() {
    let mut arena = Arena::new();
    let mut framed = Framed::dial(arena.url());
    for what in [Answered::Offer, Answered::Want] {
        framed.say(&Frame::Decline(Decline { what, number: 7, code: Code::Busy, words: "\u{1b}[2J" }));
    }
    for scope in [Scope::Sending, Scope::Receiving] {
        framed.say(&Frame::Abort(Abort { scope, transfer: 7, code: Code::Other, words: "\u{1b}[2J" }));
    }
    framed.say(&Frame::Pong(Pong { number: 7 }));
    framed.say(&Frame::Ping(Ping { number: 8 }));
    let answer = framed.hear(PATIENCE).expect("the answer to PING");
    assert_eq!(answer, [Kind::Pong.code(), 8], "and to nothing else");
    framed.say_file(1, "file", b"contents");
    framed.expect_accept();
    framed.expect_done(1, Code::Ok);
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    arena.oracle().failures(0).files(&["file"]).check();
}

#[test]
fn an_end_and_a_farewell_that_repeat_change_nothing() {
    let mut arena = Arena::new();
    let mut framed = Framed::dial(arena.url());
    framed.say_file(1, "file", b"contents");
    framed.say(&Frame::End(Framed::end_of(1, b"contents")));
    framed.say(&Frame::Abort(Abort { scope: Scope::Sending, transfer: 1, code: Code::Changed, words: "" }));
    framed.say_bye();
    let _ = framed.raw.try_write(&framed.sealed(&[Kind::Bye.code(), 0]));
    let _ = framed.raw.expect_close(PATIENCE);
    assert_eq!(arena.place.stored("file"), Some(b"contents".to_vec()));
    arena.oracle().any_failures().files(&["file"]).check();
}
