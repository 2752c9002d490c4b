//! Notices to those who speak the framed protocol.

use std::time::Duration;

use sampan_core::wire::{Frame, Kind, Notice, Pong};
use serde_json::{Value, json};

use super::Harbour;
use crate::kit::{Framed, PATIENCE, Raw, Sampan, assert_printable, content, until};

/// The next notice, its number and words.
#[track_caller]
fn hear_notice(node: &mut Framed) -> (u32, String) {
    let frame = node.expect(Kind::Notice);
    let notice = Notice::parse(&frame[1..]).expect("a NOTICE");
    (notice.number, notice.words.to_owned())
}

#[track_caller]
fn answer_notice(node: &mut Framed) -> String {
    let (number, words) = hear_notice(node);
    node.say(&Frame::Pong(Pong { number }));
    words
}

#[test]
fn nodes_and_clients_that_are_sending_take_it_at_once_and_show_it() {
    let harbour = Harbour::new();
    let nodes = ["a", "b"].map(|name| harbour.node(name, &[]));
    let contents = content(1, 3 << 20);
    let file = harbour.place.write("file", &contents);
    let client = Sampan::send(harbour.server.url(), &["--limit-rate", "1500k"]).args(&[file]).start();
    client.stdout.wait("progress", PATIENCE, |_| true);
    let answers = harbour.server.notify("tea is ready", &["all"]).finish();
    answers.assert_total(3, 0);
    let connections = harbour.server.status().0;
    for notified in answers.named("notified") {
        assert_eq!(notified["result"], "taken", "{notified}");
        let connection = connections.iter().find(|connection| connection["id"] == notified["id"]);
        let connection = connection.expect("it is still there");
        assert_eq!((&notified["node"], &notified["peer"]), (&connection["node"], &connection["peer"]));
    }
    let shown = |notice: &Value| notice["text"] == "tea is ready";
    for node in &nodes {
        node.running.stdout.wait("notice", PATIENCE, shown);
    }
    client.stdout.wait("notice", PATIENCE, shown);
    client.finish().assert_exit(0);
    assert_eq!(harbour.place.stored("file"), Some(contents));
}

#[test]
fn a_client_that_is_fetching_takes_it_too() {
    let harbour = Harbour::new();
    let contents = content(1, 2 << 20);
    harbour.place.serve("file", &contents);
    let to = harbour.place.path().join("to");
    let client =
        Sampan::get(harbour.server.url(), &["--limit-rate", "1M", "-o"]).args(&[&to]).args(&["file"]);
    let client = client.start();
    client.stdout.wait("progress", PATIENCE, |_| true);
    harbour.server.notify("tea is ready", &["all"]).finish().assert_total(1, 0);
    let ran = client.finish();
    ran.assert_exit(0);
    assert_eq!(ran.event("notice")["text"], "tea is ready");
    assert_eq!(std::fs::read(to).unwrap(), contents);
}

#[test]
fn every_text_arrives_as_it_is_and_is_shown_safely() {
    let harbour = Harbour::new();
    let node = harbour.node("a", &[]);
    let texts = [
        "x".repeat(1024),
        "é".repeat(512),
        "茶の用意ができました 🍵".to_owned(),
        " ".to_owned(),
        "two\nlines\tand \u{1b}[31mred\u{202e} \"quoted\" \\".to_owned(),
        "\u{0}".to_owned(),
    ];
    for (n, text) in texts.iter().enumerate() {
        let answers = harbour.server.notify(text, &["a"]).finish();
        answers.assert_total(1, 0);
        assert_eq!(answers.one("notified")["result"], "taken", "{text:?}");
        let shown = node.running.stdout.wait("notice", PATIENCE, |notice| notice["text"] == **text);
        assert!(shown["peer"].is_string());
        assert_eq!(node.running.stdout.named("notice", 0).len(), n + 1);
    }
    assert_printable(&node.running.stdout.text());
    for text in [String::new(), "x".repeat(1025), "é".repeat(513)] {
        harbour.server.notify(&text, &["a"]).finish().assert_failed("usage");
    }
}

#[test]
fn several_at_once_to_the_same_node_all_arrive() {
    let harbour = Harbour::new();
    let node = harbour.node("a", &[]);
    let asked: Vec<_> = (0..8).map(|n| harbour.server.notify(&format!("notice {n}"), &["a"])).collect();
    for asked in asked {
        asked.finish().assert_total(1, 0);
    }
    let notices = until("all are shown", PATIENCE, || {
        Some(node.running.stdout.named("notice", 0)).filter(|notices| notices.len() >= 8)
    });
    let mut texts: Vec<_> = notices.iter().map(|notice| notice["text"].clone()).collect();
    texts.sort_by_key(ToString::to_string);
    assert_eq!(texts, (0..8).map(|n| json!(format!("notice {n}"))).collect::<Vec<_>>());
}

