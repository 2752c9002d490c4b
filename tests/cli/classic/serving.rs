//! What `sampan serve` takes from older clients.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{FINISHED, NAME_OK, OlderClient, SIZE_OK};
use crate::kit::{Arena, PATIENCE, SOON, content};

#[test]
fn a_client_that_closes_without_reading_the_last_reply_is_received_whole() {
    let mut arena = Arena::new();
    let contents = content(1, 300_000);
    OlderClient::send_file(arena.url(), "dir/sub/file.bin", &contents);
    let received = arena.server.events.wait("received", PATIENCE, |_| true);
    assert_eq!(received["name"], "file.bin", "{received}");
    assert_eq!(received["size"], 300_000, "{received}");
    assert_eq!(received["protocol"], "classic", "{received}");
    assert_eq!(received["resumed_from"], 0, "{received}");
    assert!(received["peer"].as_str().is_some_and(|peer| peer.starts_with("127.0.0.1:")), "{received}");
    assert_eq!(received.get("stored_as"), None, "{received}");
    let connected = arena.server.events.named("connected", 0);
    assert_eq!(connected.len(), 1, "{connected:?}");
    assert_eq!(connected[0]["protocol"], "classic", "{connected:?}");
    assert_eq!(arena.place.stored("file.bin"), Some(contents));
    arena.oracle().failures(0).files(&["file.bin"]).check();
}

#[test]
fn the_last_reply_comes_when_the_file_is_in_place() {
    let mut arena = Arena::new();
    for (name, contents) in [("a.txt", content(2, 70_000)), ("empty", Vec::new())] {
        let mut client = OlderClient::announcing(arena.url(), name, contents.len() as u64);
        client.raw.write(&contents);
        client.raw.fin();
        assert_eq!(client.hear(), FINISHED);
        assert_eq!(arena.place.stored(name), Some(contents));
    }
    arena.oracle().failures(0).files(&["a.txt", "empty"]).check();
}

#[test]
fn an_empty_file_is_a_file_though_its_client_closes_at_once() {
    let mut arena = Arena::new();
    OlderClient::send_file(arena.url(), "C:\\folder\\empty.txt", b"");
    let received = arena.server.events.wait("received", PATIENCE, |_| true);
    assert_eq!((&received["name"], &received["size"]), (&json!("empty.txt"), &json!(0)), "{received}");
    arena.oracle().failures(0).files(&["empty.txt"]).check();
}

#[test]
fn name_and_size_may_come_in_pieces_within_50_ms() {
    // A machine that halts the test between two pieces has not tested the server.
    for _ in 0..20 {
        let mut arena = Arena::new();
        let mut client = OlderClient::dial(arena.url());
        let mut quick = true;
        for (message, answer) in
            [(["dir/", "pie", "ces.bin"].as_slice(), NAME_OK), (["1", "0", "0"].as_slice(), SIZE_OK)]
        {
            let began = Instant::now();
            for piece in message {
                client.raw.write(piece.as_bytes());
                thread::sleep(Duration::from_millis(5));
            }
            quick &= began.elapsed() < Duration::from_millis(40);
            if !quick {
                break;
            }
            assert_eq!(client.hear(), answer);
        }
        if quick {
            let contents = content(3, 100);
            client.raw.write(&contents);
            drop(client);
            arena.server.events.wait("received", PATIENCE, |received| received["name"] == "pieces.bin");
            assert_eq!(arena.place.stored("pieces.bin"), Some(contents));
            arena.oracle().failures(0).files(&["pieces.bin"]).check();
            return;
        }
    }
    panic!("no three pieces could be written within 40 ms");
}

#[test]
fn contents_may_come_with_pauses() {
    let mut arena = Arena::new();
    let contents = content(4, 3_000);
    let mut client = OlderClient::announcing(arena.url(), "slow.bin", 3_000);
    for piece in contents.chunks(1_000) {
        thread::sleep(Duration::from_millis(300));
        client.raw.write(piece);
    }
    drop(client);
    arena.server.events.wait("received", PATIENCE, |_| true);
    assert_eq!(arena.place.stored("slow.bin"), Some(contents));
    arena.oracle().failures(0).files(&["slow.bin"]).check();
}

#[test]
fn a_client_that_is_reset_after_its_last_byte_is_received_whole() {
    let mut arena = Arena::new();
    let contents = content(5, 2_000);
    let mut client = OlderClient::announcing(arena.url(), "reset.bin", 2_000);
    client.raw.write(&contents);
    client.raw.reset();
    arena.server.events.wait("received", PATIENCE, |_| true);
    assert_eq!(arena.place.stored("reset.bin"), Some(contents));
    arena.oracle().failures(0).files(&["reset.bin"]).check();
}

#[test]
fn a_client_that_never_ends_its_stream_is_received_whole_after_a_second() {
    let mut arena = Arena::new();
    let contents = content(6, 2_000);
    let mut client = OlderClient::announcing(arena.url(), "open.bin", 2_000);
    client.raw.write(&contents);
    let began = Instant::now();
    assert_eq!(client.hear(), FINISHED);
    let took = began.elapsed();
    assert!(took > Duration::from_millis(900) && took < SOON, "{took:?}");
    assert_eq!(arena.place.stored("open.bin"), Some(contents));
    drop(client);
    arena.oracle().failures(0).files(&["open.bin"]).check();
}

#[test]
fn older_clients_are_served_at_once_with_each_other() {
    let mut arena = Arena::new();
    let contents = content(7, 200_000);
    let mut clients: Vec<_> = (0..20)
        .map(|n| OlderClient::announcing(arena.url(), &format!("many-{n:02}"), contents.len() as u64))
        .collect();
    for piece in contents.chunks(40_000) {
        for client in &mut clients {
            client.raw.write(piece);
        }
    }
    drop(clients);
    let names: Vec<_> = (0..20).map(|n| format!("many-{n:02}")).collect();
    for name in &names {
        arena.server.events.wait("received", PATIENCE, |received| received["name"] == **name);
        assert_eq!(arena.place.stored(name).as_ref(), Some(&contents));
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    arena.oracle().failures(0).files(&names).check();
}

#[test]
fn an_older_client_is_served_at_a_unix_socket_too() {
    let place = crate::kit::Place::new();
    let url = format!("unix:{}", place.path().join("socket").display());
    let server = crate::kit::Server::listening(&place.root(), &[&url], &[]);
    OlderClient::send_file(&url, "over-unix.txt", b"contents");
    let received = server.events.wait("received", PATIENCE, |_| true);
    assert_eq!(received["peer"], "unix", "{received}");
    assert_eq!(place.stored("over-unix.txt").as_deref(), Some(b"contents".as_slice()));
    server.stop();
}
