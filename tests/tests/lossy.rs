//! Links that lose, damage and inject bytes (§8.5), in virtual time.

use sampan_core::wire::Code;
use sampan_core::{Cobs, Error, FileType, Limits, LinkError, Nonce, Speaks};
use sampan_tests::{Conditions, Faults, Finish, Heard, LossyNode, Offer, Pair, Setup, content, session_over};

/// What is done over the link.
#[derive(Clone, Copy, Debug)]
enum Task {
    Push(usize),
    ManyFiles,
    Pull,
    List,
    Notice,
}

const TASKS: [Task; 6] =
    [Task::Push(3_000), Task::Push(0), Task::ManyFiles, Task::Pull, Task::List, Task::Notice];

fn setup() -> Setup {
    let conditions = Conditions { delay: 10_000, rate: 11_520, ..Conditions::default() };
    let limits = Limits { window: 1024, ..Limits::SMALL };
    Setup { limits: [limits; 2], memory: [(600, 600, 3); 2], conditions, ..Setup::default() }
}

/// Begins it, once the session is open where that is needed.
fn begin(pair: &mut Pair<LossyNode, LossyNode>, task: Task) {
    let open = |pair: &mut Pair<LossyNode, LossyNode>| {
        pair.run_until(100, |pair| pair.a.heard.contains(&Heard::Opened));
    };
    match task {
        Task::Push(length) => drop(pair.a.send(Offer::file("file", content(1, length)))),
        Task::ManyFiles => {
            for n in 0..3 {
                pair.a.send(Offer::file(&format!("file{n}"), content(n, 700)));
            }
        }
        Task::Pull => {
            pair.b.storage.offers_on_want.insert("file".into(), Offer::file("file", content(1, 2_000)));
            open(pair);
            let want = pair.a.engine.want().expect("a free slot");
            pair.a.storage.wants.insert(want, ("file".into(), false));
        }
        Task::List => {
            let listing =
                Offer { file_type: FileType::Listing, ..Offer::file("", content(1, 900)).unsized_() };
            pair.b.storage.offers_on_want.insert(String::new(), listing);
            open(pair);
            let want = pair.a.engine.want().expect("a free slot");
            pair.a.storage.wants.insert(want, (String::new(), true));
        }
        Task::Notice => {
            pair.a.storage.words = "tea is ready".into();
            open(pair);
            assert!(pair.a.engine.notify().is_some());
        }
    }
    pair.a.engine.close(Code::Ok);
}

/// It has arrived, whole and once.
fn check(pair: &Pair<LossyNode, LossyNode>, task: Task, what: &str) {
    let heard = |heard: &[Heard], what: fn(&Heard) -> bool| heard.iter().filter(|it| what(it)).count();
    match task {
        Task::Push(length) => {
            assert_eq!(pair.b.storage.disk.file("file"), Some(content(1, length)), "{what}");
        }
        Task::ManyFiles => {
            for n in 0..3 {
                assert_eq!(pair.b.storage.disk.file(&format!("file{n}")), Some(content(n, 700)), "{what}");
            }
        }
        Task::Pull => assert_eq!(pair.a.storage.disk.file("file"), Some(content(1, 2_000)), "{what}"),
        Task::List => assert_eq!(pair.a.storage.disk.file("listing"), Some(content(1, 900)), "{what}"),
        Task::Notice => {
            let told = heard(&pair.b.heard, |it| matches!(it, Heard::Notice(text) if text == "tea is ready"));
            let taken = heard(&pair.a.heard, |it| matches!(it, Heard::NoticeTaken(_)));
            assert_eq!((told, taken), (1, 1), "{what}");
        }
    }
    let failed =
        |it: &Heard| matches!(it, Heard::SendFailed(..) | Heard::ReceiveFailed(..) | Heard::WantFailed(..));
    assert_eq!(heard(&pair.a.heard, failed) + heard(&pair.b.heard, failed), 0, "{what}: {:?}", pair.a.heard);
}

/// Whether an end may end so where the other's goodbye was lost.
fn is_good(finish: Finish) -> bool {
    matches!(finish, Ok(()) | Err(Error::Link(LinkError::Silent | LinkError::Lost)))
}

