//! Contents in pieces that overlap, repeat, run backwards, or are no pieces at all.

use sampan_core::wire::{Code, Data, Frame, Kind, Scope};

use crate::kit::{Arena, Framed, PATIENCE, content};

#[test]
fn pieces_that_overlap_and_repeat_count_once() {
    let contents = content(4, 1000);
    // The limit is what the file has; what is sent is many times that.
    let mut arena = Arena::with(&["--max-file-size", "1000"]);
    let mut framed = Framed::dial(arena.url());
    framed.say(&Frame::Offer(Framed::offer(1, "file", 1000)));
    framed.expect_accept();
    let mut seed = 1_u64;
    let mut reached = 0_usize;
    while reached < contents.len() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let from = (seed >> 33) as usize % (reached + 1);
        let to = (from + 1 + (seed >> 20) as usize % 50).min(contents.len());
        framed.say(&Frame::Data(Data { transfer: 1, offset: from as u64, payload: &contents[from..to] }));
        reached = reached.max(to);
    }
    for _ in 0..20 {
        framed.say_data(1, &contents, 0, 333);
    }
    framed.say(&Frame::End(Framed::end_of(1, &contents)));
    framed.expect_done(1, Code::Ok);
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    assert_eq!(arena.place.stored("file"), Some(contents));
    arena.oracle().failures(0).files(&["file"]).check();
}

#[test]
fn an_overlap_with_other_bytes_never_replaces_what_was_received() {
    let mut arena = Arena::new();
    let mut framed = Framed::dial(arena.url());
    framed.say(&Frame::Offer(Framed::offer(1, "file", 10)));
    framed.expect_accept();
    for (offset, payload) in [(0, &b"01234"[..]), (0, b"xxxxx"), (3, b"xx56"), (0, b"xxxxxxx789")] {
        framed.say(&Frame::Data(Data { transfer: 1, offset, payload }));
    }
    framed.say(&Frame::End(Framed::end_of(1, b"0123456789")));
    framed.expect_done(1, Code::Ok);
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    assert_eq!(arena.place.stored("file"), Some(b"0123456789".to_vec()));
    arena.oracle().failures(0).files(&["file"]).check();
}

#[test]
fn pieces_backwards_or_beyond_a_gap_end_the_session() {
    let contents = content(4, 100);
    let mut arena = Arena::new();
    for first in [90, 50, 1] {
        let mut framed = Framed::dial(arena.url());
        framed.say(&Frame::Offer(Framed::offer(1, "file", 100)));
        framed.expect_accept();
        framed.say(&Frame::Data(Data { transfer: 1, offset: first, payload: &contents[first as usize..] }));
        framed.expect_end(Code::Protocol);
    }
    arena.oracle().any_failures().check();
}

#[test]
fn offsets_at_the_end_of_all_numbers_are_refused() {
    let mut arena = Arena::new();
    for (size, offset) in
        [(Some(u64::MAX), u64::MAX), (None, u64::MAX), (None, u64::MAX - 1), (Some(10), u64::MAX - 3)]
    {
        let mut framed = Framed::dial(arena.url());
        framed.say(&Frame::Offer(sampan_core::wire::Offer { size, ..Framed::offer(1, "file", 0) }));
        let answer = framed.hear(PATIENCE).expect("an answer");
        if answer[0] == Kind::Accept.code() {
            framed.say(&Frame::Data(Data { transfer: 1, offset, payload: b"12345" }));
            let frame = framed.hear(PATIENCE).expect("an answer");
            let Ok(Frame::Abort(abort)) = Frame::parse(&frame) else { panic!("{frame:02x?}") };
            let refused = (Scope::Receiving, Code::TooLarge);
            assert!((abort.scope, abort.code) == refused || abort.code == Code::Protocol, "{abort:?}");
        }
    }
    arena.oracle().any_failures().check();
}

#[test]
fn pieces_of_no_bytes_end_the_session_at_the_first() {
    let mut arena = Arena::new();
    let mut framed = Framed::dial(arena.url());
    framed.say(&Frame::Offer(Framed::offer(1, "file", 10)));
    framed.expect_accept();
    let nothing = framed.sealed(&[Kind::Data.code(), 1, 0]);
    for _ in 0..1_000_000 {
        if framed.raw.try_write(&nothing.repeat(100)).is_err() {
            break;
        }
    }
    let _ = framed.raw.expect_close(PATIENCE);
    arena.oracle().failed("protocol").check();
}
