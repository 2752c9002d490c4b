//! Many sessions over lines that lose, damage and inject bytes at random (§8.5), and over datagrams that also come twice or late (§8.6), in virtual time.
//! One half of them is a single session each, which may end early, but typed. In the other the power of either end may go, both begin again
//! whatever ends a session, and once the link is whole everything arrives. `SEED=n` runs one of them, `SESSIONS=n` so many.

use sampan_core::wire::Code;
use sampan_core::{Cobs, Datagrams, Error, Limits, LinkError, PeerError};
use sampan_tests::{
    Bursts, Chance, Conditions, Dice, Faults, Finish, Heard, Jobs, Laid, Lives, Offer, Setup, content,
};

fn faults(dice: &mut Dice) -> Faults {
    let mut faults = Faults::seeded(dice.roll(1 << 40));
    faults.flip = Chance::of(dice.pick(&[0.0, 0.0, 1e-5, 1e-4, 1e-3, 2e-3]));
    faults.lost = match dice.roll(4) {
        0 => Default::default(),
        1 => (0..200).filter(|_| dice.roll(20) == 0).collect(),
        2 => (0..60).filter(|_| dice.roll(4) == 0).collect(),
        _ => {
            let from = dice.roll(40);
            (from..from + dice.roll(30)).collect()
        }
    };
    if dice.roll(3) == 0 {
        faults.junk = Some((dice.roll(30), content(dice.roll(1 << 40), dice.roll(900) as usize)));
    }
    faults.loss = Chance::of(dice.pick(&[0.0, 0.0, 0.0, 0.02, 0.2]));
    faults.doubling = Chance::of(dice.pick(&[0.0, 0.0, 0.05, 0.5]));
    faults.babble = Chance::of(dice.pick(&[0.0, 0.0, 0.05]));
    faults.jitter = dice.pick(&[0, 0, 5_000, 100_000]);
    if dice.roll(4) == 0 {
        faults.bursts = Some(Bursts::new(0.02, dice.pick(&[0.5, 0.1]), 0.9));
    }
    if dice.roll(4) == 0 {
        faults.late =
            (0..100).filter(|_| dice.roll(8) == 0).map(|frame| (frame, 1 + (frame % 5) as u32)).collect();
    }
    for _ in 0..dice.pick(&[0, 0, 0, 1, 3]) {
        let from = dice.roll(20_000_000);
        faults.outages.push(from..from + dice.pick(&[10_000, 500_000, 8_000_000]));
    }
    faults
}

/// What is to arrive: at which end, by which name, what.
struct Plan {
    files: [Vec<(String, Vec<u8>)>; 2],
    wants: usize,
    notice: bool,
}

fn setup(dice: &mut Dice, session: u64) -> Setup {
    let limits = |dice: &mut Dice| Limits {
        window: dice.pick(&[64, 256, 1024, 8192]),
        eager: dice.pick(&[0, 4096]),
        sync_bytes: dice.pick(&[300, 4_096]),
        ..Limits::SMALL
    };
    let memory = |dice: &mut Dice| {
        (dice.pick(&[160, 300, 600, 4096]), dice.pick(&[160, 300, 600, 4096]), dice.pick(&[1, 2, 4]))
    };
    Setup {
        limits: [limits(dice), limits(dice)],
        memory: [memory(dice), memory(dice)],
        conditions: Conditions {
            delay: dice.pick(&[0, 1_000, 20_000, 200_000]),
            rate: dice.pick(&[0, 1_152, 11_520, 1_000_000]),
            queue: dice.pick(&[usize::MAX, 16_384, 3_000]),
            ..Conditions::default()
        },
        session,
        ..Setup::default()
    }
}

fn plan(dice: &mut Dice) -> Plan {
    let mut files = [Vec::new(), Vec::new()];
    for (way, files) in files.iter_mut().enumerate() {
        for n in 0..dice.roll(4) {
            let length = dice.pick(&[0, 1, 100, 700, 3_000, 9_000]);
            files.push((format!("{way}-{n}"), content(dice.roll(1 << 40), length)));
        }
    }
    Plan { files, wants: dice.roll(3) as usize, notice: dice.roll(2) == 0 }
}

/// Ends that a bad line may lead to; whatever they had durably goes on in the next session.
fn is_typed(finish: Finish) -> bool {
    matches!(
        finish,
        Ok(())
            | Err(Error::Link(
                LinkError::Silent | LinkError::Stalled | LinkError::Handshake | LinkError::Lost
            ))
            | Err(Error::Peer(PeerError::Aborted(Code::Timeout)))
    )
}

/// Says which seed has failed, however it has.
struct Teller(u64);

impl Drop for Teller {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("run again with SEED={}", self.0);
        }
    }
}