#[test]
fn who_is_named_is_told_once_and_who_is_not_there_is_not_found() {
    let harbour = Harbour::new();
    let (a, b) = (harbour.node("a", &[]), harbour.node("b", &[]));
    let id = harbour.server.await_node("a")["id"].as_u64().unwrap();
    let to = [&format!("#{id}"), "a", "nobody", "#999", "nobody"];
    let answers = harbour.server.notify("for a", &to).finish();
    answers.assert_total(1, 2);
    assert_eq!(answers.of_node("notified", "a")["result"], "taken");
    let nobody = answers.of_node("notified", "nobody");
    assert_eq!(
        (&nobody["result"], &nobody["id"], &nobody["peer"]),
        (&json!("not-found"), &json!(null), &json!(null))
    );
    assert!(answers.named("notified").iter().any(|told| told["id"] == 999 && told["result"] == "not-found"));
    a.running.stdout.wait("notice", PATIENCE, |_| true);
    assert_eq!(a.running.stdout.named("notice", 0).len(), 1);
    assert!(b.running.stdout.named("notice", 0).is_empty());
    for wrong in [&[][..], &["a b"], &["#x"], &[""]] {
        harbour.server.notify("x", wrong).finish().assert_failed("usage");
    }
}

#[test]
fn nobody_to_tell_it_to_is_an_error() {
    Harbour::new().server.notify("x", &["all"]).finish().assert_failed("not-found");
}

#[test]
fn who_does_not_answer_holds_up_nobody() {
    let harbour = Harbour::new();
    let _nodes = ["a", "b"].map(|name| harbour.node(name, &[]));
    let silent = Framed::attach(harbour.server.url(), "silent");
    // One that has not said what it speaks cannot be told anything.
    let mute = Raw::dial(harbour.server.url());
    harbour.server.await_node("silent");
    harbour.server.await_connection("the mute one", |connection| connection["protocol"].is_null());
    let request = json!({ "request": "notify", "text": "hear", "to": ["all"], "within": 1 });
    let answers = harbour.server.ask(&request).finish();
    answers.assert_total(2, 2);
    let told: Vec<_> = answers.named("notified");
    let results: Vec<_> = told.iter().map(|told| told["result"].as_str().unwrap()).collect();
    assert_eq!(results[..2], ["taken"; 2]);
    assert_eq!(answers.of_node("notified", "silent")["result"], "timeout");
    assert!(results.contains(&"not-possible"), "{results:?}");
    drop((silent, mute));
}

#[test]
fn a_link_that_is_lost_before_the_answer_is_told_as_lost() {
    let harbour = Harbour::new();
    let mut node = Framed::attach(harbour.server.url(), "a");
    harbour.server.await_node("a");
    let first = harbour.server.notify("hear", &["a"]);
    assert_eq!(hear_notice(&mut node).1, "hear");
    // One is on the link, the other waits for its answer.
    let second = harbour.server.notify("hear", &["nobody", "a"]);
    second.answers.wait("notified", PATIENCE, |told| told["result"] == "not-found");
    drop(node);
    for asked in [first, second] {
        let told = asked.finish();
        assert_eq!(told.of_node("notified", "a")["result"], "link-lost");
    }
}

#[test]
fn the_next_is_said_when_the_one_before_was_answered_and_with_another_number() {
    let harbour = Harbour::new();
    let mut node = Framed::attach(harbour.server.url(), "a");
    harbour.server.await_node("a");
    let first = harbour.server.notify("one", &["a"]);
    let (number, words) = hear_notice(&mut node);
    assert_eq!(words, "one");
    assert_ne!(number, 0);
    // Answers to what was never said are no answers.
    node.say(&Frame::Pong(Pong { number: number.wrapping_add(7) }));
    node.say(&Frame::Pong(Pong { number: 0 }));
    let second = harbour.server.notify("two", &["nobody", "a"]);
    // It has been left for the connection when this is said.
    second.answers.wait("notified", PATIENCE, |told| told["result"] == "not-found");
    if let Ok(frame) = node.hear(Duration::from_millis(200)) {
        assert_ne!(frame[0], Kind::Notice.code(), "a second before the first was answered");
    }
    assert!(first.answers.named("notified", 0).is_empty());
    node.say(&Frame::Pong(Pong { number }));
    first.finish().assert_total(1, 0);
    let (next, words) = hear_notice(&mut node);
    assert_eq!(words, "two");
    assert!(next > number);
    node.say(&Frame::Pong(Pong { number: next }));
    second.finish().assert_total(1, 1);
}

#[test]
fn a_client_that_is_leaving_is_told_nothing_and_leaves() {
    let harbour = Harbour::new();
    let mut client = Framed::dial(harbour.server.url());
    client.say_file(1, "file", b"contents");
    client.expect_done_after_accept(1);
    harbour.server.await_connection("the client", |connection| connection["protocol"] == "framed");
    let asked = harbour.server.notify("before", &["all"]);
    assert_eq!(answer_notice(&mut client), "before");
    asked.finish().assert_total(1, 0);
    client.say_bye();
    client.expect(Kind::Bye);
    drop(client);
    until("it has left", PATIENCE, || harbour.server.status().0.is_empty().then_some(()));
    assert_eq!(harbour.server.failures(0), [json!(null); 0]);
    harbour.server.notify("after", &["all"]).finish().assert_failed("not-found");
}

#[test]
fn what_a_peer_says_of_its_own_is_answered_and_shown() {
    let harbour = Harbour::new();
    let mut node = Framed::attach(harbour.server.url(), "a");
    harbour.server.await_node("a");
    node.say(&Frame::Notice(Notice { number: 5, words: "from a\u{1b}[2J" }));
    let frame = node.expect(Kind::Pong);
    assert_eq!(Pong::parse(&frame[1..]).expect("a PONG").number, 5);
    let shown = harbour.server.events.wait("notice", PATIENCE, |_| true);
    assert_eq!(shown["text"], "from a\u{1b}[2J");
    assert_printable(&harbour.server.events.text());
    node.say_bye();
    node.expect(Kind::Bye);
}
