//! How it behaves, over real sockets and programs.

use super::io::LOOK_AFTER;
use super::*;
use crate::link::{Inbound, Link, Listener, SocketBuffers};
use embedded_io::{ErrorKind, Read as _, ReadReady as _, Write as _, WriteReady as _};
use std::io::Write as _;
use std::thread;

const SOON: Option<Duration> = Some(Duration::from_millis(30));
const LATER: Option<Duration> = Some(Duration::from_secs(20));

fn small() -> TcpOptions {
    TcpOptions { buffers: SocketBuffers::Fixed(8192), ..TcpOptions::default() }
}

fn connected(url: &Url) -> (StreamLink, StreamLink) {
    let listener = Listener::bind(url, &small()).unwrap();
    let client = StreamLink::dial(&listener.url(), &small()).unwrap();
    (client, listener.accept_within(LATER).unwrap())
}

fn links() -> (StreamLink, StreamLink) {
    connected(&"127.0.0.1:0".parse().unwrap())
}

/// A pair of each kind that has two ends here.
fn all_links() -> Vec<(StreamLink, StreamLink)> {
    let mut pairs = vec![links()];
    if cfg!(unix) {
        let dir = tempfile::tempdir().unwrap();
        pairs.push(connected(&Url::Unix(dir.path().join("boat"))));
    }
    pairs
}

#[cfg(unix)]
fn exec(command: &str) -> StreamLink {
    StreamLink::dial(&Url::Exec(command.to_owned()), &TcpOptions::default()).unwrap()
}

/// The next bytes, or none if the peer has ended.
fn read(link: &mut StreamLink, buffer: &mut [u8]) -> usize {
    let until = Instant::now() + LATER.unwrap();
    loop {
        match link.read(buffer) {
            Ok(n) => return n,
            Err(kind) => assert_eq!(kind, ErrorKind::TimedOut),
        }
        assert!(Instant::now() < until, "something was to come");
        link.wait(Inbound::Wanted, LATER).unwrap();
    }
}

fn fill(link: &mut StreamLink) -> u64 {
    while link.write_ready() == Ok(true) {
        let _ = link.write(&[7; 4096]);
    }
    link.moved().1
}

#[test]
fn nothing_now_is_remembered_until_something_comes() {
    for (mut a, mut b) in all_links() {
        assert_eq!(a.read(&mut [0; 8]), Err(ErrorKind::TimedOut));
        assert_eq!(a.read_ready(), Ok(false));
        let begun = Instant::now();
        a.wait(Inbound::Wanted, SOON).unwrap();
        assert!(begun.elapsed() >= SOON.unwrap());
        assert_eq!(a.read_ready(), Ok(false));
        assert_eq!(b.write(b"hello"), Ok(5));
        a.wait(Inbound::Paused, SOON).unwrap();
        assert_eq!(a.read_ready(), Ok(false));
        a.wait(Inbound::Wanted, LATER).unwrap();
        let mut buffer = [0; 8];
        assert_eq!((a.read_ready(), a.read(&mut buffer)), (Ok(true), Ok(5)));
        assert_eq!((&buffer[..5], a.read_ready()), (&b"hello"[..], Ok(false)));
        assert_eq!((a.moved(), b.moved()), ((5, 0), (0, 5)));
        assert!(a.fault().is_none());
    }
}

#[test]
fn a_full_link_takes_bytes_again_once_the_peer_has_read() {
    for (mut a, mut b) in all_links() {
        let sent = fill(&mut a);
        let mut buffer = [0; 4096];
        while b.moved().0 < sent {
            read(&mut b, &mut buffer);
        }
        a.wait(Inbound::Paused, LATER).unwrap();
        assert_eq!(a.write_ready(), Ok(true));
    }
}

