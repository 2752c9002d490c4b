//! Being stopped, at any moment and twice.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::kit::place::entries;
use crate::kit::{Arena, PATIENCE, Ran, SOON, Sampan, content, until};

const LENGTH: usize = 12 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    Send,
    Get,
}

/// Starts a slow transfer, interrupts it after `after`, and says what came of it.
fn interrupt(arena: &Arena, client: Client, after: Duration, to: &Path) -> Ran {
    let slow = ["--limit-rate", "6M"];
    let client = match client {
        Client::Send => Sampan::send(arena.url(), &slow).args(&[arena.place.path().join("file")]),
        Client::Get => Sampan::get(arena.url(), &slow).args(&[Path::new("-o"), to, Path::new("file")]),
    };
    let client = client.start();
    std::thread::sleep(after);
    let began = Instant::now();
    client.signal(Signal::INT);
    let ran = client.finish();
    assert!(began.elapsed() < SOON, "it took {:?} to stop", began.elapsed());
    ran
}

fn arena(client: Client) -> Arena {
    let arena = Arena::new();
    let contents = content(41, LENGTH);
    match client {
        Client::Send => arena.place.write("file", &contents),
        Client::Get => arena.place.serve("file", &contents),
    };
    arena
}

/// Interrupted at several moments, each time from where it was; nothing is in its place before the end.
fn stops_and_goes_on(client: Client) {
    let mut arena = arena(client);
    let to = arena.place.path().join("to");
    let contents = content(41, LENGTH);
    let mut interrupted = 0;
    for after in [20, 60, 150, 400, 900] {
        let ran = interrupt(&arena, client, Duration::from_millis(after), &to);
        // A signal may come before there is anybody to hear it.
        if ran.code.is_some() {
            ran.assert_exit(130);
            interrupted += 1;
        }
        let there = if client == Client::Send { arena.place.stored("file").is_some() } else { to.exists() };
        assert!(!there, "it is in its place before it is whole");
    }
    assert!(interrupted >= 3, "{interrupted}");
    let ran = match client {
        Client::Send => Sampan::send(arena.url(), &[]).args(&[arena.place.path().join("file")]).run(),
        Client::Get => Sampan::get(arena.url(), &["-o"]).args(&[&to]).args(&["file"]).run(),
    };
    ran.assert_exit(0);
    let moved = ran.event(if client == Client::Send { "sent" } else { "received" });
    assert!(moved["resumed_from"].as_u64() > Some(0), "{moved}");
    if client == Client::Send {
        assert!(arena.place.stored("file") == Some(contents), "what is stored differs");
    } else {
        assert!(fs::read(&to).ok() == Some(contents), "what was fetched differs");
        let left: Vec<_> =
            entries(arena.place.path()).into_iter().filter(|name| name.contains(".sampan")).collect();
        assert_eq!(left, [""; 0]);
    }
    arena.oracle().any_failures().files(&["file"]).check();
}

#[test]
fn a_sender_that_is_interrupted_stops_and_the_same_command_goes_on() {
    stops_and_goes_on(Client::Send);
}

#[test]
fn a_fetch_that_is_interrupted_stops_and_the_same_command_goes_on() {
    stops_and_goes_on(Client::Get);
}

#[test]
fn an_interruption_in_mid_transfer_is_reported_as_one_that_can_be_resumed() {
    for client in [Client::Send, Client::Get] {
        let arena = arena(client);
        let ran = interrupt(&arena, client, Duration::from_millis(700), &arena.place.path().join("to"));
        ran.assert_exit(130);
        let failed = ran.events("failed");
        assert!(!failed.is_empty(), "{}", ran.text());
        assert!(
            failed.iter().all(|event| event["error"] == "interrupted" && event["resumable"] == true),
            "{failed:?}"
        );
    }
}

#[test]
fn two_interruptions_stop_a_client_at_once_even_if_the_server_does_not_answer() {
    let server = crate::kit::HostileServer::new();
    let url = server.url();
    let arena = Arena::new();
    let file = arena.place.write("file", &content(1, 1 << 20));
    for client in [
        Sampan::send(&url, &[]).args(&[&file]),
        Sampan::get(&url, &["file"]).in_dir(arena.place.path()),
        Sampan::ls(&url, &[]),
    ] {
        let client = client.start();
        let held = server.accept();
        std::thread::sleep(Duration::from_millis(100));
        client.signal(Signal::INT);
        std::thread::sleep(Duration::from_millis(20));
        client.signal(Signal::INT);
        let began = Instant::now();
        client.finish().assert_exit(130);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        drop(held);
    }
}

#[test]
fn one_interruption_is_enough_while_dialling_again() {
    let arena = arena(Client::Send);
    let client =
        Sampan::send(arena.url(), &["--limit-rate", "6M"]).args(&[arena.place.path().join("file")]).start();
    client.stdout.wait("progress", PATIENCE, |event| event["bytes"].as_u64() > Some(1 << 20));
    let Arena { server, place, .. } = arena;
    server.kill();
    std::thread::sleep(Duration::from_millis(300));
    client.signal(Signal::INT);
    let began = Instant::now();
    client.finish().assert_exit(130);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    place.sentinel.assert_untouched();
}

#[test]
fn a_server_that_is_stopped_in_mid_transfer_says_closing_and_keeps_the_part() {
    let arena = arena(Client::Send);
    let file = arena.place.path().join("file");
    let client = Sampan::send(arena.url(), &["--limit-rate", "6M", "--retries", "0"]).args(&[&file]).start();
    client.stdout.wait("progress", PATIENCE, |event| event["bytes"].as_u64() > Some(3 << 20));
    let Arena { server, place, .. } = arena;
    let began = Instant::now();
    server.stop();
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let sent = client.finish();
    sent.assert_exit(7);
    assert_eq!(sent.assert_failed("closing")["resumable"], true);
    assert_eq!(place.visible(), [""; 0]);
    let server = crate::kit::Server::new(&place.root());
    let sent = Sampan::send(server.url(), &[]).args(&[&file]).run();
    sent.assert_exit(0);
    assert!(sent.event("sent")["resumed_from"].as_u64() > Some(0));
    assert!(place.stored("file") == Some(content(41, LENGTH)), "what is stored differs");
}

#[test]
fn a_server_ends_with_ctrl_c_and_sigterm_and_removes_its_socket() {
    for signal in [Signal::INT, Signal::TERM] {
        let place = crate::kit::Place::new();
        let socket = place.path().join("socket");
        let url = format!("unix:{}", socket.display());
        let root = place.root();
        let server = Sampan::new(&["serve", "--json", "--listen", &url, "--listen", "tcp://127.0.0.1:0"])
            .args(&[&root]);
        let server = server.start();
        until("it listens", PATIENCE, || (server.stdout.named("listening", 0).len() == 2).then_some(()));
        server.signal(signal);
        server.finish().assert_exit(0);
        assert!(!socket.exists());
    }
}
