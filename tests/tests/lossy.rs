//! Links that lose, damage and inject bytes (§8.5), in virtual time.

use sampan_core::wire::Code;
use sampan_core::{Error, FileType, Limits, LinkError};
use sampan_tests::{Conditions, Faults, Finish, Heard, LossyNode, Offer, Pair, Setup, content};

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
            assert_eq!(pair.b.storage.disk.file("file"), Some(content(1, length)), "{what}")
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
    for chance in [0.0, 1e-4, 1e-3] {
        let mut ratios: Vec<f64> = (1..=200).map(|seed| noisy(chance, seed)).collect();
        ratios.sort_by(f64::total_cmp);
        println!("{chance}: {:.3} {:.3} {:.3}", ratios[0], ratios[100], ratios[199]);
    }
}
