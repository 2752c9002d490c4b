//! `sampan attach`: who stays, who comes back, and who is sent away.

use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use sampan_core::wire::{Code, Kind};
use serde_json::json;

use super::Harbour;
use crate::kit::proxy::{Direction, Fault, Proxy};
use crate::kit::{Framed, HostileServer, PATIENCE, Place, Sampan, Server, until};

/// Attaches to this server and must fail.
#[track_caller]
fn fails(place: &Place, url: &str, code: i32, error: &str) {
    let ran = Sampan::attach(url, "a", &place.path().join("node"), &[]).run();
    ran.assert_exit(code);
    let failed = ran.events("failed").pop().expect("a failure");
    assert_eq!(failed["error"], error, "{}", ran.text());
}

/// A port of this computer at which nobody listens.
fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("tcp://{}", listener.local_addr().expect("a bound socket"))
}

#[test]
fn an_interrupted_node_leaves_in_order() {
    let harbour = Harbour::new();
    for signal in [Signal::INT, Signal::TERM] {
        let node = harbour.node("a", &[]);
        node.running.signal(signal);
        node.running.finish().assert_exit(0);
        harbour.server.events.wait("detached", PATIENCE, |detached| detached["node"] == "a");
        until("it has left", PATIENCE, || harbour.server.status().0.is_empty().then_some(()));
    }
    assert_eq!(harbour.server.events.named("attached", 0).len(), 2);
    assert_eq!(harbour.server.events.named("detached", 0).len(), 2);
}

#[test]
fn one_that_waits_for_its_server_leaves_as_well() {
    let harbour = Harbour::new();
    let node = harbour.node_at(&free_port(), "a", &[]);
    node.running.stdout.wait("failed", PATIENCE, |failed| failed["resumable"] == true);
    node.running.signal(Signal::TERM);
    node.running.finish().assert_exit(0);
}

#[test]
fn the_older_of_two_of_one_name_ends_and_the_newer_stays() {
    let harbour = Harbour::new();
    let (older, other) = (harbour.node("a", &[]), harbour.node("b", &[]));
    let mut newer = Framed::attach(harbour.server.url(), "a");
    let ran = older.running.finish();
    ran.assert_exit(5);
    assert_eq!(ran.events("failed").pop().expect("a failure")["error"], "exists");
    let asked = harbour.server.notify("hear", &["a"]);
    newer.expect(Kind::Notice);
    drop((asked, newer));
    harbour.server.notify("hear", &["b"]).finish().assert_total(1, 0);
    drop(other);
}

#[test]
fn names_that_are_none_are_refused_before_anything_is_dialled() {
    let place = Place::new();
    let server = HostileServer::new();
    for name in ["", "all", "ALL", "a b", "a/b", "ä", "a:b", &"x".repeat(65)] {
        Sampan::attach(&server.url(), name, &place.path().join("node"), &[]).run().assert_exit(2);
    }
    assert!(server.accept_within(Duration::ZERO).is_none());
    for name in ["a", "a.b_c-D9", &"x".repeat(64), "..", "-"] {
        let name = format!("--name={name}");
        let folder = place.path().join("node");
        let node = Sampan::new(&["attach", &name, "--dir"]).args(&[&*folder, Path::new(&server.url())]);
        let node = node.start();
        let mut session = server.open();
        session.expect(Kind::Attach);
        drop(node);
    }
}

#[test]
fn a_server_that_takes_no_nodes_refuses_them() {
    let place = Place::new();
    let server = Server::with(&place.root(), &["--allow", "put,get,list,classic"]);
    fails(&place, server.url(), 5, "not-allowed");
    assert!(server.events.named("attached", 0).is_empty());
    let server = Server::with(&place.root(), &["--allow", "attach"]);
    let node = Sampan::attach(server.url(), "a", &place.path().join("node"), &[]).start();
    server.await_node("a");
    drop(node);
    // Who is only allowed to stay may do nothing else.
    let file = place.write("file", b"contents");
    Sampan::send(server.url(), &[]).args(&[file]).run().assert_exit(5);
}

#[test]
fn whoever_is_no_server_for_nodes_ends_it() {
    let place = Place::new();
    for answer in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x03\x00\x02\x02\x16",
    ] {
        let server = HostileServer::new();
        let url = server.url();
        let peer = thread::spawn(move || {
            let mut raw = server.accept();
            let _ = raw.try_write(answer);
            let _ = raw.try_read(&mut [0; 4096], PATIENCE);
            raw.fin();
            let _ = raw.read_to_end(PATIENCE);
        });
        fails(&place, &url, 10, "not-sampan");
        peer.join().unwrap();
    }
}

