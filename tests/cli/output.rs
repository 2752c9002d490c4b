//! What is printed into a pipe: plain lines, and nothing of a peer's that a terminal would obey.

use std::thread;

use sampan_core::wire::{Abort, Answered, Bye, Code, Decline, Frame, Kind, Notice, Offer, Scope};

use crate::kit::hostile::record;
use crate::kit::{
    Arena, Framed, HostileServer, PATIENCE, Place, Ran, Raw, Running, Sampan, assert_printable, content,
    until,
};

/// Clears a screen, sets a title, colours, rings, goes back, turns text around.
const HOSTILE: &str =
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{1b}[31m\r\u{8}\u{9b}2J\u{202e}\u{2066}\u{85}\u{7f}\n%s{}";

#[track_caller]
fn assert_plain(ran: &Ran) {
    assert_printable(ran.text());
    assert_printable(&ran.stderr);
}

/// The ways of printing.
const WAYS: [&[&str]; 4] = [&[], &["--json"], &["-v"], &["-vv"]];

#[test]
fn transfers_print_plain_lines_into_a_pipe() {
    let arena = Arena::new();
    let file = arena.place.write("file", &content(1, 3 << 20));
    arena.place.write("tree/a", b"a");
    arena.place.write("tree/b", b"b");
    let tree = arena.place.path().join("tree");
    let here = arena.place.path().join("here");
    std::fs::create_dir(&here).expect("a folder");
    for way in WAYS.into_iter().chain([&["-q"][..], &["--no-progress"]]) {
        let slow: &[&str] = &["--limit-rate", "4M"];
        let run = |arguments: &[&str]| Sampan::new(arguments).args(way).args(slow).in_dir(&here);
        assert_plain(run(&["send", "--to", arena.url()]).args(&[&file, &tree]).run().assert_exit(0));
        assert_plain(run(&["get", "--from", arena.url(), "file", "tree"]).run().assert_exit(0));
        let listed = Sampan::new(&["ls", "--from", arena.url()])
            .args(way.iter().filter(|way| **way != "--no-progress").collect::<Vec<_>>().as_slice())
            .run();
        assert_plain(listed.assert_exit(0));
        if way == ["-q"] {
            let sent = run(&["send", "--to", arena.url()]).args(&[&file]).run();
            assert_eq!((sent.text(), &*sent.stderr), ("", ""));
        }
    }
}

#[test]
fn data_go_to_the_standard_output_and_all_else_to_the_standard_error() {
    let arena = Arena::new();
    let contents = content(2, 100_000);
    arena.place.serve("file", &contents);
    for way in WAYS {
        let got = Sampan::new(&["get", "--from", arena.url(), "-o", "-", "file"]).args(way).run();
        got.assert_exit(0);
        assert_eq!(got.stdout, contents);
        assert_printable(&got.stderr);
        if way == ["--json"] {
            assert_eq!(got.side_events("received").len(), 1);
        }
    }
    let file = arena.place.path().join("root/file");
    let sent = Sampan::new(&["send", "--to", arena.url()]).args(&[file]).run();
    assert_eq!(sent.assert_exit(0).text(), "");
}

#[test]
fn listings_are_one_line_for_each_name() {
    let arena = Arena::new();
    arena.place.serve("a file", b"12345");
    arena.place.serve("folder/below", b"");
    let listed = Sampan::new(&["ls", "--from", arena.url()]).run();
    listed.assert_exit(0);
    let lines: Vec<&str> = listed.text().lines().collect();
    let ends = |end: &str| lines.iter().any(|line| line.ends_with(end));
    assert!(ends("a file") && ends("folder/below") && ends("folder/"), "{lines:?}");
    let line = lines.iter().find(|line| line.ends_with("a file")).expect("a line");
    assert_eq!(line.split_whitespace().next(), Some("5"), "{line}");
    let below = Sampan::new(&["ls", "--from", arena.url(), "folder"]).run();
    assert!(below.text().lines().all(|line| line.contains("folder")), "{}", below.text());
}

/// Starts a client that will hear hostile words.
fn client(command: &str, way: &[&str], url: &str, place: &Place) -> Running {
    let file = place.write("file", b"contents");
    let path = file.to_str().expect("UTF-8");
    let arguments: &[&str] = match command {
        "send" => &["send", "--retries", "0", "--to", url, path],
        "get" => &["get", "--retries", "0", "--from", url, "file"],
        _ => &["ls", "--retries", "0", "--from", url],
    };
    Sampan::new(arguments).args(way).in_dir(&place.root()).start()
}

#[test]
fn what_a_server_says_is_escaped() {
    let (server, place) = (HostileServer::new(), Place::new());
    let url = server.url();
    let session = Abort { scope: Scope::Session, transfer: 0, code: Code::Busy, words: HOSTILE };
    for way in WAYS {
        for command in ["send", "get", "ls"] {
            for said in [
                Frame::Abort(session),
                Frame::Notice(Notice { number: 5, words: HOSTILE }),
                Frame::Bye(Bye { code: Code::Closing, words: HOSTILE }),
            ] {
                let client = client(command, way, &url, &place);
                let mut framed = server.open();
                framed.say(&said);
                if let Frame::Notice(_) = said {
                    framed.expect_past(Kind::Pong);
                }
                framed.raw.fin();
                while framed.hear(PATIENCE).is_ok() {}
                let ran = client.finish();
                assert_ne!(ran.code, Some(0), "{command} {said:?}");
                assert_plain(&ran);
                if let (Frame::Notice(_), ["--json"]) = (said, way) {
                    assert_eq!(ran.event("notice")["text"], HOSTILE);
                }
            }
            let client = client(command, way, &url, &place);
            let mut framed = server.open();
            if command == "send" {
                framed.expect(Kind::Offer);
                let what = Answered::Offer;
                framed.say(&Frame::Decline(Decline {
                    what,
                    number: 1,
                    code: Code::NotAllowed,
                    words: HOSTILE,
                }));
            } else {
                framed.refuse_all(Code::NotAllowed, HOSTILE);
            }
            framed.see_off();
            let ran = client.finish();
            ran.assert_exit(5);
            assert_plain(&ran);
            assert!(
                format!("{}{}", ran.text(), ran.stderr).contains("owned"),
                "the words are not shown: {ran:?}"
            );
        }
    }
}

#[test]
fn names_that_a_server_lists_are_escaped() {
    let (server, place) = (HostileServer::new(), Place::new());
    let url = server.url();
    for way in WAYS {
        for name in [HOSTILE.as_bytes(), b"\x1b[2J", b"plain\xff", b"\xc2\x9b"] {
            let client = client("ls", way, &url, &place);
            let mut framed = server.open();
            let wanted = framed.expect_want();
            framed.serve_listing(&wanted, &record(name, 4));
            framed.see_off();
            assert_plain(&client.finish());
        }
    }
}

#[test]
fn what_a_classic_server_says_is_escaped() {
    let place = Place::new();
    let file = place.write("file", b"contents");
    for way in WAYS {
        let server = HostileServer::new();
        let client =
            Sampan::new(&["send", "--classic", "--to", &server.url()]).args(way).args(&[&file]).start();
        let mut raw = server.accept();
        let mut name = [0; 64];
        let n = raw.try_read(&mut name, PATIENCE).expect("a name");
        assert_eq!(&name[..n], b"file");
        raw.write(format!("[!] server : {HOSTILE}").as_bytes());
        raw.fin();
        let ran = client.finish();
        assert_plain(&ran);
        assert_ne!(ran.code, Some(0));
    }
}

#[test]
fn what_clients_say_is_escaped_where_a_server_prints_it() {
    thread::scope(|scope| {
        for way in WAYS {
            scope.spawn(move || say_hostile_words(way));
        }
    });
}

/// Says hostile words to a server that prints in this way.
fn say_hostile_words(way: &[&str]) {
    let place = Place::new();
    let socket = place.path().join("socket");
    let url = format!("unix:{}", socket.display());
    let mut server = Sampan::new(&["serve", "--listen", &url]).args(way).args(&[place.root()]).start();
    until("it listens", PATIENCE, || Raw::try_dial(&url).ok());
    let mut framed = Framed::dial(&url);
    framed.say(&Frame::Offer(Framed::offer(1, HOSTILE, 4)));
    framed.expect_decline(Answered::Offer, 1, Code::BadName);
    framed.say(&Frame::Offer(Offer {
        directory: true,
        size: None,
        ..Framed::offer_bytes(2, b"\xff\x1b[2J", 0)
    }));
    framed.expect_decline(Answered::Offer, 2, Code::BadName);
    framed.say(&Frame::Notice(Notice { number: 9, words: HOSTILE }));
    framed.expect(Kind::Pong);
    framed.say(&Frame::Offer(Framed::offer(3, "name", 4)));
    framed.expect_accept();
    let scope = Scope::Sending;
    framed.say(&Frame::Abort(Abort { scope, transfer: 3, code: Code::Other, words: HOSTILE }));
    framed.say(&Frame::Bye(Bye { code: Code::Other, words: HOSTILE }));
    let _ = framed.raw.expect_close(PATIENCE);
    let mut framed = Framed::dial(&url);
    framed.say(&Frame::Abort(Abort {
        scope: Scope::Session,
        transfer: 0,
        code: Code::Other,
        words: HOSTILE,
    }));
    let _ = framed.raw.expect_close(PATIENCE);
    let mut classic = Raw::dial(&url);
    classic.write(HOSTILE.as_bytes());
    classic.fin();
    let _ = classic.expect_close(PATIENCE);
    assert!(!server.has_ended());
    server.signal(rustix::process::Signal::TERM);
    let ran = server.finish();
    ran.assert_exit(0);
    assert_plain(&ran);
}

#[test]
fn progress_comes_at_most_four_times_a_second() {
    let arena = Arena::new();
    let file = arena.place.write("file", &content(3, 6 << 20));
    let sent = Sampan::send(arena.url(), &["--limit-rate", "3M"]).args(&[&file]).run();
    sent.assert_exit(0);
    let progress = sent.events("progress").len();
    let seconds = sent.event("sent")["seconds"].as_f64().expect("a time");
    assert!(progress >= 2 && progress as f64 <= seconds * 4.0 + 2.0, "{progress} in {seconds} s");
}

#[test]
fn events_come_in_the_order_in_which_things_happen() {
    fn events(ran: &Ran) -> Vec<String> {
        let lines = ran.assert_exit(0).text().lines();
        lines
            .map(|line| {
                let event: serde_json::Value = serde_json::from_str(line).expect("an object");
                assert_eq!(event["v"], 1);
                event["event"].as_str().expect("a name").to_owned()
            })
            .collect()
    }
    let arena = Arena::new();
    let file = arena.place.write("file", &content(3, 1000));
    let sent = Sampan::send(arena.url(), &[]).args(&[&file]).run();
    assert_eq!(events(&sent), ["planned", "connected", "started", "sent", "summary"]);
    let got = Sampan::new(&["get", "--json", "--from", arena.url(), "file", "-o", "there/"])
        .in_dir(arena.place.path())
        .run();
    assert_eq!(events(&got), ["connected", "planned", "started", "received", "summary"]);
    let kinds: Vec<String> = until("the server has told it", PATIENCE, || {
        let all = arena.server.events.since(0);
        let kinds: Vec<_> =
            all.iter().map(|event| event["event"].as_str().unwrap_or_default().to_owned()).collect();
        (kinds.len() >= 7).then_some(kinds)
    });
    let expected = ["listening", "connected", "started", "received", "connected", "started", "sent"];
    assert_eq!(kinds, expected);
}
