//! Uploads that go on: of what has changed meanwhile, and of what a dead connection still holds.

use std::fs;
use std::time::{Duration, SystemTime};

use sampan_core::wire::{Code, Crc32 as _, Frame, Identity, Kind, Nibble, Offer, Scope};

use crate::kit::{Arena, Framed, PATIENCE, Sampan, content, until};

/// Large enough that some of it is durable before the client is stopped.
const LENGTH: usize = 24 << 20;

/// Sends a file slowly, and ends the client as a power cut would when the server has some of it durably.
fn begin(arena: &Arena, file: &std::path::Path) {
    let mut client = Sampan::send(arena.url(), &["--limit-rate", "8M"]).args(&[file]).start();
    client.stdout.wait("progress", PATIENCE, |event| event["bytes"].as_u64() > Some(12 << 20));
    client.kill();
    // What was begun stays, hidden.
    until("the server lets go", PATIENCE, || (!arena.server.failures(0).is_empty()).then_some(()));
    assert_eq!(arena.place.visible(), [""; 0]);
    assert!(!arena.place.parts().is_empty(), "nothing was kept");
}

#[test]
fn an_upload_that_was_cut_goes_on_where_it_was() {
    let mut arena = Arena::new();
    let contents = content(11, LENGTH);
    let file = arena.place.write("file", &contents);
    begin(&arena, &file);
    let sent = Sampan::send(arena.url(), &[]).args(&[&file]).run();
    sent.assert_exit(0);
    let resumed = sent.event("sent")["resumed_from"].as_u64().expect("a number");
    assert!(resumed > 1 << 20 && resumed < LENGTH as u64, "{resumed}");
    assert!(arena.place.stored("file") == Some(contents), "what is stored differs");
    arena.oracle().failures(1).files(&["file"]).check();
}

#[test]
fn an_upload_whose_source_has_changed_begins_again_and_is_never_spliced() {
    let mut arena = Arena::new();
    let file = arena.place.write("file", &content(12, LENGTH));
    begin(&arena, &file);
    let changed = content(13, LENGTH);
    fs::write(&file, &changed).expect("it can be written");
    let sent = Sampan::send(arena.url(), &[]).args(&[&file]).run();
    sent.assert_exit(0);
    assert_eq!(sent.event("sent")["resumed_from"], 0);
    assert!(arena.place.stored("file") == Some(changed), "what is stored is not what was sent");
    arena.oracle().any_failures().files(&["file"]).parts_kept().check();
}

#[test]
fn an_upload_whose_source_has_changed_behind_an_equal_time_begins_again() {
    let mut arena = Arena::new();
    let file = arena.place.write("file", &content(14, LENGTH));
    let modified = SystemTime::now() - Duration::from_secs(1000);
    let age = |path: &std::path::Path| {
        let file = fs::OpenOptions::new().write(true).open(path).expect("it is there");
        file.set_modified(modified).expect("a time");
    };
    age(&file);
    begin(&arena, &file);
    let changed = content(15, LENGTH);
    fs::write(&file, &changed).expect("it can be written");
    age(&file);
    let sent = Sampan::send(arena.url(), &[]).args(&[&file]).run();
    sent.assert_exit(0);
    assert_eq!(sent.event("sent")["resumed_from"], 0);
    assert!(arena.place.stored("file") == Some(changed), "what is stored is not what was sent");
    arena.oracle().any_failures().files(&["file"]).check();
}

fn identified(id: u32) -> Offer<'static> {
    let identity = Identity::new(b"sixteen bytes id").expect("16 bytes");
    Offer { identity, ..Framed::offer(id, "file", 4 << 20) }
}

#[test]
fn an_upload_that_a_dead_connection_holds_is_taken_over_and_the_old_writer_is_fenced() {
    let mut arena = Arena::with(&["--idle-timeout", "20s"]);
    let contents = content(16, 4 << 20);
    let mut dead = Framed::dial(arena.url());
    dead.say(&Frame::Offer(identified(1)));
    dead.expect_accept();
    dead.say_data(1, &contents[..1 << 20], 0, 32_768);
    // It says nothing more, and its connection stays.
    let (mut framed, accept) = until("it is taken over", PATIENCE, || {
        let mut framed = Framed::dial(arena.url());
        framed.say(&Frame::Offer(identified(1)));
        let answer = framed.hear(PATIENCE).expect("an answer");
        match Frame::parse(&answer).expect("a frame") {
            Frame::Accept(accept) => Some((framed, accept)),
            Frame::Decline(decline) => {
                assert_eq!(decline.code, Code::Busy);
                framed.say_bye();
                let _ = framed.raw.expect_close(PATIENCE);
                std::thread::sleep(Duration::from_millis(200));
                None
            }
            other => panic!("{other:?}"),
        }
    });
    let offset = accept.offset as usize;
    assert!(offset <= 1 << 20);
    assert_eq!(accept.check, Nibble.update(0, &contents[..offset]));
    // The dead one comes back and writes something else.
    for at in 0..16 {
        let payload = [0xEE; 4096];
        let offset = (1 << 20) + at * 4096;
        let data = Frame::Data(sampan_core::wire::Data { transfer: 1, offset, payload: &payload });
        if dead.try_say(&data).is_err() {
            break;
        }
    }
    framed.say_data(1, &contents, offset, 32_768);
    framed.say(&Frame::End(Framed::end_of(1, &contents)));
    framed.expect_done(1, Code::Ok);
    assert!(arena.place.stored("file") == Some(contents), "the old writer has written into it");
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    drop(dead);
    arena.oracle().any_failures().files(&["file"]).check();
}

#[test]
fn a_file_that_is_there_already_is_not_sent_again_and_one_that_was_altered_is() {
    let mut arena = Arena::new();
    let contents = content(17, 100_000);
    let file = arena.place.write("file", &contents);
    for resumed in [0, 100_000] {
        let sent = Sampan::send(arena.url(), &[]).args(&[&file]).run();
        sent.assert_exit(0);
        assert_eq!(sent.event("sent")["resumed_from"], resumed);
    }
    arena.place.serve("file", &content(18, 100_000));
    Sampan::send(arena.url(), &[]).args(&[&file]).run().assert_exit(0);
    assert_eq!(arena.place.stored("file"), Some(contents));
    arena.oracle().failures(0).files(&["file"]).check();
}

#[test]
fn a_part_whose_sender_says_it_changed_is_thrown_away() {
    let mut arena = Arena::new();
    let mut framed = Framed::dial(arena.url());
    framed.say(&Frame::Offer(identified(1)));
    framed.expect_accept();
    framed.say_data(1, &content(19, 100_000), 0, 10_000);
    let scope = Scope::Sending;
    let abort = sampan_core::wire::Abort { scope, transfer: 1, code: Code::Changed, words: "" };
    framed.say(&Frame::Abort(abort));
    framed.say(&Frame::Offer(identified(2)));
    let mut frame = framed.hear(PATIENCE).expect("an answer");
    while frame[0] != Kind::Accept.code() {
        frame = framed.hear(PATIENCE).expect("an answer");
    }
    let Ok(Frame::Accept(accept)) = Frame::parse(&frame) else { panic!("{frame:02x?}") };
    assert_eq!(accept.offset, 0);
    framed.say(&Frame::Abort(sampan_core::wire::Abort { transfer: 2, ..abort }));
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    arena.oracle().failed_times(2, "changed").check();
}
