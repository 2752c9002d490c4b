//! Lines that carry nothing for a while, and ends that go away.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::line::Conditions;
use super::shore::Shore;
use crate::kit::{PATIENCE, Running, SOON, content, until};

const LENGTH: usize = 400 << 10;
const RATE: u64 = 100_000;

/// A file that takes some seconds is on its way, and a good piece of it there.
fn under_way(shore: &Shore) -> Running {
    let file = shore.place.write("file", &content(3, LENGTH));
    let before = shore.line.sent();
    let client = shore.send(&[&file]).start();
    until("a part of it is there", PATIENCE, || (shore.line.sent() - before > 150_000).then_some(()));
    client
}

fn assert_stored(shore: &Shore) {
    assert!(shore.place.stored("file") == Some(content(3, LENGTH)));
}

#[test]
fn a_line_that_drops_everything_for_a_while_is_waited_for() {
    let shore = Shore::new(Conditions::at(RATE));
    let client = under_way(&shore);
    shore.line.cut();
    // The outage itself.
    std::thread::sleep(Duration::from_secs(4));
    shore.line.mend();
    let ran = client.finish();
    ran.assert_exit(0);
    assert_eq!(ran.event("sent")["resumed_from"], 0);
    assert_stored(&shore);
}

#[test]
fn a_client_that_was_killed_goes_on_when_it_is_started_again() {
    let shore = Shore::new(Conditions::at(RATE));
    under_way(&shore).kill();
    let begun = Instant::now();
    let ran = shore.send(&[&shore.place.path().join("file")]).run();
    ran.assert_exit(0);
    println!("it took {:?}", begun.elapsed());
    // It was not the silence of the first that let it go on.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(ran.event("sent")["resumed_from"].as_u64().is_some_and(|from| from > 0), "{}", ran.text());
    assert_stored(&shore);
}

#[test]
fn a_server_that_was_killed_and_started_again_is_found_by_the_same_client() {
    let mut shore = Shore::new(Conditions::at(RATE));
    let client = under_way(&shore);
    shore.server.take().expect("it serves").kill();
    shore.serve();
    let begun = Instant::now();
    let ran = client.finish();
    println!("it took {:?}", begun.elapsed());
    ran.assert_exit(0);
    assert_stored(&shore);
}

#[test]
fn an_interrupted_client_ends_at_once_and_goes_on_later() {
    let shore = Shore::new(Conditions::at(RATE));
    let client = under_way(&shore);
    let begun = Instant::now();
    client.signal(Signal::INT);
    client.finish().assert_exit(130);
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    let ran = shore.send(&[&shore.place.path().join("file")]).run();
    ran.assert_exit(0);
    assert!(ran.event("sent")["resumed_from"].as_u64().is_some_and(|from| from > 0), "{}", ran.text());
    assert_stored(&shore);
}

#[test]
fn a_client_whose_peer_never_answers_says_so() {
    let shore = Shore::new(Conditions::CLEAN);
    shore.line.cut();
    let ran =
        shore.send(&[&shore.place.write("file", b"x")]).args(&["--retries", "0", "--timeout", "2s"]).run();
    ran.assert_exit(7).assert_failed("timeout");
}
