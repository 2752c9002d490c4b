//! The lean engine in both roles at one end, the other engine at the other: over a stream and over lines that lose frames, in virtual time.

use sampan_core::lean::Sender;
use sampan_core::wire::Code;
use sampan_core::{By, Cobs, Directions, Error, FileType, Limits, LinkError, Stream};
use sampan_tests::{
    Conditions, Dice, Finish, Heard, MemoryStorage, Offer, PartFile, Policy, SMALL_BOARD, Setup, Twin,
    WithBoard, bad_line, board, close_and_finish, content, join_board,
};

type Ends<F> = WithBoard<F, Sender>;

/// The peer has said that it is over at both ends.
const WELL: (Finish, Finish) = (Ok(()), Ok(()));

fn join<F: Twin>(setup: &Setup) -> Ends<F> {
    join_board(setup, SMALL_BOARD, Default::default())
}

fn open<F: Twin>(pair: &mut Ends<F>) {
    pair.run_until(100, |pair| pair.a.heard.contains(&Heard::Opened));
}

/// The end that dials wants this of the board.
fn want<F: Twin>(pair: &mut Ends<F>, offer: Offer) {
    open(pair);
    let listing = offer.file_type == FileType::Listing;
    let want = pair.a.engine.want().expect("a free slot");
    pair.a.storage.wants.insert(want, (offer.name.clone(), listing));
    pair.b.storage.offers_on_want.insert(offer.name.clone(), offer);
}

fn fetched<F: Twin>() {
    for length in [0, 1, 49, 50, 51, 700, 20_000] {
        let setup = Setup::default();
        let mut pair = join::<F>(&setup);
        for n in 0..3 {
            let offer = Offer::file(&format!("file{n}"), content(n, length));
            want(&mut pair, if n == 1 { offer.unsized_() } else { offer });
            let got = |pair: &mut Ends<F>| pair.a.storage.disk.file(&format!("file{n}")).is_some();
            pair.run_until(1_000, got);
        }
        assert_eq!(close_and_finish(&mut pair), WELL, "{length}");
        for n in 0..3 {
            assert_eq!(setup.disks[0].file(&format!("file{n}")), Some(content(n, length)), "{length}");
        }
    }
}

#[test]
fn files_are_fetched_over_a_stream() {
    fetched::<Stream>();
}

#[test]
fn files_are_fetched_over_a_line() {
    fetched::<Cobs>();
}

fn listed_and_not_there<F: Twin>() {
    let setup = Setup::default();
    let mut pair = join::<F>(&setup);
    let listing = Offer { file_type: FileType::Listing, ..Offer::file("", content(1, 900)).unsized_() };
    want(&mut pair, listing);
    pair.run_until(1_000, |pair| pair.a.storage.disk.file("listing").is_some());
    assert_eq!(setup.disks[0].file("listing"), Some(content(1, 900)));
    let missing = pair.a.engine.want().expect("a free slot");
    pair.a.storage.wants.insert(missing, ("missing".into(), false));
    assert_eq!(close_and_finish(&mut pair), WELL);
    assert!(pair.a.heard.contains(&Heard::WantFailed(missing, Code::NotFound)), "{:?}", pair.a.heard);
}

#[test]
fn listings_are_fetched_and_what_is_not_there_is_refused_over_a_stream() {
    listed_and_not_there::<Stream>();
}

#[test]
fn listings_are_fetched_and_what_is_not_there_is_refused_over_a_line() {
    listed_and_not_there::<Cobs>();
}

/// The board sends of its own accord, while it is sent something.
fn both_ways<F: Twin>(directions: Directions) {
    let setup = Setup { limits: [Limits { directions, ..Limits::LARGE }; 2], ..Setup::default() };
    let mut pair = join::<F>(&setup);
    pair.a.send(Offer::file("to the board", content(1, 5_000)));
    pair.a.send(Offer::file("to the board, too", content(2, 5_000)));
    let id = pair.b.engine.offer().expect("nothing is sent yet");
    assert_eq!(pair.b.engine.offer(), None);
    pair.b.storage.put(id, Offer::file("from the board", content(3, 6_000)));
    pair.run_until(1_000, |pair| pair.b.heard.contains(&Heard::Sent(id)));
    assert_eq!(close_and_finish(&mut pair), WELL);
    assert_eq!(setup.disks[1].file("to the board"), Some(content(1, 5_000)));
    assert_eq!(setup.disks[1].file("to the board, too"), Some(content(2, 5_000)));
    assert_eq!(setup.disks[0].file("from the board"), Some(content(3, 6_000)));
}

#[test]
fn both_directions_run_over_a_stream() {
    both_ways::<Stream>(Directions::Both);
}

