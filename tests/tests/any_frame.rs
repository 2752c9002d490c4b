//! Any frame may be lost, come twice or come late, whatever is done over the link (§8.5, §8.6), in virtual time.

use sampan_core::wire::Code;
use sampan_core::{Cobs, Datagrams, Error, Limits, LinkError};
use sampan_tests::{Conditions, Faults, Heard, Laid, Offer, Setup, Task, content, is_good};

/// The silence budget and what may go before it is noticed, in microseconds.
const SILENCE: u64 = 30_000_000 + 5_000_000;

fn setup() -> Setup {
    let conditions = Conditions { delay: 10_000, rate: 11_520, ..Conditions::default() };
    let limits = Limits { window: 1024, ..Limits::SMALL };
    Setup { limits: [limits; 2], memory: [(600, 600, 3); 2], conditions, ..Setup::default() }
}

/// Runs it with these faults; how many frames passed each way.
fn run<F: Laid>(task: Task, faults: [Faults; 2], what: &str) -> [u64; 2] {
    let mut pair = setup().join_with::<F>(faults);
    task.begin(&mut pair);
    let what = format!("{task:?} over {:?}, {what}", F::CARRIES);
    pair.run_until(300, |pair| pair.a.finish.is_some() && pair.b.finish.is_some());
    let (a, b) = (pair.a.finish, pair.b.finish);
    assert!(a == Some(Ok(())) && b.is_some_and(is_good), "{what}: {a:?} {b:?} {:?}", pair.b.heard);
    task.check(&pair, &what);
    [0, 1].map(|way| pair.wire.channel(way).faults.passed())
}

fn clean<F: Laid>(task: Task) -> [u64; 2] {
    run::<F>(task, Default::default(), "nothing lost")
}

fn without<F: Laid>(task: Task, lost: [&[u64]; 2]) {
    run::<F>(task, lost.map(|frames| Faults::loses(frames.iter().copied())), &format!("without {lost:?}"));
}

fn without_any_one<F: Laid>() {
    for task in Task::ALL {
        let passed = clean::<F>(task);
        (0..passed[0]).for_each(|frame| without::<F>(task, [&[frame], &[]]));
        (0..passed[1]).for_each(|frame| without::<F>(task, [&[], &[frame]]));
    }
}

fn without_any_two<F: Laid>() {
    for task in Task::ALL {
        let passed = clean::<F>(task);
        for first in 0..passed[0] {
            (0..passed[1]).for_each(|second| without::<F>(task, [&[first], &[second]]));
        }
        for (way, passed) in passed.into_iter().enumerate() {
            for first in 0..passed {
                for second in first + 1..passed + 2 {
                    let lost = [first, second];
                    without::<F>(task, if way == 0 { [&lost, &[]] } else { [&[], &lost] });
                }
            }
        }
    }
}

fn with_any_one_twice<F: Laid>() {
    for task in Task::ALL {
        let passed = clean::<F>(task);
        for (way, passed) in passed.into_iter().enumerate() {
            for frame in 0..passed {
                let mut faults = [Faults::default(), Faults::default()];
                faults[way] = Faults::doubles([frame]);
                run::<F>(task, faults, &format!("frame {frame} of end {way} twice"));
            }
        }
    }
}

#[test]
fn everything_goes_over_a_clean_link() {
    for task in Task::ALL {
        clean::<Cobs>(task);
        clean::<Datagrams>(task);
    }
}

#[test]
fn any_one_frame_may_be_lost_on_a_line() {
    without_any_one::<Cobs>();
}

#[test]
fn any_one_datagram_may_be_lost() {
    without_any_one::<Datagrams>();
}

#[test]
fn any_two_frames_may_be_lost_on_a_line() {
    without_any_two::<Cobs>();
}

#[test]
fn any_two_datagrams_may_be_lost() {
    without_any_two::<Datagrams>();
}

#[test]
fn any_one_frame_may_come_twice() {
    with_any_one_twice::<Cobs>();
    with_any_one_twice::<Datagrams>();
}

#[test]
fn any_one_datagram_may_come_behind_the_next() {
    for task in Task::ALL {
        let passed = clean::<Datagrams>(task);
        for (way, passed) in passed.into_iter().enumerate() {
            for frame in 0..passed {
                for behind in 1..5 {
                    let mut faults = [Faults::default(), Faults::default()];
                    faults[way] = Faults::delays(frame, behind);
                    run::<Datagrams>(
                        task,
                        faults,
                        &format!("frame {frame} of end {way} behind the next {behind}"),
                    );
                }
            }
        }
    }
}

/// From the goodbye of one end on nothing of it arrives, or only the goodbye does not.
fn goodbye_is_lost<F: Laid>() {
    for task in [Task::Push(700), Task::Pull, Task::Notice] {
        for (way, passed) in clean::<F>(task).into_iter().enumerate() {
            // The last frame of a clean run is the goodbye.
            let mut pair = setup().join_with::<F>([Faults::default(), Faults::default()]);
            pair.wire.channel(way).faults.lost = (passed - 1..passed + 100).collect();
            task.begin(&mut pair);
            let (a, b) = pair.finish(200);
            assert!(is_good(a) && is_good(b), "{task:?} over {:?}: {a:?} {b:?}", F::CARRIES);
            task.check(&pair, &format!("{task:?} without the goodbye of end {way}"));
            assert!(pair.now() < SILENCE + 2_000_000, "{task:?}, end {way}: it took {} us", pair.now());
        }
    }
}

#[test]
fn after_a_lost_goodbye_the_peer_ends_in_time() {
    goodbye_is_lost::<Cobs>();
    goodbye_is_lost::<Datagrams>();
}

fn abort_is_lost<F: Laid>() {
    for way in 0..2 {
        let mut pair = setup().join_with::<F>(Default::default());
        pair.a.send(Offer::file("file", content(1, 100_000)));
        pair.run_until(100, |pair| pair.b.storage.stored > 5_000);
        let begun = pair.now();
        let passed = pair.wire.channel(way).faults.passed();
        pair.wire.channel(way).faults.lost = (passed..passed + 1_000).collect();
        let end = if way == 0 { &mut pair.a } else { &mut pair.b };
        end.engine.abort(Code::Closing);
        let (a, b) = pair.finish(200);
        let (here, there) = if way == 0 { (a, b) } else { (b, a) };
        assert_eq!(here, Err(Error::Ended(Code::Closing)));
        assert_eq!(there, Err(Error::Link(LinkError::Silent)), "over {:?}", F::CARRIES);
        assert!(pair.now() - begun < SILENCE, "it took {} us", pair.now() - begun);
    }
}

#[test]
fn after_a_lost_abort_the_peer_ends_in_time() {
    abort_is_lost::<Cobs>();
    abort_is_lost::<Datagrams>();
}

fn cancel_is_lost<F: Laid>() {
    for by_sender in [true, false] {
        let mut pair = setup().join_with::<F>(Default::default());
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
fn a_cancelled_transfer_is_over_at_both_ends_though_the_word_is_lost() {
    cancel_is_lost::<Cobs>();
    cancel_is_lost::<Datagrams>();
}
