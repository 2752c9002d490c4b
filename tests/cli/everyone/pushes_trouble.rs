//! Pushes that nodes refuse or answer wrongly, and pushes beside other things.

use std::fs;
use std::path::Path;
use std::process::Command;

use sampan_core::wire::{Ack, Code, Done, Frame, Gaps, Kind, Offer, Scope};
use serde_json::json;

use super::Harbour;
use crate::kit::{Framed, PATIENCE, Sampan, content, until};

#[test]
fn a_node_may_refuse_a_name_that_is_taken() {
    let harbour = Harbour::new();
    let refuses = harbour.node("refuses", &["--on-conflict", "refuse"]);
    let keeps = harbour.node("keeps", &["--on-conflict", "keep"]);
    let replaces = harbour.node("replaces", &[]);
    for node in [&refuses, &keeps, &replaces] {
        fs::write(node.folder.join("file"), "older").unwrap();
    }
    let (file, other) = (harbour.place.write("file", b"newer"), harbour.place.write("other", b"other"));
    let answers = harbour.server.push(&[&file, &other], &["all"]).finish();
    answers.assert_total(2, 1);
    let result = answers.of_node("result", "refuses");
    // The other file arrived.
    assert_eq!((&result["error"], &result["files"]), (&json!("exists"), &json!(1)), "{result}");
    refuses.assert_has("file", b"older");
    refuses.assert_has("other", b"other");
    keeps.assert_has("file", b"older");
    keeps.assert_has("file (1)", b"newer");
    replaces.assert_has("file", b"newer");
}

#[test]
fn a_node_that_cannot_store_it_says_so_and_stays() {
    let harbour = Harbour::new();
    let node = harbour.node("a", &[]);
    fs::create_dir_all(node.folder.join("file/in the way")).unwrap();
    fs::write(node.folder.join("taken"), "a file").unwrap();
    let file = harbour.place.write("file", b"contents");
    for name in ["file", "taken/file"] {
        let fields = json!({ "files": [{ "path": file, "name": name }] });
        let answers = harbour.server.push_as(&[], &["all"], &fields).finish();
        answers.assert_total(0, 1);
        let error = &answers.one("result")["error"];
        assert!(*error == "exists" || *error == "storage" || *error == "not-allowed", "{error}");
    }
    let fields = json!({ "files": [{ "path": file, "name": "good" }] });
    harbour.server.push_as(&[], &["all"], &fields).finish().assert_total(1, 0);
    node.assert_has("good", b"contents");
    assert_eq!(node.visible(), ["file/", "file/in the way/", "good", "taken"]);
}

#[test]
fn a_node_whose_disk_takes_no_more_fails_alone() {
    let harbour = Harbour::new();
    let good = harbour.node("good", &[]);
    // A limit stands for a disk: SIGXFSZ is ignored, so that the write fails.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$@\"", "sh"]);
    let folder = harbour.place.path().join("nodes/full");
    let arguments = ["attach", "--json", "--name", "full", "--dir"];
    let arguments = Sampan::under(limited, &arguments).args(&[&*folder, Path::new(harbour.server.url())]);
    let full = arguments.start();
    harbour.server.await_node("full");
    let contents = content(1, 8 << 20);
    let file = harbour.place.write("file", &contents);
    let answers = harbour.server.push(&[&file], &["all"]).finish();
    answers.assert_total(1, 1);
    let error = &answers.of_node("result", "full")["error"];
    assert!(*error == "storage" || *error == "no-space" || *error == "too-large", "{error}");
    good.assert_has("file", &contents);
    assert!(!folder.join("file").exists());
    drop(full);
}

/// Waits for the OFFER of a push, and takes it with this much credit; its id.
#[track_caller]
fn take(node: &mut Framed, credit: u32) -> u32 {
    let frame = node.expect(Kind::Offer);
    let transfer = Offer::parse(&frame[1..]).expect("an OFFER").transfer;
    let accept = sampan_core::wire::Accept { transfer, have: false, offset: 0, check: 0, credit };
    node.say(&Frame::Accept(accept));
    transfer
}

#[test]
fn a_source_that_changes_in_the_middle_is_said_to_have_changed() {
    let harbour = Harbour::new();
    let mut node = Framed::attach(harbour.server.url(), "a");
    harbour.server.await_node("a");
    let file = harbour.place.write("file", &content(1, 4 << 20));
    let asked = harbour.server.push(&[&file], &["a"]);
    let transfer = take(&mut node, 64 << 10);
    node.expect(Kind::Data);
    fs::write(&file, content(2, 4 << 20)).unwrap();
    let mut received = 0;
    loop {
        let frame = node.hear(PATIENCE).expect("contents, or an ABORT");
        match Frame::parse(&frame).expect("a frame") {
            Frame::Data(data) => {
                received = data.offset + data.payload.len() as u64;
                let ack = Ack { transfer, received, durable: 0, credit: 64 << 10, gaps: Gaps::NONE };
                node.say(&Frame::Ack(ack));
            }
            Frame::Abort(abort) => {
                assert_eq!(
                    (abort.scope, abort.transfer, abort.code),
                    (Scope::Sending, transfer, Code::Changed)
                );
                break;
            }
            Frame::End(_) => panic!("a mixture of two files, {received} bytes"),
            _ => {}
        }
    }
    let answers = asked.finish();
    answers.assert_total(0, 1);
    assert_eq!(answers.one("result")["error"], "changed");
}