#[test]
fn both_directions_run_over_a_line() {
    both_ways::<Cobs>(Directions::Both);
}

#[test]
fn directions_take_turns_over_a_stream() {
    both_ways::<Stream>(Directions::OneAtATime);
}

#[test]
fn directions_take_turns_over_a_line() {
    both_ways::<Cobs>(Directions::OneAtATime);
}

fn resumes<F: Twin>() {
    let file = Offer::file("file", content(1, 3_000));
    for (there, begins) in
        [(content(1, 3_000)[..1_100].to_vec(), vec![1_100]), (content(2, 900), vec![900, 0])]
    {
        let setup = Setup::default();
        setup.disks[0].put_part("file", PartFile::of(&file, there));
        let mut pair = join::<F>(&setup);
        want(&mut pair, file.clone());
        pair.run_until(1_000, |pair| pair.a.storage.disk.file("file").is_some());
        assert_eq!(close_and_finish(&mut pair), WELL);
        let begun: Vec<_> = pair.a.storage.accepted.iter().map(|(_, offset)| *offset).collect();
        assert_eq!(begun, begins);
        assert_eq!(setup.disks[0].file("file").as_ref(), Some(&file.data));
    }
}

#[test]
fn what_is_there_already_is_not_sent_over_a_stream() {
    resumes::<Stream>();
}

#[test]
fn what_is_there_already_is_not_sent_over_a_line() {
    resumes::<Cobs>();
}

/// What the receiver says to a board that sends.
fn refusals<F: Twin>() {
    let cases = [
        (Policy { decline: Some(Code::NoSpace.into()), ..Policy::default() }, Code::NoSpace),
        (Policy { fail_store: Some(3), ..Policy::default() }, Code::NoSpace),
        (Policy { fail_commit: Some(Code::Storage.into()), ..Policy::default() }, Code::Storage),
    ];
    for (policy, code) in cases {
        let setup = Setup::default();
        let mut pair = join::<F>(&setup);
        pair.a.storage.policy = policy.clone();
        let id = pair.b.engine.offer().expect("nothing is sent yet");
        pair.b.storage.put(id, Offer::file("file", content(1, 2_000)));
        let told = Heard::SendFailed(id, code, By::Peer, String::new());
        pair.run_until(1_000, |pair| pair.b.heard.contains(&told));
        // The next one goes.
        pair.a.storage.policy = Policy::default();
        let id = pair.b.engine.offer().expect("the one before is over");
        pair.b.storage.put(id, Offer::file("next", content(2, 500)));
        pair.run_until(1_000, |pair| pair.b.heard.contains(&Heard::Sent(id)));
        assert_eq!(close_and_finish(&mut pair), WELL, "{policy:?}");
        assert_eq!(setup.disks[0].file("next"), Some(content(2, 500)), "{policy:?}");
    }
}

#[test]
fn a_refusal_is_told_over_a_stream() {
    refusals::<Stream>();
}

#[test]
fn a_refusal_is_told_over_a_line() {
    refusals::<Cobs>();
}

#[test]
fn a_source_that_is_not_what_it_was_is_given_up() {
    let conditions = Conditions { rate: 11_520, capacity: 300, ..Conditions::default() };
    let setup = Setup { conditions, ..Setup::default() };
    let mut pair = join::<Cobs>(&setup);
    let id = pair.b.engine.offer().expect("nothing is sent yet");
    pair.b.storage.put(id, Offer::file("file", content(1, 3_000)));
    pair.run_until(1_000, |pair| pair.b.storage.fetched > 500);
    pair.b.storage.put(id, Offer::file("file", content(1, 1_500)));
    let told = |it: &Heard| matches!(it, Heard::ReceiveFailed(_, Code::Changed, By::Peer, _));
    pair.run_until(1_000, |pair| pair.a.heard.iter().any(told));
    assert_eq!(close_and_finish(&mut pair), WELL);
    assert_eq!(setup.disks[0].file("file"), None);
}

/// The source has nothing now and then, and the board hears and answers meanwhile.
fn dry<F: Twin>() {
    for dry in [0b1, 0b101_1011, 0x5555_5555_5555, i64::MAX] {
        let setup = Setup::default();
        let mut pair = join::<F>(&setup);
        pair.b.storage.policy.dry = dry;
        let id = pair.b.engine.offer().expect("nothing is sent yet");
        pair.b.storage.put(id, Offer::file("file", content(1, 2_000)));
        pair.a.send(Offer::file("there", content(2, 2_000)));
        let over = |pair: &mut Ends<F>| pair.b.heard.contains(&Heard::Sent(id));
        pair.run_until(1_000, over);
        assert_eq!(close_and_finish(&mut pair), WELL, "{dry:#b}");
        assert_eq!(setup.disks[0].file("file"), Some(content(1, 2_000)), "{dry:#b}");
        assert_eq!(setup.disks[1].file("there"), Some(content(2, 2_000)), "{dry:#b}");
    }
}

