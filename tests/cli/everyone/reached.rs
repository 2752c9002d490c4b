//! What a node has, fetched through the server.

use std::fs;

use rustix::process::Signal;
use sampan_core::wire::{Abort, Accept, Answered, Code, Done, Entry, Frame, Kind, Scope};
use serde_json::json;

use super::{Harbour, Node, expect_offer_of, sparse};
use crate::kit::{Framed, PATIENCE, SOON, content, until};

/// A node with some files, which gives what it has.
fn generous(harbour: &Harbour) -> Node {
    let node = harbour.node("a", &["--allow", "get,list"]);
    fs::create_dir(node.folder.join("dir")).unwrap();
    fs::write(node.folder.join("dir/inside"), content(2, 300_000)).unwrap();
    fs::write(node.folder.join("file"), content(1, 3 << 20)).unwrap();
    fs::write(node.folder.join("empty"), "").unwrap();
    node
}

#[track_caller]
fn fetch(session: &mut Framed, want: u32, name: &str) -> Vec<u8> {
    session.say_want(want, name);
    let transfer = expect_offer_of(session, want);
    session.take_contents(transfer)
}

/// The names in a listing.
#[track_caller]
fn list(session: &mut Framed, want: u32, prefix: &str) -> Vec<String> {
    session.say_list(want, prefix);
    let transfer = expect_offer_of(session, want);
    let records = session.take_contents(transfer);
    let mut names = Vec::new();
    let mut left = &records[..];
    while let Ok(Some((entry, length))) = Entry::parse(left).map(Some) {
        names.push(String::from_utf8(entry.name.as_bytes().to_vec()).unwrap());
        left = &left[length..];
        if left.is_empty() {
            break;
        }
    }
    names.sort();
    names
}

#[test]
fn files_and_listings_come_as_they_are_one_after_the_other_and_the_node_stays() {
    let harbour = Harbour::new();
    let node = generous(&harbour);
    let mut session = harbour.server.reach("a");
    assert_eq!(list(&mut session, 1, ""), ["dir", "dir/inside", "empty", "file"]);
    assert!(fetch(&mut session, 2, "file") == content(1, 3 << 20), "another file");
    assert!(fetch(&mut session, 3, "dir/inside") == content(2, 300_000), "another file");
    assert_eq!(fetch(&mut session, 4, "empty"), b"");
    assert_eq!(list(&mut session, 5, "dir"), ["dir", "dir/inside"]);
    session.say_want(6, "missing");
    session.expect_decline(Answered::Want, 6, Code::NotFound);
    assert!(fetch(&mut session, 7, "file") == content(1, 3 << 20), "another file");
    session.say_bye();
    session.expect(Kind::Bye);
    harbour.server.notify("hear", &["a"]).finish().assert_total(1, 0);
    assert_eq!(harbour.server.failures(0), [json!(null); 0]);
    assert!(node.running.stdout.named("failed", 0).len() <= 1);
}

