//! What cannot be sent is said, and the rest goes.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{Directories, Seen};
use crate::kit::{Arena, Sampan, assert_printable};

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a fifo can be made");
}

#[test]
fn links_special_files_and_names_that_cannot_go() {
    let arena = Arena::new();
    let tree = arena.place.path().join("tree");
    arena.place.write("tree/good/file", b"contents");
    arena.place.write("tree/z last", b"more");
    fs::create_dir(tree.join("empty")).expect("a folder");
    let good = Seen::at(&tree);

    let outside = arena.place.path().join("outside");
    symlink(outside.join("secret"), tree.join("link to a file")).expect("a link");
    symlink(&outside, tree.join("link to a folder")).expect("a link");
    symlink("nowhere", tree.join("good/dangling")).expect("a link");
    symlink(".", tree.join("good/loop")).expect("a link");
    fifo(&tree.join("fifo"));
    let _socket = UnixListener::bind(tree.join("socket")).expect("a socket");
    fs::write(tree.join(OsStr::from_bytes(b"not \xff text")), b"x").expect("a file");
    fs::write(tree.join("new\nline"), b"x").expect("a file");
    fs::write(tree.join("back\\slash"), b"x").expect("a file");
    fs::write(tree.join("turned\u{202e}round"), b"x").expect("a file");
    fs::write(tree.join(".sampan-0123"), b"x").expect("a file");
    arena.place.write("tree/good/.SAMPAN/file", b"x");
    let deep = tree.join("d".repeat(250)).join("d".repeat(250)).join("d".repeat(250)).join("d".repeat(250));
    fs::create_dir_all(&deep).expect("folders");
    fs::write(deep.join("f".repeat(250)), b"x").expect("a file");

    let ran = Sampan::send(arena.url(), &[]).args(&[&tree]).run();
    ran.assert_exit(9);
    let skipped = ran.events("skipped");
    let expected = [
        "link to a file",
        "link to a folder",
        "dangling",
        "loop",
        "fifo",
        "socket",
        "\u{fffd}",
        "new",
        "slash",
        "round",
        ".sampan-0123",
        ".SAMPAN",
        "ffff",
    ];
    for name in expected {
        let about =
            skipped.iter().filter(|skipped| skipped["name"].as_str().is_some_and(|have| have.contains(name)));
        let about: Vec<_> = about.collect();
        assert_eq!(about.len(), 1, "{name}: {skipped:#?}");
        assert!(about[0]["message"].as_str().is_some_and(|message| !message.is_empty()), "{about:?}");
    }
    assert_eq!(skipped.len(), expected.len(), "{skipped:#?}");
    let summary = ran.event("summary");
    assert_eq!((&summary["skipped"], &summary["failed"]), (&expected.len().into(), &0.into()), "{summary}");
    assert_printable(ran.text());
    assert_printable(&ran.stderr);
    // The folders above the one that is too deep are there, and nothing else is.
    let there = Seen::at(&arena.root().join("tree")).without(&"d".repeat(250));
    good.assert_same(&there, Directories::Present);
    assert!(there.nodes.keys().all(|name| !name.to_lowercase().contains(".sampan")));
    arena.place.sentinel.assert_untouched();

    // For people: each by its name, in one line.
    let ran = Sampan::new(&["send", "--to", arena.url()]).args(&[&tree]).run();
    ran.assert_exit(9);
    assert_printable(&ran.stderr);
    for name in expected {
        assert_eq!(
            ran.stderr.lines().filter(|line| line.contains(name)).count(),
            1,
            "{name}: {}",
            ran.stderr
        );
    }
}

#[test]
fn nothing_else_is_there_to_send() {
    let arena = Arena::new();
    let tree = arena.place.path().join("tree");
    fs::create_dir(&tree).expect("a folder");
    symlink("nowhere", tree.join("dangling")).expect("a link");
    let ran = Sampan::send(arena.url(), &[]).args(&[&tree]).run();
    ran.assert_exit(9);
    assert_eq!(ran.events("skipped").len(), 1, "{}", ran.text());
    assert_eq!(arena.place.visible(), ["tree/"]);
}

#[test]
fn a_link_that_is_named_itself_is_what_it_leads_to() {
    let arena = Arena::new();
    let link = arena.place.path().join("link");
    symlink(arena.place.write("from/file", b"contents"), &link).expect("a link");
    Sampan::send(arena.url(), &[]).args(&[&link]).run().assert_exit(0);
    assert_eq!(arena.place.stored("link").as_deref(), Some(b"contents".as_slice()));
    assert!(!arena.root().join("link").is_symlink());
}

#[test]
fn a_special_file_that_is_named_itself_is_left_out_too() {
    let arena = Arena::new();
    let file = arena.place.write("from/file", b"contents");
    let special = arena.place.path().join("from/fifo");
    fifo(&special);
    let ran = Sampan::send(arena.url(), &[]).args(&[&special, &file]).run();
    ran.assert_exit(9);
    assert_eq!(arena.place.visible(), ["file"]);
}
