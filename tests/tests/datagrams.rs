//! Sessions over datagrams (§8.6): each kind of fault by itself, and two flows through one narrow place.

use sampan_core::wire::Code;
use sampan_core::{Error, Limits, LinkError};
use sampan_tests::{
    Bursts, Chance, Conditions, Faults, Finish, Offer, PacketNode, Pair, Setup, content, run_together,
};

const LENGTH: usize = 40_000;

fn setup(session: u64) -> Setup {
    let limits = Limits { window: 8 << 10, ..Limits::SMALL };
    let conditions = Conditions { delay: 5_000, rate: 1_000_000, queue: 16 << 10, ..Conditions::default() };
    Setup { limits: [limits; 2], memory: [(1_401, 1_400, 2); 2], conditions, session, ..Setup::default() }
}

fn is_good(finish: Finish) -> bool {
    matches!(finish, Ok(()) | Err(Error::Link(LinkError::Silent)))
}

fn send(pair: &mut Pair<PacketNode, PacketNode>) {
    pair.a.send(Offer::file("file", content(1, LENGTH)));
    pair.a.engine.close(Code::Ok);
}

fn has_it(pair: &Pair<PacketNode, PacketNode>) -> bool {
    pair.b.storage.disk.file("file") == Some(content(1, LENGTH))
}

#[test]
fn each_fault_by_itself_does_no_harm() {
    type Change = fn(&mut Faults);
    let faults: [(&str, Change); 8] = [
        ("none", |_| ()),
        ("loss", |it| it.loss = Chance::of(0.1)),
        ("bursts", |it| it.bursts = Some(Bursts::new(0.02, 0.2, 0.9))),
        ("doubling", |it| it.doubling = Chance::of(0.3)),
        ("jitter", |it| it.jitter = 8_000),
        ("flips", |it| it.flip = Chance::of(1e-4)),
        ("babble", |it| it.babble = Chance::of(0.2)),
        ("late", |it| it.late = (0..60).step_by(7).map(|frame| (frame, 3)).collect()),
    ];
    for (name, with) in faults {
        for seed in 1..4 {
            let mut faults = [Faults::seeded(seed), Faults::seeded(seed + 9)];
            faults.iter_mut().for_each(with);
            let mut pair = setup(1).join_datagrams(faults);
            send(&mut pair);
            let (a, b) = pair.finish(300);
            assert!(a == Ok(()) && is_good(b) && has_it(&pair), "{name}, seed {seed}: {a:?} {b:?}");
        }
    }
    let outage = 25_000..3_000_000;
    let mut pair = setup(1).join_datagrams(Default::default());
    for way in 0..2 {
        pair.wire.channel(way).faults.outages.push(outage.clone());
    }
    send(&mut pair);
    let (a, b) = pair.finish(300);
    assert!(a == Ok(()) && is_good(b) && has_it(&pair), "outages: {a:?} {b:?}");
    assert!(pair.now() > 3_000_000, "nothing was to pass before");
}

#[test]
fn a_datagram_that_is_late_arrives_behind_so_many() {
    let mut channel = setup(1).join_datagrams(Default::default()).wire;
    channel.conditions.delay = 0;
    let (mut a, mut b) = channel.ends();
    channel.channel(0).faults = Faults::delays(1, 2);
    let mut heard = Vec::new();
    for n in 0..6_u8 {
        embedded_io::Write::write(&mut a, &[n; 9]).expect("a write");
        channel.advance(channel.now() + 20_000);
        let mut buffer = [0; 20];
        while let Ok(length) = embedded_io::Read::read(&mut b, &mut buffer) {
            heard.push((buffer[0], length));
        }
    }
    assert_eq!(heard.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [0, 2, 3, 1, 4, 5]);
    assert!(heard.iter().all(|(_, length)| *length == 9), "one read, one datagram");
}

#[test]
fn two_flows_go_through_one_narrow_place() {
    let mut pairs = [setup(1), setup(2)].map(|setup| setup.join_datagrams(Default::default()));
    let narrow = sampan_tests::Bottleneck::new(500_000, 20_000);
    for pair in &mut pairs {
        pair.wire.channel(0).bottleneck = narrow.clone();
        send(pair);
    }
    run_together(&mut pairs, 60, |pairs| pairs.iter().all(|pair| pair.a.finish.is_some()));
    assert!(pairs.iter().all(has_it));
    let carried: u64 = pairs.iter().map(|pair| pair.wire.channel(0).carried).sum();
    assert_eq!(carried, narrow.carried() + narrow.dropped());
    assert!(pairs[0].now() >= 160_000, "80,000 bytes cannot leave sooner");
}
