//! Nodes that stay, and are spoken to (§4.6).

use sampan_core::wire::{Attach, Code, Frame, NodeName};
use sampan_core::{Error, Limits, PeerError};
use sampan_tests::{Heard, Offer, Puppet, Setup, content};

fn node(name: &'static str) -> NodeName<'static> {
    NodeName::new(name).expect("a name")
}

fn attached(name: &str) -> Heard {
    Heard::Attached(name.into())
}

#[test]
fn a_node_that_attaches_before_the_session_is_open_is_heard_first() {
    let mut pair = Setup::default().join();
    pair.a.engine.attach(node("board-7"));
    let id = pair.a.send(Offer::file("log", content(1, 3_000)));
    pair.run_until(60, |pair| pair.a.heard.contains(&Heard::Sent(id)));
    assert_eq!(pair.b.heard, [Heard::Opened, attached("board-7"), Heard::Received(id)]);
}

#[test]
fn the_end_that_was_dialled_may_stay_too() {
    let mut pair = Setup::default().join();
    pair.b.engine.attach(node("hub"));
    pair.run_until(60, |pair| pair.a.heard.len() == 2);
    assert_eq!(pair.a.heard, [Heard::Opened, attached("hub")]);
    assert_eq!(pair.b.heard, [Heard::Opened]);
}

#[test]
fn a_later_name_takes_the_place_of_an_earlier_one() {
    let mut pair = Setup::default().join();
    pair.run_until(60, |pair| pair.b.heard == [Heard::Opened]);
    for name in ["board-7", "board-8", ""] {
        pair.a.engine.attach(node(name));
        pair.run_until(60, |pair| pair.b.heard.last() == Some(&attached(name)));
    }
    // Of two that were not sent yet only the later is.
    pair.a.engine.attach(node("never-said"));
    pair.a.engine.attach(node("board-9"));
    pair.run_until(60, |pair| pair.b.heard.last() == Some(&attached("board-9")));
    let names = ["board-7", "board-8", "", "board-9"].map(attached);
    assert_eq!(pair.b.heard[1..], names);
}

#[test]
fn a_node_is_spoken_to_after_a_long_silence() {
    let mut pair = Setup::default().join();
    pair.a.engine.attach(node("board-7"));
    pair.run_until(60, |pair| pair.b.heard.len() == 2);
    // Much longer than every budget of §13: PINGs keep the session.
    let later = pair.now() + 3_600_000_000;
    pair.run_until(4_000, |pair| pair.now() >= later);
    assert_eq!((pair.a.finish, pair.b.finish), (None, None));
    let data = content(2, 5_000);
    let id = pair.b.send(Offer::file("firmware", data.clone()));
    pair.b.storage.words = "restart, please".into();
    assert!(pair.b.engine.notify().is_some());
    pair.run_until(60, |pair| pair.b.heard.contains(&Heard::Sent(id)));
    pair.run_until(60, |pair| pair.a.heard.contains(&Heard::Notice("restart, please".into())));
    assert_eq!(pair.a.storage.disk.file("firmware"), Some(data));
    // And it ends like any other.
    pair.a.engine.close(Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
}

#[test]
fn a_node_that_is_not_wanted_hears_why_and_does_not_come_again_by_itself() {
    for code in [Code::NotAllowed, Code::Exists] {
        let mut pair = Setup::default().join();
        pair.a.engine.attach(node("board-7"));
        pair.run_until(60, |pair| pair.b.heard.contains(&attached("board-7")));
        pair.b.engine.abort(code);
        let told = Error::Peer(PeerError::Aborted(code));
        assert_eq!(pair.finish(60), (Err(told), Err(Error::Ended(code))));
        assert!(!told.is_resumable());
    }
}

#[test]
fn a_name_that_breaks_a_rule_ends_the_session() {
    for name in [&b"all"[..], b"a/b", b"\xFF", &[b'n'; 65]] {
        let mut puppet = Puppet::opened(Limits::LARGE, (4096, 4096, 2));
        puppet.say_raw(&[&[0x47], name].concat());
        assert!(matches!(puppet.node.finish, Some(Err(Error::Peer(PeerError::Malformed(..))))), "{name:?}");
        assert_eq!(puppet.node.heard, [Heard::Opened]);
    }
    let mut puppet = Puppet::opened(Limits::LARGE, (4096, 4096, 2));
    puppet.listen();
    puppet.say(&Frame::Attach(Attach { name: node("a.b_c-9") }));
    assert_eq!(puppet.node.heard, [Heard::Opened, attached("a.b_c-9")]);
    assert!(puppet.listen().is_empty(), "it is not answered");
}