#[test]
fn what_a_node_says_against_it_is_its_result_and_nobody_elses() {
    let harbour = Harbour::new();
    let good = harbour.node("good", &[]);
    let contents = content(1, 300_000);
    let file = harbour.place.write("file", &contents);
    let verdicts = [Code::NoSpace, Code::TooLarge, Code::NotAllowed];
    let names = verdicts.map(|code| format!("node-{}", code as u32));
    let mut nodes: Vec<_> = names.iter().map(|name| Framed::attach(harbour.server.url(), name)).collect();
    for name in &names {
        harbour.server.await_node(name);
    }
    let asked = harbour.server.push(&[&file], &["all"]);
    for (node, code) in nodes.iter_mut().zip(verdicts) {
        let transfer = take(node, 1 << 20);
        node.expect_past(Kind::End);
        node.say(&Frame::Done(Done { transfer, code, words: "no \u{1b}[31mroom" }));
    }
    let answers = asked.finish();
    answers.assert_total(1, 3);
    for (name, error) in names.iter().zip(["no-space", "too-large", "not-allowed"]) {
        let result = answers.of_node("result", name);
        assert_eq!(result["error"], error, "{result}");
        assert!(!result["message"].as_str().unwrap().contains('\u{1b}'), "{result}");
    }
    good.assert_has("file", &contents);
}

#[test]
fn what_arrives_wrongly_is_sent_once_more_and_then_given_up() {
    let harbour = Harbour::new();
    let file = harbour.place.write("file", &content(1, 300_000));
    let mut node = Framed::attach(harbour.server.url(), "a");
    harbour.server.await_node("a");
    let asked = harbour.server.push(&[&file], &["a"]);
    for _ in 0..2 {
        let transfer = take(&mut node, 1 << 20);
        node.expect_past(Kind::End);
        node.say(&Frame::Done(Done { transfer, code: Code::Integrity, words: "" }));
    }
    let answers = asked.finish();
    answers.assert_total(0, 1);
    assert_eq!(answers.one("result")["error"], "integrity");
}

#[test]
fn a_node_that_breaks_a_rule_is_waited_for_and_then_given_up() {
    let harbour = Harbour::new();
    let file = harbour.place.write("file", &content(1, 300_000));
    let mut node = Framed::attach(harbour.server.url(), "a");
    harbour.server.await_node("a");
    let asked = harbour.server.push_as(&[&file], &["a"], &json!({ "within": 1 }));
    let transfer = take(&mut node, 1 << 20);
    node.say(&Frame::Done(Done { transfer: transfer + 1, code: Code::Ok, words: "" }));
    node.expect_end(Code::Protocol);
    let answers = asked.finish();
    answers.assert_total(0, 1);
    assert_eq!(answers.one("result")["error"], "timeout");
    // It is told once that it has gone, though its connection takes a while to close.
    assert_eq!(answers.named("waiting").len(), 1);
}

#[test]
fn two_pushes_at_once_do_not_disturb_each_other() {
    let harbour = Harbour::new();
    let nodes = ["a", "b"].map(|name| harbour.node(name, &[]));
    let contents: Vec<_> = (0..4).map(|seed| content(seed, 5 << 20)).collect();
    let files: Vec<_> = contents
        .iter()
        .enumerate()
        .map(|(n, bytes)| harbour.place.write(&format!("file-{n}"), bytes))
        .collect();
    let asked: Vec<_> = files.iter().map(|file| harbour.server.push(&[file], &["all"])).collect();
    for asked in asked {
        asked.finish().assert_total(2, 0);
    }
    for node in &nodes {
        for (n, bytes) in contents.iter().enumerate() {
            node.assert_has(&format!("file-{n}"), bytes);
        }
    }
}

#[test]
fn one_file_pushed_twice_at_once_arrives_whole() {
    let harbour = Harbour::new();
    let node = harbour.node("a", &[]);
    let contents = content(1, 8 << 20);
    let file = harbour.place.write("file", &contents);
    let asked = [(); 2].map(|()| harbour.server.push(&[&file], &["all"]));
    for asked in asked {
        asked.finish().assert_total(1, 0);
    }
    node.assert_has("file", &contents);
    assert_eq!(node.visible(), ["file"]);
}

#[test]
fn a_node_may_be_pushed_to_while_it_is_fetched_from() {
    let harbour = Harbour::new();
    let node = harbour.node("a", &["--allow", "get"]);
    let theirs = content(2, 6 << 20);
    fs::write(node.folder.join("theirs"), &theirs).unwrap();
    let contents = content(3, 6 << 20);
    let file = harbour.place.write("file", &contents);
    let mut session = harbour.server.reach("a");
    session.say_want(1, "theirs");
    let transfer = super::expect_offer_of(&mut session, 1);
    // Whoever fetches takes nothing of it before the push is through.
    harbour.server.push(&[&file], &["all"]).finish().assert_total(1, 0);
    harbour.server.notify("hear", &["a"]).finish().assert_total(1, 0);
    node.assert_has("file", &contents);
    assert!(session.take_contents(transfer) == theirs, "what was fetched differs");
    session.say_bye();
    until("it is over", PATIENCE, || (harbour.server.status().1["transfers"] == 0).then_some(()));
}
