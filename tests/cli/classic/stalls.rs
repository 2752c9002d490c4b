//! Older clients that fall silent: `sampan serve` lets each go at a deadline, whatever it was waiting for.

use std::thread;
use std::time::{Duration, Instant};

use super::{NAME_OK, OlderClient};
use crate::kit::{Arena, PATIENCE, SOON, content};

const DEADLINES: &[&str] = &["--handshake-timeout", "1s", "--idle-timeout", "1s"];

/// What an older client has said when it falls silent.
#[derive(Clone, Copy, Debug)]
enum Silent {
    BeforeItsName,
    BeforeItsSize,
    AfterNameAndSizeInOne,
    BeforeItsContents,
    BeforeItsLastByte,
}

impl Silent {
    const ALL: [Self; 5] = [
        Self::BeforeItsName,
        Self::BeforeItsSize,
        Self::AfterNameAndSizeInOne,
        Self::BeforeItsContents,
        Self::BeforeItsLastByte,
    ];

    fn client(self, url: &str) -> OlderClient {
        let named = |name: &[u8]| {
            let mut client = OlderClient::dial(url);
            assert_eq!(client.say(name), NAME_OK);
            client
        };
        match self {
            Self::BeforeItsName => OlderClient::dial(url),
            Self::BeforeItsSize => named(b"a.txt"),
            Self::AfterNameAndSizeInOne => named(b"a.txt5"),
            Self::BeforeItsContents => OlderClient::announcing(url, "a.txt", 100_000),
            Self::BeforeItsLastByte => {
                let mut client = OlderClient::announcing(url, "a.txt", 100_000);
                client.raw.write(&content(1, 99_999));
                client
            }
        }
    }

    /// The server lets the client go a second after it has fallen silent, and says so once.
    #[track_caller]
    fn is_let_go(self) {
        let mut arena = Arena::with(DEADLINES);
        let mut client = self.client(arena.url());
        let began = Instant::now();
        let (said, _) = client.raw.read_to_end(PATIENCE);
        let took = began.elapsed();
        assert!(took > Duration::from_millis(500) && took < SOON, "{self:?}: {took:?}");
        let said = String::from_utf8_lossy(&said);
        assert!(said.is_empty() || said.starts_with("[!] server : "), "{self:?}: {said:?}");
        arena.oracle().failed("timeout").check();
    }
}

#[test]
fn in_every_phase() {
    thread::scope(|scope| {
        for silent in Silent::ALL {
            scope.spawn(move || silent.is_let_go());
        }
    });
}

#[test]
fn name_and_size_have_one_deadline_together() {
    let mut arena = Arena::with(&["--handshake-timeout", "2s"]);
    let mut client = OlderClient::dial(arena.url());
    let began = Instant::now();
    thread::sleep(Duration::from_millis(1_200));
    assert_eq!(client.say(b"a.txt"), NAME_OK);
    client.raw.read_to_end(PATIENCE);
    let took = began.elapsed();
    assert!(took > Duration::from_millis(1_500) && took < Duration::from_millis(3_100), "{took:?}");
    arena.oracle().failed("timeout").check();
}

#[test]
fn a_client_that_goes_on_in_time_is_served() {
    let mut arena = Arena::with(DEADLINES);
    let contents = content(2, 4_000);
    let mut client = OlderClient::announcing(arena.url(), "slow.bin", 4_000);
    for piece in contents.chunks(1_000) {
        thread::sleep(Duration::from_millis(500));
        client.raw.write(piece);
    }
    drop(client);
    arena.server.events.wait("received", PATIENCE, |_| true);
    assert_eq!(arena.place.stored("slow.bin"), Some(contents));
    arena.oracle().failures(0).files(&["slow.bin"]).check();
}
