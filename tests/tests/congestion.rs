//! What datagrams make of a path (§8.7), in virtual time: goodput, loss, fairness, and the queue.

use sampan_core::Limits;
use sampan_core::wire::Code;
use sampan_tests::{Bottleneck, Conditions, Faults, Offer, PacketNode, Pair, Setup, content, run_together};

const MIB: usize = 1 << 20;
/// 50 Mbit/s in bytes a second.
const RATE: u64 = 6_250_000;

/// A path of this round trip in microseconds, at 50 Mbit/s, with a queue of twice what is under way on it; datagrams of at most 1,452 bytes.
fn path(trip: u64) -> Setup {
    let queue = (RATE * trip / 1_000_000 * 2) as usize;
    let conditions = Conditions { delay: trip / 2, rate: RATE, queue, ..Conditions::default() };
    Setup { limits: [Limits::LARGE; 2], memory: [(1_453, 1_452, 2); 2], conditions, ..Setup::default() }
}

fn loses(loss: f64, seed: u64) -> [Faults; 2] {
    [seed, seed + 77].map(|seed| Faults::drops(loss, seed))
}

/// How many seconds a file of this length takes over it, and bytes sent for each of it.
fn carry(setup: &Setup, length: usize, loss: f64, seed: u64) -> (f64, f64) {
    let mut pair = setup.join_datagrams(loses(loss, seed));
    pair.a.send(Offer::file("file", content(seed, length)));
    pair.a.engine.close(Code::Ok);
    pair.run_until(120, |pair| pair.a.finish.is_some());
    assert!(pair.b.storage.disk.file("file") == Some(content(seed, length)), "seed {seed} at {loss}");
    let sent = pair.wire.channel(0).carried as f64 / length as f64;
    (pair.now() as f64 / 1e6, sent)
}

#[test]
fn a_path_is_filled_though_some_is_lost() {
    for (loss, least) in [(0.0, 0.9), (0.01, 0.8)] {
        let (seconds, sent) = carry(&path(40_000), 32 * MIB, loss, 1);
        let share = (32 * MIB) as f64 / RATE as f64 / seconds;
        println!("loss {loss}: {seconds:.2} s, {share:.3} of the rate, {sent:.3} bytes sent for each");
        assert!(share >= least, "{share} at {loss}");
    }
}

#[test]
fn heavy_loss_is_borne() {
    let (seconds, sent) = carry(&path(10_000), 8 * MIB, 0.3, 1);
    println!("loss 0.3: {seconds:.2} s, {sent:.3} bytes sent for each");
    assert!(seconds <= 50.0, "it took {seconds} s");
}

/// Flows through one narrow place, the second of them begun so many microseconds after the first: what each has stored from the 5th second to the 30th,
/// and the median of what waited.
fn share(later: u64) -> ([u64; 2], usize) {
    let setup = path(40_000);
    let narrow = Bottleneck::new(RATE, setup.conditions.queue);
    let mut pairs: [Pair<PacketNode, PacketNode>; 2] =
        [1, 2].map(|session| Setup { session, ..setup.clone() }.join_datagrams(Default::default()));
    for pair in &mut pairs {
        pair.wire.channel(0).bottleneck = narrow.clone();
    }
    pairs[0].a.send(Offer::file("first", content(1, 200 * MIB)));
    run_together(&mut pairs, 60, |pairs| pairs[0].now() >= later);
    pairs[1].a.send(Offer::file("second", content(2, 200 * MIB)));
    run_together(&mut pairs, 60, |pairs| pairs[0].now() >= 5_000_000);
    let before = [0, 1].map(|flow: usize| pairs[flow].b.storage.stored);
    run_together(&mut pairs, 60, |pairs| pairs[0].now() >= 30_000_000);
    let stored = [0, 1].map(|flow: usize| pairs[flow].b.storage.stored - before[flow]);
    (stored, narrow.median_occupancy(5_000_000, 30_000_000))
}

#[test]
fn two_flows_share_a_path_and_do_not_keep_its_queue_full() {
    let room = path(40_000).conditions.queue;
    // Whatever lies between their beginnings.
    let all = [300_000, 900_000].map(|later| std::thread::spawn(move || (later, share(later))));
    for one in all {
        let (later, (stored, waits)) = one.join().expect("a run");
        let [a, b] = stored.map(|bytes| bytes as f64);
        let jain = (a + b) * (a + b) / (2.0 * (a * a + b * b));
        let used = (a + b) / 25.0 / RATE as f64;
        println!("{later} us later: Jain {jain:.3}, {used:.3} of the rate, {waits} of {room} bytes wait");
        assert!(jain >= 0.9, "{jain}: {stored:?}");
        assert!(waits < room * 3 / 4, "{waits} of {room} bytes wait");
        assert!(used >= 0.9, "{used}");
    }
}

#[test]
fn one_flow_keeps_no_queue() {
    let setup = path(40_000);
    let mut pair = setup.join_datagrams(Default::default());
    pair.a.send(Offer::file("file", content(1, 64 * MIB)));
    pair.a.engine.close(Code::Ok);
    pair.run_until(60, |pair| pair.a.finish.is_some());
    let narrow = pair.wire.channel(0).bottleneck.clone();
    let waits = narrow.median_occupancy(2_000_000, pair.now());
    println!("{waits} of {} bytes wait, {} were dropped", setup.conditions.queue, narrow.dropped());
    assert!(waits < setup.conditions.queue / 2);
}

#[test]
fn datagrams_are_as_long_as_the_path_and_both_ends_take_them() {
    for (memory, least) in [(65_508, 40_000), (9_001, 7_000), (1_201, 1_000)] {
        let conditions = Conditions { delay: 50, ..Conditions::default() };
        let memory = [(memory, memory - 1, 2); 2];
        let setup = Setup { limits: [Limits::LARGE; 2], memory, conditions, ..Setup::default() };
        let mut pair = setup.join_datagrams(Default::default());
        pair.a.send(Offer::file("file", content(1, 16 * MIB)));
        pair.a.engine.close(Code::Ok);
        pair.run_until(60, |pair| pair.a.finish.is_some());
        assert!(pair.b.storage.disk.file("file") == Some(content(1, 16 * MIB)));
        let channel = pair.wire.channel(0);
        let mean = channel.carried / channel.faults.passed();
        println!("{mean} bytes a datagram, {} us", pair.now());
        assert!(mean >= least, "{mean} bytes a datagram");
    }
}
