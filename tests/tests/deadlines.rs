//! A peer that falls silent, or answers without getting anywhere, at every byte: each state ends, typed and resumable (§13).

use sampan_core::wire::Code;
use sampan_core::{Error, Limits, LinkError};
use sampan_tests::{Heard, Node, Offer, Pair, Policy, Setup, content};

const LENGTH: usize = 600;

fn setup() -> Setup {
    let limits = Limits { window: 200, eager: 100, sync_bytes: 100, ..Limits::LARGE };
    Setup { limits: [limits; 2], memory: [(120, 120, 2); 2], ..Setup::default() }
}

/// A push one way, a pull the other way, a notice each way, and a farewell.
fn busy_session() -> Pair<Node, Node> {
    let mut pair = setup().join();
    pair.a.send(Offer::file("there", content(1, LENGTH)));
    pair.b.send(Offer::file("back", content(2, LENGTH)).patient());
    pair.b.storage.offers_on_want.insert("wanted".into(), Offer::file("wanted", content(3, LENGTH)));
    pair
}

/// Goes on with whatever is next in [`busy_session`].
fn prompt(pair: &mut Pair<Node, Node>) {
    if pair.a.heard == [Heard::Opened] {
        if let Some(want) = pair.a.engine.want() {
            pair.a.storage.wants.insert(want, ("wanted".into(), false));
        }
        pair.a.engine.notify();
    }
    let sent = |heard: &[Heard]| heard.iter().any(|heard| matches!(heard, Heard::Sent(_)));
    if sent(&pair.a.heard)
        && sent(&pair.b.heard)
        && pair.a.heard.iter().any(|h| matches!(h, Heard::Received(_)))
    {
        pair.a.engine.close(Code::Ok);
    }
}

#[test]
fn silence_at_every_byte_ends_typed_and_in_time() {
    let mut whole = busy_session();
    whole.run_until(60, |pair| {
        prompt(pair);
        pair.a.finish.is_some() && pair.b.finish.is_some()
    });
    let carried = [whole.wire.channel(0).carried, whole.wire.channel(1).carried];
    for (channel, total) in carried.into_iter().enumerate() {
        for after in 0..total {
            let mut pair = busy_session();
            pair.wire.channel(channel).mute_after = Some(after);
            let listener = |pair: &Pair<Node, Node>| if channel == 0 { pair.b.finish } else { pair.a.finish };
            pair.run_until(100, |pair| {
                prompt(pair);
                listener(pair).is_some()
            });
            let limits = Limits::LARGE;
            let finish = listener(&pair).expect("finished");
            match finish {
                Err(error) => {
                    assert!(error.is_resumable(), "{channel} {after}: {error:?}");
                    assert!(matches!(
                        error,
                        Error::Link(LinkError::Silent | LinkError::Handshake | LinkError::Lost)
                    ));
                }
                Ok(()) => assert!(after + 20 > total, "{channel} {after}: it cannot have ended well"),
            }
            let budget = u64::from(limits.handshake.0 + limits.silence.0) * 1_000 + 1_000_000;
            assert!(pair.now() <= budget, "{channel} {after}: took until {}", pair.now());
        }
    }
}

#[test]
fn an_end_that_hears_nothing_at_all() {
    let mut pair = setup().join();
    pair.wire.channel(0).mute_after = Some(0);
    pair.wire.channel(1).mute_after = Some(0);
    let handshake = Err(Error::Link(LinkError::Handshake));
    assert_eq!(pair.finish(60), (handshake, handshake));
    assert_eq!(pair.now(), u64::from(Limits::LARGE.handshake.0) * 1_000);
}

#[test]
fn trickling_does_not_extend_the_handshake() {
    let mut pair = setup().join();
    pair.wire.conditions.read_max = 1;
    pair.b.link = {
        let (_, mut link) = pair.wire.ends();
        link.trickle(300_000);
        link
    };
    pair.run_until(60, |pair| pair.b.finish.is_some());
    assert_eq!(pair.b.finish, Some(Err(Error::Link(LinkError::Handshake))));
    assert_eq!(pair.now(), u64::from(Limits::LARGE.handshake.0) * 1_000);
}

#[test]
fn a_peer_that_answers_but_gets_nowhere_is_stalled() {
    // Its sink never commits: PINGs are answered, and nothing else comes.
    let mut pair = setup().join();
    pair.b.storage.policy = Policy { never_commit: true, ..Policy::default() };
    pair.a.send(Offer::file("n", content(1, LENGTH)));
    pair.run_until(1_000, |pair| pair.a.finish.is_some() || pair.b.finish.is_some());
    let finish = pair.a.finish.or(pair.b.finish).expect("one has finished");
    assert_eq!(finish, Err(Error::Link(LinkError::Stalled)));
    assert!(finish.unwrap_err().is_resumable());
    let stall = u64::from(Limits::LARGE.stall.0) * 1_000;
    assert!((stall..stall + 2_000_000).contains(&pair.now()), "{}", pair.now());
}

#[test]
fn the_stall_budget_does_not_run_while_there_is_nothing_to_do() {
    let mut pair = setup().join();
    pair.run_until(1_000, |pair| pair.now() > 900_000_000);
    let id = pair.a.send(Offer::file("n", content(1, LENGTH)));
    pair.run_until(60, |pair| pair.a.heard.contains(&Heard::Sent(id)));
}

#[test]
fn a_ping_that_finds_no_room_does_not_make_the_deadline_pass_again_and_again() {
    let mut puppet = sampan_tests::Puppet::opened(Limits::LARGE, (4096, 4096, 2));
    puppet.close_ears();
    for _ in 0..500 {
        puppet.say(&sampan_core::wire::Frame::Ping(sampan_core::wire::Ping { number: 1 }));
    }
    puppet.pass(16_000_000);
    assert_eq!(puppet.node.deadline(16_000_000), Some(30_000_000));
}

#[test]
fn a_frame_that_takes_longer_than_the_silence_budget_arrives() {
    // 60,000 bytes in one frame at 1,000 bytes a second, and the sender's end of the link takes much at once.
    for capacity in [2_000, usize::MAX] {
        let memory = [(65_000, 65_000, 2); 2];
        let mut pair = Setup { memory, limits: [Limits::LARGE; 2], ..Setup::default() }.join();
        pair.run_until(10, |pair| pair.b.heard == [Heard::Opened]);
        pair.a.link.slow(capacity);
        pair.b.link.slow(usize::MAX);
        let id = pair.a.send(Offer::file("n", content(1, 60_000)));
        while pair.a.finish.is_none() && !pair.a.heard.contains(&Heard::Sent(id)) && pair.now() < 200_000_000
        {
            pair.settle();
            pair.wire.advance(pair.now() + 100_000);
        }
        assert!(pair.a.heard.contains(&Heard::Sent(id)), "{:?} {:?}", pair.a.finish, pair.b.finish);
        assert!(pair.now() > 55_000_000);
    }
}

#[test]
fn an_idle_session_is_kept_alive_by_pings() {
    let mut pair = setup().join();
    pair.run_until(1_000, |pair| pair.now() > 900_000_000);
    assert_eq!((pair.a.finish, pair.b.finish), (None, None));
    assert!(
        pair.wire.channel(0).carried + pair.wire.channel(1).carried < 5_000,
        "a PING now and then is enough"
    );
}
