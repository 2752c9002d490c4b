//! The link is cut at every byte, in either direction, and the next session goes on from what is durable (§9.4).

use sampan_core::{Error, Limits, LinkError, TransferId};
use sampan_tests::{Disk, Heard, Offer, Setup, content};

const LENGTH: usize = 900;

fn limits() -> Limits {
    Limits { sync_bytes: 150, window: 300, eager: 100, ..Limits::LARGE }
}

fn setup(disk: &Disk, session: u64) -> Setup {
    Setup {
        limits: [limits(); 2],
        memory: [(120, 120, 2); 2],
        disks: [Disk::default(), disk.clone()],
        session,
        ..Setup::default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    Stays,
    Goes,
}

/// Sends `file` over a link that is cut after `cut` bytes of direction `channel`; what was stored and durable then.
fn cut(disk: &Disk, channel: usize, cut: u64, power: Power, file: &Offer) -> Option<u64> {
    let mut pair = setup(disk, 1).join();
    pair.wire.channel(channel).cut_after = Some(cut);
    pair.a.send(file.clone());
    pair.run_until(60, |pair| {
        pair.a.heard.contains(&Heard::Sent(TransferId(1)))
            || (pair.a.finish.is_some() && pair.b.finish.is_some())
    });
    if pair.a.heard.contains(&Heard::Sent(TransferId(1))) {
        return None;
    }
    assert_eq!(pair.a.finish, Some(Err(Error::Link(LinkError::Lost))));
    assert!(disk.file(&file.name).is_none_or(|data| data == file.data), "a wrong file is in place");
    if power == Power::Goes {
        disk.cut_power();
    }
    Some(disk.part(&file.name).map_or(0, |part| part.durable.offset))
}

fn whole_transfer(channel: usize) -> u64 {
    let mut pair = setup(&Disk::default(), 1).join();
    pair.a.send(Offer::file("n", content(1, LENGTH)));
    pair.run_until(60, |pair| pair.a.heard.contains(&Heard::Sent(TransferId(1))));
    pair.wire.channel(channel).carried
}

#[test]
fn cut_at_every_byte_it_resumes_and_sends_only_what_was_not_durable() {
    let file = Offer::file("n", content(1, LENGTH));
    let mut resumed = 0;
    for channel in [0, 1] {
        for after in 0..=whole_transfer(channel) {
            for power in [Power::Stays, Power::Goes] {
                let disk = Disk::default();
                let Some(durable) = cut(&disk, channel, after, power, &file) else { continue };
                let there = disk.file("n").is_some();
                let mut pair = setup(&disk, 2).join();
                let id = pair.a.send(file.clone().patient());
                pair.a.engine.close(sampan_core::wire::Code::Ok);
                assert_eq!(pair.finish(60), (Ok(()), Ok(())), "{channel} {after} {power:?}");
                assert_eq!(disk.file("n").as_ref(), Some(&file.data));
                if there {
                    assert!(pair.a.heard.contains(&Heard::HadIt(id)));
                    assert_eq!(pair.b.storage.stored, 0);
                } else {
                    assert_eq!(
                        pair.b.storage.accepted,
                        [("n".to_string(), durable)],
                        "{channel} {after} {power:?}"
                    );
                    assert_eq!(pair.b.storage.stored, LENGTH as u64 - durable);
                    assert_eq!(
                        pair.a.storage.fetched, LENGTH as u64,
                        "each byte once, for the prefix or to be sent"
                    );
                }
                resumed += u32::from(durable > 0);
            }
        }
    }
    assert!(resumed > 1_000, "only {resumed} of them had anything to resume");
}

#[test]
fn a_source_that_changed_in_between_is_sent_anew() {
    let old = Offer::file("n", content(1, LENGTH));
    let new = Offer::file("n", content(2, LENGTH));
    let mut discarded = 0;
    for after in 0..=whole_transfer(0) {
        let disk = Disk::default();
        let Some(durable) = cut(&disk, 0, after, Power::Stays, &old) else { continue };
        let mut pair = setup(&disk, 2).join();
        pair.a.send(new.clone().patient());
        pair.a.engine.close(sampan_core::wire::Code::Ok);
        assert_eq!(pair.finish(60), (Ok(()), Ok(())));
        assert_eq!(disk.file("n").as_ref(), Some(&new.data));
        assert_eq!(pair.b.storage.stored, LENGTH as u64);
        discarded += u32::from(durable > 0);
    }
    assert!(discarded > 500);
}

#[test]
fn a_source_that_changed_under_the_same_identity_is_restarted() {
    let old = Offer::file("n", content(1, LENGTH));
    let new = Offer { data: content(2, LENGTH), ..old.clone() };
    let mut restarted = 0;
    for after in 0..=whole_transfer(0) {
        for start in [new.clone(), new.clone().patient()] {
            let disk = Disk::default();
            let Some(durable) = cut(&disk, 0, after, Power::Stays, &old) else { continue };
            if disk.file("n").is_some() {
                continue;
            }
            let mut pair = setup(&disk, 2).join();
            pair.a.send(start);
            pair.a.engine.close(sampan_core::wire::Code::Ok);
            assert_eq!(pair.finish(60), (Ok(()), Ok(())));
            assert_eq!(disk.file("n").as_ref(), Some(&new.data), "{after}");
            let offsets: Vec<u64> = pair.b.storage.accepted.iter().map(|(_, offset)| *offset).collect();
            if durable > 0 {
                assert_eq!(offsets, [durable, 0], "{after}");
                restarted += 1;
            }
        }
    }
    assert!(restarted > 500);
}

#[test]
fn a_pull_resumes_too() {
    let file = Offer::file("n", content(1, LENGTH));
    let mut resumed = 0;
    for after in (0..2_000).step_by(7) {
        let disk = Disk::default();
        for session in [1, 2] {
            let mut pair = setup(&Disk::default(), session).join();
            pair.a.storage.disk = disk.clone();
            if session == 1 {
                pair.wire.channel(1).cut_after = Some(after);
            }
            pair.b
                .storage
                .offers_on_want
                .insert("n".into(), if session == 1 { file.clone() } else { file.clone().patient() });
            pair.run_until(60, |pair| pair.a.finish.is_some() || pair.a.heard == [Heard::Opened]);
            if let Some(want) = pair.a.engine.want() {
                pair.a.storage.wants.insert(want, ("n".into(), false));
            }
            pair.run_until(60, |pair| {
                pair.a.finish.is_some() || (pair.a.is_idle() && pair.a.heard.len() > 1)
            });
            if session == 2 {
                assert_eq!(disk.file("n").as_ref(), Some(&file.data), "{after}");
                resumed += u32::from(pair.a.storage.accepted.iter().any(|(_, offset)| *offset > 0));
            }
        }
    }
    assert!(resumed > 50);
}