#[test]
fn several_may_ask_at_once() {
    let harbour = Harbour::new();
    let _node = generous(&harbour);
    let mut sessions = [(); 4].map(|()| harbour.server.reach("a"));
    for session in &mut sessions {
        session.say_want(1, "file");
    }
    // Nobody waits for those who asked before.
    for session in sessions.iter_mut().rev() {
        let transfer = expect_offer_of(session, 1);
        assert!(session.take_contents(transfer) == content(1, 3 << 20), "another file");
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let harbour = Harbour::new();
    let node = generous(&harbour);
    std::os::unix::fs::symlink(harbour.place.sentinel.path(), node.folder.join("link")).unwrap();
    let mut session = harbour.server.reach("a");
    for (n, name) in
        ["../outside/secret", "/etc/passwd", "link/secret", ".sampan-x", "", "dir//inside"].iter().enumerate()
    {
        session.say_want(n as u32 + 1, name);
        let frame = session.expect(Kind::Decline);
        assert!(
            matches!(Frame::parse(&frame), Ok(Frame::Decline(decline)) if decline.number == n as u32 + 1)
        );
    }
    assert!(fetch(&mut session, 50, "dir/inside") == content(2, 300_000), "another file");
}

#[test]
fn a_node_gives_only_what_it_allows() {
    let harbour = Harbour::new();
    let nodes = [("none", &[][..]), ("get", &["--allow", "get"]), ("list", &["--allow", "list"])];
    let nodes = nodes.map(|(name, allow)| (name, harbour.node(name, allow)));
    for (name, node) in &nodes {
        fs::write(node.folder.join("file"), "contents").unwrap();
        let mut session = harbour.server.reach(name);
        match *name {
            "get" => assert_eq!(fetch(&mut session, 1, "file"), b"contents"),
            _ => {
                session.say_want(1, "file");
                session.expect_decline(Answered::Want, 1, Code::NotAllowed);
            }
        }
        match *name {
            "list" => assert_eq!(list(&mut session, 2, ""), ["file"]),
            _ => {
                session.say_list(2, "");
                session.expect_decline(Answered::Want, 2, Code::NotAllowed);
            }
        }
    }
}

#[test]
fn who_is_no_node_cannot_be_reached() {
    let harbour = Harbour::new();
    let client = Framed::dial(harbour.server.url());
    harbour.server.await_connection("the client", |connection| connection["protocol"] == "framed");
    for node in ["nobody", "", "#1", "all", "a b"] {
        let answers = harbour.server.ask(&json!({ "request": "reach", "node": node })).finish();
        answers.assert_failed("not-found");
    }
    drop(client);
}

#[test]
fn nothing_can_be_put_that_way() {
    let harbour = Harbour::new();
    let node = generous(&harbour);
    let mut session = harbour.server.reach("a");
    session.say(&Frame::Offer(Framed::offer(1, "put", 5)));
    // An end that takes nothing may say so in either way.
    let frame = session.hear(PATIENCE).expect("an answer");
    let refused = matches!(Frame::parse(&frame), Ok(Frame::Decline(_) | Frame::Abort(_)));
    assert!(refused, "{frame:02x?}");
    drop(session);
    assert!(node.has("put").is_none() && harbour.place.stored("put").is_none());
    harbour.server.notify("hear", &["a"]).finish().assert_total(1, 0);
}

#[test]
fn a_node_that_is_killed_in_the_middle_ends_it() {
    let harbour = Harbour::new();
    let mut node = generous(&harbour);
    sparse(&node.folder.join("huge"), 1 << 30);
    let mut session = harbour.server.reach("a");
    session.say_want(1, "huge");
    let transfer = expect_offer_of(&mut session, 1);
    harbour.server.await_connection("some of it has come", |connection| {
        connection["node"] == "a" && connection["received"].as_u64() > Some(200_000)
    });
    node.running.kill();
    assert!(session.take_contents_or_abort(transfer).is_none(), "it is said to be whole");
    session.say_want(2, "file");
    session.expect_decline(Answered::Want, 2, Code::Closing);
}

#[test]
fn a_node_that_is_killed_before_it_answers_ends_it() {
    let harbour = Harbour::new();
    let mut node = generous(&harbour);
    let mut session = harbour.server.reach("a");
    node.running.signal(Signal::STOP);
    session.say_want(1, "file");
    session.say_list(2, "");
    harbour.server.await_node("a");
    node.running.kill();
    session.expect_decline(Answered::Want, 1, Code::Closing);
    session.expect_decline(Answered::Want, 2, Code::Closing);
}

#[test]
fn whoever_leaves_in_the_middle_leaves_the_node_usable() {
    let harbour = Harbour::new();
    let node = generous(&harbour);
    sparse(&node.folder.join("huge"), 1 << 30);
    for _ in 0..3 {
        let mut session = harbour.server.reach("a");
        session.say_want(1, "huge");
        let transfer = expect_offer_of(&mut session, 1);
        let credit = 1 << 20;
        session.say(&Frame::Accept(Accept { transfer, have: false, offset: 0, check: 0, credit }));
        session.expect(Kind::Data);
        drop(session);
        let mut session = harbour.server.reach("a");
        assert!(fetch(&mut session, 1, "file") == content(1, 3 << 20), "another file");
    }
    harbour.server.notify("hear", &["a"]).finish().assert_total(1, 0);
    until("nothing is under way", SOON, || (harbour.server.status().1["transfers"] == 0).then_some(()));
    let contents = content(5, 1 << 20);
    let file = harbour.place.write("pushed", &contents);
    harbour.server.push(&[&file], &["a"]).finish().assert_total(1, 0);
    node.assert_has("pushed", &contents);
}

#[test]
fn a_file_may_be_given_up_and_others_come_in_the_same_session() {
    let harbour = Harbour::new();
    let node = generous(&harbour);
    sparse(&node.folder.join("huge"), 1 << 30);
    let mut session = harbour.server.reach("a");
    session.say_want(1, "huge");
    let transfer = expect_offer_of(&mut session, 1);
    session.say(&Frame::Accept(Accept { transfer, have: false, offset: 0, check: 0, credit: 1 << 20 }));
    session.expect(Kind::Data);
    session.say(&Frame::Abort(Abort { scope: Scope::Receiving, transfer, code: Code::Cancelled, words: "" }));
    session.say_want(2, "file");
    let frame = session.expect_past(Kind::Offer);
    let Ok(Frame::Offer(offer)) = Frame::parse(&frame) else { panic!("{frame:02x?}") };
    assert_eq!(offer.want, Some(2));
    let transfer = offer.transfer;
    assert!(session.take_contents(transfer) == content(1, 3 << 20), "another file");
    // The node is told as well.
    until("the node gives it up", PATIENCE, || {
        (!node.running.stdout.named("failed", 0).is_empty()).then_some(())
    });
}

#[test]
fn a_session_that_breaks_a_rule_ends_alone() {
    let harbour = Harbour::new();
    let _node = generous(&harbour);
    let mut session = harbour.server.reach("a");
    session.say(&Frame::Done(Done { transfer: 99, code: Code::Ok, words: "" }));
    session.expect_end(Code::Protocol);
    let mut session = harbour.server.reach("a");
    assert!(fetch(&mut session, 1, "file") == content(1, 3 << 20), "another file");
}
