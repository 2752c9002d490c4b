//! The lean engine at one end, the other engine at the other: over a stream and over lines that lose frames, in virtual time.

use sampan_core::wire::Code;
use sampan_core::{By, Cobs, Error, FileType, Limits, LinkError, Part, Refusal, Stream};
use sampan_tests::{
    Conditions, Dice, Finish, Heard, MemoryStorage, Offer, PartFile, Policy, SMALL_BOARD, Setup, Twin,
    WithBoard, bad_line, board, close_and_finish, content, join_board,
};

type Ends<F> = WithBoard<F, ()>;

/// The peer has said that it is over at both ends.
const WELL: (Finish, Finish) = (Ok(()), Ok(()));

/// Several files, one after the other.
fn several_files<F: Twin>() {
    for length in [0, 1, 31, 700, 20_000] {
        let setup = Setup::default();
        let mut pair = join_board::<F, ()>(&setup, SMALL_BOARD, Default::default());
        for n in 0..3 {
            pair.a.send(Offer::file(&format!("file{n}"), content(n, length)));
        }
        assert_eq!(close_and_finish(&mut pair), WELL, "{length}: {:?}", pair.a.heard);
        for n in 0..3 {
            assert_eq!(setup.disks[1].file(&format!("file{n}")), Some(content(n, length)), "{length}");
        }
    }
}

#[test]
fn files_arrive_over_a_stream() {
    several_files::<Stream>();
}

#[test]
fn files_arrive_over_a_line() {
    several_files::<Cobs>();
}

/// What the storage may say and do, without harm.
fn every_policy<F: Twin>() {
    let file = Offer::file("file", content(1, 2_000));
    let slow = [
        Policy { late_sync: true, late_commit: true, ..Policy::default() },
        Policy { busy_every: Some(2), at_most: 7, ..Policy::default() },
        Policy { busy_every: Some(3), late_sync: true, ..Policy::default() },
    ];
    for policy in slow {
        let setup = Setup::default();
        let mut pair = join_board::<F, ()>(&setup, SMALL_BOARD, Default::default());
        pair.b.storage.policy = policy.clone();
        pair.a.send(file.clone());
        assert_eq!(close_and_finish(&mut pair), WELL, "{policy:?}");
        assert_eq!(setup.disks[1].file("file").as_ref(), Some(&file.data), "{policy:?}");
    }
    let no_space = Refusal::from(Code::NoSpace);
    let failing = [
        Policy { decline: Some(no_space), ..Policy::default() },
        Policy { fail_store: Some(1), ..Policy::default() },
        Policy { fail_store: Some(9), ..Policy::default() },
        Policy { fail_commit: Some(no_space), ..Policy::default() },
    ];
    for policy in failing {
        let setup = Setup::default();
        let mut pair = join_board::<F, ()>(&setup, SMALL_BOARD, Default::default());
        pair.b.storage.policy = policy.clone();
        let id = pair.a.send(file.clone());
        pair.run_until(100, |pair| pair.a.heard.len() > 1);
        let told = Heard::SendFailed(id, Code::NoSpace, By::Peer, String::new());
        assert!(pair.a.heard.contains(&told), "{policy:?}: {:?}", pair.a.heard);
        let kept = vec![("file".to_string(), Part::Keep)];
        let left = if policy.decline.is_some() { Vec::new() } else { kept };
        assert_eq!(pair.b.storage.abandoned, left, "{policy:?}");
        // What failed does not keep the next one from arriving.
        pair.b.storage.policy = Policy::default();
        pair.a.send(Offer::file("next", content(2, 500)));
        assert_eq!(close_and_finish(&mut pair), WELL, "{policy:?}");
        assert_eq!(setup.disks[1].file("next"), Some(content(2, 500)), "{policy:?}");
    }
}

#[test]
fn a_storage_that_is_slow_or_fails_is_told_over_a_stream() {
    every_policy::<Stream>();
}

#[test]
fn a_storage_that_is_slow_or_fails_is_told_over_a_line() {
    every_policy::<Cobs>();
}

fn resumes<F: Twin>() {
    let file = Offer::file("file", content(1, 3_000)).patient();
    for (there, begins) in
        [(content(1, 3_000)[..1_100].to_vec(), vec![1_100]), (content(2, 900), vec![900, 0])]
    {
        let setup = Setup::default();
        let mut pair = join_board::<F, ()>(&setup, SMALL_BOARD, Default::default());
        pair.b.storage.disk.put_part("file", PartFile::of(&file, there));
        pair.a.send(file.clone());
        assert_eq!(close_and_finish(&mut pair), WELL);
        let begun: Vec<_> = pair.b.storage.accepted.iter().map(|(_, offset)| *offset).collect();
        assert_eq!(begun, begins);
        assert_eq!(setup.disks[1].file("file").as_ref(), Some(&file.data));
        // Offered again it is there already.
        let mut pair =
            join_board::<F, ()>(&Setup { session: 2, ..setup.clone() }, SMALL_BOARD, Default::default());
        let id = pair.a.send(file.clone());
        assert_eq!(close_and_finish(&mut pair), WELL);
        assert!(pair.a.heard.contains(&Heard::HadIt(id)), "{:?}", pair.a.heard);
        assert_eq!(pair.b.storage.stored, 0);
    }
}

