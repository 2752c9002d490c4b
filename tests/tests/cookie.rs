//! An end that keeps nothing of its peer before the cookie comes back (§8.6).

use sampan_core::wire::{CHECK_LEN, Frame, Hello, Kind};
use sampan_core::{Datagrams, Engine, Instant, Limits, Speaks};
use sampan_tests::session_over;

/// The frames that an end says at this moment.
fn said(engine: &mut impl Engine, now: Instant) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let sampan_core::Next::Transmit | sampan_core::Next::Event = engine.next(now) {
        if let sampan_core::Action::Transmit(frame) = engine.poll(now) {
            frames.push(frame.to_vec());
            engine.transmitted(frames.last().map_or(0, Vec::len));
        }
    }
    frames
}

fn hello_of(frame: &[u8]) -> Hello {
    match Frame::parse(&frame[..frame.len() - CHECK_LEN]) {
        Ok(Frame::Hello(hello)) => hello,
        other => panic!("not HELLO: {other:?}"),
    }
}

#[test]
fn the_hello_that_brings_the_cookie_back_is_said_again_until_more_than_hello_is_heard() {
    const COOKIE: u64 = 77;
    let limits = Limits::LARGE;
    let mut dials = session_over(Datagrams, limits, (600, 600, 1), (Speaks::First, 5), 0);
    let mut now = Instant::ZERO;
    let first = said(&mut dials, now);
    assert_eq!((first.len(), first[0].len()), (1, 60));
    // Whoever answers keeps nothing: the answer is made by another session, which then is gone.
    let mut answers = session_over(Datagrams, limits, (600, 600, 1), (Speaks::Second, COOKIE), 0);
    answers.receive_buffer()[..60].copy_from_slice(&first[0]);
    answers.received(60, now);
    let answer = said(&mut answers, now).remove(0);
    assert!(answer.len() <= first[0].len());
    drop(answers);
    dials.receive_buffer()[..answer.len()].copy_from_slice(&answer);
    dials.received(answer.len(), now);
    assert_eq!(hello_of(&said(&mut dials, now)[0]).echo, COOKIE);
    // It has nothing else to say, and that one is lost.
    now = dials.deadline().expect("a deadline");
    assert!(now <= Instant::from_millis(5_000));
    let again = said(&mut dials, now);
    assert_eq!(hello_of(&again[0]).echo, COOKIE);
    assert_eq!(again[1].first(), Some(&Kind::Ping.code()), "what is answered if the session is there");
}
