//! Requests without end, whose answers are never read.

use std::time::Duration;

use sampan_core::wire::{Frame, Ping};

use crate::kit::{Arena, Framed, PATIENCE, Place};

/// The most that the server's memory may grow, in KiB.
const GROWTH: u64 = 16 << 10;

/// Says what `frame` makes, ten thousand times or until the server takes no more; it lets go of the peer by itself.
#[track_caller]
fn flood(say: impl Fn(&mut Framed, u32) -> std::io::Result<()>) {
    let place = Place::new();
    for n in 0..2_000 {
        place.serve(&format!("a-file-with-a-rather-long-name-to-fill-listings-{n}"), b"");
    }
    let mut arena = Arena::serving(place, &["--idle-timeout", "1s"]);
    let before = arena.place.visible();
    let mut framed = Framed::dial(arena.url());
    framed.raw.narrow();
    framed.raw.set_patience(Duration::from_millis(500));
    for number in 1..=10_000 {
        if say(&mut framed, number).is_err() {
            break;
        }
    }
    arena.server.events.wait("failed", PATIENCE, |failed| failed["name"].is_null());
    drop(framed);
    let grown = arena.server.usage().peak - arena.base.peak;
    assert!(grown < GROWTH, "the server grew by {grown} KiB");
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    arena.oracle().any_failures().files(&before).check();
}

#[test]
fn ten_thousand_pings_whose_answers_are_not_read_are_let_go() {
    flood(|framed, number| framed.try_say(&Frame::Ping(Ping { number })));
}

#[test]
fn ten_thousand_listings_that_are_not_read_are_let_go() {
    flood(|framed, number| {
        let name = sampan_core::wire::UncheckedName::new(b"");
        framed.try_say(&Frame::Want(sampan_core::wire::Want { number, listing: true, name }))
    });
}

#[test]
fn ten_thousand_offers_whose_refusals_are_not_read_are_let_go() {
    flood(|framed, id| framed.try_say(&Frame::Offer(Framed::offer(id, "../up", 10))));
}
