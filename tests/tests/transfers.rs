//! Every kind of transfer, between two engines in virtual time.

use sampan_core::session::transitions::SessionState;
use sampan_core::wire::Code;
use sampan_core::{By, Directions, FileType, Limits, LinkError, Millis, Part, TransferId};
use sampan_tests::{Conditions, Heard, Offer, Policy, Setup, content};

const ONE: TransferId = TransferId(1);

#[test]
fn push() {
    for length in [0, 1, 63, 64, 65, 4_000, 4_080, 4_096, 100_000] {
        let mut pair = Setup::default().join();
        let data = content(7, length);
        let id = pair.a.send(Offer::file("a/b.bin", data.clone()));
        pair.a.engine.close(Code::Ok);
        assert_eq!(pair.finish(60), (Ok(()), Ok(())), "{length}");
        assert_eq!(pair.a.heard, [Heard::Opened, Heard::Sent(id), Heard::Bye(Code::Ok)]);
        assert_eq!(pair.b.heard, [Heard::Opened, Heard::Received(id), Heard::Bye(Code::Ok)]);
        assert_eq!(pair.b.storage.disk.file("a/b.bin"), Some(data));
        assert_eq!(pair.a.engine.state(), SessionState::Closed);
    }
}

#[test]
fn a_size_that_is_not_known_before_the_end() {
    for length in [0, 1, 5_000, 100_000] {
        let mut pair = Setup::default().join();
        let data = content(3, length);
        let id = pair.a.send(Offer::file("stream", data.clone()).unsized_());
        pair.a.engine.close(Code::Ok);
        assert_eq!(pair.finish(60), (Ok(()), Ok(())));
        assert!(pair.a.heard.contains(&Heard::Sent(id)));
        assert_eq!(pair.b.storage.disk.file("stream"), Some(data));
    }
}