#[test]
fn a_part_is_resumed_and_another_one_begun_anew_over_a_stream() {
    resumes::<Stream>();
}

#[test]
fn a_part_is_resumed_and_another_one_begun_anew_over_a_line() {
    resumes::<Cobs>();
}

#[test]
fn notices_are_answered_and_wishes_are_not_even_said() {
    let mut pair = join_board::<Cobs, ()>(&Setup::default(), SMALL_BOARD, Default::default());
    pair.a.storage.words = "tea is ready".into();
    pair.run_until(100, |pair| pair.a.heard.contains(&Heard::Opened));
    assert_eq!(pair.a.engine.want(), None);
    let number = pair.a.engine.notify().expect("none is under way");
    pair.run_until(100, |pair| pair.a.heard.contains(&Heard::NoticeTaken(number)));
    assert_eq!(close_and_finish(&mut pair), WELL);
}

#[test]
fn what_is_no_file_is_up_to_the_storage_and_what_is_too_large_is_declined() {
    let setup = Setup::default();
    let mut pair = join_board::<Stream, ()>(&setup, SMALL_BOARD, Default::default());
    pair.a.send(Offer { file_type: FileType::Directory, ..Offer::file("directory", Vec::new()) });
    pair.a.send(Offer::file("unknown", content(3, 1_000)).unsized_());
    assert_eq!(close_and_finish(&mut pair), WELL);
    assert_eq!(setup.disks[1].file("unknown"), Some(content(3, 1_000)));
    assert_eq!(setup.disks[1].file("directory"), Some(Vec::new()));
}

/// A stream that is cut after every byte of either direction.
#[test]
fn cut_at_every_byte_of_a_stream_it_resumes_from_what_is_durable() {
    let file = Offer::file("file", content(1, 900));
    let mut resumed = 0;
    for channel in [0, 1] {
        for after in 0.. {
            let setup = Setup::default();
            let mut pair = join_board::<Stream, ()>(&setup, SMALL_BOARD, Default::default());
            pair.wire.channel(channel).cut_after = Some(after);
            let id = pair.a.send(file.clone());
            let over = |pair: &mut Ends<Stream>| pair.a.heard.contains(&Heard::Sent(id));
            pair.run_until(60, |pair| over(pair) || (pair.a.finish.is_some() && pair.b.finish.is_some()));
            if over(&mut pair) {
                break;
            }
            assert_eq!(pair.a.finish, Some(Err(Error::Link(LinkError::Lost))), "{channel} {after}");
            let disk = &setup.disks[1];
            let durable = disk.part("file").map_or(0, |part| part.durable.offset);
            resumed += u64::from(durable > 0);
            let again = Setup { session: 2, ..setup.clone() };
            let mut pair = join_board::<Stream, ()>(&again, SMALL_BOARD, Default::default());
            let whole = disk.file("file").is_some();
            pair.a.send(file.clone().patient());
            assert_eq!(close_and_finish(&mut pair), WELL, "{channel} {after}");
            assert_eq!(disk.file("file").as_ref(), Some(&file.data), "{channel} {after}");
            let left = if whole { 0 } else { file.data.len() as u64 - durable };
            assert_eq!(pair.b.storage.stored, left, "{channel} {after}");
        }
    }
    assert!(resumed > 100, "only {resumed} had anything durable");
}

/// A peer that says nothing, and one that is not heard any more.
fn silences<F: Twin>() {
    let mut pair = join_board::<F, ()>(&Setup::default(), SMALL_BOARD, Default::default());
    pair.wire.channel(0).faults.outages.push(0..u64::MAX);
    let begun = pair.now();
    pair.run_until(100, |pair| pair.b.finish.is_some());
    assert_eq!(pair.b.finish, Some(Err(Error::Link(LinkError::Handshake))));
    assert!((10_000_000..11_500_000).contains(&(pair.now() - begun)), "{}", pair.now() - begun);
    let mut pair = join_board::<F, ()>(&Setup::default(), SMALL_BOARD, Default::default());
    pair.run_until(100, |pair| pair.a.heard.contains(&Heard::Opened));
    pair.run_until(100, |pair| pair.now() > 2_000_000);
    let begun = pair.now();
    pair.wire.channel(0).faults.outages.push(0..u64::MAX);
    pair.run_until(100, |pair| pair.b.finish.is_some());
    assert_eq!(pair.b.finish, Some(Err(Error::Link(LinkError::Silent))));
    assert!((28_000_000..32_000_000).contains(&(pair.now() - begun)), "{}", pair.now() - begun);
}

