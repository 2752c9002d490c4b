//! Names that exist already.

use super::OlderClient;
use crate::kit::{Arena, PATIENCE, content};

#[track_caller]
fn send(arena: &Arena, contents: &[u8]) -> serde_json::Value {
    let mark = arena.server.events.mark();
    OlderClient::send_file(arena.url(), "some/file.bin", contents);
    arena.server.events.wait_since(mark, "received", PATIENCE, |received| received["name"] == "file.bin")
}

#[test]
fn both_are_kept_by_default_though_it_is_loopback() {
    let mut arena = Arena::new();
    let (first, second, third) = (content(1, 500), content(2, 600), content(3, 700));
    assert_eq!(send(&arena, &first).get("stored_as"), None);
    assert_eq!(send(&arena, &second)["stored_as"], "file (1).bin");
    assert_eq!(send(&arena, &third)["stored_as"], "file (2).bin");
    assert_eq!(arena.place.stored("file.bin"), Some(first));
    assert_eq!(arena.place.stored("file (1).bin"), Some(second));
    assert_eq!(arena.place.stored("file (2).bin"), Some(third));
    arena.oracle().failures(0).files(&["file (1).bin", "file (2).bin", "file.bin"]).check();
}

#[test]
fn equal_contents_are_not_kept_twice() {
    let mut arena = Arena::new();
    let contents = content(4, 100_000);
    send(&arena, &contents);
    send(&arena, &contents);
    send(&arena, &contents);
    arena.oracle().failures(0).files(&["file.bin"]).check();
}

#[test]
fn the_older_one_is_replaced_if_the_server_is_told_so() {
    let mut arena = Arena::with(&["--on-conflict", "replace"]);
    send(&arena, &content(5, 900));
    let second = content(6, 800);
    assert_eq!(send(&arena, &second).get("stored_as"), None);
    assert_eq!(arena.place.stored("file.bin"), Some(second));
    arena.oracle().failures(0).files(&["file.bin"]).check();
}

#[test]
fn the_newer_one_is_refused_if_the_server_is_told_so() {
    let mut arena = Arena::with(&["--on-conflict", "refuse"]);
    let first = content(7, 900);
    send(&arena, &first);
    let mut client = OlderClient::dial(arena.url());
    client.say(b"file.bin");
    let refusal = client.say(b"5");
    assert!(refusal.starts_with("[!] server : "), "{refusal}");
    client.raw.fin();
    client.raw.expect_close(PATIENCE);
    assert_eq!(arena.place.stored("file.bin"), Some(first));
    arena.oracle().failed("exists").files(&["file.bin"]).check();
}

#[test]
fn a_directory_of_that_name_stays() {
    for policy in ["keep", "replace", "refuse"] {
        let mut arena = Arena::with(&["--on-conflict", policy]);
        arena.place.serve("file.bin/inside", b"contents");
        let mut client = OlderClient::dial(arena.url());
        client.say(b"file.bin");
        let answer = client.say(b"3");
        // Kept beside it, or refused: what is in it stays.
        if !answer.starts_with("[!] ") {
            client.raw.write(b"abc");
            client.raw.fin();
            client.hear();
        }
        drop(client);
        assert_eq!(
            arena.place.stored("file.bin/inside").as_deref(),
            Some(b"contents".as_slice()),
            "{policy}"
        );
        arena.server.assert_alive();
    }
}
