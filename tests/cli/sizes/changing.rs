//! Files that change while they are fetched or sent: whole as they were, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::kit::{Arena, PATIENCE, Ran, Sampan, content};

/// Much more than what is under way at a time, so that the server has not read all of it when it changes.
const LENGTH: usize = 40 << 20;

/// Fetches a file slowly, changes it at the server half way, and says what came of it and where it is.
fn fetch(arena: &Arena, change: impl FnOnce(&Path)) -> (Ran, PathBuf) {
    let served = arena.place.serve("file", &content(21, LENGTH));
    let to = arena.place.path().join("fetched");
    let client = Sampan::get(arena.url(), &["--limit-rate", "40M", "--retries", "0", "-o"])
        .args(&[&to])
        .args(&["file"])
        .start();
    client.stdout.wait("progress", PATIENCE, |event| event["bytes"].as_u64() > Some(4 << 20));
    assert!(!to.exists(), "it is in its place before it is whole");
    change(&served);
    (client.finish(), to)
}

#[track_caller]
fn assert_changed(fetched: &(Ran, PathBuf)) {
    fetched.0.assert_exit(8).assert_failed("changed");
    assert!(!fetched.1.exists(), "something is in its place that never was a file");
}

#[test]
fn a_file_replaced_or_deleted_while_it_is_fetched_arrives_as_it_was() {
    let mut arena = Arena::new();
    let (ran, to) = fetch(&arena, |file| {
        let new = file.with_extension("new");
        fs::write(&new, b"another one").expect("it can be written");
        fs::rename(new, file).expect("it can be replaced");
    });
    ran.assert_exit(0);
    assert!(fs::read(&to).expect("a file") == content(21, LENGTH), "it is neither");
    fs::remove_file(&to).expect("a file");
    let (ran, to) = fetch(&arena, |file| fs::remove_file(file).expect("it can be removed"));
    ran.assert_exit(0);
    assert!(fs::read(&to).expect("a file") == content(21, LENGTH), "it is neither");
    arena.oracle().failures(0).check();
}

#[test]
fn a_file_overwritten_while_it_is_fetched_is_not_put_in_place() {
    let mut arena = Arena::new();
    let fetched = fetch(&arena, |file| {
        let mut file = OpenOptions::new().write(true).open(file).expect("it is there");
        file.write_all(&[7; 4096]).expect("it can be written");
    });
    assert_changed(&fetched);
    arena.oracle().failed("changed").files(&["file"]).check();
}

#[test]
fn a_file_that_grows_or_shrinks_while_it_is_fetched_is_not_put_in_place() {
    let mut arena = Arena::new();
    assert_changed(&fetch(&arena, |file| {
        let mut file = OpenOptions::new().append(true).open(file).expect("it is there");
        file.write_all(b"more").expect("it can be written");
    }));
    assert_changed(&fetch(&arena, |file| {
        let file = OpenOptions::new().write(true).open(file).expect("it is there");
        file.set_len(1 << 20).expect("it can be cut");
    }));
    assert_changed(&fetch(&arena, |file| drop(File::create(file).expect("it can be emptied"))));
    arena.oracle().failed_times(3, "changed").files(&["file"]).check();
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_not_stored() {
    let mut arena = Arena::new();
    for (n, change) in [
        (|file: &Path| {
            let mut file = OpenOptions::new().append(true).open(file).expect("it is there");
            file.write_all(b"more").expect("it can be written");
        }) as fn(&Path),
        |file| {
            let file = OpenOptions::new().write(true).open(file).expect("it is there");
            file.set_len(1 << 20).expect("it can be cut");
        },
        |file| {
            let mut file = OpenOptions::new().write(true).open(file).expect("it is there");
            file.write_all(&[7; 4096]).expect("it can be written");
        },
    ]
    .into_iter()
    .enumerate()
    {
        let file = arena.place.write(&format!("file-{n}"), &content(21, LENGTH));
        let client = Sampan::send(arena.url(), &["--limit-rate", "40M"]).args(&[&file]).start();
        client.stdout.wait("progress", PATIENCE, |event| event["bytes"].as_u64() > Some(4 << 20));
        change(&file);
        client.finish().assert_exit(8).assert_failed("changed");
    }
    arena.oracle().failed_times(3, "changed").check();
}
