//! Links that lose, damage and inject bytes (§8.5), in virtual time.

use sampan_core::wire::Code;
use sampan_core::{Cobs, Directions, Error, Limits, LinkError, Nonce, Speaks};
use sampan_tests::{Conditions, Faults, Heard, Offer, Setup, Task, content, is_good, session_over};

fn setup() -> Setup {
    let conditions = Conditions { delay: 10_000, rate: 11_520, ..Conditions::default() };
    let limits = Limits { window: 1024, ..Limits::SMALL };
    Setup { limits: [limits; 2], memory: [(600, 600, 3); 2], conditions, ..Setup::default() }
}

/// Sends 64 KiB with this chance of a turned bit in each byte, both ways: how many bytes went out for each of the file.
fn noisy(chance: f64, seed: u64) -> f64 {
    const LENGTH: usize = 64 << 10;
    let setup = Setup { memory: [(600, 600, 2); 2], ..setup() };
    let mut pair = setup.join_lossy([Faults::flips(chance, seed), Faults::flips(chance, seed ^ 0xABCD)]);
    pair.a.send(Offer::file("file", content(seed, LENGTH)));
    pair.a.engine.close(Code::Ok);
    let (a, b) = pair.finish(3_000);
    assert!(a == Ok(()) && is_good(b), "seed {seed} at {chance}: {a:?} {b:?}");
    assert!(pair.b.storage.disk.file("file") == Some(content(seed, LENGTH)), "seed {seed} at {chance}");
    let carried = pair.wire.channel(0).carried;
    carried as f64 / LENGTH as f64
}

#[test]
fn files_are_right_however_many_bits_turn() {
    for (chance, most) in [(0.0, 1.05), (1e-4, 1.15), (1e-3, 2.0)] {
        let mut ratios: Vec<f64> = (1..=200).map(|seed| noisy(chance, seed)).collect();
        ratios.sort_by(f64::total_cmp);
        let [least, median, largest] = [0, 100, 199].map(|at| ratios[at]);
        println!(
            "chance {chance} a byte: {least:.3} {median:.3} {largest:.3} bytes sent for each of the file"
        );
        assert!(largest <= most, "{largest} at {chance}");
    }
}

#[test]
fn what_else_is_said_on_the_line_is_told_and_harms_nothing() {
    let log = b"[    0.00] boot ok\r\nlogin: ".to_vec();
    for before in [0, 1, 3, 9] {
        let mut pair = setup().join_lossy(Default::default());
        pair.wire.channel(0).faults = Faults::says(before, &log);
        Task::Push(2_000).begin(&mut pair);
        assert_eq!(pair.finish(100), (Ok(()), Ok(())), "before frame {before}");
        Task::Push(2_000).check(&pair, &format!("junk before frame {before}"));
        let told: Vec<u8> = pair
            .b
            .heard
            .iter()
            .filter_map(|it| if let Heard::Noise(it) = it { Some(it.clone()) } else { None })
            .flatten()
            .collect();
        // What stands before a frame that follows another at once is taken for its beginning.
        assert!(told.starts_with(&log), "before frame {before}: {:?}", String::from_utf8_lossy(&told));
    }
}

#[test]
fn a_peer_that_begins_a_new_session_ends_the_old_one_and_no_late_hello_does() {
    let mut pair = setup().join_lossy(Default::default());
    pair.a.send(Offer::file("file", content(1, 100_000)));
    pair.run_until(100, |pair| pair.b.storage.stored > 5_000);
    // The dialling end reboots: another nonce, and nothing known of the other.
    let fresh = Setup { session: 7, now: pair.now(), ..setup() }.join_lossy(Default::default());
    pair.a.engine = fresh.a.engine;
    pair.a.heard.clear();
    pair.run_until(100, |pair| pair.b.finish.is_some());
    assert_eq!(pair.b.finish, Some(Err(Error::Peer(sampan_core::PeerError::Restarted))));
}

