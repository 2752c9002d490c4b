//! Nodes and servers that do not keep to the rules.

use sampan_core::wire::{Abort, Accept, Code, DigestKind, End, Frame, Kind, Offer, Scope};

use super::{Harbour, expect_offer_of};
use crate::kit::{Framed, HostileServer, PATIENCE, Place, SOON, Sampan, content, until};

#[test]
fn a_node_may_take_another_name() {
    let harbour = Harbour::new();
    let mut node = Framed::attach(harbour.server.url(), "one");
    let id = harbour.server.await_node("one")["id"].clone();
    node.say_attach("two");
    assert_eq!(harbour.server.await_node("two")["id"], id);
    harbour.server.notify("x", &["one"]).finish().assert_total(0, 1);
    // The same once more changes nothing.
    node.say_attach("two");
    let asked = harbour.server.notify("hear", &["two"]);
    node.expect(Kind::Notice);
    drop((asked, node));
    harbour.server.events.wait("detached", PATIENCE, |detached| detached["node"] == "two");
}

#[test]
fn a_node_without_a_name_gets_one() {
    let harbour = Harbour::new();
    let nodes = [(); 2].map(|()| Framed::attach(harbour.server.url(), ""));
    let connections = until("both are nodes", PATIENCE, || {
        let (connections, status) = harbour.server.status();
        (status["nodes"] == 2).then_some(connections)
    });
    assert_ne!(connections[0]["node"], connections[1]["node"]);
    for connection in &connections {
        let name = connection["node"].as_str().unwrap();
        assert!(!name.is_empty() && name != "all", "{name}");
    }
    drop(nodes);
}

#[test]
fn taking_the_name_of_another_sends_that_one_away_also_by_renaming() {
    let harbour = Harbour::new();
    let mut first = Framed::attach(harbour.server.url(), "a");
    harbour.server.await_node("a");
    let mut second = Framed::attach(harbour.server.url(), "b");
    harbour.server.await_node("b");
    second.say_attach("a");
    first.expect_end(Code::Exists);
    let asked = harbour.server.notify("hear", &["all"]);
    second.expect(Kind::Notice);
    drop((asked, first, second));
}

#[test]
fn a_name_that_is_none_breaks_a_rule() {
    let harbour = Harbour::new();
    let long = "x".repeat(65);
    for name in [&b"all"[..], b"ALL", b"a b", b"a\0", b"\xff", b"../x", "ä".as_bytes(), long.as_bytes()] {
        let mut node = Framed::dial(harbour.server.url());
        let mut frame = vec![Kind::Attach.code()];
        frame.extend_from_slice(name);
        node.say_raw(&frame);
        node.expect_end(Code::Protocol);
    }
    assert!(harbour.server.events.named("attached", 0).is_empty());
    // ATTACH before the session is open.
    let mut node = Framed::over(crate::kit::Raw::dial(harbour.server.url()), Framed::hello());
    node.say_bytes(crate::kit::framed::PREAMBLE);
    node.say_attach("early");
    let _ = node.raw.expect_close(PATIENCE);
    assert!(harbour.server.events.named("attached", 0).is_empty());
}

#[test]
fn a_node_that_attaches_again_and_again_costs_nothing() {
    let harbour = Harbour::new();
    let other = harbour.node("other", &[]);
    let mut node = Framed::dial(harbour.server.url());
    for n in 0..2000 {
        node.say_attach(&format!("name-{n}"));
    }
    node.say_attach("last");
    harbour.server.await_node("last");
    assert_eq!(harbour.server.status().1["nodes"], 2);
    harbour.server.notify("hear", &["other"]).finish().assert_total(1, 0);
    drop((other, node));
}