#[test]
fn what_comes_is_noticed_while_the_system_takes_all_that_is_written() {
    let (mut a, mut b) = links();
    assert_eq!(a.read(&mut [0; 8]), Err(ErrorKind::TimedOut));
    let mut buffer = [0; 4096];
    for _ in 0..LOOK_AFTER / buffer.len() {
        assert_eq!(a.read_ready(), Ok(false));
        assert_eq!(a.write(&buffer), Ok(buffer.len()));
        let mut left = buffer.len();
        while left > 0 {
            left -= read(&mut b, &mut buffer);
        }
    }
    assert_eq!(a.read_ready(), Ok(true));
}

#[test]
fn the_end_is_said_once_and_does_not_keep_the_waiter_busy() {
    for (mut a, mut b) in all_links() {
        b.close_sending();
        a.wait(Inbound::Wanted, LATER).unwrap();
        assert_eq!((a.read(&mut [0; 8]), a.read_ready(), a.has_ended()), (Ok(0), Ok(false), true));
        let begun = Instant::now();
        a.wait(Inbound::Wanted, SOON).unwrap();
        assert!(begun.elapsed() >= SOON.unwrap());
        assert_eq!(a.write(b"still"), Ok(5));
        assert_eq!(read(&mut b, &mut [0; 8]), 5);
    }
}

#[test]
fn a_reset_is_remembered() {
    let (a, b) = links();
    let mut stream = a.into_tcp().unwrap();
    stream.write_all(b"never read").unwrap();
    let mut a = StreamLink::tcp(stream).unwrap();
    let mut came = b;
    assert_eq!(came.peek(1, LATER.unwrap()).unwrap().len(), 10);
    a.write(b"nor this").unwrap();
    drop(came);
    let lost = loop {
        a.wait(Inbound::Wanted, LATER).unwrap();
        match a.read(&mut [0; 8]) {
            Err(ErrorKind::TimedOut) => {}
            other => break other,
        }
    };
    assert_eq!(lost, Err(ErrorKind::ConnectionReset));
    assert_eq!(a.fault().unwrap().kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn what_was_peeked_is_still_to_be_read() {
    for (mut a, mut b) in all_links() {
        b.write(b"he").unwrap();
        assert_eq!(a.peek(1, LATER.unwrap()).unwrap(), b"he");
        let begun = Instant::now();
        assert_eq!(a.peek(3, SOON.unwrap()).unwrap(), b"he");
        assert!(begun.elapsed() >= SOON.unwrap());
        thread::scope(|scope| {
            scope.spawn(|| b.write(&[b'l'; 100]).unwrap());
            assert_eq!(a.peek(1000, LATER.unwrap()).unwrap().len(), 64);
        });
        assert_eq!(a.read_ready(), Ok(true));
        a.wait(Inbound::Wanted, None).unwrap();
        let mut buffer = [0; 102];
        assert_eq!((a.read(&mut buffer[..1]), buffer[0]), (Ok(1), b'h'));
        let mut read_so_far = 1;
        while read_so_far < buffer.len() {
            read_so_far += read(&mut a, &mut buffer[read_so_far..]);
        }
        assert_eq!((&buffer[..3], buffer[101], a.moved().0), (&b"hel"[..], b'l', 102));
    }
}

#[test]
fn a_peer_that_ends_ends_a_peek_and_the_end_is_still_to_be_read() {
    for (mut a, mut b) in all_links() {
        b.write(b"he").unwrap();
        b.close_sending();
        assert_eq!(a.peek(3, LATER.unwrap()).unwrap(), b"he");
        assert!(a.has_ended());
        assert_eq!((a.read_ready(), a.read(&mut [0; 8])), (Ok(true), Ok(2)));
        assert_eq!((a.read_ready(), a.read(&mut [0; 8])), (Ok(true), Ok(0)));
        assert_eq!(a.read_ready(), Ok(false));
    }
}

#[test]
fn a_waker_ends_waits_and_peeks() {
    let waker = Waker::new().unwrap();
    for (a, mut b) in all_links() {
        let mut a = a.with_waker(&waker);
        assert_eq!(a.read(&mut [0; 8]), Err(ErrorKind::TimedOut));
        waker.wake();
        let begun = Instant::now();
        a.wait(Inbound::Wanted, LATER).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| waker.wake());
            a.wait(Inbound::Paused, None).unwrap();
        });
        waker.wake();
        assert_eq!(a.peek(1, LATER.unwrap()).unwrap(), b"");
        assert!(begun.elapsed() < LATER.unwrap() && !a.has_ended());
        let begun = Instant::now();
        a.wait(Inbound::Wanted, SOON).unwrap();
        assert!(begun.elapsed() >= SOON.unwrap(), "the wakes were to be forgotten");
        b.write(b"hello").unwrap();
        assert_eq!(a.peek(1, LATER.unwrap()).unwrap(), b"hello");
    }
}

