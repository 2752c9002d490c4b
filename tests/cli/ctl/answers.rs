//! What is printed of answers, and the exit codes that they come to.

use serde_json::{Value, json};

use super::{Double, connection, said, status, summary};
use crate::kit::assert_printable;

fn notified(node: &str, result: &str) -> Value {
    json!({"event": "notified", "id": 3, "node": node, "peer": "h:1", "result": result, "seconds": 0.1})
}

fn result(node: &str, error: Option<&str>) -> Value {
    let files = u64::from(error.is_none());
    json!({"event": "result", "node": node, "files": files, "bytes": 5 * files, "resumed": 0, "error": error,
           "message": error.map(|_| "so it is"), "seconds": 0.5})
}

#[test]
fn a_notice_is_asked_for_as_it_was_typed() {
    let double = Double::saying(&[notified("boat", "taken"), summary(1, 1)]);
    let ran = double.ctl(&["notify", "-v", "Hallo", "--to", "boat", "--to", "#3", "--within", "2m"]).run();
    assert_eq!(ran.assert_exit(0).text(), "boat (h:1): taken\n1 of 1 have it, or will\n");
    let request = json!({"request": "notify", "text": "Hallo", "to": ["boat", "#3"], "within": 120.0});
    assert_eq!(double.first().request, request);
}

#[test]
fn notices_that_fail_alike_have_their_own_code() {
    for (results, code) in [
        (["taken", "told", "pending"], 0),
        (["timeout", "timeout", "timeout"], 7),
        (["link-lost", "link-lost", "link-lost"], 7),
        (["not-found", "not-found", "not-found"], 5),
        (["too-late", "not-possible", "too-late"], 5),
        (["taken", "timeout", "timeout"], 9),
        (["not-found", "timeout", "timeout"], 9),
    ] {
        let mut events = results.map(|result| notified("boat", result)).to_vec();
        events.push(summary(3, 0));
        let double = Double::saying(&events);
        let ran = double.ctl(&["notify", "x"]).run();
        ran.assert_exit(code);
        for (line, result) in ran.text().lines().zip(results) {
            assert!(line.starts_with(&format!("boat (h:1): {result}")), "{line}");
        }
        let quiet = double.ctl(&["notify", "x", "-q"]).run();
        let failed = results.iter().filter(|result| !["taken", "told", "pending"].contains(result)).count();
        assert_eq!(quiet.assert_exit(code).text().lines().count(), failed);
        let events = double.ctl(&["notify", "x", "--json"]).run();
        assert_eq!(events.assert_exit(code).events("notified").len(), 3);
    }
}

#[test]
fn events_are_printed_as_they_came_and_others_are_passed_over() {
    let mut events = vec![
        json!({"event": "later", "x": 1}),
        json!({"event": "waiting", "node": "ship"}),
        json!({"event": "progress", "node": "boat", "name": "a", "bytes": 1, "size": 5}),
        json!({"event": "pushed", "node": "boat", "name": "a", "size": 5, "resumed_from": 0, "digest": null, "seconds": 0.5}),
        result("boat", None),
        result("ship", Some("timeout")),
        summary(2, 1),
    ];
    let double = Double::saying(&events);
    let ran = double.ctl(&["push", "--json", "a"]).run();
    let printed: Vec<Value> =
        ran.assert_exit(9).text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    events.remove(0);
    events.iter_mut().for_each(|event| event["v"] = json!(1));
    assert_eq!(printed, events);
}

#[test]
fn a_push_has_a_line_for_each_node() {
    let double = Double::saying(&[
        json!({"event": "waiting", "node": "ship"}),
        json!({"event": "pushed", "node": "boat", "name": "a", "size": 5, "resumed_from": 5, "digest": null, "seconds": 0.5}),
        result("boat", None),
        result("ship", Some("no-space")),
        summary(2, 1),
    ]);
    let ran = double.ctl(&["push", "dir/a", "b", "--within", "1m", "--parallel", "3"]).run();
    let lines: Vec<&str> = ran.assert_exit(9).text().lines().collect();
    assert_eq!(
        lines,
        [
            "ship: not attached now, it is waited for",
            "boat: 1 file (5 bytes) in 0.50 s, 0.0 MB/s",
            "ship: no-space: so it is",
            "pushed to 1 of 2 nodes: 1 file (5 bytes) in 0.50 s, 0.0 MB/s; 1 failed",
        ]
    );
    let here = std::env::current_dir().unwrap();
    let file = |path: &str, name: &str| json!({"path": here.join(path), "name": name});
    let request = json!({"request": "push", "files": [file("dir/a", "a"), file("b", "b")], "to": ["all"],
                         "parallel": 3, "within": 60.0});
    assert_eq!(double.first().request, request);
    let ran = double.ctl(&["push", "a", "-q"]).run();
    assert_eq!(ran.assert_exit(9).text(), "ship: no-space: so it is\n");
    let ran = double.ctl(&["push", "a", "-v"]).run();
    assert!(ran.assert_exit(9).text().contains("boat: \"a\" (5 bytes): all of it was there already\n"));
}

