//! Sizes that are announced, and what comes instead.

use std::os::unix::fs::MetadataExt as _;

use sampan_core::wire::{Answered, Code, DigestKind, End, Frame, Hello, Kind, Offer, Scope};

use crate::kit::{Arena, Framed, PATIENCE, Sampan, content};

#[test]
fn a_file_of_no_bytes_is_stored_with_the_right_digest() {
    let mut arena = Arena::new();
    let mut framed = Framed::dial(arena.url());
    framed.say_file(1, "by-hand", b"");
    framed.expect_done_after_accept(1);
    framed.say(&Frame::Offer(Offer { size: None, ..Framed::offer(2, "unknown-size", 0) }));
    framed.say(&Frame::End(Framed::end_of(2, b"")));
    framed.expect_done_after_accept(2);
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    let file = arena.place.write("sent", b"");
    let sent = Sampan::send(arena.url(), &[]).args(&[file]).run();
    sent.assert_exit(0);
    assert_eq!(sent.event("sent")["digest"], "crc64:0000000000000000");
    let received = arena.server.events.wait("received", PATIENCE, |event| event["name"] == "sent");
    assert_eq!((&received["digest"], &received["size"]), (&"crc64:0000000000000000".into(), &0.into()));
    for name in ["by-hand", "unknown-size", "sent"] {
        assert_eq!(arena.place.stored(name), Some(Vec::new()));
    }
    arena.oracle().failures(0).files(&["by-hand", "sent", "unknown-size"]).check();
}

#[test]
fn an_end_before_the_last_announced_byte_is_refused_and_nothing_is_stored() {
    let mut arena = Arena::new();
    let contents = content(5, 1000);
    for (name, short) in [("size-as-sent", true), ("size-as-announced", false)] {
        let mut framed = Framed::dial(arena.url());
        framed.say(&Frame::Offer(Framed::offer(1, name, 1000)));
        framed.expect_accept();
        framed.say_data(1, &contents[..999], 0, 100);
        let end = Framed::end_of(1, &contents[..999]);
        framed.say(&Frame::End(if short { end } else { End { size: 1000, ..end } }));
        framed.expect_done(1, Code::Integrity);
        framed.say_bye();
        let _ = framed.raw.expect_close(PATIENCE);
    }
    arena.oracle().failed_times(2, "integrity").check();
}

#[test]
fn more_bytes_than_announced_are_refused_and_nothing_is_stored() {
    let mut arena = Arena::new();
    let mut framed = Framed::dial(arena.url());
    framed.say(&Frame::Offer(Framed::offer(1, "name", 10)));
    framed.expect_accept();
    framed.say_data(1, &content(5, 11), 0, 11);
    framed.expect_abort(Scope::Receiving, 1, Code::TooLarge);
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    arena.oracle().failed("too-large").check();
}

const HUGE: [u64; 8] =
    [(1 << 31) - 1, 1 << 31, u32::MAX as u64, 1 << 32, i64::MAX as u64, 1 << 63, u64::MAX - 1, u64::MAX];

#[test]
fn sizes_beyond_all_disks_take_neither_memory_nor_space() {
    let mut arena = Arena::new();
    for (n, size) in HUGE.into_iter().enumerate() {
        let name = format!("huge-{n}");
        let mut framed = Framed::dial(arena.url());
        framed.say(&Frame::Offer(Framed::offer(1, &name, size)));
        let answer = framed.hear(PATIENCE).expect("an answer");
        match Frame::parse(&answer).expect("a frame") {
            Frame::Accept(accept) => {
                assert_eq!(accept.offset, 0);
                framed.say_data(1, b"0123456789", 0, 10);
                let part = arena.place.parts().into_iter().map(|part| arena.root().join(part));
                for data in part.filter_map(|part| part.metadata().ok()) {
                    assert!(data.blocks() < 64, "{} blocks are taken", data.blocks());
                }
                framed.say(&Frame::End(Framed::end_of(1, b"0123456789")));
                framed.expect_done(1, Code::Integrity);
            }
            Frame::Decline(decline) => {
                assert!(matches!(decline.code, Code::TooLarge | Code::NoSpace), "{decline:?}");
            }
            other => panic!("{other:?}"),
        }
        framed.say_bye();
        let _ = framed.raw.expect_close(PATIENCE);
    }
    let grown = arena.server.usage().peak - arena.base.peak;
    assert!(grown < 8 << 10, "the server grew by {grown} KiB");
    arena.oracle().failures(HUGE.len()).check();
}

#[test]
fn files_above_the_limit_are_refused_at_once_or_when_they_grow_above_it() {
    let mut arena = Arena::with(&["--max-file-size", "1k"]);
    let mut framed = Framed::dial(arena.url());
    let mut id = 0;
    for size in [1025].into_iter().chain(HUGE) {
        id += 1;
        framed.say(&Frame::Offer(Framed::offer(id, "large", size)));
        framed.expect_decline(Answered::Offer, id, Code::TooLarge);
    }
    framed.say(&Frame::Offer(Offer { size: None, ..Framed::offer(id + 1, "grows", 0) }));
    framed.expect_accept();
    framed.say_data(id + 1, &content(1, 1025), 0, 1025);
    framed.expect_abort(Scope::Receiving, id + 1, Code::TooLarge);
    framed.say_file(id + 2, "just", &content(1, 1024));
    framed.expect_done_after_accept(id + 2);
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    let failures = arena.server.failures(0);
    assert!(failures.iter().all(|failed| failed["error"] == "too-large"), "{failures:#?}");
    assert_eq!(failures.len(), id as usize + 1);
    let file = arena.place.write("file", &content(1, 1025));
    Sampan::send(arena.url(), &[]).args(&[file]).run().assert_exit(5).assert_failed("too-large");
    arena.oracle().failed_times(id as usize + 2, "too-large").files(&["just"]).check();
}

