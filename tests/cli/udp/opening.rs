//! Clients that find nobody, or somebody else.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use crate::kit::{PATIENCE, Place, Sampan};

#[test]
fn where_nobody_listens_a_client_says_so_at_once() {
    let place = Place::new();
    let file = place.write("file", b"x");
    let url = {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        format!("udp://{}", socket.local_addr().expect("a bound socket"))
    };
    let begun = Instant::now();
    let ran = Sampan::send(&url, &[]).args(&[&file]).run();
    ran.assert_exit(3).assert_failed("connect");
    assert!(
        ran.stderr.contains("nobody listens there") && ran.stderr.contains("--listen udp://"),
        "{}",
        ran.stderr
    );
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
    Sampan::get(&url, &["x"]).run().assert_exit(3).assert_failed("connect");
    Sampan::ls(&url, &[]).run().assert_exit(3).assert_failed("connect");
}

#[test]
fn where_nobody_answers_a_client_gives_up_in_time_and_names_what_may_be_wrong() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let url = format!("udp://{}", silent.local_addr().expect("a bound socket"));
    let begun = Instant::now();
    let ran = Sampan::ls(&url, &["--timeout", "1500ms"]).run();
    ran.assert_exit(7).assert_failed("timeout");
    assert!(
        ran.stderr.contains("nobody answers") && ran.stderr.contains("let UDP through"),
        "{}",
        ran.stderr
    );
    assert!(begun.elapsed() >= Duration::from_millis(1500) && begun.elapsed() < PATIENCE / 2);
    // It was knocked more than once, each time by 60 bytes.
    silent.set_nonblocking(true).expect("an option of every socket");
    let mut knocks = Vec::new();
    let mut datagram = [0; 100];
    while let Ok(length) = silent.recv(&mut datagram) {
        knocks.push(datagram[..length].to_vec());
    }
    assert!(knocks.len() >= 2 && knocks.iter().all(|knock| *knock == knocks[0] && knock.len() == 60));
}

#[test]
fn what_makes_no_sense_over_udp_is_a_usage_error() {
    let place = Place::new();
    let file = place.write("file", b"x");
    let ran = Sampan::send("udp://127.0.0.1:9", &["--classic"]).args(&[&file]).run();
    ran.assert_exit(2);
    assert!(ran.stderr.contains("classic"), "{}", ran.stderr);
    for url in ["udp:127.0.0.1", "udp://", "udp://127.0.0.1:x", "udp://127.0.0.1:5/x"] {
        Sampan::ls(url, &[]).run().assert_exit(2);
    }
    Sampan::ls("udp://127.0.0.1:0", &[]).run().assert_exit(3);
    Sampan::ls("udp://no-such-host.invalid", &[]).run().assert_exit(3).assert_failed("connect");
    // Whoever can be reached by others must be told what they may do.
    let ran = Sampan::new(&["serve", "--listen", "udp://0.0.0.0:0"]).args(&[&place.root()]).run();
    ran.assert_exit(2);
    assert!(ran.stderr.contains("--allow"), "{}", ran.stderr);
}

#[test]
fn a_port_is_served_once() {
    let (place, server) = super::serve(&[]);
    let ran =
        Sampan::new(&["serve", "--control", "none", "--listen", server.url()]).args(&[&place.root()]).run();
    ran.assert_exit(3);
}
