//! How many round trips things take, counted in virtual time.

use sampan_core::{Limits, TransferId};
use sampan_tests::{Conditions, Heard, Offer, Setup, content};

const DELAY: u64 = 50_000;
const ROUND_TRIP: u64 = 2 * DELAY;

fn open(slots: usize) -> sampan_tests::Pair<sampan_tests::Node, sampan_tests::Node> {
    let conditions = Conditions { delay: DELAY, ..Conditions::default() };
    let memory = [(1 << 18, 1 << 18, slots); 2];
    let mut pair = Setup { conditions, memory, limits: [Limits::LARGE; 2], ..Setup::default() }.join();
    pair.run_until(10, |pair| pair.a.heard == [Heard::Opened] && pair.b.heard == [Heard::Opened]);
    pair
}

#[test]
fn a_small_file_takes_one() {
    for length in [0, 1, 1_000, 100_000] {
        let mut pair = open(4);
        let begun = pair.now();
        let id = pair.a.send(Offer::file("n", content(1, length)));
        pair.run_until(10, |pair| pair.a.heard.contains(&Heard::Sent(id)));
        assert_eq!(pair.now() - begun, ROUND_TRIP, "{length} bytes");
    }
}

#[test]
fn the_hellos_take_one_for_the_dialler() {
    let conditions = Conditions { delay: DELAY, ..Conditions::default() };
    let mut pair = Setup { conditions, ..Setup::default() }.join();
    pair.a.send(Offer::file("n", content(1, 1_000)));
    pair.run_until(10, |pair| pair.a.heard.contains(&Heard::Sent(TransferId(1))));
    assert_eq!(pair.now(), 2 * ROUND_TRIP, "one for the HELLOs, one for the file");
}

#[test]
fn a_thousand_small_files_need_a_handful() {
    let mut pair = open(256);
    let begun = pair.now();
    let mut left = 1_000;
    pair.run_until(100, |pair| {
        while left > 0 {
            let Some(id) = pair.a.engine.offer() else { break };
            pair.a.storage.put(id, Offer::file(&format!("file-{left}"), content(left, 100)));
            left -= 1;
        }
        pair.b.storage.disk.names().len() == 1_000 && pair.a.is_idle()
    });
    let trips = (pair.now() - begun).div_ceil(ROUND_TRIP);
    assert!(trips <= 5, "{trips} round trips for a thousand files, 256 at a time");
}

#[test]
fn resuming_takes_one_before_the_data() {
    let mut pair = open(4);
    let begun = pair.now();
    let id = pair.a.send(Offer::file("n", content(1, 1_000)).patient());
    pair.run_until(10, |pair| pair.a.heard.contains(&Heard::Sent(id)));
    assert_eq!(pair.now() - begun, 2 * ROUND_TRIP);
}
