//! Symbolic links in the served folder that lead out of it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use sampan_core::wire::{Answered, Code, Decline, Frame, Kind, Offer};

use crate::kit::{Arena, Framed, PATIENCE, Place, Sampan};

/// A folder with every kind of link to the sentinel, and one file.
fn place() -> Place {
    let place = Place::new();
    let root = place.root();
    let outside = place.sentinel.path().to_owned();
    place.serve("file", b"inside");
    let link = |to: &Path, name: &str| symlink(to, root.join(name)).expect("a link can be made");
    link(&outside.join("secret"), "absolute");
    link(Path::new("../outside/secret"), "relative");
    link(&outside, "folder");
    link(Path::new("../outside/dir"), "relative-folder");
    link(Path::new("chain-2"), "chain");
    link(Path::new("chain-3"), "chain-2");
    link(&outside.join("secret"), "chain-3");
    link(&outside.join("not-there"), "dangling");
    link(Path::new("loop"), "loop");
    link(Path::new(".."), "up");
    link(Path::new("file"), "inside");
    place
}

const FILES: [&str; 9] = [
    "absolute",
    "relative",
    "folder/secret",
    "relative-folder/secret",
    "relative-folder/sub/secret",
    "chain",
    "loop",
    "up/outside/secret",
    "dangling",
];

#[test]
fn links_are_never_read_through() {
    let mut arena = Arena::serving(place(), &[]);
    let before = arena.place.visible();
    let mut framed = Framed::dial(arena.url());
    for (number, name) in (1..).zip(FILES) {
        framed.say_want(number, name);
        let frame = framed.expect(Kind::Decline);
        let decline = Decline::parse(&frame[1..]).expect("a DECLINE");
        assert_eq!((decline.what, decline.number), (Answered::Want, number), "{name}");
        // The same answer as for what is not there.
        assert_eq!(decline.code, Code::NotFound, "{name}: {}", decline.words);
    }
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    for name in FILES {
        let to = arena.place.path().join("got");
        Sampan::get(arena.url(), &["-o"])
            .args(&[&to])
            .args(&[name])
            .run()
            .assert_exit(5)
            .assert_failed("not-found");
        assert!(!to.exists());
    }
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    arena.oracle().any_failures().files(&before).check();
}

#[test]
fn links_are_never_listed_through() {
    let arena = Arena::serving(place(), &[]);
    for prefix in ["", "folder", "folder/", "relative-folder/sub/", "up/", "up/outside/"] {
        let listed = Sampan::ls(arena.url(), &["--", prefix]).run();
        assert!(matches!(listed.code, Some(0 | 5)), "{listed:?}");
        let said = listed.text();
        assert!(!said.contains("secret") && !said.contains("outside/"), "{prefix:?}: {said}");
    }
    arena.place.sentinel.assert_untouched();
}

#[test]
fn links_are_never_written_through() {
    let mut arena = Arena::serving(place(), &[]);
    let mut framed = Framed::dial(arena.url());
    let mut id = 0;
    for name in [
        "folder/secret",
        "folder/new",
        "folder/new/new",
        "relative-folder/sub/secret",
        "up/new",
        "up/outside/new",
        "loop/new",
        "dangling/new",
        "absolute/new",
    ] {
        for directory in [false, true] {
            id += 1;
            let size = if directory { 0 } else { 3 };
            framed.say(&Frame::Offer(Offer { directory, ..Framed::offer(id, name, size) }));
            let frame = framed.hear(PATIENCE).expect("an answer");
            match Frame::parse(&frame).expect("a frame") {
                Frame::Decline(decline) => assert_ne!(decline.code, Code::Wait),
                // What is accepted fails when it is to get its place.
                Frame::Accept(_) => {
                    let contents: &[u8] = if directory { b"" } else { b"new" };
                    framed.say_data(id, contents, 0, 3);
                    framed.say(&Frame::End(Framed::end_of(id, contents)));
                    let done = framed.expect(Kind::Done);
                    assert_ne!(done[2], Code::Ok.code(), "{name} was stored");
                }
                other => panic!("{other:?}"),
            }
        }
    }
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    arena.place.sentinel.assert_untouched();
    // A link in the place of the file itself is replaced, or refused; what it leads to is left alone.
    for name in ["absolute", "relative", "chain", "dangling", "folder", "loop"] {
        let file = arena.place.write(&format!("new/{name}"), b"new");
        let sent = Sampan::send(arena.url(), &[]).args(&[file]).run();
        let now = fs::symlink_metadata(arena.root().join(name)).expect("something is there");
        match sent.code {
            Some(0) => {
                assert!(now.is_file(), "{name}");
                assert_eq!(arena.place.stored(name), Some(b"new".to_vec()));
            }
            Some(5) => assert!(now.is_symlink(), "{name}"),
            _ => panic!("{name}: {sent:?}"),
        }
    }
    let stored = arena.place.visible();
    assert!(stored.iter().all(|name| !name.contains("new")), "{stored:?}");
    let stored: Vec<&str> = stored.iter().map(String::as_str).collect();
    arena.oracle().any_failures().files(&stored).check();
}

#[test]
fn fifos_devices_and_sockets_are_neither_read_nor_waited_for() {
    let place = Place::new();
    let root = place.root();
    rustix::fs::mkfifoat(rustix::fs::CWD, root.join("fifo"), rustix::fs::Mode::RUSR).expect("a FIFO");
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).expect("a socket");
    let mut arena = Arena::serving(place, &[]);
    for name in ["fifo", "socket"] {
        let to = arena.place.path().join("got");
        let got = Sampan::get(arena.url(), &["-o"]).args(&[&to]).args(&[name]).run();
        got.assert_exit(5);
        assert!(!to.exists());
    }
    arena.oracle().any_failures().files(&["fifo", "socket"]).check();
}

#[test]
fn clients_leave_links_out_and_say_so() {
    let arena = Arena::new();
    arena.place.write("tree/file", b"file");
    symlink(arena.place.sentinel.path().join("secret"), arena.place.path().join("tree/link"))
        .expect("a link");
    symlink(arena.place.sentinel.path(), arena.place.path().join("tree/folder")).expect("a link");
    let sent = Sampan::send(arena.url(), &[]).args(&[arena.place.path().join("tree")]).run();
    sent.assert_exit(9);
    let mut skipped: Vec<String> = sent
        .events("skipped")
        .iter()
        .map(|event| event["name"].as_str().expect("a path").to_owned())
        .collect();
    skipped.sort();
    assert!(
        matches!(&*skipped, [folder, link] if folder.ends_with("folder") && link.ends_with("link")),
        "{skipped:?}"
    );
    assert_eq!(arena.place.visible(), ["tree/", "tree/file"]);
    arena.place.sentinel.assert_untouched();
}

#[test]
fn a_client_that_fetches_into_a_folder_of_links_does_not_write_through_them() {
    let arena = Arena::new();
    arena.place.serve("tree/link/secret", b"from the server");
    arena.place.serve("tree/file", b"from the server");
    let into = arena.place.path().join("into");
    fs::create_dir_all(into.join("tree")).expect("a folder");
    symlink(arena.place.sentinel.path(), into.join("tree/link")).expect("a link");
    symlink(arena.place.sentinel.path().join("secret"), into.join("tree/file")).expect("a link");
    let got = Sampan::get(arena.url(), &["-o"]).args(&[&into]).args(&["tree"]).run();
    assert!(matches!(got.code, Some(8 | 9)), "{got:?}");
    arena.place.sentinel.assert_untouched();
}
