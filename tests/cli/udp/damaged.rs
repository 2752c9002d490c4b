//! A way that loses, repeats, reorders and alters datagrams, and one whose ends change.

use std::fs;
use std::time::Duration;

use super::relay::{Harm, Relay};
use super::serve;
use crate::kit::{PATIENCE, Sampan, content, until};

const LENGTH: usize = 200_000;

fn both_ways(harm: Harm, seed: u64) {
    let (place, server) = serve(&[]);
    let relay = Relay::new(server.url(), harm, seed);
    let file = place.write("file", &content(seed, LENGTH));
    let sent = Sampan::send(relay.url(), &[]).args(&[&file]).within(4 * PATIENCE).run();
    assert_eq!(sent.code, Some(0), "seed {seed}: {}", sent.stderr);
    assert!(place.stored("file") == Some(content(seed, LENGTH)), "seed {seed}");
    let to = place.path().join("got");
    let got = Sampan::get(relay.url(), &["file", "-o"]).args(&[&to]).within(4 * PATIENCE).run();
    assert_eq!(got.code, Some(0), "seed {seed}: {}", got.stderr);
    assert!(fs::read(&to).expect("it was fetched") == content(seed, LENGTH), "seed {seed}");
}

#[test]
fn what_is_lost_repeated_overtaken_and_altered_arrives_all_the_same() {
    for seed in 1..=3 {
        let harm = Harm { drop: 40, repeat: 50, overtaken: 50, flip: 20, ..Harm::default() };
        both_ways(harm, seed);
    }
}

#[test]
fn a_path_that_carries_short_datagrams_only_is_enough() {
    both_ways(Harm { longest: Some(1_300), ..Harm::default() }, 4);
}

#[test]
#[ignore = "job crowd"]
fn a_way_that_loses_a_fifth_is_enough() {
    for seed in 10..12 {
        both_ways(Harm { drop: 200, repeat: 100, overtaken: 50, flip: 20, ..Harm::default() }, seed);
    }
}

#[test]
fn a_client_whose_address_changes_dials_again_and_resumes() {
    const LONG: usize = 3_000_000;
    let (place, server) = serve(&[]);
    let relay = Relay::new(server.url(), Harm::default(), 1);
    let file = place.write("file", &content(9, LONG));
    let options = ["--limit-rate", "1M", "--timeout", "2s"];
    let client = Sampan::send(relay.url(), &options).args(&[&file]).within(4 * PATIENCE).start();
    until("a part of it has passed", PATIENCE, || (relay.passed() > 1_400_000).then_some(()));
    relay.rebind();
    let ran = client.finish();
    ran.assert_exit(0);
    assert!(ran.event("sent")["resumed_from"].as_u64().is_some_and(|from| from > 0), "{}", ran.text());
    assert!(place.stored("file") == Some(content(9, LONG)));
    assert_eq!(ran.events("connected").len(), 2, "{}", ran.text());
}

#[test]
fn a_way_that_carries_nothing_for_a_while_is_waited_for() {
    const LONG: usize = 1_500_000;
    let (place, server) = serve(&[]);
    let relay = Relay::new(server.url(), Harm::default(), 1);
    let file = place.write("file", &content(9, LONG));
    let client =
        Sampan::send(relay.url(), &["--limit-rate", "1M"]).args(&[&file]).within(4 * PATIENCE).start();
    until("a part of it has passed", PATIENCE, || (relay.passed() > 300_000).then_some(()));
    relay.does(Harm::CUT);
    // The outage itself.
    std::thread::sleep(Duration::from_secs(1));
    relay.does(Harm::default());
    let ran = client.finish();
    ran.assert_exit(0);
    assert_eq!((ran.event("sent")["resumed_from"].as_u64(), ran.events("connected").len()), (Some(0), 1));
    assert!(place.stored("file") == Some(content(9, LONG)));
}
