//! The power goes at every operation of a disk, at either end: what was durable is not sent again, and the file is right (§9.4).

use sampan_core::{Cobs, Datagrams, Limits, Stream};
use sampan_tests::{Carries, Conditions, Disk, Faults, Jobs, Laid, Lives, Offer, Past, Setup, content};

const LENGTH: usize = 3_500;

fn setup(carries: Carries) -> Setup {
    // A connection's link stays what it is; a line is slow, so that there are many syncs in a transfer.
    let rate = if carries == Carries::Stream { 100_000 } else { 11_520 };
    let conditions = Conditions { delay: 10_000, rate, ..Conditions::default() };
    let limits = Limits { window: 1024, sync_bytes: 600, ..Limits::SMALL };
    Setup {
        limits: [limits; 2],
        memory: [(600, 600, 3); 2],
        conditions,
        disks: [Disk::default(), Disk::default()],
        ..Setup::default()
    }
}

/// What is done: a file is sent, or fetched.
#[derive(Clone, Copy, Debug)]
enum Way {
    Push,
    Pull,
}

fn jobs(way: Way) -> [Jobs; 2] {
    let file = Offer::file("file", content(1, LENGTH));
    let small = Offer::file("small", content(2, 0));
    let own = match way {
        Way::Push => Jobs { files: vec![file, small], wants: vec![] },
        Way::Pull => Jobs { files: vec![], wants: vec![file, small] },
    };
    [own, Jobs::default()]
}

fn clean<F: Laid>(way: Way) -> [u64; 2] {
    let mut lives = Lives::<F>::new(&setup(F::CARRIES), jobs(way), Default::default(), 1);
    lives.run(100);
    lives.check();
    [0, 1].map(|end| lives.disk(end).operations())
}

/// The power of `end` goes at this operation; whether anything was durable of the file then.
fn cut<F: Laid>(way: Way, end: usize, at: u64) -> bool {
    let setup = setup(F::CARRIES);
    setup.disks[end].cut_at(at);
    let mut lives = Lives::<F>::new(&setup, jobs(way), [Faults::default(), Faults::default()], at);
    lives.run(400);
    lives.check();
    let to = match way {
        Way::Push => 1,
        Way::Pull => 0,
    };
    let what = format!("{way:?} over {:?}, end {end} at {at}", F::CARRIES);
    goes_on_from_what_is_durable(&lives.disk(to).past(), &what)
}

fn goes_on_from_what_is_durable(past: &[Past], what: &str) -> bool {
    let (mut durable, mut begun) = (None, 0);
    for it in past {
        match it {
            Past::Cut(parts) => durable = parts.get("file").copied(),
            Past::Begun(name, from) if name == "file" => {
                assert!(*from >= begun, "{what}: something durable was sent again: {past:?}");
                begun = *from;
                assert!(durable.take().is_none_or(|durable| durable == *from), "{what}: {past:?}");
            }
            Past::Begun(..) => {}
        }
    }
    begun > 0
}

fn cut_everywhere<F: Laid>() {
    let mut resumed = 0;
    for way in [Way::Push, Way::Pull] {
        let operations = clean::<F>(way);
        for (end, operations) in operations.into_iter().enumerate() {
            for at in 0..operations {
                resumed += u32::from(cut::<F>(way, end, at));
            }
        }
    }
    assert!(resumed > 20, "only {resumed} went on from something");
}

#[test]
fn at_every_operation_over_a_connection() {
    cut_everywhere::<Stream>();
}

#[test]
fn at_every_operation_over_a_line() {
    cut_everywhere::<Cobs>();
}

#[test]
fn at_every_operation_over_datagrams() {
    cut_everywhere::<Datagrams>();
}
