//! Peers that say nothing, or as little as they can.

use std::time::{Duration, Instant};

use super::Said;
use crate::kit::{Arena, PATIENCE, Raw, Sampan};

/// When the server closes, counted from `began`; it has said nothing.
#[track_caller]
fn closed_after(mut raw: Raw, began: Instant) -> Duration {
    let (said, _) = raw.read_to_end(PATIENCE);
    assert_eq!(String::from_utf8_lossy(&said), "", "nothing is known about the peer yet");
    began.elapsed()
}

#[test]
fn a_peer_that_says_nothing_is_closed_at_the_handshake_deadline() {
    let mut arena = Arena::with(&["--handshake-timeout", "1s"]);
    let began = Instant::now();
    let took = closed_after(Raw::dial(arena.url()), began);
    assert!((0.9..4.0).contains(&took.as_secs_f64()), "{took:?}");
    arena.oracle().failed("timeout").check();
}

#[test]
fn a_handshake_of_a_byte_now_and_then_does_not_extend_the_deadline() {
    let mut arena = Arena::with(&["--handshake-timeout", "1s"]);
    let began = Instant::now();
    let mut raw = Raw::dial(arena.url());
    let mut buffer = [0; 64];
    for byte in Said::opening() {
        if raw.try_write(&[byte]).is_err() {
            break;
        }
        match raw.try_read(&mut buffer, Duration::from_millis(200)) {
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {}
            Ok(0) | Err(_) => break,
            Ok(n) => panic!("it answers half a HELLO: {:02x?}", &buffer[..n]),
        }
    }
    let took = began.elapsed();
    assert!((0.9..4.0).contains(&took.as_secs_f64()), "{took:?}");
    arena.oracle().failed("timeout").check();
}

#[test]
fn a_crowd_of_silent_peers_delays_nobody() {
    let mut arena = Arena::with(&["--handshake-timeout", "2s"]);
    let silent: Vec<Raw> = (0..100).map(|_| Raw::dial(arena.url())).collect();
    let file = arena.place.write("file", b"through the crowd");
    let began = Instant::now();
    Sampan::send(arena.url(), &[]).args(&[file]).run().assert_exit(0);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    for raw in silent {
        let _ = raw.another().expect_close(PATIENCE);
    }
    arena.oracle().failed_times(100, "timeout").files(&["file"]).check();
}

#[test]
fn a_peer_that_is_silent_after_the_handshake_is_closed_and_frees_its_name() {
    let mut arena = Arena::with(&["--idle-timeout", "1s"]);
    let mut gone = crate::kit::Framed::dial(arena.url());
    gone.say(&sampan_core::wire::Frame::Offer(crate::kit::Framed::offer(1, "name", 10)));
    gone.expect_accept();
    gone.say_data(1, b"01234", 0, 5);
    let began = Instant::now();
    let _ = gone.raw.expect_close(PATIENCE);
    let took = began.elapsed();
    assert!((0.5..5.0).contains(&took.as_secs_f64()), "{took:?}");
    let file = arena.place.write("name", b"of somebody else");
    Sampan::send(arena.url(), &[]).args(&[file]).run().assert_exit(0);
    assert_eq!(arena.place.stored("name"), Some(b"of somebody else".to_vec()));
    arena.oracle().failed("timeout").files(&["name"]).check();
}
