//! Versions, flags, kinds and codes that nobody has thought of yet.

use sampan_core::wire::{Code, Frame, Hello, Kind, Ping};

use crate::kit::framed::{PREAMBLE, content, wrap};
use crate::kit::{Arena, Framed, PATIENCE, Raw};

#[test]
fn another_framing_version_is_closed_and_both_versions_are_reported() {
    let mut arena = Arena::new();
    let mut raw = Raw::dial(arena.url());
    raw.write(b"\xF5SPN\x09");
    let (said, _) = raw.read_to_end(PATIENCE);
    assert_eq!(said, [0; 0], "nothing is said before the whole preamble is known");
    arena.oracle().check();
    let failed = arena.server.failures(0).remove(0);
    let message = failed["message"].as_str().expect("words");
    assert!(message.contains('9') && message.contains('1'), "{message}");
}

#[test]
fn a_newer_protocol_version_and_its_fields_are_taken_as_ours() {
    let mut arena = Arena::new();
    let mut framed = Framed::over(Raw::dial(arena.url()), Framed::hello());
    framed.say_bytes(PREAMBLE);
    let hello = |echo: u64| {
        let hello = Hello { version: 250, echo, ..Framed::hello() };
        let mut bytes = content(&Frame::Hello(hello));
        // All flags, an unknown digest, and a field after the last.
        bytes[18] = 0xFE;
        let last = bytes.len() - 1;
        bytes[last] = 1;
        bytes.extend_from_slice(&[0xEE, 1, 2, 3]);
        wrap(&bytes, 0)
    };
    framed.say_bytes(&hello(0));
    framed.hear_hello();
    assert_eq!(framed.theirs.version, 1);
    let echo = framed.theirs.nonce;
    framed.say_bytes(&hello(echo));
    framed.say_file(1, "file", b"contents");
    framed.expect_accept();
    framed.expect_done(1, Code::Ok);
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    arena.oracle().failures(0).files(&["file"]).check();
}

#[test]
fn kinds_that_may_be_skipped_are_skipped_and_others_end_the_session() {
    let mut arena = Arena::new();
    let mut framed = Framed::dial(arena.url());
    for kind in (0x40..=0x7F).filter(|kind| Kind::from_code(*kind).is_none()) {
        framed.say_raw(&[kind, 1, 2, 3]);
    }
    framed.say(&Frame::Ping(Ping { number: 4 }));
    assert_eq!(framed.hear(PATIENCE).expect("an answer"), [Kind::Pong.code(), 4]);
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    let unknown = [0x00, 0x07, 0x0F, 0x18, 0x3F, 0x80, 0x82, 0xC2, 0xFF];
    for kind in unknown {
        let mut framed = Framed::dial(arena.url());
        framed.say_raw(&[kind, 1, 2, 3]);
        framed.expect_end(Code::Protocol);
    }
    arena.oracle().failed_times(unknown.len(), "protocol").check();
}

#[test]
fn codes_that_nobody_knows_mean_other() {
    let mut arena = Arena::new();
    let mut framed = Framed::dial(arena.url());
    framed.say(&Frame::Offer(Framed::offer(1, "file", 8)));
    framed.expect_accept();
    // ABORT of a transfer with code 200, and BYE with code 201.
    framed.say_raw(&[Kind::Abort.code(), 1, 1, 200, b'?']);
    framed.say_raw(&[Kind::Bye.code(), 201, b'?']);
    let _ = framed.raw.expect_close(PATIENCE);
    arena.oracle().failed("other").check();
}
