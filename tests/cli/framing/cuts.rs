//! A good session that ends after any of its bytes: in order, by a reset, or in silence.

use std::collections::BTreeSet;
use std::thread;

use super::Said;
use crate::kit::proxy::{Direction, Fault, Proxy};
use crate::kit::{Arena, PATIENCE, Raw, SOON, Sampan, content, until};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Fin,
    Reset,
    Silence,
}

fn said(how: Cut, at: usize) -> Said {
    Said { name: format!("{how:?}-{at:03}"), contents: content(at as u64, 300) }
}

/// Says so many bytes of the session.
fn say(url: &str, said: &Said, bytes: usize) -> Raw {
    let opening = Said::opening();
    if bytes <= opening.len() {
        let mut raw = Raw::dial(url);
        raw.write(&opening[..bytes]);
        return raw;
    }
    let mut framed = Said::open(url);
    let (rest, _) = said.rest(&framed);
    framed.say_bytes(&rest[..bytes - opening.len()]);
    framed.raw
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
                        let raw = say(url, &said(how, *at), *at);
                        match how {
                            Cut::Fin => {
                                raw.fin();
                                let _ = raw.another().expect_close(PATIENCE);
                            }
                            Cut::Reset => raw.reset(),
                            Cut::Silence => held.push(raw),
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
    arena.assert_given_back();
    let stored = arena.place.visible();
    for name in &stored {
        assert!(whole.contains(name), "{name} was never whole");
        let at = name.rsplit('-').next().and_then(|at| at.parse().ok()).expect("a number");
        assert_eq!(arena.place.stored(name), Some(said(how, at).contents));
    }
    let stored: Vec<&str> = stored.iter().map(String::as_str).collect();
    // Only who says everything has ended well; two more have measured the session.
    let cut = places.len() - 1 + 2;
    match how {
        Cut::Fin | Cut::Silence => arena.oracle().failures(cut).files(&stored).check(),
        Cut::Reset => arena.oracle().any_failures().files(&stored).check(),
    }
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

/// Sends and fetches a file over a link that ends once; the clients dial again by themselves.
fn over_cut(arena: &Arena, fault: Fault) -> String {
    let name = format!("{fault:?}");
    let contents = content(7, 400_000);
    let file = arena.place.write(&format!("from/{name}"), &contents);
    let proxy = Proxy::new(arena.url(), &[fault]);
    Sampan::send(proxy.url(), &["--timeout", "1s"]).args(&[file]).run().assert_exit(0);
    assert!(arena.place.stored(&name).as_ref() == Some(&contents), "{name} differs");
    assert!(proxy.connections() <= 2, "{name}: {} connections", proxy.connections());
    let proxy = Proxy::new(arena.url(), &[fault]);
    let to = arena.place.path().join(format!("to-{name}"));
    let got = Sampan::get(proxy.url(), &["--timeout", "1s", &name, "-o"]).args(&[&to]).run();
    got.assert_exit(0);
    assert!(std::fs::read(to).ok().as_ref() == Some(&contents), "{name} differs");
    assert!(proxy.connections() <= 2, "{name}: {} connections", proxy.connections());
    name
}

/// Each of these ways to end, after each of so many bytes of either direction.
fn over_cuts(ways: &[fn(Direction, u64) -> Fault], places: &[u64]) {
    let mut arena = Arena::new();
    let shared = &arena;
    let mut names = thread::scope(|scope| {
        let workers: Vec<_> = [Direction::ToServer, Direction::ToClient]
            .map(|direction| {
                scope.spawn(move || {
                    let faults = ways.iter().flat_map(|way| places.iter().map(|at| way(direction, *at)));
                    faults.map(|fault| over_cut(shared, fault)).collect::<Vec<_>>()
                })
            })
            .into();
        workers.into_iter().flat_map(|worker| worker.join().expect("no cut panics")).collect::<Vec<_>>()
    });
    names.sort();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    arena.oracle().any_failures().files(&names).check();
}

#[test]
fn clients_dial_again_when_the_link_ends_or_falls_silent() {
    over_cuts(&[Fault::Fin, Fault::Reset], &[3, 60, 200_000]);
    over_cuts(&[Fault::Silence], &[100]);
}

#[test]
#[ignore = "job crowd"]
fn clients_dial_again_wherever_the_link_ends_or_falls_silent() {
    let places: Vec<u64> = (1..200).chain((1000..400_000).step_by(20_011)).collect();
    over_cuts(&[Fault::Fin, Fault::Reset], &places);
    over_cuts(&[Fault::Silence], &[1, 20, 45, 46, 80, 100, 130, 170, 100_000, 399_000]);
}

#[test]
fn links_that_are_cut_again_and_again_are_enough_as_long_as_each_brings_something() {
    const CUTS: usize = 8;
    let arena = Arena::new();
    let contents = content(5, 2_000_000);
    let file = arena.place.write("file", &contents);
    let cut = |direction| Proxy::new(arena.url(), &[Fault::Fin(direction, 300_000); CUTS]);
    let (there, back) = (cut(Direction::ToServer), cut(Direction::ToClient));
    // Once more before anything has come further: not often enough for all the cuts.
    let sent = Sampan::send(there.url(), &["--retries", "1"]).args(&[&file]).run();
    assert!(sent.assert_exit(0).event("sent")["resumed_from"].as_u64() > Some(0));
    assert_eq!(arena.place.stored("file").as_ref(), Some(&contents));
    let got =
        Sampan::get(back.url(), &["--retries", "1", "file", "-o", "back"]).in_dir(arena.place.path()).run();
    got.assert_exit(0);
    assert!(std::fs::read(arena.place.path().join("back")).is_ok_and(|got| got == contents));
    let back = cut(Direction::ToClient);
    let got = Sampan::get(back.url(), &["--retries", "1", "file", "-o", "-"]).run();
    got.assert_exit(0);
    assert!(got.stdout == contents);
}

#[test]
fn a_pipe_that_was_begun_is_not_sent_from_the_middle_over_another_link() {
    let mut arena = Arena::new();
    let proxy = Proxy::new(arena.url(), &[Fault::Fin(Direction::ToServer, 300_000)]);
    let sent = Sampan::send(proxy.url(), &["-", "--name", "pipe"]).input(&content(6, 2_000_000)).run();
    sent.assert_exit(7);
    let failed = sent.assert_failed("link-lost");
    assert_eq!(failed["resumable"], false, "{failed}");
    assert_eq!(arena.place.stored("pipe"), None);
    arena.oracle().any_failures().check();
}
