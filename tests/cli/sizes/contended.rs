//! Many who write the same name at once.

use std::sync::Barrier;
use std::thread;

use sampan_core::wire::{Code, Frame, Kind};

use crate::kit::{Arena, Framed, PATIENCE, Sampan, content};

const WRITERS: usize = 100;

/// Everybody offers the same name, sends the contents when all have begun, and says what came of it.
fn write_at_once(url: &str) -> Vec<Code> {
    let all = Barrier::new(WRITERS);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let all = &all;
                scope.spawn(move || {
                    let contents = content(writer as u64, 20_000);
                    let mut framed = Framed::dial(url);
                    all.wait();
                    framed.say(&Frame::Offer(Framed::offer(1, "name", 20_000)));
                    let mut frame = framed.hear(PATIENCE).expect("an answer");
                    if frame[0] == Kind::Accept.code() {
                        framed.say_data(1, &contents, 0, 1000);
                        framed.say(&Frame::End(Framed::end_of(1, &contents)));
                        frame = framed.expect(Kind::Done);
                    }
                    framed.say_bye();
                    let _ = framed.raw.expect_close(PATIENCE);
                    match Frame::parse(&frame).expect("a frame") {
                        Frame::Decline(decline) => decline.code,
                        Frame::Done(done) => done.code,
                        other => panic!("{other:?}"),
                    }
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().expect("no writer panics")).collect()
    })
}

#[test]
fn a_hundred_writers_to_one_name_where_none_is_replaced_leave_the_first_whole() {
    let mut arena = Arena::with(&["--on-conflict", "refuse"]);
    let said = write_at_once(arena.url());
    let winners: Vec<usize> = (0..WRITERS).filter(|writer| said[*writer] == Code::Ok).collect();
    let [winner] = winners[..] else { panic!("{winners:?} of {said:?}") };
    assert!(said.iter().all(|code| matches!(code, Code::Ok | Code::Exists | Code::Busy)), "{said:?}");
    assert_eq!(arena.place.stored("name"), Some(content(winner as u64, 20_000)));
    arena.oracle().failures(WRITERS - 1).files(&["name"]).check();
}

#[test]
fn a_hundred_writers_to_one_name_where_it_is_replaced_leave_one_of_them_whole() {
    let mut arena = Arena::with(&["--on-conflict", "replace"]);
    let said = write_at_once(arena.url());
    assert!(said.contains(&Code::Ok), "{said:?}");
    assert!(said.iter().all(|code| matches!(code, Code::Ok | Code::Busy)), "{said:?}");
    let stored = arena.place.stored("name").expect("a file");
    let whole = (0..WRITERS).find(|writer| content(*writer as u64, 20_000) == stored).expect("it is whole");
    assert_eq!(said[whole], Code::Ok);
    arena.oracle().any_failures().files(&["name"]).check();
}

#[test]
fn a_hundred_writers_to_one_name_where_all_are_kept_leave_all_of_them_whole() {
    let mut arena = Arena::with(&["--on-conflict", "keep"]);
    let said = write_at_once(arena.url());
    let ok = said.iter().filter(|code| **code == Code::Ok).count();
    assert!(said.iter().all(|code| matches!(code, Code::Ok | Code::Busy)), "{said:?}");
    let names = arena.place.visible();
    assert_eq!(names.len(), ok, "{names:?}");
    let mut stored: Vec<_> = names.iter().map(|name| arena.place.stored(name).expect("a file")).collect();
    let mut sent: Vec<_> = (0..WRITERS)
        .filter(|writer| said[*writer] == Code::Ok)
        .map(|writer| content(writer as u64, 20_000))
        .collect();
    stored.sort();
    sent.sort();
    assert!(stored == sent, "not every one of them is whole");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    arena.oracle().any_failures().files(&names).check();
}

#[test]
#[ignore = "job crowd"]
fn many_clients_that_fetch_into_one_folder_do_not_disturb_each_other() {
    const CLIENTS: usize = 12;
    let mut arena = Arena::new();
    let names: Vec<String> = (0..CLIENTS).map(|n| format!("file-{n:02}")).collect();
    for (n, name) in names.iter().enumerate() {
        arena.place.serve(name, &content(n as u64, 5000));
    }
    let into = arena.place.path().join("into");
    std::fs::create_dir(&into).expect("a folder");
    for _ in 0..100 {
        let clients: Vec<_> =
            names.iter().map(|name| Sampan::get(arena.url(), &[name, "-o"]).args(&[&into]).start()).collect();
        for (n, client) in clients.into_iter().enumerate() {
            client.finish().assert_exit(0);
            let file = into.join(&names[n]);
            assert_eq!(std::fs::read(&file).ok(), Some(content(n as u64, 5000)));
            std::fs::remove_file(file).expect("it is there");
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    arena.oracle().failures(0).files(&names).check();
}