#[test]
fn closed_gently_what_was_sent_arrives_though_not_all_was_read() {
    for (mut a, mut b) in all_links() {
        a.write(b"never read").unwrap();
        assert_eq!(b.peek(1, LATER.unwrap()).unwrap().len(), 10);
        a.write(b"nor this").unwrap();
        let sent = fill(&mut b);
        let received = thread::scope(|scope| {
            scope.spawn(move || b.close_gently(LATER.unwrap()));
            while read(&mut a, &mut [0; 1000]) > 0 {}
            let received = a.moved().0;
            drop(a);
            received
        });
        assert_eq!(received, sent);
    }
}

#[test]
fn a_gentle_close_takes_no_longer_than_it_may() {
    for (a, mut b) in all_links() {
        fill(&mut b);
        let begun = Instant::now();
        a.close_gently(SOON.unwrap());
        assert!((SOON.unwrap()..LATER.unwrap()).contains(&begun.elapsed()));
    }
}

#[test]
fn a_limit_holds_in_both_directions_and_waiting_for_it_is_no_work() {
    const RATE: u64 = 200_000;
    const BYTES: u64 = 60_000;
    let due = Duration::from_secs(BYTES) / u32::try_from(RATE).unwrap();
    for receiver_is_limited in [false, true] {
        for (a, b) in all_links() {
            // The limit counts from when it is set.
            let begun = Instant::now();
            let (mut a, mut b) =
                if receiver_is_limited { (a, b.limit_rate(RATE)) } else { (a.limit_rate(RATE), b) };
            let (sender_waits, receiver_waits) = thread::scope(|scope| {
                let sender = scope.spawn(move || send_until_refused(&mut a));
                let mut waits = 0;
                while b.moved().0 < BYTES {
                    match b.read(&mut [0; 4096]) {
                        Ok(n) => assert_ne!(n, 0, "it was not to end yet"),
                        Err(kind) => {
                            assert_eq!(kind, ErrorKind::TimedOut);
                            waits += 1;
                            b.wait(Inbound::Wanted, LATER).unwrap();
                        }
                    }
                    assert!(begun.elapsed() < LATER.unwrap(), "it is too slow");
                }
                let took = begun.elapsed();
                assert!(took >= due, "{took:?} of {due:?}");
                b.hang_up().unwrap().now();
                (sender.join().unwrap(), waits)
            });
            let waits = if receiver_is_limited { receiver_waits } else { sender_waits };
            assert!(waits < 300, "{waits} waits");
        }
    }
}

/// Sends until the peer is gone; how often it waited.
fn send_until_refused(link: &mut StreamLink) -> u32 {
    let mut waits = 0;
    loop {
        match link.write(&[0; 4096]) {
            Ok(_) => {}
            Err(ErrorKind::TimedOut) => {
                waits += 1;
                link.wait(Inbound::Paused, LATER).unwrap();
            }
            Err(_) => return waits,
        }
    }
}