/// One session; whether it has come to a good end at both ends.
fn once<F: Laid>(seed: u64, dice: &mut Dice) -> bool {
    let setup = setup(dice, seed + 1);
    let plan = plan(dice);
    let mut pair = setup.join_with::<F>([faults(dice), faults(dice)]);
    let wanted = content(seed, 1_500);
    for n in 0..plan.wants {
        let name = format!("wanted{n}");
        pair.b.storage.offers_on_want.insert(name.clone(), Offer::file(&name, wanted.clone()));
    }
    pair.a.storage.words = "tea is ready".into();
    let mut left = plan.files.clone().map(std::collections::VecDeque::from);
    let (mut wants, mut notice) = (plan.wants, plan.notice);
    pair.run_until(3_000, |pair| {
        for (way, left) in left.iter_mut().enumerate() {
            let end = if way == 0 { &mut pair.a } else { &mut pair.b };
            while !left.is_empty()
                && let Some(id) = end.engine.offer()
                && let Some((name, data)) = left.pop_front()
            {
                end.storage.put(id, Offer::file(&name, data));
            }
        }
        while wants > 0
            && let Some(want) = pair.a.engine.want()
        {
            wants -= 1;
            pair.a.storage.wants.insert(want, (format!("wanted{wants}"), false));
        }
        if notice && pair.a.engine.notify().is_some() {
            notice = false;
        }
        if left[0].is_empty() && wants == 0 && !notice {
            pair.a.engine.close(Code::Ok);
        }
        if left[1].is_empty() {
            pair.b.engine.close(Code::Ok);
        }
        let over = pair.a.finish.is_some() || pair.b.finish.is_some();
        if over && (pair.a.finish.is_none() || pair.b.finish.is_none()) {
            return false;
        }
        over
    });
    let (a, b) = (pair.a.finish.expect("finished"), pair.b.finish.expect("finished"));
    assert!(is_typed(a) && is_typed(b), "SEED={seed}: {a:?} {b:?}");
    // Whatever is there is right, and what was said to be sent is there.
    for (way, files) in plan.files.iter().enumerate() {
        let (from, to) = if way == 0 { (&pair.a, &pair.b) } else { (&pair.b, &pair.a) };
        for (name, data) in files {
            if let Some(found) = to.storage.disk.file(name) {
                assert!(found == *data, "SEED={seed}: {name} is wrong");
            }
        }
        let sent = from.heard.iter().filter(|it| matches!(it, Heard::Sent(_) | Heard::HadIt(_))).count();
        let there = files.iter().filter(|(name, _)| to.storage.disk.file(name).is_some()).count();
        let served = if way == 1 { plan.wants } else { 0 };
        assert!(sent <= there + served, "SEED={seed}: {sent} sent, {there} there");
    }
    for found in (0..plan.wants).filter_map(|n| pair.a.storage.disk.file(&format!("wanted{n}"))) {
        assert!(found == wanted, "SEED={seed}: what was wanted is wrong");
    }
    let notices = pair.b.heard.iter().filter(|it| matches!(it, Heard::Notice(_))).count();
    assert!(notices <= usize::from(plan.notice), "SEED={seed}: {notices} notices");
    a == Ok(()) && b == Ok(())
}

/// Sessions until everything is done, though the power of either end goes now and then; whether one was enough.
fn again_and_again<F: Laid>(seed: u64, dice: &mut Dice) -> bool {
    let setup = setup(dice, seed + 1);
    let plan = plan(dice);
    let whole = dice.pick(&[0, 5_000_000, 30_000_000]);
    let mut jobs = plan.files.map(|files| Jobs {
        files: files.into_iter().map(|(name, data)| Offer::file(&name, data)).collect(),
        wants: Vec::new(),
    });
    jobs[0].wants =
        (0..plan.wants).map(|n| Offer::file(&format!("wanted{n}"), content(seed, 1_500))).collect();
    let faults = [faults(dice), faults(dice)].map(|mut faults| {
        faults.until = Some(whole);
        faults
    });
    let mut lives = Lives::<F>::new(&setup, jobs, faults, seed);
    for _ in 0..dice.roll(4) {
        lives.cut(dice.roll(2) as usize, dice.roll(20_000_000));
    }
    for end in 0..2 {
        if dice.roll(3) == 0 {
            lives.disk(end).cut_at(dice.roll(60));
        }
    }
    lives.run(3_000);
    lives.check();
    lives.finishes.is_empty()
}

fn run(seed: u64) -> bool {
    let _teller = Teller(seed);
    let mut dice = Dice::new(seed);
    match seed % 4 {
        0 => once::<Cobs>(seed, &mut dice),
        1 => once::<Datagrams>(seed, &mut dice),
        2 => again_and_again::<Cobs>(seed, &mut dice),
        _ => again_and_again::<Datagrams>(seed, &mut dice),
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn whatever_the_line_does_nothing_is_wrong_and_nothing_hangs() {
    if let Some(seed) = number("SEED") {
        run(seed);
        return;
    }
    let sessions = number("SESSIONS").unwrap_or(300);
    let whole = (0..sessions).filter(|seed| run(*seed)).count();
    println!("{sessions} sessions, {whole} of them to a good end at both ends");
    assert!(whole as u64 * 3 > sessions, "{whole} of {sessions} came to a good end");
}

#[test]
#[ignore = "job lossy"]
fn ten_thousand_sessions() {
    let whole = (300..10_300).filter(|seed| run(*seed)).count();
    println!("10,000 sessions, {whole} of them to a good end at both ends");
}