/// Whoever asked for `file` is told this code, when the node has answered in this way.
#[track_caller]
fn refused(code: Code, answer: impl FnOnce(&mut Framed, u32)) {
    let harbour = Harbour::new();
    let mut node = Framed::attach(harbour.server.url(), "a");
    harbour.server.await_node("a");
    let mut session = harbour.server.reach("a");
    session.say_want(7, "file");
    let wanted = node.expect_want();
    assert_eq!((&*wanted.name, wanted.listing), ("file", false));
    answer(&mut node, wanted.number);
    let told = loop {
        let frame = session.hear(PATIENCE).expect("an answer");
        match Frame::parse(&frame).expect("a frame") {
            Frame::Decline(decline) => break decline.code,
            Frame::Abort(abort) => break abort.code,
            Frame::Offer(offer) => {
                let accept =
                    Accept { transfer: offer.transfer, have: false, offset: 0, check: 0, credit: 1 << 20 };
                session.say(&Frame::Accept(accept));
            }
            Frame::End(_) => panic!("it is said to be whole"),
            _ => {}
        }
    };
    assert_eq!(told, code);
    drop(node);
    until("nothing is under way", SOON, || (harbour.server.status().1["transfers"] == 0).then_some(()));
}

fn answer_with(node: &mut Framed, want: u32, name: &str, size: u64) -> u32 {
    let transfer = node.next_transfer();
    node.say(&Frame::Offer(Offer { want: Some(want), ..Framed::offer(transfer, name, size) }));
    transfer
}

#[test]
fn a_node_that_refuses_is_believed() {
    refused(Code::NotFound, |node, want| node.say_refusal(want, Code::NotFound, ""));
    refused(Code::NotAllowed, |node, want| node.say_refusal(want, Code::NotAllowed, "no"));
}

#[test]
fn an_answer_with_another_name_is_none() {
    for name in ["other", "../file", "/file", ""] {
        refused(Code::NotAllowed, |node, want| {
            answer_with(node, want, name, 5);
        });
    }
}

#[test]
fn contents_that_are_not_those_of_their_end_are_not_said_to_be_whole() {
    let contents = content(1, 10_000);
    refused(Code::Integrity, |node, want| {
        for _ in 0..2 {
            let transfer = answer_with(node, want, "file", 10_000);
            node.say_data(transfer, &contents, 0, 4096);
            node.say(&Frame::End(End { check: 7, ..Framed::end_of(transfer, &contents) }));
        }
    });
    refused(Code::Integrity, |node, want| {
        let transfer = node.next_transfer();
        let plain = Framed::offer(transfer, "file", 10_000);
        node.say(&Frame::Offer(Offer { want: Some(want), digest: DigestKind::Sha256, ..plain }));
        node.say_data(transfer, &contents, 0, 4096);
        let end = Framed::end_of(transfer, &contents);
        node.say(&Frame::End(End { digest: DigestKind::Sha256, value: &[9; 32], ..end }));
    });
}

#[test]
fn more_than_was_offered_is_not_taken() {
    refused(Code::TooLarge, |node, want| {
        let transfer = answer_with(node, want, "file", 100);
        node.say_data(transfer, &content(1, 200), 0, 200);
    });
}

#[test]
fn a_node_that_leaves_instead_of_answering_is_told_as_gone() {
    refused(Code::Closing, |node, _| node.raw.fin());
    refused(Code::Closing, |node, want| {
        let transfer = answer_with(node, want, "file", 100_000);
        node.say_data(transfer, &content(1, 1000), 0, 1000);
        node.raw.fin();
    });
}

#[test]
fn an_offer_that_nobody_asked_for_is_a_file_for_the_server_and_not_for_whoever_asks() {
    let harbour = Harbour::new();
    let mut node = Framed::attach(harbour.server.url(), "a");
    harbour.server.await_node("a");
    let mut session = harbour.server.reach("a");
    session.say_want(7, "file");
    let wanted = node.expect_want();
    // A file of its own, under the name that was asked for.
    node.say_file(1, "file", b"its own");
    node.expect_done_after_accept(1);
    assert_eq!(harbour.place.stored("file"), Some(b"its own".to_vec()));
    // An answer to something else.
    let offer = Offer { want: Some(wanted.number + 1), ..Framed::offer(2, "file", 5) };
    let _ = node.try_say(&Frame::Offer(offer));
    let offer = Offer { want: Some(wanted.number), ..Framed::offer(3, "file", 6) };
    if node.try_say(&Frame::Offer(offer)).is_ok() && node.is_taken() {
        node.say_data(3, b"theirs", 0, 100);
        node.say(&Frame::End(Framed::end_of(3, b"theirs")));
        let transfer = expect_offer_of(&mut session, 7);
        assert_eq!(session.take_contents(transfer), b"theirs");
    }
    assert_eq!(harbour.place.visible(), ["file"]);
    assert_eq!(harbour.place.stored("file"), Some(b"its own".to_vec()));
}