#[test]
fn a_limit_does_not_stretch_the_time_that_was_given() {
    let (a, mut b) = links();
    let mut a = a.limit_rate(1);
    b.write(b"hello").unwrap();
    let begun = Instant::now();
    a.wait(Inbound::Wanted, SOON).unwrap();
    assert_eq!(a.peek(1, SOON.unwrap()).unwrap(), b"");
    assert!(begun.elapsed() < Duration::from_millis(900));
    assert_eq!(a.peek(1, LATER.unwrap()).unwrap(), b"h");
    assert!(begun.elapsed() >= Duration::from_millis(900));
}

#[cfg(unix)]
#[test]
fn a_program_is_a_peer_like_others() {
    let mut link = exec("cat");
    assert_eq!((link.peer().as_str(), link.is_local()), ("exec", true));
    assert_eq!(link.hang_up().unwrap_err().kind(), std::io::ErrorKind::Unsupported);
    assert_eq!(link.read(&mut [0; 8]), Err(ErrorKind::TimedOut));
    link.write(b"hello").unwrap();
    assert_eq!(link.peek(5, LATER.unwrap()).unwrap(), b"hello");
    assert_eq!(read(&mut link, &mut [0; 8]), 5);
    let sent = fill(&mut link);
    while link.moved().0 < sent {
        read(&mut link, &mut [0; 4096]);
    }
    let begun = Instant::now();
    while link.write_ready() == Ok(false) {
        assert!(begun.elapsed() < LATER.unwrap(), "it was to take bytes again");
        link.wait(Inbound::Paused, LATER).unwrap();
    }
    link.close_sending();
    assert_eq!(link.write(b"more"), Err(ErrorKind::BrokenPipe));
    assert_eq!(read(&mut link, &mut [0; 8]), 0);
    assert_eq!(link.moved().0, sent);
}

#[cfg(unix)]
#[test]
fn a_program_that_is_gone_is_an_end() {
    let mut link = exec("exit 3");
    assert_eq!(link.peek(1, LATER.unwrap()).unwrap(), b"");
    assert!(link.has_ended());
    assert_eq!(read(&mut link, &mut [0; 8]), 0);
    // Its two pipes do not end at the same moment.
    let begun = Instant::now();
    let refused = loop {
        match link.write(b"hello") {
            Ok(_) => assert!(begun.elapsed() < LATER.unwrap(), "its end was to be noticed"),
            Err(kind) => break kind,
        }
    };
    assert_eq!(refused, ErrorKind::BrokenPipe);
    assert_eq!(link.fault().unwrap().kind(), std::io::ErrorKind::BrokenPipe);
}

#[test]
fn what_cannot_be_dialled_says_so() {
    for url in ["stdio:", "127.0.0.1:0"] {
        let error = StreamLink::dial(&url.parse().unwrap(), &TcpOptions::default()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{error}");
    }
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap(), &small()).unwrap();
    let url = listener.url();
    drop(listener);
    let error = StreamLink::dial(&url, &TcpOptions::default()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn a_name_is_tried_at_all_its_addresses() {
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap(), &small()).unwrap();
    let Url::Tcp { port, .. } = listener.url() else { panic!("it was to be TCP") };
    let url = Url::Tcp { host: "localhost".to_owned(), port };
    assert_eq!(StreamLink::dial(&url, &small()).unwrap().peer(), format!("127.0.0.1:{port}"));
}

#[test]
fn peers_are_named_by_their_plain_address() {
    let (a, b) = links();
    let (stream, peer) = (a.into_tcp().unwrap(), b.peer());
    let local = stream.local_addr().unwrap();
    assert_eq!(peer, local.to_string());
    for (address, named, here) in [
        ("[::ffff:10.0.0.1]:5", "10.0.0.1:5", false),
        ("[::ffff:127.0.0.1]:5", "127.0.0.1:5", true),
        ("[::1]:5", "[::1]:5", true),
        ("192.0.2.1:5", "192.0.2.1:5", false),
    ] {
        let link = StreamLink::tcp_to(stream.try_clone().unwrap(), address.parse().unwrap()).unwrap();
        assert_eq!((link.peer().as_str(), link.is_local()), (named, here));
    }
}
