//! Other protocols at the port, and noise.

use std::thread;
use std::time::Duration;

use super::Said;
use crate::kit::framed::PREAMBLE;
use crate::kit::{Arena, Framed, PATIENCE, Raw, content};

const STRANGERS: [&[u8]; 8] = [
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n",
    b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12345",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client hello goes on like this for long",
    b"SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13\r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 50000 50000\r\n",
    b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x01\x02\x03\x04\x7f\x00\x00\x01\xc3\x50\xc3\x50",
    b"\x00\x00\x00\x2f\xffSMBr\x00\x00\x00\x00\x18\x01\x28",
];

#[test]
fn other_protocols_are_closed_with_one_line_each_and_nothing_is_made() {
    let mut arena = Arena::new();
    for stranger in STRANGERS {
        let mut raw = Raw::dial(arena.url());
        raw.write(stranger);
        // Like most of them it waits for an answer.
        let (said, _) = raw.read_to_end(Duration::from_secs(10));
        assert!(
            said.is_empty() || said.starts_with(b"[!] server : "),
            "{:?}",
            String::from_utf8_lossy(&said)
        );
    }
    arena.oracle().failures(STRANGERS.len()).check();
    for failed in arena.server.failures(0) {
        assert!(failed["error"] == "not-sampan" || failed["error"] == "bad-name", "{failed}");
        assert!(failed["message"].as_str().is_some_and(|message| message.len() < 600), "{failed}");
    }
}

/// A mebibyte of noise for each of these seeds, after nothing, the preamble, and an open session.
fn noise(seeds: std::ops::Range<u64>) {
    let mut arena = Arena::new();
    let url = arena.url().to_owned();
    let count = 3 * (seeds.end - seeds.start);
    thread::scope(|scope| {
        for start in [0, 1, 2] {
            let (url, seeds) = (&url, seeds.clone());
            scope.spawn(move || {
                for seed in seeds {
                    let mut raw = match start {
                        0 => Raw::dial(url),
                        1 => {
                            let mut raw = Raw::dial(url);
                            raw.write(PREAMBLE);
                            raw
                        }
                        _ if seed % 2 == 0 => Said::open(url).raw,
                        _ => Framed::dial(url).raw,
                    };
                    let _ = raw.try_write(&content(seed, 1 << 20));
                    raw.fin();
                    let _ = raw.expect_close(PATIENCE);
                }
            });
        }
    });
    let grown = arena.server.usage().peak - arena.base.peak;
    assert!(grown < 16 << 10, "the server grew by {grown} KiB");
    arena.oracle().failures(count as usize).check();
}

#[test]
fn random_bytes_are_closed_and_memory_stays_flat() {
    noise(1..21);
}

#[test]
#[ignore = "job crowd"]
fn random_bytes_of_a_thousand_seeds_are_closed_and_memory_stays_flat() {
    noise(1..335);
}
