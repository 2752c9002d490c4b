//! Sessions that are played by hand: how they begin, and how they end.

use super::serve;
use super::stranger::{Stranger, hello};
use crate::kit::{PATIENCE, until};

#[test]
fn a_session_opens_is_known_by_its_address_and_ends() {
    let (_place, server) = serve(&[]);
    let stranger = Stranger::new(server.url());
    let numbers = stranger.open(5);
    let peer = format!("udp://{}", stranger.socket.local_addr().expect("a bound socket"));
    server.events.wait("connected", PATIENCE, |event| event["peer"] == *peer);
    let (connections, totals) = server.status();
    assert_eq!((connections.len(), &connections[0]["peer"]), (1, &peer.clone().into()));
    assert_eq!(totals["urls"][0], server.url());
    let bye = numbers.frame(&[6, 0]);
    stranger.say(&bye);
    let answer = stranger.hear();
    assert_eq!(numbers.content(&answer), [6, 0]);
    until("it is over", PATIENCE, || server.status().0.is_empty().then_some(()));
    // The answer may have been lost.
    for _ in 0..3 {
        stranger.say(&bye);
        assert_eq!(stranger.hear(), answer);
    }
    // Nothing else is answered.
    for content in [&[2, 1][..], &[6, 1], &[5, 0, 0, 0]] {
        stranger.say(&numbers.frame(content));
    }
    stranger.say(&hello(5, numbers.theirs, 60));
    stranger.assert_silence();
    assert!(server.failures(0).is_empty());
    // Another session may begin.
    stranger.open(6);
}

#[test]
fn what_comes_twice_begins_no_second_session() {
    let (_place, server) = serve(&[]);
    let stranger = Stranger::new(server.url());
    let numbers = stranger.open(5);
    stranger.say(&numbers.frame(&[2, 9]));
    assert_eq!(numbers.content(&stranger.hear()), [3, 9]);
    stranger.say(&hello(5, numbers.theirs, 60));
    stranger.say(&hello(5, 0, 60));
    stranger.say(&numbers.frame(&[2, 10]));
    let pong = until("the answer to the ping", PATIENCE, || {
        let frame = stranger.hear();
        (frame[0] == 3).then_some(frame)
    });
    assert_eq!(numbers.content(&pong), [3, 10]);
    assert_eq!(server.events.named("connected", 0).len(), 1);
    assert_eq!(server.status().0.len(), 1);
}

#[test]
fn a_newer_session_takes_the_place_of_the_older_at_its_address() {
    let (_place, server) = serve(&[]);
    let stranger = Stranger::new(server.url());
    stranger.open(5);
    server.events.wait("connected", PATIENCE, |_| true);
    stranger.open(6);
    server.events.wait("failed", PATIENCE, |failed| failed["error"] == "link-lost");
    until("the newer is there", PATIENCE, || (server.events.named("connected", 0).len() == 2).then_some(()));
    until("the older is gone", PATIENCE, || (server.status().0.len() == 1).then_some(()));
}

#[test]
fn a_server_that_is_full_does_not_answer() {
    let (_place, server) = serve(&["--max-connections", "1"]);
    let (one, other) = (Stranger::new(server.url()), Stranger::new(server.url()));
    let numbers = one.open(5);
    other.say(&hello(6, 0, 60));
    other.assert_silence();
    one.say(&numbers.frame(&[6, 0]));
    assert_eq!(numbers.content(&one.hear()), [6, 0]);
    until("it is over", PATIENCE, || server.status().0.is_empty().then_some(()));
    other.open(7);
}

#[test]
fn a_server_that_stops_says_so_and_answers_nobody() {
    let (_place, server) = serve(&[]);
    let stranger = Stranger::new(server.url());
    let numbers = stranger.open(5);
    server.events.wait("connected", PATIENCE, |_| true);
    let begun = std::time::Instant::now();
    server.stop();
    assert!(begun.elapsed() < PATIENCE);
    // ABORT of the session: closing.
    let content = numbers.content(&stranger.hear());
    assert_eq!((content[0], content[1]), (5, 0));
}
