//! Sources that have nothing now, whatever they are asked: the other things go on, and so do they later.

use sampan_core::wire::Code;
use sampan_core::{Directions, Limits};
use sampan_tests::{Disk, Heard, Offer, Setup, content};

#[test]
fn a_source_may_have_nothing_at_any_of_its_questions() {
    // A description, the contents, the digest: each at first, and some twice.
    for dry in [0b1, 0b10, 0b100, 0b111, 0b1_0101, 0b1011_0110, 0xFFF] {
        for directions in [Directions::Both, Directions::OneAtATime] {
            let limits = [Limits { directions, ..Limits::LARGE }; 2];
            let mut pair = Setup { limits, ..Setup::default() }.join();
            pair.a.storage.policy.dry = dry;
            let (first, second) = (content(1, 3_000), content(2, 100));
            let ids = [
                pair.a.send(Offer::file("first", first.clone())),
                pair.a.send(Offer::file("second", second.clone())),
            ];
            pair.a.engine.close(Code::Ok);
            assert_eq!(pair.finish(290), (Ok(()), Ok(())), "{dry:b}");
            for id in ids {
                assert!(pair.a.heard.contains(&Heard::Sent(id)), "{dry:b}");
            }
            assert_eq!(pair.b.storage.disk.file("first"), Some(first));
            assert_eq!(pair.b.storage.disk.file("second"), Some(second));
            assert_eq!(pair.a.storage.policy.dry, 0, "not everything was asked");
        }
    }
}

#[test]
fn what_was_begun_is_compared_though_the_source_has_nothing_now() {
    let file = Offer::file("n", content(5, 10_000)).patient();
    let disk = Disk::default();
    let limits = [Limits { sync_bytes: 1_000, window: 2_000, ..Limits::LARGE }; 2];
    let setup =
        |session| Setup { limits, session, disks: [Disk::default(), disk.clone()], ..Setup::default() };
    let mut pair = setup(1).join();
    pair.wire.channel(0).cut_after = Some(6_000);
    pair.a.send(file.clone());
    pair.run_until(60, |pair| pair.a.finish.is_some() && pair.b.finish.is_some());
    let durable = disk.part("n").expect("a part").durable.offset;
    assert!(durable > 0);
    let mut pair = setup(2).join();
    // The description is there at once, the prefix and all that follows is not.
    pair.a.storage.policy.dry = 0b0101_0110;
    let id = pair.a.send(file.clone());
    pair.a.engine.close(Code::Ok);
    assert_eq!(pair.finish(290), (Ok(()), Ok(())));
    assert!(pair.a.heard.contains(&Heard::Sent(id)));
    assert_eq!(pair.b.storage.accepted, [("n".to_string(), durable)]);
    assert_eq!(disk.file("n"), Some(file.data));
}

#[test]
fn an_end_whose_source_has_nothing_receives_and_answers_at_once() {
    let mut pair = Setup::default().join();
    pair.run_until(60, |pair| pair.b.heard == [Heard::Opened]);
    pair.a.storage.policy.dry = -1;
    let waiting = pair.a.send(Offer::file("later", content(1, 10)));
    pair.b.storage.words = "hello".into();
    let notice = pair.b.engine.notify().expect("a notice");
    let data = content(3, 100_000);
    let id = pair.b.send(Offer::file("now", data.clone()));
    // An end that asks its source has always done something, and never settles.
    for _ in 0..1_000 {
        let now = pair.now() + 1_000;
        pair.wire.advance(now);
        pair.a.work(now);
        pair.b.work(now);
    }
    assert!(pair.b.heard.contains(&Heard::Sent(id)) && pair.b.heard.contains(&Heard::NoticeTaken(notice)));
    assert_eq!(pair.a.storage.disk.file("now"), Some(data));
    assert!(!pair.a.heard.contains(&Heard::Sent(waiting)));
    pair.a.storage.policy.dry = 0;
    pair.run_until(60, |pair| pair.a.heard.contains(&Heard::Sent(waiting)));
}