#[test]
fn a_silent_peer_ends_the_session_over_a_line() {
    silences::<Cobs>();
}

#[test]
fn an_idle_session_lives_on_pings() {
    let mut pair = join_board::<Cobs, ()>(&Setup::default(), SMALL_BOARD, Default::default());
    pair.run_until(4_000, |pair| pair.now() > 3_000_000_000 || pair.b.finish.is_some());
    assert_eq!((pair.a.finish, pair.b.finish), (None, None));
    assert_eq!(close_and_finish(&mut pair), WELL);
}

/// Files over a bad line, with the power of the board and the sender's process going now and then, until all have arrived.
fn life(seed: u64) {
    let mut dice = Dice::new(seed);
    let limits = Limits { window: 1_024, ..Limits::SMALL };
    let conditions = Conditions {
        delay: dice.pick(&[0, 1_000, 20_000, 200_000]),
        rate: dice.pick(&[0, 1_152, 11_520]),
        ..Conditions::default()
    };
    let mut setup = Setup { limits: [limits; 2], conditions, session: seed * 100 + 1, ..Setup::default() };
    let memory = dice.pick(&[SMALL_BOARD, SMALL_BOARD, (80, 64, 40), (600, 100, 512)]);
    let files: Vec<_> = (0..=dice.roll(3))
        .map(|n| {
            let length = dice.pick(&[0, 1, 100, 700, 3_000]);
            Offer::file(&format!("file{n}"), content(dice.roll(1 << 40), length))
        })
        .collect();
    let mut pair = join_board::<Cobs, ()>(&setup, memory, [bad_line(&mut dice), bad_line(&mut dice)]);
    let mut cuts: Vec<u64> = (0..dice.roll(4)).map(|_| dice.roll(20_000_000)).collect();
    let mut left: Vec<_> = files.iter().collect();
    let mut queued = false;
    for _ in 0..20_000 {
        let now = pair.now();
        if let Some(at) = cuts.iter().position(|cut| *cut <= now) {
            cuts.swap_remove(at);
            setup.session += 1;
            if dice.roll(2) == 0 {
                setup.disks[1].cut_power();
                pair.b.storage = MemoryStorage::on(&setup.disks[1]);
                (pair.b.engine, pair.b.finish) =
                    (board::<Cobs, ()>(memory, setup.session * 2 + 1, now), None);
            } else {
                pair.a.finish.get_or_insert(Err(LinkError::Lost.into()));
            }
        }
        if let Some(finish) = pair.a.finish {
            assert!(finish.err().is_none_or(Error::is_resumable), "SEED={seed}: {finish:?}");
            setup.session += 1;
            setup.now = now;
            pair.a.storage = MemoryStorage::on(&setup.disks[0]);
            (pair.a.engine, pair.a.heard, pair.a.finish, queued) = (setup.node(0), Vec::new(), None, false);
        }
        if let Some(finish) = pair.b.finish {
            assert!(finish.err().is_none_or(Error::is_resumable), "SEED={seed}: {finish:?}");
            setup.session += 1;
            pair.b.storage = MemoryStorage::on(&setup.disks[1]);
            (pair.b.engine, pair.b.finish) = (board::<Cobs, ()>(memory, setup.session * 2 + 1, now), None);
        }
        if !queued {
            left = files.iter().filter(|file| setup.disks[1].file(&file.name).is_none()).collect();
            if left.is_empty() {
                break;
            }
            left.reverse();
            queued = true;
        }
        while !left.is_empty()
            && let Some(id) = pair.a.engine.offer()
            && let Some(file) = left.pop()
        {
            pair.a.storage.put(id, file.clone());
        }
        if left.is_empty() {
            pair.a.engine.close(Code::Ok);
        }
        pair.settle();
        pair.advance();
        assert!(pair.now() < 3_000_000_000, "SEED={seed}: not done in time: {pair:#?}");
    }
    for file in &files {
        assert!(
            setup.disks[1].file(&file.name).as_ref() == Some(&file.data),
            "SEED={seed}: {} is wrong",
            file.name
        );
    }
}

fn lives(seeds: std::ops::Range<u64>) {
    match std::env::var("SEED") {
        Ok(seed) => life(seed.parse().expect("a number")),
        Err(_) => seeds.for_each(life),
    }
}

#[test]
fn over_bad_lines_and_power_cuts_everything_arrives() {
    lives(0..150);
}

#[test]
#[ignore = "job lossy"]
fn over_thousands_of_bad_lines_everything_arrives() {
    lives(1_000..6_000);
}