#[test]
fn directories_are_names_without_contents() {
    let mut pair = Setup::default().join();
    let id = pair.a.send(Offer { file_type: FileType::Directory, ..Offer::file("empty/dir", vec![0; 4096]) });
    pair.a.engine.close(Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
    assert!(pair.a.heard.contains(&Heard::Sent(id)));
    assert_eq!(pair.b.storage.disk.names(), ["empty/dir"]);
}

#[test]
fn pull() {
    let mut pair = Setup::default().join();
    let data = content(4, 50_000);
    pair.b.storage.offers_on_want.insert("x/y".into(), Offer::file("x/y", data.clone()));
    pair.run_until(60, |pair| pair.a.heard == [Heard::Opened]);
    for name in ["x/y", "absent"] {
        let want = pair.a.engine.want().expect("a free slot");
        pair.a.storage.wants.insert(want, (name.into(), false));
    }
    pair.run_until(60, |pair| pair.a.engine.is_idle());
    assert!(pair.a.heard.contains(&Heard::Received(ONE)));
    assert!(pair.a.heard.contains(&Heard::WantFailed(sampan_core::WantId(2), Code::NotFound)));
    assert_eq!(pair.a.storage.disk.file("x/y"), Some(data));
    pair.a.engine.close(Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
}

#[test]
fn a_listing_is_a_transfer() {
    let mut pair = Setup::default().join();
    let records = content(5, 9_000);
    let listing = Offer { file_type: FileType::Listing, ..Offer::file("", records.clone()).unsized_() };
    pair.b.storage.offers_on_want.insert(String::new(), listing);
    pair.run_until(60, |pair| pair.a.heard == [Heard::Opened]);
    let want = pair.a.engine.want().expect("a free slot");
    pair.a.storage.wants.insert(want, (String::new(), true));
    pair.run_until(60, |pair| pair.a.engine.is_idle());
    assert_eq!(pair.a.storage.disk.file("listing"), Some(records));
}

#[test]
fn wants_are_limited_by_what_the_peer_takes() {
    let mut pair = Setup { memory: [(4096, 4096, 8), (4096, 4096, 2)], ..Setup::default() }.join();
    assert!(pair.a.engine.want().is_none(), "not open yet");
    pair.run_until(60, |pair| pair.a.heard == [Heard::Opened]);
    assert!(pair.a.engine.want().is_some());
    assert!(pair.a.engine.want().is_some());
    assert!(pair.a.engine.want().is_none());
}

#[test]
fn both_directions_at_once_and_more_files_than_slots() {
    let mut pair = Setup::default().join();
    let mut left = [20, 20];
    let mut sizes = [0_usize; 2];
    pair.run_until(600, |pair| {
        for (index, end) in [&mut pair.a, &mut pair.b].into_iter().enumerate() {
            while left[index] > 0 {
                let Some(id) = end.engine.offer() else { break };
                let length = left[index] * 1_000;
                sizes[index] += length;
                end.storage.put(
                    id,
                    Offer::file(&format!("{index}-{}", left[index]), content(left[index] as u64, length)),
                );
                left[index] -= 1;
            }
        }
        let done =
            |heard: &[Heard]| heard.iter().filter(|heard| matches!(heard, Heard::Sent(_))).count() == 20;
        done(&pair.a.heard) && done(&pair.b.heard)
    });
    assert_eq!(pair.a.storage.disk.names().len(), 20);
    assert_eq!(pair.b.storage.disk.names().len(), 20);
    assert_eq!(pair.b.storage.stored as usize, sizes[0], "nothing was sent twice");
    assert_eq!(pair.a.storage.stored as usize, sizes[1]);
}

#[test]
fn a_decline_comes_with_its_code() {
    for start in [Offer::file("n", content(1, 30_000)), Offer::file("n", content(1, 30_000)).patient()] {
        let mut pair = Setup::default().join();
        pair.b.storage.policy = Policy::declining(Code::Exists);
        let first = pair.a.send(start.clone());
        let second = pair.a.send(start);
        pair.a.engine.close(Code::Ok);
        assert_eq!(pair.finish(60), (Ok(()), Ok(())));
        for id in [first, second] {
            assert!(pair.a.heard.contains(&Heard::SendFailed(id, Code::Exists, By::Peer, String::new())));
            assert!(pair.b.heard.contains(&Heard::ReceiveFailed(id, Code::Exists, By::Us, String::new())));
        }
        assert!(pair.b.storage.disk.names().is_empty());
    }
}

#[test]
fn what_is_there_already_is_not_sent() {
    let mut pair = Setup::default().join();
    let file = Offer::file("n", content(1, 30_000)).patient();
    pair.a.send(file.clone());
    pair.run_until(60, |pair| pair.a.heard.contains(&Heard::Sent(ONE)));
    let again = pair.a.send(file);
    pair.run_until(60, |pair| pair.a.heard.contains(&Heard::HadIt(again)));
    assert_eq!(pair.b.storage.stored, 30_000);
    assert_eq!(pair.a.storage.fetched, 30_000);
}

#[test]
fn a_source_that_changes_or_ends_early_is_not_published() {
    let mut pair = Setup::default().join();
    pair.a.storage.policy.changed = true;
    let id = pair.a.send(Offer::file("n", content(1, 30_000)));
    pair.a.engine.close(Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
    assert_eq!(pair.a.heard[1], Heard::SendFailed(id, Code::Changed, By::Us, String::new()));
    assert!(pair.b.heard.contains(&Heard::ReceiveFailed(id, Code::Changed, By::Peer, String::new())));
    assert!(pair.b.storage.disk.names().is_empty());
    assert_eq!(pair.b.storage.abandoned, [("n".to_string(), Part::Discard)]);
}

#[test]
fn a_sink_that_fails_ends_the_transfer_and_no_other() {
    for call in 1..=9 {
        let mut pair = Setup::default().join();
        pair.b.storage.policy.fail_store = Some(call);
        let first = pair.a.send(Offer::file("first", content(1, 30_000)));
        let second = pair.a.send(Offer::file("second", content(2, 10_000)));
        pair.a.engine.close(Code::Ok);
        assert_eq!(pair.finish(60), (Ok(()), Ok(())));
        let (failed, fine) = if call <= 8 { (first, second) } else { (second, first) };
        assert!(pair.a.heard.contains(&Heard::SendFailed(failed, Code::NoSpace, By::Peer, String::new())));
        assert!(pair.a.heard.contains(&Heard::Sent(fine)), "{call}: {:?}", pair.a.heard);
    }
}

#[test]
fn a_commit_that_fails_is_told() {
    let mut pair = Setup::default().join();
    pair.b.storage.policy.fail_commit = Some(Code::NoSpace.into());
    let id = pair.a.send(Offer::file("n", content(1, 3_000)));
    pair.a.engine.close(Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
    assert!(pair.a.heard.contains(&Heard::SendFailed(id, Code::NoSpace, By::Peer, String::new())));
    assert_eq!(pair.b.storage.abandoned, [("n".to_string(), Part::Keep)]);
}

#[test]
fn done_never_comes_before_the_commit() {
    // OFFER, DATA and END come in one read, so that ACCEPT is still owed when the commit begins.
    for length in [0, 100] {
        let mut pair = Setup::default().join();
        pair.b.storage.policy = Policy { never_commit: true, ..Policy::default() };
        let id = pair.a.send(Offer::file("n", content(1, length)));
        pair.run_until(60, |pair| pair.now() > 10_000_000);
        assert!(!pair.a.heard.contains(&Heard::Sent(id)), "{length}");
    }
}

#[test]
fn wrong_contents_are_sent_again_once_and_then_are_an_error() {
    let mut pair = Setup::default().join();
    pair.b.storage.policy.fail_commit = Some(Code::Integrity.into());
    let id = pair.a.send(Offer::file("n", content(1, 3_000)));
    pair.a.engine.close(Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
    assert!(pair.a.heard.contains(&Heard::SendFailed(id, Code::Integrity, By::Peer, String::new())));
    assert_eq!(pair.b.storage.stored, 6_000, "tried twice");
    let discarded = ("n".to_string(), Part::Discard);
    assert_eq!(pair.b.storage.abandoned, [discarded.clone(), discarded]);
}

#[test]
fn late_answers_of_the_storage_cover_a_group() {
    let mut pair = Setup { memory: [(4096, 4096, 16); 2], ..Setup::default() }.join();
    pair.b.storage.policy = Policy { late_commit: true, late_sync: true, ..Policy::default() };
    for index in 0..16 {
        pair.a.send(Offer::file(&format!("{index}"), content(index, 100)));
    }
    pair.a.engine.close(Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
    assert_eq!(pair.b.storage.disk.names().len(), 16);
    assert_eq!(pair.b.storage.groups.iter().max(), Some(&16), "{:?}", pair.b.storage.groups);
}

#[test]
fn a_busy_sink_closes_the_credit_and_opens_it_again() {
    let mut pair = Setup::default().join();
    pair.b.storage.policy = Policy { busy_every: Some(2), at_most: 1_000, ..Policy::default() };
    let data = content(1, 50_000);
    let id = pair.a.send(Offer::file("n", data.clone()));
    pair.a.engine.close(Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
    assert!(pair.a.heard.contains(&Heard::Sent(id)));
    assert_eq!(pair.b.storage.disk.file("n"), Some(data));
}

#[test]
fn cancelling_at_either_end_is_told_to_the_other() {
    let mut pair = Setup::default().join();
    let id = pair.a.send(Offer::file("n", content(1, 20_000_000)).patient());
    pair.run_until(60, |pair| pair.b.storage.stored > 0);
    pair.a.engine.cancel(id, Code::Cancelled);
    let other = pair.a.send(Offer::file("m", content(2, 20_000_000)).patient());
    pair.run_until(60, |pair| {
        pair.b.heard.contains(&Heard::ReceiveFailed(id, Code::Cancelled, By::Peer, String::new()))
    });
    assert_eq!(pair.b.storage.abandoned, [("n".to_string(), Part::Keep)]);
    pair.run_until(60, |pair| {
        pair.b.storage.accepted.len() == 2
            && pair.b.storage.disk.part("m").is_some_and(|part| !part.data.is_empty())
    });
    pair.b.engine.refuse(other, Code::TooLarge);
    pair.run_until(60, |pair| {
        pair.a.heard.contains(&Heard::SendFailed(other, Code::TooLarge, By::Peer, String::new()))
    });
    pair.a.engine.close(Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
}

#[test]
fn notices_go_one_at_a_time() {
    let mut pair = Setup::default().join();
    assert_eq!(pair.a.engine.notify(), None, "not open yet");
    pair.run_until(60, |pair| pair.a.heard == [Heard::Opened]);
    pair.a.storage.words = "mind the gap — 조심".into();
    let number = pair.a.engine.notify().expect("none under way");
    assert_eq!(pair.a.engine.notify(), None);
    pair.run_until(60, |pair| pair.a.heard.contains(&Heard::NoticeTaken(number)));
    assert!(pair.b.heard.contains(&Heard::Notice("mind the gap — 조심".into())));
    assert!(pair.a.engine.notify().is_some());
}

#[test]
fn a_farewell_waits_for_a_notice_to_be_taken() {
    let mut pair = Setup::default().join();
    pair.run_until(60, |pair| pair.a.heard == [Heard::Opened]);
    pair.a.storage.words = "last words".into();
    let number = pair.a.engine.notify().expect("none under way");
    pair.a.engine.close(Code::Ok);
    assert_eq!(pair.a.engine.notify(), None);
    pair.b.engine.close(Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
    assert!(pair.a.heard.contains(&Heard::NoticeTaken(number)));
    assert!(pair.b.heard.contains(&Heard::Notice("last words".into())));
}

#[test]
fn a_write_that_fails_does_not_lose_what_the_peer_has_said() {
    // The peer has said BYE and closed; its BYE is still under way when this end finds that it can write no more.
    let slow = Limits { handshake: Millis(100_000), silence: Millis(100_000), ..Limits::LARGE };
    let conditions = Conditions { delay: 15_000_000, ..Conditions::default() };
    let mut pair = Setup { conditions, limits: [slow; 2], ..Setup::default() }.join();
    let id = pair.a.send(Offer::file("n", content(1, 100)));
    pair.a.engine.close(Code::Ok);
    pair.run_until(600, |pair| pair.b.finish.is_some());
    assert_eq!(pair.a.finish, None);
    let said = pair.wire.channel(0).carried;
    assert_eq!(pair.finish(600), (Ok(()), Ok(())));
    assert!(pair.a.heard.contains(&Heard::Sent(id)));
    assert_eq!(pair.wire.channel(0).carried, said, "a PING was due, and could not go");
}

#[test]
fn a_link_that_ends_under_a_want_is_lost_at_once() {
    let mut pair = Setup::default().join();
    pair.run_until(60, |pair| pair.a.heard == [Heard::Opened]);
    let want = pair.a.engine.want().expect("a free slot");
    pair.a.storage.wants.insert(want, ("n".into(), false));
    pair.b.engine.close(Code::Ok);
    pair.wire.channel(0).mute_after = Some(0);
    pair.run_until(60, |pair| pair.a.heard.contains(&Heard::Bye(Code::Ok)));
    pair.wire.close();
    pair.run_until(1, |pair| pair.a.finish.is_some());
    assert_eq!(pair.a.finish, Some(Err(sampan_core::Error::Link(LinkError::Lost))));
}

#[test]
fn a_name_that_the_peer_cannot_take_is_not_sent() {
    let limits = [Limits::LARGE, Limits { name: 10, ..Limits::LARGE }];
    let mut pair = Setup { limits, ..Setup::default() }.join();
    let long = pair.a.send(Offer::file("eleven-long", content(1, 10)));
    let short = pair.a.send(Offer::file("ten-letter", content(1, 10)));
    pair.a.engine.close(Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
    let Heard::SendFailed(id, Code::BadName, By::Us, words) = &pair.a.heard[1] else {
        panic!("{:?}", pair.a.heard)
    };
    assert!(*id == long && words.contains("longer than the peer takes"));
    assert!(pair.a.heard.contains(&Heard::Sent(short)));
}

#[test]
fn the_smallest_and_the_largest_buffers_meet() {
    for memory in
        [[(64, 64, 1), (1 << 20, 1 << 20, 256)], [(1 << 20, 1 << 20, 256), (64, 64, 1)], [(64, 64, 1); 2]]
    {
        let small = memory.map(|(length, ..)| if length == 64 { Limits::SMALL } else { Limits::LARGE });
        let mut pair = Setup { memory, limits: small, ..Setup::default() }.join();
        let data = content(9, 20_000);
        let there = pair.a.send(Offer::file("there", data.clone()));
        let back = pair.b.send(Offer::file("back", data.clone()));
        pair.run_until(600, |pair| {
            pair.a.heard.contains(&Heard::Sent(there)) && pair.b.heard.contains(&Heard::Sent(back))
        });
        pair.a.engine.close(Code::Ok);
        assert_eq!(pair.finish(600), (Ok(()), Ok(())));
        assert_eq!(pair.b.storage.disk.file("there").as_ref(), Some(&data));
        assert_eq!(pair.a.storage.disk.file("back").as_ref(), Some(&data));
    }
}

#[test]
fn reads_and_writes_of_every_size() {
    for size in (1..70).chain([100, 1_000, 4_095, 4_096]) {
        let conditions =
            Conditions { read_max: size, write_max: 1 + size * 7 % 50, delay: 0, ..Conditions::default() };
        let mut pair = Setup { conditions, ..Setup::default() }.join();
        let data = content(size as u64, 10_000);
        let id = pair.a.send(Offer::file("n", data.clone()));
        pair.a.engine.close(Code::Ok);
        assert_eq!(pair.finish(60), (Ok(()), Ok(())), "{size}");
        assert!(pair.a.heard.contains(&Heard::Sent(id)));
        assert_eq!(pair.b.storage.disk.file("n"), Some(data));
    }
}

#[test]
fn a_link_that_holds_little_never_blocks_both_ends() {
    for capacity in [16, 64, 500, 5_000] {
        let conditions = Conditions { capacity, delay: 10, ..Conditions::default() };
        let mut pair = Setup { conditions, ..Setup::default() }.join();
        let there = pair.a.send(Offer::file("there", content(1, 8_000)));
        let back = pair.b.send(Offer::file("back", content(2, 8_000)));
        pair.run_until(600, |pair| {
            pair.a.heard.contains(&Heard::Sent(there)) && pair.b.heard.contains(&Heard::Sent(back))
        });
    }
}

#[test]
fn one_direction_at_a_time_when_either_end_says_so() {
    for (blocking, session) in [(0, 1), (1, 1), (0, u64::MAX / 4), (1, u64::MAX / 4)] {
        let mut limits = [Limits::LARGE; 2];
        limits[blocking].directions = Directions::OneAtATime;
        let mut pair = Setup { limits, session, ..Setup::default() }.join();
        for index in 0..3 {
            pair.a.send(Offer::file(&format!("there-{index}"), content(index, 30_000)));
            pair.b.send(Offer::file(&format!("back-{index}"), content(index + 9, 30_000)));
        }
        pair.run_until(600, |pair| {
            let a = pair.a.storage.disk.part("back-0").is_some_and(|part| !part.data.is_empty());
            let b = pair.b.storage.disk.part("there-0").is_some_and(|part| !part.data.is_empty());
            assert!(!(a && b), "both directions carry DATA");
            pair.a.is_idle() && pair.b.is_idle()
        });
        assert_eq!(pair.a.storage.disk.names().len(), 3);
        assert_eq!(pair.b.storage.disk.names().len(), 3);
    }
}

#[test]
fn a_peer_that_goes_is_a_lost_link_and_parts_are_kept() {
    let mut pair = Setup::default().join();
    pair.a.send(Offer::file("n", content(1, 20_000_000)).patient());
    pair.run_until(60, |pair| pair.b.storage.stored > 0);
    pair.wire.close();
    let lost = sampan_core::Error::Link(LinkError::Lost);
    assert_eq!(pair.finish(60), (Err(lost), Err(lost)));
    assert_eq!(pair.b.storage.abandoned, [("n".to_string(), Part::Keep)]);
    assert!(lost.is_resumable());
}

#[test]
fn a_session_that_is_ended_on_purpose_says_why() {
    let mut pair = Setup::default().join();
    pair.run_until(60, |pair| pair.b.heard == [Heard::Opened]);
    pair.b.engine.close(Code::Closing);
    pair.run_until(60, |pair| pair.a.heard.contains(&Heard::Bye(Code::Closing)));
    assert!(pair.a.engine.offer().is_none());
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
}

#[test]
fn a_sender_offers_no_more_at_a_time_than_the_peer_takes() {
    let limits = [Limits { eager: 0, ..Limits::LARGE }; 2];
    let mut pair = Setup { memory: [(4096, 4096, 4), (4096, 4096, 1)], limits, ..Setup::default() }.join();
    for index in 0..4 {
        pair.a.send(Offer::file(&format!("{index}"), content(index, 10_000)));
    }
    pair.a.engine.close(Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
    assert_eq!(pair.b.storage.disk.names().len(), 4);
}
