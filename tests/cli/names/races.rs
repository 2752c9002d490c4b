//! A folder of the served tree that becomes a link to the outside, and a folder again, while names below it are used.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use sampan_core::wire::{Code, Frame, Kind};

use crate::kit::{Arena, Framed, PATIENCE, Place, Sentinel};

/// Each operation so many times, while the folder `dir` is exchanged with a link to the sentinel all the time.
fn race(tries: u32) {
    let place = Place::new();
    let root = place.root();
    place.serve("dir/secret", b"inside");
    place.serve("dir/sub/secret", b"inside");
    symlink(place.sentinel.path().join("dir"), root.join("link")).expect("a link");
    let mut arena = Arena::serving(place, &[]);
    let stop = AtomicBool::new(false);
    let (url, stop) = (arena.url().to_owned(), &stop);
    let exchanged = thread::scope(|scope| {
        let swaps = scope.spawn(move || {
            let (dir, link) = (root.join("dir"), root.join("link"));
            let mut swaps = 0_u32;
            // An even number, so that everything is in its place again.
            while !stop.load(Ordering::Relaxed) || swaps % 2 == 1 {
                renameat_with(CWD, &dir, CWD, &link, RenameFlags::EXCHANGE).expect("an exchange");
                swaps += 1;
            }
            swaps
        });
        let reads = scope.spawn({
            let url = url.clone();
            move || read_all_the_time(&url, tries)
        });
        let writes = scope.spawn(move || write_all_the_time(&url, tries));
        let read = reads.join().map_err(drop);
        let wrote = writes.join().map_err(drop);
        stop.store(true, Ordering::Relaxed);
        let swaps = swaps.join().expect("exchanges");
        read.expect("reads went well");
        wrote.expect("writes went well");
        swaps
    });
    assert!(exchanged > tries / 10, "only {exchanged} exchanges");
    assert_eq!(fs::read(arena.root().join("dir/secret")).expect("a file"), b"inside");
    let left = arena.place.visible();
    let left: Vec<&str> = left.iter().map(String::as_str).collect();
    arena.oracle().any_failures().files(&left).check();
}

/// Asks for files and listings below the folder.
fn read_all_the_time(url: &str, tries: u32) {
    let mut framed = Framed::dial(url);
    let mut got = 0;
    for number in 1..=tries {
        let listing = number % 3 == 0;
        match number % 3 {
            0 => framed.say_list(number, "dir"),
            1 => framed.say_want(number, "dir/secret"),
            _ => framed.say_want(number, "dir/sub/secret"),
        }
        let frame = loop {
            let frame = framed.hear(PATIENCE).expect("an answer");
            if matches!(frame[0], 0x10 | 0x13) {
                break frame;
            }
        };
        match Frame::parse(&frame).expect("a frame") {
            Frame::Offer(offer) => {
                let transfer = offer.transfer;
                let contents = framed.take_contents_or_abort(transfer).unwrap_or_default();
                let text = String::from_utf8_lossy(&contents).into_owned();
                assert!(!text.contains(Sentinel::SECRET), "the outside was read");
                got += u32::from(!listing && text == "inside");
            }
            Frame::Decline(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(got > 0, "nothing was ever read: the race was not tried");
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
}

/// Sends files below the folder, over existing ones and new ones.
fn write_all_the_time(url: &str, tries: u32) {
    let mut framed = Framed::dial(url);
    let mut stored = 0;
    for id in 1..=tries / 4 {
        let name = match id % 4 {
            0 => "dir/secret".to_owned(),
            1 => "dir/sub/secret".to_owned(),
            2 => format!("dir/new-{}", id % 64),
            _ => format!("dir/folder-{}/new", id % 64),
        };
        framed.say(&Frame::Offer(Framed::offer(id, &name, 6)));
        let frame = loop {
            let frame = framed.hear(PATIENCE).expect("an answer");
            if matches!(frame[0], 0x12 | 0x13) {
                break frame;
            }
        };
        if frame[0] == Kind::Decline.code() {
            continue;
        }
        framed.say_data(id, b"inside", 0, 6);
        framed.say(&Frame::End(Framed::end_of(id, b"inside")));
        let done = framed.expect(Kind::Done);
        stored += u32::from(done.last() == Some(&Code::Ok.code()));
    }
    assert!(stored > 0, "nothing was ever stored: the race was not tried");
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
}

#[test]
fn a_folder_exchanged_for_a_link_all_the_time_never_leads_outside() {
    race(2_000);
}

#[test]
#[ignore = "job crowd"]
fn a_folder_exchanged_for_a_link_a_hundred_thousand_times_never_leads_outside() {
    race(100_000);
}