#[test]
fn a_source_that_has_nothing_now_is_asked_again_over_a_stream() {
    dry::<Stream>();
}

#[test]
fn a_source_that_has_nothing_now_is_asked_again_over_a_line() {
    dry::<Cobs>();
}

/// A file each way over a bad line, with either end beginning again now and then, until both have arrived.
fn life(seed: u64) {
    let mut dice = Dice::new(seed);
    let directions = dice.pick(&[Directions::Both, Directions::OneAtATime]);
    let limits = Limits { window: dice.pick(&[128, 1_024, 8_192]), directions, ..Limits::SMALL };
    let conditions = Conditions {
        delay: dice.pick(&[0, 1_000, 20_000, 200_000]),
        rate: dice.pick(&[0, 1_152, 11_520]),
        ..Conditions::default()
    };
    let mut setup = Setup { limits: [limits; 2], conditions, session: seed * 100 + 1, ..Setup::default() };
    let memory = dice.pick(&[SMALL_BOARD, SMALL_BOARD, (80, 64, 40), (600, 400, 512)]);
    let lengths = [0, 1, 100, 700, 3_000];
    let there = Offer::file("there", content(dice.roll(1 << 40), dice.pick(&lengths)));
    let back = Offer::file("back", content(dice.roll(1 << 40), dice.pick(&lengths)));
    let mut pair: Ends<Cobs> = join_board(&setup, memory, [bad_line(&mut dice), bad_line(&mut dice)]);
    pair.b.storage.offers_on_want.insert("back".into(), back.clone());
    let mut cuts: Vec<u64> = (0..dice.roll(4)).map(|_| dice.roll(20_000_000)).collect();
    let (mut sends, mut wants) = (true, true);
    loop {
        let now = pair.now();
        if let Some(at) = cuts.iter().position(|cut| *cut <= now) {
            cuts.swap_remove(at);
            let lost = Some(Err(LinkError::Lost.into()));
            if dice.roll(2) == 0 {
                setup.disks[1].cut_power();
                pair.b.finish = pair.b.finish.or(lost);
            } else {
                pair.a.finish = pair.a.finish.or(lost);
            }
        }
        setup.now = now;
        if let Some(finish) = pair.a.finish {
            assert!(finish.err().is_none_or(Error::is_resumable), "SEED={seed}: {finish:?}");
            setup.session += 1;
            pair.a.storage = MemoryStorage::on(&setup.disks[0]);
            (pair.a.engine, pair.a.heard, pair.a.finish) = (setup.node(0), Vec::new(), None);
            sends = setup.disks[1].file("there").is_none();
            wants = setup.disks[0].file("back").is_none();
            if !sends && !wants {
                break;
            }
        }
        if let Some(finish) = pair.b.finish {
            assert!(finish.err().is_none_or(Error::is_resumable), "SEED={seed}: {finish:?}");
            setup.session += 1;
            pair.b.storage = MemoryStorage::on(&setup.disks[1]);
            pair.b.storage.offers_on_want.insert("back".into(), back.clone());
            (pair.b.engine, pair.b.finish) =
                (board::<Cobs, Sender>(memory, setup.session * 2 + 1, now), None);
        }
        if sends && let Some(id) = pair.a.engine.offer() {
            pair.a.storage.put(id, there.clone());
            sends = false;
        }
        let open = pair.a.heard.contains(&Heard::Opened);
        if open
            && wants
            && let Some(want) = pair.a.engine.want()
        {
            pair.a.storage.wants.insert(want, ("back".into(), false));
            wants = false;
        }
        if !sends && !wants {
            pair.a.engine.close(Code::Ok);
        }
        pair.settle();
        pair.advance();
        assert!(pair.now() < 3_000_000_000, "SEED={seed}: not done in time: {pair:#?}");
    }
    assert!(setup.disks[1].file("there").as_ref() == Some(&there.data), "SEED={seed}");
    assert!(setup.disks[0].file("back").as_ref() == Some(&back.data), "SEED={seed}");
}

fn lives(seeds: std::ops::Range<u64>) {
    match std::env::var("SEED") {
        Ok(seed) => life(seed.parse().expect("a number")),
        Err(_) => seeds.for_each(life),
    }
}

#[test]
fn over_bad_lines_and_power_cuts_both_arrive() {
    lives(0..150);
}

#[test]
#[ignore = "job lossy"]
fn over_thousands_of_bad_lines_both_arrive() {
    lives(1_000..6_000);
}
