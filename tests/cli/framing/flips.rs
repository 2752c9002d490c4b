//! Every single bit of a good session, turned over.

use std::thread;
use std::time::{Duration, Instant};

use super::Said;
use crate::kit::proxy::{Direction, Fault, Proxy};
use crate::kit::{Arena, PATIENCE, Raw, Sampan, content};

const WORKERS: usize = 4;
/// Most of the time these wait.
const SWEEPERS: usize = 12;

fn said(bit: usize) -> Said {
    Said { name: format!("flip-{bit:04}"), contents: content(3, 32) }
}

/// Says the session with one bit turned over; whether that bit comes after END.
fn say(url: &str, bit: usize) -> bool {
    let said = said(bit);
    let (byte, mask) = (bit / 8, 1 << (bit % 8));
    let mut opening = Said::opening();
    let mut after_end = false;
    let mut raw = match opening.get_mut(byte) {
        Some(flipped) => {
            *flipped ^= mask;
            let mut raw = Raw::dial(url);
            raw.write(&opening);
            raw
        }
        None => {
            let mut framed = Said::open(url);
            let (mut rest, end) = said.rest(&framed);
            let byte = byte - opening.len();
            rest[byte] ^= mask;
            after_end = byte >= end;
            let _ = framed.raw.try_write(&rest);
            framed.raw
        }
    };
    raw.fin();
    let _ = raw.expect_close(PATIENCE);
    after_end
}

#[test]
fn every_flipped_bit_of_a_session_is_noticed_and_no_wrong_file_is_stored() {
    let mut arena = Arena::new();
    let url = arena.url().to_owned();
    let framed = Said::open(&url);
    let bits = 8 * (Said::opening().len() + said(0).rest(&framed).0.len());
    drop(framed);
    let mut after_end = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let url = &url;
                scope.spawn(move || (worker..bits).step_by(WORKERS).filter(|bit| say(url, *bit)).collect())
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| -> Vec<usize> { worker.join().expect("no flip panics") })
            .collect::<Vec<_>>()
    });
    after_end.sort_unstable();
    let whole: Vec<String> = after_end.iter().map(|bit| said(*bit).name).collect();
    for name in &whole {
        assert_eq!(arena.place.stored(name), Some(said(0).contents), "{name}");
    }
    let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
    // The one that measured the session is the one more.
    arena.oracle().failures(bits + 1).files(&whole).check();
}

/// What a client comes to over a link that turns a bit over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// It has dialled again and succeeded.
    Through,
    /// It was told, or takes it for another protocol.
    ToNothing,
    /// It still waits: a frame that was made longer by its length may take as long as a transfer may stall.
    ToWait,
}

fn came(client: Sampan) -> Came {
    let mut client = client.start();
    let began = Instant::now();
    while !client.has_ended() {
        if began.elapsed() > Duration::from_secs(10) {
            return Came::ToWait;
        }
        thread::sleep(Duration::from_millis(5));
    }
    let ran = client.finish();
    match ran.code {
        Some(0) => Came::Through,
        Some(10) => Came::ToNothing,
        _ => panic!("{:?} {} {}", ran.code, ran.text(), ran.stderr),
    }
}

/// Sends and fetches a file over a link that turns this bit over once; nothing wrong is made, whatever comes of it.
fn over_flip(arena: &Arena, direction: Direction, at: u64, mask: u8) -> [Came; 2] {
    let name = format!("{direction:?}-{at}-{mask}");
    let contents = content(at, 500);
    let file = arena.place.write(&format!("from/{name}"), &contents);
    let fault = Fault::Flip(direction, at, mask);
    let proxy = Proxy::new(arena.url(), &[fault]);
    let sent = came(Sampan::send(proxy.url(), &["--timeout", "1s"]).args(&[file]));
    match arena.place.stored(&name) {
        Some(stored) => assert_eq!(stored, contents, "{name}"),
        None => assert_ne!(sent, Came::Through, "{name}"),
    }
    arena.place.serve(&name, &contents);
    let proxy = Proxy::new(arena.url(), &[fault]);
    let to = arena.place.path().join(format!("to-{name}/file"));
    let got = came(Sampan::get(proxy.url(), &["--timeout", "1s", "-o"]).args(&[&to]).args(&[&name]));
    match std::fs::read(to) {
        Ok(fetched) => assert_eq!(fetched, contents, "{name}"),
        Err(_) => assert_ne!(got, Came::Through, "{name}"),
    }
    [sent, got]
}

#[test]
fn clients_survive_a_flipped_bit_by_dialling_again() {
    let arena = Arena::new();
    for (direction, at) in [
        (Direction::ToServer, 50),
        (Direction::ToServer, 110),
        (Direction::ToServer, 300),
        (Direction::ToClient, 20),
        (Direction::ToClient, 50),
        (Direction::ToClient, 70),
    ] {
        assert_eq!(over_flip(&arena, direction, at, 4), [Came::Through; 2], "{direction:?} {at}");
    }
}

#[test]
#[ignore = "job crowd"]
fn clients_survive_a_flip_of_any_byte_by_dialling_again() {
    let arena = Arena::new();
    let shared = &arena;
    let all: Vec<Came> = thread::scope(|scope| {
        let flips = |worker| {
            (worker..600).step_by(SWEEPERS).flat_map(move |at| {
                [Direction::ToServer, Direction::ToClient]
                    .into_iter()
                    .flat_map(move |direction| over_flip(shared, direction, at, 1 << (at % 7)))
            })
        };
        let workers: Vec<_> = (0..SWEEPERS as u64)
            .map(|worker| scope.spawn(move || flips(worker).collect::<Vec<_>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no flip panics")).collect()
    });
    // What was not repaired was in the preamble or in the length of a frame: of hundreds of bytes, these are few.
    let through = all.iter().filter(|came| **came == Came::Through).count();
    assert!(through > all.len() * 9 / 10, "{through} of {}", all.len());
}
