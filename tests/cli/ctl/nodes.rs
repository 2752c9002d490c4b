//! What a node has, through a real server.

use std::fs;

use sampan_core::wire::{Answered, Code, Decline, Frame, Kind, Offer, Want};
use serde_json::json;

use crate::kit::{Framed, PATIENCE, Place, Running, Sampan, Server, content, until};

fn attached(server: &Server, place: &Place, allow: &str) -> Running {
    let mark = server.events.mark();
    let folder = place.path().join("node");
    let node =
        Sampan::attach(server.url(), "boat", &folder, &["--allow", allow]).within(4 * PATIENCE).start();
    until("the node is attached", PATIENCE, || server.events.named("attached", mark).pop());
    node
}

#[test]
fn a_node_is_listed_and_fetched_from_as_a_server_is() {
    let place = Place::new();
    let contents = content(1, 3_000_000);
    place.write("node/a", b"hello");
    place.write("node/dir/b", &contents);
    let server = Server::new(&place.root());
    let _node = attached(&server, &place, "get,list");
    let ran = Sampan::ctl(&server, &["ls", "boat"]).run();
    let mut names: Vec<String> =
        ran.assert_exit(0).events("entry").iter().map(|entry| entry["name"].to_string()).collect();
    names.sort();
    assert_eq!(names, ["\"a\"", "\"dir\"", "\"dir/b\""]);
    let ran = Sampan::ctl(&server, &["ls", "boat:dir/"]).run();
    assert_eq!(ran.assert_exit(0).event("entry")["size"], json!(3_000_000));
    let to = place.path().join("to");
    let ran = Sampan::ctl(&server, &["get", "boat:a", "boat:dir"])
        .args(&["-o"])
        .args(&[&to])
        .args(&["--digest", "sha256"])
        .run();
    let received = ran.assert_exit(0).events("received");
    assert!(received.iter().all(|event| event["peer"] == "node:boat"), "{received:?}");
    assert_eq!(fs::read(to.join("a")).unwrap(), b"hello");
    assert!(fs::read(to.join("dir/b")).unwrap() == contents);
    // Once more: nothing has to come, and nothing is held up by it.
    let again = Sampan::ctl(&server, &["get", "boat:dir/b"]).args(&["-o"]).args(&[&to.join("dir/b")]).run();
    assert_eq!(again.assert_exit(0).event("received")["resumed_from"], json!(3_000_000));
    Sampan::ctl(&server, &["notify", "hello"]).run().assert_exit(0);
    let ran = Sampan::ctl(&server, &["get", "boat:a", "-o", "-"]).run();
    assert_eq!((ran.code, &*ran.stdout), (Some(0), &b"hello"[..]));
}

#[test]
fn what_is_not_there_or_not_allowed_is_refused() {
    let place = Place::new();
    place.write("node/a", b"hello");
    let server = Server::new(&place.root());
    Sampan::ctl(&server, &["ls", "boat"]).run().assert_exit(5).assert_failed("not-found");
    Sampan::ctl(&server, &["get", "boat:a"])
        .in_dir(place.path())
        .run()
        .assert_exit(5)
        .assert_failed("not-found");
    let _node = attached(&server, &place, "get");
    Sampan::ctl(&server, &["ls", "boat"]).run().assert_exit(5).assert_failed("not-allowed");
    let ran = Sampan::ctl(&server, &["get", "boat:b"]).in_dir(place.path()).run();
    ran.assert_exit(5).assert_failed("not-found");
    Sampan::ctl(&server, &["get", "boat:a"]).in_dir(place.path()).run().assert_exit(0);
}

#[test]
fn a_node_that_is_lost_in_the_middle_is_dialled_again() {
    let place = Place::new();
    let contents = content(2, 3_000_000);
    place.write("node/a", &contents);
    let server = Server::new(&place.root());
    let mut node = Framed::attach(server.url(), "boat");
    until("the node is attached", PATIENCE, || server.events.named("attached", 0).pop());
    let to = place.path().join("to");
    let getting = Sampan::ctl(&server, &["get", "boat:a", "--retries", "100"])
        .args(&["-o"])
        .args(&[&to])
        .within(4 * PATIENCE)
        .start();
    let looked = wanted(&mut node);
    let decline =
        Decline { what: Answered::Want, number: looked, code: Code::NotAllowed, words: "no listings here" };
    node.say(&Frame::Decline(decline));
    let want = Some(wanted(&mut node));
    node.say(&Frame::Offer(Offer { want, ..Framed::offer(1, "a", 3_000_000) }));
    node.expect_accept();
    node.say_data(1, &contents[..100_000], 0, 10_000);
    until("some of it has come", PATIENCE, || getting.stdout.named("progress", 0).pop());
    drop(node);
    until("the node is gone", PATIENCE, || server.events.named("detached", 0).pop());
    let _node = attached(&server, &place, "get");
    let ran = getting.finish();
    ran.assert_exit(0).event("received");
    assert!(ran.events("connected").len() > 1, "{}", ran.text());
    assert!(fs::read(&to).unwrap() == contents);
}

/// The number of the next WANT.
fn wanted(node: &mut Framed) -> u32 {
    let frame = node.expect(Kind::Want);
    Want::parse(&frame[1..]).expect("a WANT").number
}
