//! Every single bit of a good session, turned over.

use std::thread;

use super::Said;
use crate::kit::proxy::{Direction, Fault, Proxy};
use crate::kit::{Arena, PATIENCE, Raw, Sampan, content};

const WORKERS: usize = 4;

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
    arena.oracle().failures(bits).files(&whole).check();
}

/// Sends and fetches a file over a link that turns this bit over once; the clients dial again.
fn over_flip(arena: &Arena, direction: Direction, at: u64, mask: u8) {
    let name = format!("{direction:?}-{at}-{mask}");
    let contents = content(at, 500);
    let file = arena.place.write(&format!("from/{name}"), &contents);
    let fault = Fault::Flip(direction, at, mask);
    let proxy = Proxy::new(arena.url(), &[fault]);
    Sampan::send(proxy.url(), &[]).args(&[file]).run().assert_exit(0);
    assert_eq!(arena.place.stored(&name).as_ref(), Some(&contents));
    let proxy = Proxy::new(arena.url(), &[fault]);
    let to = arena.place.path().join(format!("to-{name}"));
    Sampan::get(proxy.url(), &["-o"]).args(&[&to]).args(&[&name]).run().assert_exit(0);
    assert_eq!(std::fs::read(to).expect("it is there"), contents);
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
        over_flip(&arena, direction, at, 4);
    }
}

#[test]
#[ignore = "job crowd"]
fn clients_survive_a_flip_of_any_byte_by_dialling_again() {
    let arena = Arena::new();
    for at in 0..600 {
        over_flip(&arena, Direction::ToServer, at, 1 << (at % 8));
        over_flip(&arena, Direction::ToClient, at, 1 << (at % 8));
    }
}
