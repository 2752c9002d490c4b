//! A server that takes nobody any more, and stops when those who are there have finished.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use sampan_core::wire::Kind;
use serde_json::json;

use super::Harbour;
use crate::classic::OlderClient;
use crate::kit::{Framed, PATIENCE, Raw, SOON, Sampan, content, until};

#[test]
fn everybody_who_is_sending_finishes_and_nobody_else_comes_in() {
    let harbour = Harbour::new();
    let contents = content(1, 1 << 20);
    let senders: Vec<_> = (0..20)
        .map(|n| {
            let file = harbour.place.write(&format!("from/file-{n:02}"), &contents);
            let arguments = ["--limit-rate", "512k", "--retries", "0"];
            Sampan::send(harbour.server.url(), &arguments).args(&[file]).start()
        })
        .collect();
    let node = harbour.node("a", &[]);
    until("all are sending", PATIENCE, || (harbour.server.status().1["transfers"] == 20).then_some(()));
    let drain = harbour.server.ask(&json!({ "request": "drain" }));
    let draining = drain.answers.wait("draining", PATIENCE, |_| true);
    assert!(draining["transfers"].as_u64() > Some(0), "{draining}");
    assert_eq!(harbour.server.status().1["draining"], true);
    // The node, which has nothing under way, is let go.
    node.running.stdout.wait("failed", PATIENCE, |failed| failed["error"] == "closing");
    let file = harbour.place.write("late", b"late");
    until("nobody listens", PATIENCE, || Raw::try_dial(harbour.server.url()).is_err().then_some(()));
    Sampan::send(harbour.server.url(), &["--retries", "0"]).args(&[&file]).run().assert_exit(3);
    let push = harbour.server.push(&[&file], &["a"]).finish();
    assert_eq!(push.one("result")["error"], "closing", "{push:?}");
    for sender in senders {
        sender.finish().assert_exit(0);
    }
    let answers = drain.finish();
    assert_eq!(answers.0.last().unwrap()["event"], "drained", "{answers:?}");
    let mut server = harbour.server;
    assert_eq!(server.wait().code(), Some(0));
    let names: Vec<_> = (0..20).map(|n| format!("file-{n:02}")).collect();
    assert_eq!(harbour.place.visible(), names);
    assert!(names.iter().all(|name| harbour.place.stored(name).as_ref() == Some(&contents)));
}

#[test]
fn nobody_who_does_nothing_holds_it_up_for_long() {
    let harbour = Harbour::with(&["--handshake-timeout", "2s"]);
    let nodes = ["a", "b"].map(|name| harbour.node(name, &[]));
    // One that sits, one that has said nothing, and one that does not come further than its size.
    let sits = Framed::dial(harbour.server.url());
    let mute = Raw::dial(harbour.server.url());
    until("all are there", PATIENCE, || (harbour.server.status().1["connections"] == 4).then_some(()));
    let began = Instant::now();
    let answers = harbour.server.ask(&json!({ "request": "drain" })).finish();
    answers.one("drained");
    let mut server = harbour.server;
    assert_eq!(server.wait().code(), Some(0));
    // Who does nothing is sent away after 5 s.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    drop((nodes, sits, mute));
}

#[test]
fn a_server_without_anybody_stops_at_once_and_a_second_drain_changes_nothing() {
    let harbour = Harbour::new();
    let mut client = OlderClient::announcing(harbour.server.url(), "file", 10);
    let first = harbour.server.ask(&json!({ "request": "drain" }));
    first.answers.wait("draining", PATIENCE, |draining| draining["connections"] == 1);
    // Whoever asked may go; it goes on draining.
    drop(first);
    let second = harbour.server.ask(&json!({ "request": "drain" }));
    second.answers.wait("draining", PATIENCE, |_| true);
    client.raw.write(b"0123456789");
    assert_eq!(client.hear(), "[+] server : finished transferring file");
    second.finish().one("drained");
    let mut server = harbour.server;
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(harbour.place.stored("file"), Some(b"0123456789".to_vec()));

    let harbour = Harbour::new();
    let answers = harbour.server.ask(&json!({ "request": "drain" })).finish();
    answers.one("drained");
    let mut server = harbour.server;
    assert_eq!(server.wait().code(), Some(0));
    assert!(!server.control().exists());
}

#[test]
fn every_node_is_told_at_once() {
    let harbour = Harbour::new();
    let mut nodes: Vec<_> =
        (0..20).map(|n| Framed::attach(harbour.server.url(), &format!("node-{n}"))).collect();
    until("all are there", PATIENCE, || (harbour.server.status().1["nodes"] == 20).then_some(()));
    let drain = harbour.server.ask(&json!({ "request": "drain" }));
    for node in &mut nodes {
        node.expect_within(Kind::Bye, SOON);
        node.say_bye();
    }
    drop(nodes);
    drain.finish().one("drained");
}

#[test]
fn a_push_that_is_under_way_is_finished_before_the_node_is_let_go() {
    let harbour = Harbour::new();
    let node = harbour.node("a", &[]);
    let contents = content(1, 20 << 20);
    let file = harbour.place.write("file", &contents);
    node.running.signal(Signal::STOP);
    let push = harbour.server.push(&[&file], &["a"]);
    until("it is under way", PATIENCE, || (harbour.server.status().1["transfers"] == 1).then_some(()));
    let drain = harbour.server.ask(&json!({ "request": "drain" }));
    drain.answers.wait("draining", PATIENCE, |draining| draining["transfers"] == 1);
    node.running.signal(Signal::CONT);
    push.finish().assert_total(1, 0);
    drain.finish().one("drained");
    node.assert_has("file", &contents);
}