#[test]
fn whoever_asked_may_leave_before_the_node_answers() {
    let harbour = Harbour::new();
    let mut node = Framed::attach(harbour.server.url(), "a");
    harbour.server.await_node("a");
    for n in 0..3 {
        let mut session = harbour.server.reach("a");
        session.say_want(7, "file");
        let wanted = node.expect_want();
        drop(session);
        if n == 2 {
            continue;
        }
        let transfer = answer_with(&mut node, wanted.number, "file", 1 << 20);
        assert!(!node.is_taken() || node.expect_abort_of(transfer));
    }
    let asked = harbour.server.notify("hear", &["a"]);
    node.expect(Kind::Notice);
    drop(asked);
}

impl Framed {
    /// The peer wants no more of a transfer; sends of it until then.
    fn expect_abort_of(&mut self, transfer: u32) -> bool {
        self.say_data(transfer, &content(1, 4096), 0, 4096);
        let frame = self.expect_past(Kind::Abort);
        matches!(Frame::parse(&frame), Ok(Frame::Abort(abort)) if abort.transfer == transfer)
    }
}

#[test]
fn what_a_server_offers_a_node_stays_in_its_directory() {
    let place = Place::new();
    let server = HostileServer::new();
    let folder = place.root();
    let node = Sampan::attach(&server.url(), "a", &folder, &[]).start();
    let mut session = server.open();
    session.expect(Kind::Attach);
    std::os::unix::fs::symlink(place.sentinel.path(), folder.join("link")).unwrap();
    let names = [
        &b"../x"[..],
        b"..",
        b".",
        b"/x",
        b"a/../../x",
        b".sampan-x",
        b"a/.sampan-x/b",
        b"a\0b",
        b"\xff",
        b"",
        b"a//b",
        b"link/x",
        b"link/secret",
    ];
    for name in names {
        let transfer = session.next_transfer();
        session.say(&Frame::Offer(Framed::offer_bytes(transfer, name, 5)));
        assert!(!session.is_taken() || name.starts_with(b"link"), "{}", name.escape_ascii());
        if name.starts_with(b"link") {
            // What cannot be known before is refused when it is to be put there.
            let _ = session.try_say(&Frame::Abort(Abort {
                scope: Scope::Sending,
                transfer,
                code: Code::Cancelled,
                words: "",
            }));
        }
    }
    // Nor is anything given that was not allowed.
    for (n, name) in ["file", "../outside/secret", "link/secret"].into_iter().enumerate() {
        session.say_want(n as u32 + 1, name);
        session.expect(Kind::Decline);
    }
    session.say_list(9, "");
    session.expect(Kind::Decline);
    // It goes on taking what is right.
    let transfer = session.next_transfer();
    session.say_file(transfer, "good", b"contents");
    session.expect_done_after_accept(transfer);
    assert_eq!(place.stored("good"), Some(b"contents".to_vec()));
    place.sentinel.assert_untouched();
    assert_eq!(place.visible(), ["good", "link"]);
    drop(node);
}

#[test]
fn a_server_that_attaches_itself_is_sent_away() {
    let place = Place::new();
    let server = HostileServer::new();
    let node = Sampan::attach(&server.url(), "a", &place.root(), &[]).start();
    let mut session = server.open();
    session.say_attach("server");
    session.expect_end(Code::NotAllowed);
    drop(node);
}