#[test]
fn two_ends_that_have_nothing_to_say_do_not_greet_each_other_for_ever() {
    // Answers take longer than the first time-out: HELLOs are said again, and cross.
    let conditions = Conditions { delay: 600_000, ..Conditions::default() };
    let mut pair = Setup { conditions, ..setup() }.join_lossy(Default::default());
    pair.run_until(100, |pair| pair.now() > 9_000_000);
    assert_eq!((&pair.a.heard[..], &pair.b.heard[..]), (&[Heard::Opened][..], &[Heard::Opened][..]));
    let said = pair.wire.channel(0).faults.passed() + pair.wire.channel(1).faults.passed();
    assert!(said <= 8, "{said} frames");
}

#[test]
fn noise_alone_is_not_a_peer() {
    let mut pair = setup().join_lossy(Default::default());
    pair.run_until(100, |pair| pair.b.heard == [Heard::Opened]);
    pair.a.send(Offer::file("file", content(1, 100_000)));
    pair.run_until(100, |pair| pair.b.storage.stored > 5_000);
    let begun = pair.now();
    // From now on nothing right comes from the sender.
    pair.wire.channel(0).faults = Faults::flips(0.6, 99);
    pair.run_until(200, |pair| pair.b.finish.is_some());
    assert_eq!(pair.b.finish, Some(Err(Error::Link(LinkError::Silent))));
    assert!(pair.now() - begun < 60_000_000);
    assert!(pair.b.storage.disk.part("file").is_some_and(|part| part.durable.offset > 0));
}

#[test]
fn a_peer_that_begins_a_new_session_gets_one() {
    let mut pair = setup().join_lossy(Default::default());
    pair.a.send(Offer::file("file", content(1, 100_000)));
    pair.run_until(100, |pair| pair.b.storage.stored > 5_000);
    let fresh = Setup { session: 7, now: pair.now(), ..setup() }.join_lossy(Default::default());
    pair.a.engine = fresh.a.engine;
    pair.a.heard.clear();
    pair.run_until(100, |pair| pair.b.finish.is_some());
    let begun = pair.now();
    // What serves on the line goes on at once, as the session before says.
    let (limits, memory) = (setup().limits[1], setup().memory[1]);
    let begins = pair.b.engine.successor().expect("it says how the next one begins");
    assert_eq!(begins, (Speaks::First, Nonce::new(3)));
    pair.b.engine = session_over(Cobs::new(), limits, memory, (Speaks::First, 3), begun);
    (pair.b.finish, pair.b.heard) = (None, Vec::new());
    pair.a.send(Offer::file("other", content(2, 5_000)));
    pair.a.engine.close(Code::Ok);
    let (a, b) = pair.finish(200);
    assert!(a == Ok(()) && is_good(b), "{a:?} {b:?}");
    assert_eq!(pair.b.storage.disk.file("other"), Some(content(2, 5_000)));
    assert!(pair.now() - begun < 10_000_000, "it took {} us", pair.now() - begun);
}

#[test]
fn an_offer_that_has_to_wait_for_a_lost_one_is_not_said_again_at_once() {
    let limits = Limits { directions: Directions::OneAtATime, window: 1024, ..Limits::SMALL };
    let mut pair = Setup { limits: [limits; 2], ..setup() }.join_lossy(Default::default());
    pair.run_until(100, |pair| pair.b.heard == [Heard::Opened]);
    // The end with the smaller nonce goes first, but its offer is lost.
    let first = pair.wire.channel(0).faults.passed();
    pair.wire.channel(0).faults.lost = [first].into();
    pair.a.send(Offer::file("first", content(1, 100)));
    pair.b.send(Offer::file("second", content(2, 100)));
    pair.run_until(100, |pair| pair.now() > 900_000);
    let said = pair.wire.channel(1).faults.passed();
    assert!(said < 6, "{said} frames");
    pair.a.engine.close(Code::Ok);
    pair.b.engine.close(Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
    assert_eq!(pair.b.storage.disk.file("first"), Some(content(1, 100)));
    assert_eq!(pair.a.storage.disk.file("second"), Some(content(2, 100)));
}
