//! Different files of one size and one modification time, as they come out of archives and builds: none is taken for another.

use std::fs::{self, FileTimes, OpenOptions};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::kit::{Arena, PATIENCE, Place, Ran, Sampan, Server, content, until};

const LENGTH: usize = 1000;

/// Gives a file the time that all of them have.
fn age(path: &Path) {
    let file = OpenOptions::new().write(true).open(path).expect("it is there");
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    file.set_times(FileTimes::new().set_modified(time)).expect("a time");
}

/// What the client says was there already.
#[track_caller]
fn resumed(ran: &Ran, event: &str) -> Value {
    ran.assert_exit(0).event(event)["resumed_from"].clone()
}

#[test]
fn files_fetched_under_one_name_are_each_what_was_asked_for() {
    let mut arena = Arena::new();
    let names = ["a", "b", "there/x"];
    for (seed, name) in names.into_iter().enumerate() {
        age(&arena.place.serve(name, &content(seed as u64, LENGTH)));
    }
    let folder = arena.place.path().join("to");
    let (to, into) = (folder.join("x"), folder.join(""));
    let get = |name: &str, output: &Path| {
        resumed(&Sampan::get(arena.url(), &[name, "-o"]).args(&[output]).run(), "received")
    };
    for (seed, (name, output)) in names.into_iter().zip([&to, &to, &into]).enumerate() {
        assert_eq!(get(name, output), 0, "{name}");
        assert!(fs::read(&to).ok() == Some(content(seed as u64, LENGTH)), "{name} is another file");
        assert_eq!(get(name, output), LENGTH, "{name} has come a second time");
    }
    // However its place is said.
    assert_eq!(get("there/x", &to), LENGTH);
    arena.oracle().failures(0).files(&["a", "b", "there/", "there/x"]).check();
}

#[test]
fn files_sent_under_one_name_arrive_each() {
    let mut arena = Arena::new();
    let files = ["a", "b"].map(|name| arena.place.write(name, &content(0, 0)));
    for (seed, file) in files.iter().enumerate() {
        fs::write(file, content(seed as u64, LENGTH)).expect("it can be written");
        age(file);
    }
    let send =
        |file: &Path| resumed(&Sampan::send(arena.url(), &["--name", "x"]).args(&[file]).run(), "sent");
    for (seed, file) in files.iter().enumerate() {
        assert_eq!(send(file), 0);
        assert!(arena.place.stored("x") == Some(content(seed as u64, LENGTH)), "another file arrived");
        assert_eq!(send(file), LENGTH);
    }
    arena.oracle().failures(0).files(&["x"]).check();
}

/// Gives a file other contents, size and time as they were.
type Change = fn(&Path, &[u8]);

const CHANGES: [Change; 3] = [
    |path, contents| fs::write(path, contents).expect("it can be written"),
    |path, contents| {
        fs::remove_file(path).expect("it is there");
        fs::write(path, contents).expect("it can be written");
    },
    |path, contents| {
        let new = path.with_extension("new");
        fs::write(&new, contents).expect("it can be written");
        age(&new);
        fs::rename(new, path).expect("it can be replaced");
    },
];

/// Changes a file, and waits until its file system has counted on.
fn change(how: Change, path: &Path, contents: &[u8]) {
    let changed =
        |path: &Path| path.metadata().map(|file| (file.ctime(), file.ctime_nsec())).expect("a file");
    let before = changed(path);
    how(path, contents);
    until("the clock of the file system counts on", PATIENCE, || {
        age(path);
        (changed(path) != before).then_some(())
    });
}

#[test]
fn a_file_that_was_replaced_by_one_like_it_is_sent_again() {
    let mut arena = Arena::new();
    let file = arena.place.write("file", &content(0, LENGTH));
    age(&file);
    Sampan::send(arena.url(), &[]).args(&[&file]).run().assert_exit(0);
    for (seed, how) in (1..).zip(CHANGES) {
        change(how, &file, &content(seed, LENGTH));
        assert_eq!(resumed(&Sampan::send(arena.url(), &[]).args(&[&file]).run(), "sent"), 0, "{seed}");
        assert!(arena.place.stored("file") == Some(content(seed, LENGTH)), "{seed}: the older one is there");
    }
    arena.oracle().failures(0).files(&["file"]).check();
}

#[test]
fn a_served_file_that_was_replaced_by_one_like_it_is_fetched_again() {
    let mut arena = Arena::new();
    let file = arena.place.serve("file", &content(0, LENGTH));
    age(&file);
    let to = arena.place.path().join("to");
    let get = || resumed(&Sampan::get(arena.url(), &["file", "-o"]).args(&[&to]).run(), "received");
    get();
    for (seed, how) in (1..).zip(CHANGES) {
        change(how, &file, &content(seed, LENGTH));
        assert_eq!(get(), 0, "{seed}");
        assert!(fs::read(&to).ok() == Some(content(seed, LENGTH)), "{seed}: the older one is there");
    }
    arena.oracle().failures(0).files(&["file"]).check();
}

#[test]
fn a_file_that_was_replaced_by_one_like_it_is_pushed_again() {
    let place = Place::new();
    let server = Server::new(&place.root());
    let folder = place.path().join("node");
    let _node = Sampan::attach(server.url(), "boat", &folder, &[]).start();
    server.await_node("boat");
    let file = place.write("file", &content(0, LENGTH));
    age(&file);
    let push = || server.push(&[&file], &["boat"]).finish().one("pushed")["resumed_from"].clone();
    assert_eq!((push(), push()), (0.into(), LENGTH.into()));
    for (seed, how) in (1..).zip(CHANGES) {
        change(how, &file, &content(seed, LENGTH));
        assert_eq!(push(), 0, "{seed}");
        let there = fs::read(folder.join("file")).ok();
        assert!(there == Some(content(seed, LENGTH)), "{seed}: the older one is there");
    }
}
