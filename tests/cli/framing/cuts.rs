//! A good session that ends after any of its bytes: in order, by a reset, or in silence.

use std::collections::BTreeSet;
use std::thread;

use super::Said;
use crate::kit::{Arena, PATIENCE, Raw, SOON, content, until};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Fin,
    Reset,
    Silence,
}

fn said(how: Cut, at: usize) -> Said {
    Said { name: format!("{how:?}-{at:03}"), contents: content(at as u64, 300) }
}

/// Says so many bytes of the session; whether END is among them.
fn say(url: &str, said: &Said, bytes: usize) -> (Raw, bool) {
    let opening = Said::opening();
    if bytes <= opening.len() {
        let mut raw = Raw::dial(url);
        raw.write(&opening[..bytes]);
        return (raw, false);
    }
    let mut framed = Said::open(url);
    let (rest, end) = said.rest(&framed);
    let bytes = bytes - opening.len();
    framed.say_bytes(&rest[..bytes]);
    (framed.raw, bytes >= end)
}

/// Every byte of handshake, OFFER, END and BYE, and some of the contents.
fn places(url: &str) -> Vec<usize> {
    let framed = Said::open(url);
    let whole = Said::opening().len() + said(Cut::Fin, 0).rest(&framed).0.len();
    drop(framed);
    (0..=whole).filter(|at| *at < 150 || *at > whole - 40 || at % 19 == 0).collect()
}

fn cut_everywhere(how: Cut, arguments: &[&str]) {
    let mut arena = Arena::with(arguments);
    let url = arena.url().to_owned();
    let places = places(&url);
    let held = thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let (places, url) = (&places, &url);
                scope.spawn(move || {
                    let mut held = Vec::new();
                    for at in places.iter().skip(worker).step_by(4) {
                        let (raw, whole) = say(url, &said(how, *at), *at);
                        match how {
                            Cut::Fin => {
                                raw.fin();
                                let _ = raw.another().expect_close(PATIENCE);
                            }
                            Cut::Reset => raw.reset(),
                            Cut::Silence => held.push((raw, *at)),
                        }
                        if whole && how != Cut::Reset {
                            held.push((Raw::dial(url), *at));
                        }
                    }
                    held
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no cut panics")).collect::<Vec<_>>()
    });
    drop(held);
    let framed = Said::open(&url);
    let (rest, end) = said(how, 0).rest(&framed);
    drop((framed, rest));
    let end = Said::opening().len() + end;
    let whole: BTreeSet<String> =
        places.iter().filter(|at| **at >= end).map(|at| said(how, *at).name).collect();
    // A reset may overtake what was said before it.
    if how != Cut::Reset {
        until("what was whole is stored", SOON, || {
            whole.iter().all(|name| arena.place.stored(name).is_some()).then_some(())
        });
    }
    arena.server.settled_usage();
    let stored = arena.place.visible();
    for name in &stored {
        assert!(whole.contains(name), "{name} was never whole");
        let at = name.rsplit('-').next().and_then(|at| at.parse().ok()).expect("a number");
        assert_eq!(arena.place.stored(name), Some(said(how, at).contents));
    }
    let stored: Vec<&str> = stored.iter().map(String::as_str).collect();
    arena.oracle().any_failures().files(&stored).check();
}

#[test]
fn a_session_that_ends_in_order_after_any_byte_commits_only_what_was_whole() {
    cut_everywhere(Cut::Fin, &[]);
}

#[test]
fn a_session_that_is_reset_after_any_byte_commits_only_what_was_whole() {
    cut_everywhere(Cut::Reset, &[]);
}

#[test]
fn a_session_that_falls_silent_after_any_byte_commits_only_what_was_whole() {
    cut_everywhere(Cut::Silence, &["--handshake-timeout", "2s", "--idle-timeout", "2s"]);
}