#[test]
fn pushes_that_fail_alike_have_their_own_code() {
    for (errors, code) in [
        ([None, None], 0),
        ([Some("changed"), Some("changed")], 8),
        ([Some("integrity"), Some("integrity")], 6),
        ([Some("timeout"), Some("no-space")], 9),
        ([None, Some("timeout")], 9),
    ] {
        let double = Double::saying(&[result("a", errors[0]), result("b", errors[1]), summary(2, 0)]);
        double.ctl(&["push", "x"]).run().assert_exit(code);
    }
}

#[test]
fn what_cannot_be_pushed_is_said_before_anybody_is_asked() {
    let double = Double::saying(&[summary(0, 0)]);
    for (arguments, hint) in [
        (&["push", "-"][..], "push a file"),
        (&["push", "/"], "is a directory"),
        (&["push", "a", "b", "--name", "c"], "one by one"),
        (&["get", "boat:a", "ship:a"], "two nodes"),
        (&["get", "boat:a", "boat:b", "-o", "-"], "one by one"),
        (&["get", "boat:"], "sampan ctl ls"),
    ] {
        let ran = double.ctl(arguments).run();
        assert!(ran.assert_exit(2).stderr.contains(hint), "{arguments:?}: {}", ran.stderr);
    }
    assert!(double.heard.lock().unwrap().is_empty());
}

#[test]
fn whatever_peers_say_disturbs_no_terminal() {
    let hostile = "boat\u{1b}[2J\r\n\u{202e}\u{9b}1m";
    let mut seen = connection(4, Some(hostile));
    seen["peer"] = json!(hostile);
    seen["transfers"] = json!([{"name": hostile, "way": "receive", "bytes": 1, "size": 2}]);
    let mut refused = result(hostile, Some("other"));
    refused["message"] = json!(hostile);
    let mut whole = status();
    whole["urls"] = json!([hostile]);
    for (arguments, events) in [
        (&["status"][..], vec![seen.clone(), whole.clone()]),
        (&["status", "--watch"], vec![seen, whole]),
        (&["notify", "x"], vec![notified(hostile, "taken"), summary(1, 1)]),
        (
            &["push", "x"],
            vec![
                json!({"event": "waiting", "node": hostile}),
                json!({"event": "progress", "node": hostile, "name": hostile, "bytes": 1, "size": 2}),
                refused,
                summary(1, 0),
            ],
        ),
        (
            &["disconnect", "x"],
            vec![json!({"event": "disconnected", "id": 3, "node": hostile, "peer": hostile}), summary(1, 1)],
        ),
    ] {
        let double = Double::saying(&events);
        for voice in ["-v", "-q", "--json"] {
            let ran = double.ctl(arguments).args(&[voice]).run();
            assert_printable(&said(&ran));
        }
        assert!(said(&double.ctl(arguments).run()).contains("\\u{1b}[2J\\r\\n"), "{arguments:?}");
    }
}

#[test]
fn connections_are_ended_and_those_that_are_not_there_are_counted() {
    let ended = json!({"event": "disconnected", "id": 3, "node": "boat", "peer": "h:1"});
    let double = Double::saying(&[ended.clone(), summary(2, 1)]);
    let ran = double.ctl(&["disconnect", "boat", "#9"]).run();
    let expected = "boat (h:1): disconnected\n1 connection ended; 1 of those that were named are not there\n";
    assert_eq!(ran.assert_exit(9).text(), expected);
    assert_eq!(double.first().request, json!({"request": "disconnect", "who": ["boat", "#9"]}));
    let double = Double::saying(&[ended, summary(1, 1)]);
    assert_eq!(double.ctl(&["disconnect", "all", "-q"]).run().assert_exit(0).text(), "");
}

#[test]
fn draining_is_told_as_it_goes_on() {
    let draining = |connections, transfers| json!({"event": "draining", "connections": connections, "transfers": transfers});
    let double = Double::saying(&[draining(2, 1), draining(1, 0), json!({"event": "drained"})]);
    let ran = double.ctl(&["drain"]).run();
    let expected = "draining: 2 connections, 1 transfer\ndraining: 1 connection, 0 transfers\n\
                    everyone has finished; the server stops\n";
    assert_eq!(ran.assert_exit(0).text(), expected);
    let double = Double::saying(&[draining(2, 1)]);
    double.ctl(&["drain"]).run().assert_exit(7);
}
