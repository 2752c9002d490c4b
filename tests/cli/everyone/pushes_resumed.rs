//! Pushes that are cut off, by the node's end or by whoever asked, and go on.

use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::json;

use super::{Harbour, Node};
use crate::kit::proxy::{Direction, Fault, Proxy};
use crate::kit::{Asked, PATIENCE, content, until};

const LENGTH: usize = 24 << 20;
/// How much comes through before the link falls silent.
const THROUGH: u64 = 16 << 20;

/// A push to a node `a` that is stuck in the middle of a file, with something of it durable.
struct Stuck {
    harbour: Harbour,
    node: Node,
    file: PathBuf,
    contents: Vec<u8>,
    asked: Asked,
    _proxy: Proxy,
}

impl Stuck {
    #[track_caller]
    fn new(within: u64) -> Self {
        let harbour = Harbour::new();
        let proxy = Proxy::new(harbour.server.url(), &[Fault::Silence(Direction::ToClient, THROUGH)]);
        let node = harbour.node_at(proxy.url(), "a", &[]);
        harbour.server.await_node("a");
        let contents = content(6, LENGTH);
        let file = harbour.place.write("file", &contents);
        let asked = harbour.server.push_as(&[&file], &["a"], &json!({ "within": within }));
        until("something is durable", PATIENCE, || (node.durable() > 0).then_some(()));
        Self { harbour, node, file, contents, asked, _proxy: proxy }
    }

    /// The node is killed, and it is known.
    #[track_caller]
    fn kill(&mut self) {
        self.node.running.kill();
        self.asked.answers.wait("waiting", PATIENCE, |waiting| waiting["node"] == "a");
        assert!(self.node.has("file").is_none());
    }
}

#[test]
fn a_node_that_was_killed_and_comes_back_goes_on_where_it_was() {
    let mut stuck = Stuck::new(30);
    stuck.kill();
    let durable = stuck.node.durable();
    let node = stuck.harbour.node("a", &[]);
    let answers = stuck.asked.finish();
    answers.assert_total(1, 0);
    let pushed = answers.one("pushed");
    assert!(pushed["resumed_from"].as_u64() >= Some(durable) && durable > 0, "{pushed}: {durable}");
    assert_eq!(answers.one("result")["resumed"], pushed["resumed_from"]);
    node.assert_has("file", &stuck.contents);
    assert_eq!(node.visible(), ["file"]);
}

#[test]
fn a_node_that_does_not_come_back_is_given_up_in_time_and_the_next_push_goes_on() {
    let mut stuck = Stuck::new(2);
    stuck.kill();
    let answers = stuck.asked.finish();
    answers.assert_total(0, 1);
    assert_eq!(answers.one("result")["error"], "timeout");
    let node = stuck.harbour.node("a", &[]);
    let answers = stuck.harbour.server.push(&[&stuck.file], &["all"]).finish();
    answers.assert_total(1, 0);
    assert!(answers.one("pushed")["resumed_from"].as_u64() > Some(0), "{:?}", answers.0);
    node.assert_has("file", &stuck.contents);
}

#[test]
fn a_push_that_is_cancelled_leaves_what_came_for_the_next() {
    let mut stuck = Stuck::new(60);
    let durable = stuck.node.durable();
    drop(stuck.asked);
    stuck.harbour.server.await_connection("the transfer is given up", |connection| {
        connection["node"] == "a" && connection["transfers"] == json!([])
    });
    assert!(stuck.node.has("file").is_none());
    stuck.node.running.kill();
    let node = stuck.harbour.node("a", &[]);
    let answers = stuck.harbour.server.push(&[&stuck.file], &["all"]).finish();
    answers.assert_total(1, 0);
    assert!(answers.one("pushed")["resumed_from"].as_u64() >= Some(durable), "{:?}", answers.0);
    node.assert_has("file", &stuck.contents);
}

#[test]
fn a_push_that_is_cancelled_while_nodes_take_it_ends_everywhere() {
    let harbour = Harbour::new();
    let nodes = ["a", "b", "c"].map(|name| harbour.node(name, &[]));
    let file = harbour.place.path().join("file");
    super::sparse(&file, 2 << 30);
    let asked = harbour.server.push(&[&file], &["all"]);
    for name in ["a", "b", "c"] {
        asked.answers.wait("progress", PATIENCE, |progress| progress["node"] == name);
    }
    drop(asked);
    until("nothing is under way", PATIENCE, || (harbour.server.status().1["transfers"] == 0).then_some(()));
    assert_eq!(harbour.server.status().1["nodes"], 3);
    let contents = content(8, 100_000);
    let small = harbour.place.write("small", &contents);
    harbour.server.push(&[&small], &["all"]).finish().assert_total(3, 0);
    for node in &nodes {
        assert_eq!(node.visible(), ["small"]);
        node.assert_has("small", &contents);
    }
}

#[test]
fn a_node_that_is_named_but_comes_later_is_waited_for() {
    let harbour = Harbour::new();
    let here = harbour.node("here", &[]);
    let contents = content(2, 50_000);
    let file = harbour.place.write("file", &contents);
    let asked = harbour.server.push(&[&file], &["later", "here"]);
    asked.answers.wait("waiting", PATIENCE, |waiting| waiting["node"] == "later");
    asked.answers.wait("result", PATIENCE, |result| result["node"] == "here");
    let later = harbour.node("later", &[]);
    asked.finish().assert_total(2, 0);
    for node in [here, later] {
        node.assert_has("file", &contents);
    }
}

#[test]
fn nodes_that_stand_still_are_given_up_and_hold_up_nobody() {
    let harbour = Harbour::new();
    let still = ["s1", "s2", "s3"].map(|name| harbour.node(name, &[]));
    let nodes = ["a", "b", "c"].map(|name| harbour.node(name, &[]));
    for node in &still {
        node.running.signal(Signal::STOP);
    }
    let contents = content(7, 4 << 20);
    let file = harbour.place.write("file", &contents);
    let to = ["s1", "s2", "s3", "a", "b", "c"];
    let fields = json!({ "parallel": 2, "within": 4 });
    let answers = harbour.server.push_as(&[&file], &to, &fields).finish();
    answers.assert_total(3, 3);
    for name in ["s1", "s2", "s3"] {
        assert_eq!(answers.of_node("result", name)["error"], "timeout");
    }
    // Those who read are done with first.
    let first = answers.named("result").into_iter().take(3).filter(|result| result["error"].is_null());
    assert_eq!(first.count(), 3, "{:#?}", answers.0);
    for node in &nodes {
        node.assert_has("file", &contents);
    }
    // They are nodes as before, once they go on.
    for node in &still {
        node.running.signal(Signal::CONT);
    }
    harbour.server.push(&[&file], &to).finish().assert_total(6, 0);
    for node in &still {
        node.assert_has("file", &contents);
    }
}