#[test]
fn a_server_that_is_not_there_at_first_is_found_when_it_comes() {
    let harbour = Harbour::new();
    let url = free_port();
    let node = harbour.node_at(&url, "a", &[]);
    node.running.stdout.wait("failed", PATIENCE, |failed| failed["error"] == "connect");
    let server = Server::listening(&harbour.place.root(), &[&url], &[]);
    server.await_node("a");
    // Of dials that fail one after the other the first alone is shown.
    assert_eq!(node.running.stdout.named("failed", 0).len(), 1);
    assert_eq!(node.running.stdout.named("connected", 0).len(), 1);
}

#[test]
fn a_server_that_is_restarted_has_its_nodes_again() {
    let Harbour { server, place } = Harbour::new();
    let url = server.url().to_owned();
    let node = Sampan::attach(&url, "a", &place.path().join("node"), &[]).start();
    server.await_node("a");
    server.kill();
    let server = until("the port is free", PATIENCE, || {
        TcpListener::bind(url.trim_start_matches("tcp://")).ok().map(drop)?;
        Some(Server::listening(&place.root(), &[&url], &[]))
    });
    server.await_node("a");
    let lost = node.stdout.named("failed", 0);
    assert_eq!((&lost[0]["error"], &lost[0]["resumable"]), (&"link-lost".into(), &true.into()));
    let file = place.write("file", b"contents");
    server.push(&[&file], &["all"]).finish().assert_total(1, 0);
    // One that stops says so, and its nodes wait for it as well.
    server.stop();
    node.stdout.wait("failed", PATIENCE, |failed| failed["error"] == "closing");
    let server = Server::listening(&place.root(), &[&url], &[]);
    server.await_node("a");
    assert_eq!(node.stdout.named("connected", 0).len(), 3);
}

#[test]
fn a_node_may_be_idle_but_a_client_may_not() {
    let harbour = Harbour::with(&["--idle-timeout", "1s"]);
    let node = harbour.node("a", &[]);
    let id = harbour.server.await_node("a")["id"].clone();
    // A client that does not stay shows when the time is over.
    for _ in 0..2 {
        Framed::dial(harbour.server.url()).expect_end(Code::Timeout);
    }
    assert_eq!(harbour.server.await_node("a")["id"], id);
    harbour.server.notify("still here", &["a"]).finish().assert_total(1, 0);
    assert!(node.running.stdout.named("failed", 0).is_empty());
}

#[test]
fn a_server_that_has_fallen_silent_is_dialled_again() {
    let harbour = Harbour::new();
    // It says HELLO, and then nothing any more.
    let proxy = Proxy::new(harbour.server.url(), &[Fault::Silence(Direction::ToClient, 60)]);
    let node = harbour.node_at(proxy.url(), "a", &["--timeout", "1s"]);
    node.running
        .stdout
        .wait("failed", PATIENCE, |failed| failed["error"] == "timeout" && failed["resumable"] == true);
    harbour.server.await_node("a");
    until("it has dialled again", PATIENCE, || (proxy.connections() >= 2).then_some(()));
    // The link that is left over ends, and the node that came by the other stays.
    harbour.server.notify("hear", &["a"]).finish();
    node.running.stdout.wait("connected", PATIENCE, |_| true);
    let file = harbour.place.write("file", b"contents");
    harbour.server.push(&[&file], &["a"]).finish().assert_total(1, 0);
    node.assert_has("file", b"contents");
}

#[test]
fn disconnecting_makes_a_node_dial_again_and_a_client_fail() {
    let harbour = Harbour::new();
    let node = harbour.node("a", &[]);
    let id = harbour.server.await_node("a")["id"].as_u64().unwrap();
    let request = json!({ "request": "disconnect", "who": ["a", "nobody"] });
    let answers = harbour.server.ask(&request).finish();
    answers.assert_total(1, 1);
    assert_eq!(answers.one("disconnected")["id"], id);
    harbour.server.await_connection("it has come again", |connection| {
        connection["node"] == "a" && connection["id"].as_u64() > Some(id)
    });
    let mut client = Framed::dial(harbour.server.url());
    harbour.server.await_connection("the client", |connection| connection["node"].is_null());
    let request = json!({ "request": "disconnect", "who": ["all"] });
    harbour.server.ask(&request).finish().assert_total(2, 0);
    client.expect_end(Code::Closing);
    let request = json!({ "request": "disconnect", "who": ["#999"] });
    harbour.server.ask(&request).finish().assert_failed("not-found");
    drop(node);
}
