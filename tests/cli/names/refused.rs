//! Names that are refused wherever they come from (`docs/protocol.md` §6).

use sampan_core::wire::{Answered, Code, Frame, Offer, UncheckedName, Want};

use crate::kit::{Arena, Framed, PATIENCE, Sampan};

const VECTORS: &str = include_str!("../../vectors/names.txt");

const CLIMBING: [&[u8]; 13] = [
    b"..",
    b".",
    b"../x",
    b"a/../../x",
    b"a/..",
    b"../../outside/secret",
    b"a/./b",
    b"./x",
    b"a//b",
    b"a/",
    b"/",
    b"//",
    b"a/../b",
];

const ABSOLUTE: [&[u8]; 9] = [
    b"/etc/x",
    b"//h/s",
    b"\\\\h\\s",
    b"C:\\x",
    b"\\\\?\\C:\\x",
    b"\\\\.\\COM1",
    b"\\x",
    b"..\\..\\x",
    b"a\\..\\b",
];

const NOT_TEXT: [&[u8]; 6] = [b"", b"\0", b"a\0b", b"name\0", b"\xff", b"a\xc0\xafb"];

const CONTROLS: [&str; 18] = [
    "a\nb",
    "a\n",
    "\ra",
    "a\tb",
    "a\u{7f}",
    "\u{1b}[2J",
    "\u{1b}]0;title\u{7}",
    "a\u{9b}2J",
    "a\u{85}b",
    "abc\u{202e}txt.exe",
    "\u{2066}x\u{2069}",
    "a\u{200e}b",
    "a\u{200f}b",
    "a\u{61c}b",
    "a\u{2028}b",
    "a\u{2029}b",
    "a\u{1}b",
    "dir\n/file",
];

const RESERVED: [&[u8]; 8] = [
    b".sampan",
    b".sampan-0123456789abcdef",
    b".sampan.lock",
    b".SAMPAN-x",
    b".Sampan",
    b"a/.sampan-x",
    b".sampan/a",
    b"a/.sampan/b",
];

/// Offers every name as a file and as a directory, asks for it and for what begins with it: always `bad name`, and the session
/// goes on.
#[track_caller]
fn are_refused(names: &[&[u8]], arguments: &[&str]) {
    let mut arena = Arena::with(arguments);
    let mut framed = Framed::dial(arena.url());
    let mut id = 0;
    for name in names {
        for directory in [false, true] {
            id += 1;
            let size = u64::from(!directory);
            framed.say(&Frame::Offer(Offer { directory, ..Framed::offer_bytes(id, name, size) }));
            framed.expect_decline(Answered::Offer, id, Code::BadName);
        }
    }
    let mut number = 0;
    for name in names {
        for listing in [false, true] {
            // An empty prefix asks for everything.
            if listing && name.is_empty() {
                continue;
            }
            number += 1;
            framed.say(&Frame::Want(Want { number, listing, name: UncheckedName::new(name) }));
            framed.expect_decline(Answered::Want, number, Code::BadName);
        }
    }
    framed.say_file(id + 1, "good", b"in the same session");
    framed.expect_accept();
    framed.expect_done(id + 1, Code::Ok);
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    assert_eq!(arena.place.stored("good"), Some(b"in the same session".to_vec()));
    arena.oracle().any_failures().files(&["good"]).check();
    let refused = arena.server.failures(0);
    assert!(refused.iter().all(|failed| failed["error"] == "bad-name"), "{refused:#?}");
    assert!(refused.len() >= id as usize, "{} of {id} are reported", refused.len());
}

#[test]
fn names_that_climb_are_refused() {
    are_refused(&CLIMBING, &[]);
}

#[test]
fn absolute_names_and_backslashes_are_refused_on_every_system() {
    are_refused(&ABSOLUTE, &[]);
}

#[test]
fn empty_names_nul_and_what_is_not_text_are_refused() {
    are_refused(&NOT_TEXT, &[]);
}

#[test]
fn control_characters_and_turned_text_are_refused_and_escaped_where_shown() {
    are_refused(&CONTROLS.map(str::as_bytes), &[]);
}

#[test]
fn names_that_are_reserved_are_refused() {
    are_refused(&RESERVED, &[]);
}

#[test]
fn what_only_windows_cannot_hold_is_refused_with_portable_names() {
    let names = [
        "CON",
        "con",
        "nul.txt",
        "aux.",
        "COM1 ",
        "COM\u{b9}",
        "LPT\u{2070}x:",
        "CONIN$",
        "CONOUT$",
        "a:b",
        "what?",
        "a*",
        "<a>",
        "a|b",
        "\"a\"",
        "a.",
        "a ",
        "dir./b",
        "PRN/x",
        "LPT1.tar.gz",
    ];
    let mut arena = Arena::with(&["--portable-names"]);
    let mut framed = Framed::dial(arena.url());
    for (id, name) in (1..).zip(names) {
        framed.say(&Frame::Offer(Framed::offer(id, name, 1)));
        framed.expect_decline(Answered::Offer, id, Code::BadName);
    }
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    arena.oracle().failed_times(names.len(), "bad-name").check();
    let mut arena = Arena::new();
    let mut framed = Framed::dial(arena.url());
    let mut stored = Vec::new();
    for (id, name) in (1..).zip(names) {
        framed.say_file(id, name, b"x");
        framed.expect_done_after_accept(id);
        stored.push(name);
        if let Some((folder, _)) = name.split_once('/') {
            stored.push(folder);
        }
    }
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    for name in names {
        assert_eq!(arena.place.stored(name), Some(b"x".to_vec()), "{name}");
    }
    let visible = arena.place.visible();
    let visible: Vec<&str> = visible.iter().map(String::as_str).collect();
    assert_eq!(visible.len(), stored.len(), "{visible:?}");
    arena.oracle().failures(0).files(&visible).check();
}

