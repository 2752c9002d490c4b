//! Servers that allow only some things.

use sampan_core::wire::{Answered, Code, Frame, Hello, Identity, Offer};

use crate::kit::{Arena, Framed, PATIENCE, Place, Sampan};

#[test]
fn a_server_to_read_from_takes_nothing_whatever_is_offered() {
    let place = Place::new();
    place.serve("file", b"contents");
    let mut arena = Arena::serving(place, &["--allow", "get,list"]);
    let offers = [
        Framed::offer(1, "new", 3),
        Framed::offer(1, "empty", 0),
        Framed::offer(1, "file", 0),
        Framed::offer(1, "file", 8),
        Offer { size: None, ..Framed::offer(1, "unknown", 0) },
        Offer { directory: true, size: None, ..Framed::offer(1, "folder", 0) },
        Offer {
            restart: true,
            identity: Identity::new(&[1; 16]).expect("16 bytes"),
            ..Framed::offer(1, "file", 8)
        },
        Offer { listing: true, size: None, ..Framed::offer(1, "listing", 0) },
    ];
    for offer in offers {
        let mut framed = Framed::dial(arena.url());
        framed.say(&Frame::Offer(offer));
        let answer = framed.hear(PATIENCE).expect("an answer");
        match Frame::parse(&answer).expect("a frame") {
            Frame::Decline(decline) => {
                assert_eq!((decline.what, decline.number), (Answered::Offer, 1));
                assert!(matches!(decline.code, Code::NotAllowed | Code::Unsupported), "{decline:?}");
            }
            // Who takes no transfers has said so in its HELLO.
            Frame::Abort(abort) => {
                assert_eq!((framed.theirs.transfers, abort.code), (0, Code::Protocol));
            }
            other => panic!("{other:?}"),
        }
        let _ = framed.raw.try_write(&framed.sealed(&[6, 0]));
        let _ = framed.raw.expect_close(PATIENCE);
    }
    let file = arena.place.write("file", b"replaced");
    Sampan::send(arena.url(), &[]).args(&[file]).run().assert_exit(5).assert_failed("not-allowed");
    assert_eq!(arena.place.stored("file"), Some(b"contents".to_vec()));
    arena.oracle().any_failures().files(&["file"]).by_get("file").check();
}

#[test]
fn a_server_to_send_to_says_the_same_of_what_is_there_and_what_is_not() {
    let place = Place::new();
    place.serve("there", b"contents");
    place.serve("folder/there", b"contents");
    let mut arena = Arena::serving(place, &["--allow", "put"]);
    let mut said = Vec::new();
    for (name, listing) in [
        ("there", false),
        ("absent", false),
        ("folder/there", false),
        ("folder", false),
        ("folder", true),
        ("there", true),
        ("absent", true),
    ] {
        let mut framed = Framed::dial(arena.url());
        if listing {
            framed.say_list(1, name);
        } else {
            framed.say_want(1, name);
        }
        said.push(framed.hear(PATIENCE).expect("an answer"));
        let answers = framed.theirs.flags & Hello::ANSWERS_WANT != 0;
        match Frame::parse(said.last().expect("one")).expect("a frame") {
            Frame::Decline(decline) => assert_eq!(decline.code, Code::NotAllowed),
            Frame::Abort(abort) => assert_eq!((answers, abort.code), (false, Code::Protocol)),
            other => panic!("{other:?}"),
        }
    }
    let (files, listings) = said.split_at(4);
    assert!(files.iter().all(|answer| *answer == files[0]), "{said:?}");
    assert!(listings.iter().all(|answer| *answer == listings[0]), "{said:?}");
    for name in ["there", "absent"] {
        let to = arena.place.path().join("got");
        let got = Sampan::get(arena.url(), &["-o"]).args(&[&to]).args(&[name]).run();
        got.assert_exit(5).assert_failed("not-allowed");
        assert!(!to.exists());
    }
    Sampan::ls(arena.url(), &[]).run().assert_exit(5).assert_failed("not-allowed");
    arena.oracle().any_failures().files(&["folder/", "folder/there", "there"]).check();
}

#[test]
fn a_server_without_listings_gives_files_to_those_who_know_their_names() {
    let place = Place::new();
    place.serve("file", b"contents");
    let mut arena = Arena::serving(place, &["--allow", "get"]);
    Sampan::ls(arena.url(), &[]).run().assert_exit(5).assert_failed("not-allowed");
    arena.oracle().any_failures().files(&["file"]).by_get("file").check();
}

#[test]
fn classic_clients_are_refused_where_they_are_not_allowed() {
    let mut arena = Arena::with(&["--allow", "put,get,list"]);
    let mut raw = crate::kit::Raw::dial(arena.url());
    raw.write(b"name");
    // It may be refused at once, or when the size is known too.
    let mut said = [0; 512];
    let n = raw.try_read(&mut said, PATIENCE).expect("an answer");
    if said.starts_with(b"[+]") {
        raw.write(b"4");
    }
    let (rest, _) = raw.read_to_end(PATIENCE);
    let said = [&said[..n], &rest].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        said.trim_start_matches("[+] server : filename query ok").starts_with("[!] server : "),
        "{said:?}"
    );
    arena.oracle().failed("not-allowed").check();
}

#[test]
fn an_address_beyond_this_computer_wants_an_explicit_list() {
    let place = Place::new();
    let root = place.root();
    let root = root.to_str().expect("UTF-8");
    let ran = Sampan::new(&["serve", "--listen", "tcp://0.0.0.0:0", root]).run();
    ran.assert_exit(2);
    assert!(ran.stderr.contains("--allow"), "{}", ran.stderr);
}