/// Runs it with these frames lost; how many passed each way.
fn run(task: Task, lost: [Vec<u64>; 2]) -> [u64; 2] {
    let what = format!("{task:?} without the frames {lost:?}");
    let mut pair = setup().join_lossy(lost.map(Faults::loses));
    begin(&mut pair, task);
    let (a, b) = pair.finish(200);
    assert!(a == Ok(()) && is_good(b), "{what}: {a:?} {b:?}");
    check(&pair, task, &what);
    [pair.wire.channel(0).faults.passed(), pair.wire.channel(1).faults.passed()]
}

#[test]
fn everything_goes_over_a_clean_line() {
    for task in TASKS {
        run(task, [vec![], vec![]]);
    }
}

#[test]
fn any_one_frame_may_be_lost() {
    for task in TASKS {
        let passed = run(task, [vec![], vec![]]);
        for frame in 0..passed[0] {
            run(task, [vec![frame], vec![]]);
        }
        for frame in 0..passed[1] {
            run(task, [vec![], vec![frame]]);
        }
    }
}

#[test]
fn any_two_frames_may_be_lost() {
    for task in [Task::Push(700), Task::Notice, Task::Pull] {
        let passed = run(task, [vec![], vec![]]);
        for first in 0..passed[0] {
            for second in 0..passed[1] {
                run(task, [vec![first], vec![second]]);
            }
            for second in first + 1..passed[0] + 2 {
                run(task, [vec![first, second], vec![]]);
            }
        }
    }
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
    for (chance, most) in [(0.0, 1.05), (1e-4, 2.0), (1e-3, 4.0)] {
        let mut ratios: Vec<f64> = (1..=200).map(|seed| noisy(chance, seed)).collect();
        ratios.sort_by(f64::total_cmp);
        let [least, median, largest] = [0, 100, 199].map(|at| ratios[at]);
        println!(
            "chance {chance} a byte: {least:.3} {median:.3} {largest:.3} bytes sent for each of the file"
        );
        assert!(median < most, "{median} at {chance}");
    }
}

#[test]
fn what_else_is_said_on_the_line_is_told_and_harms_nothing() {
    let log = b"[    0.00] boot ok\r\nlogin: ".to_vec();
    for before in [0, 1, 3, 9] {
        let mut pair = setup().join_lossy(Default::default());
        pair.wire.channel(0).faults = Faults::says(before, &log);
        begin(&mut pair, Task::Push(2_000));
        assert_eq!(pair.finish(100), (Ok(()), Ok(())), "before frame {before}");
        check(&pair, Task::Push(2_000), &format!("junk before frame {before}"));
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
fn a_cancelled_transfer_is_over_at_both_ends_though_the_word_is_lost() {
    for by_sender in [true, false] {
        let mut pair = setup().join_lossy(Default::default());
        let id = pair.a.send(Offer::file("file", content(1, 100_000)));
        pair.run_until(100, |pair| pair.b.storage.stored > 5_000);
        let (end, way) = if by_sender { (0, 0) } else { (1, 1) };
        // The next frames in this direction, the ABORT among them, are lost.
        let passed = pair.wire.channel(way).faults.passed();
        pair.wire.channel(way).faults.lost = (passed..passed + 4).collect();
        if end == 0 {
            pair.a.engine.cancel(id, Code::Cancelled);
        } else {
            pair.b.engine.refuse(id, Code::Cancelled);
        }
        pair.a.engine.close(Code::Ok);
        let (a, b) = pair.finish(200);
        assert!(is_good(a) && is_good(b), "{by_sender}: {a:?} {b:?}");
        let sent = pair.a.heard.iter().any(|it| matches!(it, Heard::SendFailed(..)));
        let received = pair.b.heard.iter().any(|it| matches!(it, Heard::ReceiveFailed(..)));
        assert!(sent && received, "{by_sender}: {:?} {:?}", pair.a.heard, pair.b.heard);
        assert!(pair.now() < 60_000_000, "{by_sender}: it took {} us", pair.now());
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
