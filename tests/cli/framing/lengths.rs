//! Lengths that a frame cannot have, and those that it can just have.

use std::time::Duration;

use sampan_core::wire::{Code, Data, Frame, Hello};

use crate::kit::framed::PREAMBLE;
use crate::kit::{Arena, Framed, PATIENCE, Raw, content};

fn prefix(length: u32) -> [u8; 3] {
    let [a, b, c, _] = length.to_le_bytes();
    [a, b, c]
}

#[test]
fn a_length_that_no_frame_can_have_ends_the_session() {
    let mut arena = Arena::new();
    let largest = Framed::dial(arena.url()).theirs.frame;
    let lengths = [0, 1, 4, largest + 1, 0xFF_FFFF];
    for length in lengths {
        let mut framed = Framed::dial(arena.url());
        framed.say_bytes(&prefix(length));
        framed.expect_end(Code::Protocol);
    }
    arena.oracle().any_failures().check();
    let failures = arena.server.failures(0);
    let broken = failures.iter().filter(|failed| failed["error"] == "protocol").count();
    assert_eq!(broken, lengths.len(), "{failures:#?}");
}

#[test]
fn a_length_that_no_frame_can_have_is_refused_before_the_session_is_open() {
    let mut arena = Arena::new();
    for length in [0, 4, 0xFF_FFFF] {
        let mut raw = Raw::dial(arena.url());
        raw.write(PREAMBLE);
        raw.write(&prefix(length));
        let _ = raw.expect_close(Duration::from_secs(5));
    }
    arena.oracle().failed_times(3, "protocol").check();
}

#[test]
fn a_frame_larger_than_announced_is_refused_although_all_of_it_comes() {
    let mut arena = Arena::new();
    let mut framed = Framed::dial(arena.url());
    let payload = content(1, framed.theirs.frame as usize + 1 - Data::overhead(1, 0));
    framed.say(&Frame::Offer(Framed::offer(1, "large", payload.len() as u64)));
    framed.expect_accept();
    let bytes = framed.sealed(&crate::kit::framed::content(&Frame::Data(Data {
        transfer: 1,
        offset: 0,
        payload: &payload,
    })));
    let _ = framed.raw.try_write(&bytes);
    framed.expect_end(Code::Protocol);
    arena.oracle().failed("protocol").check();
}

#[test]
fn the_largest_frames_that_were_announced_are_taken() {
    let mut arena = Arena::new();
    for (name, less) in [("largest", 0), ("one-less", 1)] {
        let mut framed = Framed::dial(arena.url());
        let payload = content(2, framed.theirs.frame as usize - Data::overhead(1, 0) - less);
        framed.say(&Frame::Offer(Framed::offer(1, name, payload.len() as u64)));
        assert!(u64::from(framed.expect_accept().credit) >= payload.len() as u64);
        framed.say(&Frame::Data(Data { transfer: 1, offset: 0, payload: &payload }));
        framed.say(&Frame::End(Framed::end_of(1, &payload)));
        framed.expect_done(1, Code::Ok);
        framed.say_bye();
        let _ = framed.raw.expect_close(PATIENCE);
        assert_eq!(arena.place.stored(name), Some(payload));
    }
    arena.oracle().failures(0).files(&["largest", "one-less"]).check();
}

#[test]
fn a_claimed_length_takes_no_memory() {
    const PEERS: u64 = 64;
    let mut arena = Arena::with(&["--idle-timeout", "2s"]);
    let peers: Vec<Framed> = (0..PEERS)
        .map(|_| {
            let mut framed = Framed::dial(arena.url());
            let claimed = framed.theirs.frame;
            framed.say_bytes(&prefix(claimed));
            framed.say_bytes(&[0x14, 1, 0, 1, 2, 3]);
            framed
        })
        .collect();
    let each = u64::from(peers[0].theirs.frame) >> 10;
    arena.server.events.wait("failed", PATIENCE, |_| true);
    let grown = arena.server.usage().peak - arena.base.peak;
    assert!(grown < PEERS * each / 2, "{PEERS} claims of {each} KiB made the server grow by {grown} KiB");
    drop(peers);
    arena.oracle().any_failures().check();
}

#[test]
fn what_does_not_fit_the_peers_smallest_frame_is_refused_and_never_cut() {
    let mut arena = Arena::new();
    let long = "n".repeat(200);
    arena.place.serve(&long, b"contents");
    arena.place.serve("short", b"contents that take two frames of sixty bytes, as small as a frame can be");
    let mut framed = Framed::dial_with(arena.url(), Hello { frame: 60, eager: 0, ..Framed::hello() });
    framed.say_bytes(&framed.sealed(&[&[0x11, 1, 0][..], long.as_bytes()].concat()));
    framed.expect_decline(sampan_core::wire::Answered::Want, 1, Code::BadName);
    framed.say_want(2, "short");
    let offer = framed.expect(sampan_core::wire::Kind::Offer);
    assert!(offer.len() + 4 <= 60, "{} bytes", offer.len() + 4);
    assert_eq!(Some(framed.take_contents(1)), arena.place.stored("short"));
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    let long = long.as_str();
    arena.oracle().any_failures().files(&[long, "short"]).check();
}