#[test]
fn a_wrong_check_or_digest_is_refused_and_nothing_is_stored() {
    let mut arena = Arena::new();
    let contents = content(6, 5000);
    let right = Framed::end_of(1, &contents);
    let wrong = [0xA5; 32];
    // With the check alone, and with each digest that has a value of its own.
    for kind in DigestKind::ALL {
        let end = match kind {
            DigestKind::Crc32 => End { check: right.check ^ 1, ..right },
            _ => End { digest: kind, value: &wrong[..kind.len()], ..right },
        };
        let mut framed = Framed::dial(arena.url());
        let digest = kind;
        framed.say(&Frame::Offer(Offer { digest, ..Framed::offer(1, kind.name(), 5000) }));
        let answer = framed.hear(PATIENCE).expect("an answer");
        if answer[0] == Kind::Decline.code() {
            assert!(!framed.theirs.digests.contains(kind), "a digest that was announced is declined");
        } else {
            framed.say_data(1, &contents, 0, 1000);
            framed.say(&Frame::End(end));
            framed.expect_done(1, Code::Integrity);
        }
        framed.say_bye();
        let _ = framed.raw.expect_close(PATIENCE);
    }
    arena.oracle().any_failures().check();
    assert!(arena.server.failures(0).iter().any(|failed| failed["error"] == "integrity"));
}

#[test]
fn contents_whose_checks_were_forged_are_caught_by_the_digest() {
    // Whoever alters contents and repairs every CRC-32 is caught where a digest was asked for that it cannot repair.
    for (kind, name) in
        [(DigestKind::Crc64Nvme, "crc64"), (DigestKind::Blake3, "blake3"), (DigestKind::Sha256, "sha256")]
    {
        let mut arena = Arena::with(&["--digest", name]);
        let mut framed = Framed::dial(arena.url());
        assert_eq!(framed.theirs.digests.iter().next(), Some(kind));
        let value = vec![7; kind.len()];
        framed.say(&Frame::Offer(Offer { digest: kind, ..Framed::offer(1, "forged", 600) }));
        framed.expect_accept();
        let contents = content(9, 600);
        framed.say_data(1, &contents, 0, 600);
        framed.say(&Frame::End(End { digest: kind, value: &value, ..Framed::end_of(1, &contents) }));
        framed.expect_done(1, Code::Integrity);
        framed.say_bye();
        let _ = framed.raw.expect_close(PATIENCE);
        arena.oracle().failed("integrity").check();
    }
}

#[test]
fn a_digest_of_another_kind_or_length_ends_the_session() {
    let mut arena = Arena::new();
    for end in [
        // SHA-256 where CRC-32 was offered; CRC-64 with seven bytes; with nine; a kind that nobody knows.
        [&[0x16, 1, 3, 0, 0, 0, 0, 3][..], &[0; 32]].concat(),
        [&[0x16, 1, 3, 0, 0, 0, 0, 1][..], &[0; 7]].concat(),
        [&[0x16, 1, 3, 0, 0, 0, 0, 1][..], &[0; 9]].concat(),
        [&[0x16, 1, 3, 0, 0, 0, 0, 4][..], &[0; 8]].concat(),
    ] {
        let mut framed = Framed::dial(arena.url());
        framed.say(&Frame::Offer(Framed::offer(1, "name", 3)));
        framed.expect_accept();
        framed.say_data(1, b"abc", 0, 3);
        framed.say_raw(&end);
        framed.expect_end(Code::Protocol);
    }
    arena.oracle().any_failures().check();
    assert!(arena.server.failures(0).iter().filter(|failed| failed["error"] == "protocol").count() >= 4);
}

#[test]
fn empty_windows_and_credits_end_at_the_deadline_and_cost_no_time() {
    let mut arena = Arena::with(&["--idle-timeout", "1s"]);
    arena.place.serve("file", &content(1, 100_000));
    let before = cpu_ticks(arena.server.pid());
    let mut peers = Vec::new();
    for hello in [
        Hello { window: 0, ..Framed::hello() },
        Hello { window: 0, eager: 0, transfers: 1, gaps: 0, name: 4, frame: 60, ..Framed::hello() },
        Hello { eager: u32::MAX, window: 0, ..Framed::hello() },
        Hello { eager: 0, window: 1, ..Framed::hello() },
    ] {
        let mut framed = Framed::dial_with(arena.url(), hello);
        framed.say_want(1, "file");
        framed.expect(Kind::Offer);
        let accept = sampan_core::wire::Accept { transfer: 1, have: false, offset: 0, check: 0, credit: 0 };
        framed.say(&Frame::Accept(accept));
        for _ in 0..1000 {
            framed.say(&crate::kit::framed::ack(1, 0, 0));
        }
        peers.push(framed);
    }
    for mut framed in peers {
        while framed.hear(PATIENCE).is_ok() {}
    }
    let spent = cpu_ticks(arena.server.pid()) - before;
    assert!(spent < 100, "{spent} ticks of a hundredth of a second");
    arena.oracle().failures(4).files(&["file"]).check();
}

fn cpu_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the server runs");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}
