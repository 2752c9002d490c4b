//! What is missing is sent again, whatever either end can remember of it (§8.5), in virtual time.

use sampan_core::wire::{Code, Nibble};
use sampan_core::{
    Both, Buffers, Cobs, Datagrams, Incoming, Instant, Limits, Missing, Nonce, Outgoing, Receiver, Sender,
    Session, Speaks, Stretches,
};
use sampan_tests::{After, Chance, Conditions, Faults, Laid, MemoryStorage, NodeOver, Offer, Pair, content};

const LENGTH: usize = 6_000;

/// An end whose receiver remembers so many gaps, and whose sender so many ranges that are missing.
fn node<F: Laid, const GAPS: usize, const REPAIRS: usize>(window: u32, end: u64) -> NodeOver<F> {
    let gaps: &mut Stretches<GAPS> = Box::leak(Box::default());
    let repairs: &mut heapless::Vec<Missing, REPAIRS> = Box::leak(Box::default());
    let role = Both {
        sender: Sender::with_repairs(vec![Outgoing::FREE; 2].leak(), repairs),
        receiver: Receiver::with_gaps(vec![Incoming::FREE; 2].leak(), gaps),
    };
    let buffers = Buffers { receive: vec![0; 300].leak(), transmit: vec![0; 300].leak() };
    let limits = Box::leak(Box::new(Limits { window, ..Limits::SMALL }));
    let speaks = if end == 0 { Speaks::First } else { Speaks::Second };
    Session::with_framing(
        buffers,
        limits,
        role,
        (F::lay(), Nibble),
        (speaks, Nonce::new(end + 1)),
        Instant::ZERO,
    )
    .expect("large enough")
}

fn run<F: Laid, const GAPS: usize, const REPAIRS: usize>(window: u32, loss: f64, seed: u64) {
    let conditions = Conditions { carries: F::CARRIES, delay: 10_000, rate: 20_000, ..Conditions::default() };
    let [a, b] =
        [0, 1].map(|end| (node::<F, GAPS, REPAIRS>(window, end), MemoryStorage::on(&Default::default())));
    let mut pair = Pair::join(a, b, conditions, 0);
    pair.after = After::Open;
    for way in 0..2 {
        let mut faults = Faults::drops(loss, seed + way as u64 * 1_000);
        if F::CARRIES == Datagrams::CARRIES {
            faults.jitter = 15_000;
            faults.doubling = Chance::of(0.05);
        }
        pair.wire.channel(way).faults = faults;
    }
    for (name, length) in [("one", LENGTH), ("two", LENGTH / 2)] {
        let id = pair.a.engine.offer().expect("a free slot");
        pair.a.storage.put(id, Offer::file(name, content(seed, length)));
    }
    pair.a.engine.close(Code::Ok);
    pair.run_until(600, |pair| pair.a.finish.is_some());
    let what = format!("{GAPS} gaps, {REPAIRS} repairs, window {window}, loss {loss}, seed {seed}");
    assert_eq!(pair.a.finish, Some(Ok(())), "{what}");
    for (name, length) in [("one", LENGTH), ("two", LENGTH / 2)] {
        assert!(pair.b.storage.disk.file(name) == Some(content(seed, length)), "{what}: {name}");
    }
}

fn all<F: Laid, const GAPS: usize, const REPAIRS: usize>() {
    for window in [64, 100, 300, 1_500] {
        for (loss, seeds) in [(0.0, 1..2), (0.05, 1..5), (0.25, 1..5)] {
            for seed in seeds {
                run::<F, GAPS, REPAIRS>(window, loss, seed);
            }
        }
    }
}

#[test]
fn on_a_line() {
    all::<Cobs, 0, 0>();
    all::<Cobs, 0, 4>();
    all::<Cobs, 1, 0>();
    all::<Cobs, 1, 1>();
    all::<Cobs, 4, 1>();
    all::<Cobs, 1, 4>();
    all::<Cobs, 16, 16>();
}

#[test]
fn on_datagrams() {
    all::<Datagrams, 0, 0>();
    all::<Datagrams, 0, 4>();
    all::<Datagrams, 1, 0>();
    all::<Datagrams, 1, 1>();
    all::<Datagrams, 4, 1>();
    all::<Datagrams, 1, 4>();
    all::<Datagrams, 16, 16>();
}
