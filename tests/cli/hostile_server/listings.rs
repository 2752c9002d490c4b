//! Listings with names that lead elsewhere, and listings without end.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use sampan_core::wire::{Accept, Entry, Frame, Kind, Offer, UncheckedName};

use super::Meeting;
use crate::kit::hostile::{entry, record};
use crate::kit::{Framed, PATIENCE, Usage, assert_printable};

const HOSTILE: [&[u8]; 16] = [
    b"..",
    b"../x",
    b"tree/..",
    b"tree/../../outside/secret",
    b"tree/../x",
    b"/tmp/sampan-test-x",
    b"//x",
    b"tree//x",
    b"tree/./x",
    b"tree/a\\b",
    b"tree/\x1b[2J",
    b"tree/a\nb",
    b"tree/\xc2\x9b2J",
    b"tree/\xff",
    b"tree/.sampan-x",
    b"",
];

fn folder(name: &[u8]) -> Vec<u8> {
    let name = UncheckedName::new(name);
    entry(&Entry { size: None, modified: None, executable: false, directory: true, name })
}

/// Answers every WANT: `tree` is a folder, everything else a file with contents that are wrong wherever they go.
fn serve_everything(framed: &mut Framed, records: &[u8]) {
    while let Ok(frame) = framed.hear(PATIENCE) {
        match Frame::parse(&frame).expect("a frame") {
            Frame::Want(want) => {
                let name = String::from_utf8_lossy(want.name.as_bytes()).into_owned();
                let wanted = crate::kit::hostile::Wanted { number: want.number, listing: want.listing, name };
                if wanted.listing {
                    framed.serve_listing(&wanted, records);
                } else {
                    let contents: &[u8] = if wanted.name == "tree" { b"" } else { b"evil" };
                    let offer = framed.answer_to(&wanted, contents.len() as u64);
                    framed.say(&Frame::Offer(Offer { directory: contents.is_empty(), ..offer }));
                    if framed.is_taken() {
                        framed.say_data(offer.transfer, contents, 0, 4);
                        framed.say(&Frame::End(Framed::end_of(offer.transfer, contents)));
                    }
                }
            }
            Frame::Bye(_) => framed.say_bye(),
            _ => {}
        }
    }
}

#[test]
fn hostile_names_in_the_listing_of_a_folder_are_not_fetched() {
    for hostile in HOSTILE {
        for records in [record(hostile, 4), folder(hostile)] {
            let meeting = Meeting::new();
            let (client, mut framed) = meeting.get(&["tree"]);
            serve_everything(&mut framed, &records);
            let ran = client.finish();
            if meeting.made() == ["tree/"] {
                fs::remove_dir(meeting.here().join("tree")).expect("the folder that was asked for");
            }
            meeting.assert_nothing_written(&ran, &[5, 9, 10]);
        }
    }
}

#[test]
fn names_beside_the_folder_that_was_asked_for_are_not_fetched() {
    for beside in [&b"other"[..], b"other/x", b"tree2/x", b"treex", b"TREE/x", b".bashrc"] {
        let meeting = Meeting::new();
        let (client, mut framed) = meeting.get(&["tree"]);
        let records = [record(b"tree/good", 4), record(beside, 4)].concat();
        serve_everything(&mut framed, &records);
        let ran = client.finish();
        assert!(matches!(ran.code, Some(0 | 9 | 10)), "{ran:?}");
        let made = meeting.made();
        assert!(made.is_empty() || made == ["tree/", "tree/good"], "{made:?}");
        meeting.place.sentinel.assert_untouched();
    }
}

#[test]
fn a_name_that_is_a_file_and_a_folder_or_comes_twice_harms_nothing() {
    let meeting = Meeting::new();
    let (client, mut framed) = meeting.get(&["tree"]);
    let records = [
        record(b"tree/a", 4),
        record(b"tree/a/b", 4),
        folder(b"tree/a"),
        record(b"tree/a", 4),
        record(b"tree/c", 4),
    ];
    serve_everything(&mut framed, &records.concat());
    let ran = client.finish();
    assert!(matches!(ran.code, Some(8..=10)), "{:?} {}", ran.code, ran.text());
    assert!(meeting.made().iter().all(|name| name.starts_with("tree/")));
    meeting.place.sentinel.assert_untouched();
}

#[test]
fn hostile_names_are_shown_escaped_or_not_at_all() {
    for hostile in HOSTILE.into_iter().chain([&b"good\xe2\x80\xaetxt.exe"[..]]) {
        for json in [true, false] {
            let meeting = Meeting::new();
            let url = meeting.server.url();
            let arguments: &[&str] = if json { &["ls", "--json", "--from"] } else { &["ls", "--from"] };
            let client = crate::kit::Sampan::new(arguments).args(&[&*url, "--retries", "0"]).start();
            let mut framed = meeting.server.open();
            serve_everything(&mut framed, &record(hostile, 4));
            let ran = client.finish();
            assert!(matches!(ran.code, Some(0 | 5 | 9 | 10)), "{ran:?}");
            assert_printable(ran.text());
            assert_printable(&ran.stderr);
        }
    }
}

#[test]
fn records_that_are_none_are_an_error() {
    for records in [&b"\xf0\x01x"[..], b"\x00\xff\xff\xff\xff\x0f", b"\x01\x80", b"\x00\x05abc"] {
        let meeting = Meeting::new();
        let (client, mut framed) = meeting.ls(&[]);
        serve_everything(&mut framed, records);
        client.finish().assert_exit(10).assert_failed("protocol");
        let (client, mut framed) = meeting.get(&["tree"]);
        serve_everything(&mut framed, records);
        client.finish().assert_exit(10).assert_failed("protocol");
        assert!(meeting.made().iter().all(|name| name == "tree/"), "{:?}", meeting.made());
    }
}

#[test]
fn a_listing_without_end_takes_little_memory_and_can_be_interrupted() {
    let meeting = Meeting::new();
    let (client, mut framed) = meeting.ls(&[]);
    let wanted = framed.expect_want();
    let transfer = framed.next_transfer();
    let offer = Framed::offer(transfer, "", 0);
    let name = UncheckedName::new(wanted.name.as_bytes());
    framed.say(&Frame::Offer(Offer { size: None, want: Some(wanted.number), listing: true, name, ..offer }));
    let frame = framed.expect(Kind::Accept);
    let mut limit = u64::from(Accept::parse(&frame[1..]).expect("an ACCEPT").credit);
    let mut sent = 0_u64;
    let piece: Vec<u8> =
        (0..100).flat_map(|n| record(format!("a-name-of-some-length-{n:06}").as_bytes(), 4)).collect();
    while sent < 24 << 20 {
        while sent + piece.len() as u64 > limit {
            let frame = framed.hear(PATIENCE).expect("an ACK");
            if let Ok(Frame::Ack(ack)) = Frame::parse(&frame) {
                limit = ack.received + u64::from(ack.credit);
            }
        }
        let data = sampan_core::wire::Data { transfer, offset: sent, payload: &piece };
        framed.say(&Frame::Data(data));
        sent += piece.len() as u64;
    }
    let peak = Usage::of(client.pid()).expect("it runs").peak;
    assert!(peak < 64 << 10, "{peak} KiB for a listing of {} KiB", sent >> 10);
    let began = Instant::now();
    client.signal(Signal::INT);
    client.signal(Signal::INT);
    client.finish().assert_exit(130);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