#[test]
fn names_that_are_too_long_are_refused_and_the_longest_are_stored() {
    let mut arena = Arena::new();
    let longest_part = "p".repeat(255);
    let longest_name = format!("{}/{}", vec!["d".repeat(203); 5].join("/"), "abcd");
    assert_eq!(longest_name.len(), 1024);
    let deepest = ["d"; 512].join("/");
    let mut framed = Framed::dial(arena.url());
    for (id, name) in (1..).zip([&longest_part, &longest_name, &deepest]) {
        framed.say_file(id, name, b"x");
        framed.expect_done_after_accept(id);
        assert_eq!(arena.place.stored(name), Some(b"x".to_vec()));
    }
    let refused = [
        "p".repeat(256),
        format!("d/{}/x", "p".repeat(256)),
        ["d"; 513].join("/"),
        ["d"; 530].join("/"),
        format!("{longest_name}x"),
    ];
    for (id, name) in (4..).zip(&refused) {
        framed.say(&Frame::Offer(Framed::offer(id, name, 1)));
        framed.expect_decline(Answered::Offer, id, Code::BadName);
    }
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    let visible = arena.place.visible();
    let visible: Vec<&str> = visible.iter().map(String::as_str).collect();
    assert_eq!(visible.len(), 1 + 6 + 512);
    arena.oracle().failed_times(refused.len(), "bad-name").files(&visible).check();
    let said = arena.server.failures(0);
    let told =
        |limit: &str| said.iter().any(|failed| failed["message"].as_str().is_some_and(|m| m.contains(limit)));
    assert!(told("255") && told("1024"), "the limits are not told: {said:#?}");
}

#[test]
fn names_of_many_kilobytes_and_a_thousand_parts_are_refused() {
    let mut arena = Arena::new();
    let names = ["p".repeat(4_096), "p".repeat(65_000), ["d"; 1_000].join("/"), ["d"; 30_000].join("/")];
    let mut failures = 0;
    for name in &names {
        let mut framed = Framed::dial(arena.url());
        framed.say(&Frame::Offer(Framed::offer(1, name, 1)));
        // A frame that is no DATA may be larger than an end takes.
        let answer = framed.hear(PATIENCE).expect("an answer");
        match Frame::parse(&answer).expect("a frame") {
            Frame::Decline(decline) => assert_eq!(decline.code, Code::BadName),
            Frame::Abort(abort) => assert_eq!(abort.code, Code::Protocol),
            other => panic!("{other:?}"),
        }
        framed.say_bye();
        let _ = framed.raw.expect_close(PATIENCE);
        failures += 1;
    }
    arena.oracle().failures(failures).check();
}

#[test]
fn names_are_judged_as_the_vectors_say() {
    let mut arena = Arena::new();
    let mut framed = Framed::dial(arena.url());
    let mut id = 0;
    for line in VECTORS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (verdict, rest) = line.split_once(' ').expect("a vector");
        let (_, quoted) = rest.split_once(' ').expect("a vector");
        let name = unquoted(quoted);
        if verdict == "valid" {
            continue;
        }
        id += 1;
        framed.say(&Frame::Offer(Framed::offer_bytes(id, &name, 1)));
        framed.expect_decline(Answered::Offer, id, Code::BadName);
    }
    assert!(id > 30, "{id}");
    framed.say_bye();
    let _ = framed.raw.expect_close(PATIENCE);
    arena.oracle().failed_times(id as usize, "bad-name").check();
}

fn unquoted(quoted: &str) -> Vec<u8> {
    let mut rest = quoted.trim_matches('"').as_bytes();
    let mut bytes = Vec::new();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, rest) {
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = str::from_utf8(&digits).expect("ASCII");
                bytes.push(u8::from_str_radix(digits, 16).expect("hexadecimal"));
                rest = after;
            }
            _ => bytes.push(*first),
        }
    }
    bytes
}

#[test]
fn clients_refuse_to_send_or_ask_for_such_names() {
    let mut arena = Arena::new();
    let file = arena.place.write("file", b"x");
    for name in ["../x", "/etc/x", "a\\b", "a\nb", ".sampan-x", "a//b", ""] {
        let sent = Sampan::send(arena.url(), &["--name", name]).args(&[&file]).run();
        assert!(matches!(sent.code, Some(2 | 5 | 8)), "{name:?}: {sent:?}");
        let got = Sampan::get(arena.url(), &["--", name]).in_dir(arena.place.path()).run();
        assert!(matches!(got.code, Some(2 | 5)), "{name:?}: {got:?}");
    }
    arena.oracle().any_failures().check();
}
