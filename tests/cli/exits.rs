//! Every exit code and every error of `docs/cli.md` §10, provoked.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;

use sampan_core::wire::{Abort, Answered, Code, Decline, Done, End, Frame, Kind, Scope};

use crate::kit::hostile::record;
use crate::kit::{Arena, Framed, HostileServer, PATIENCE, Place, Ran, Sampan, content};

/// A code of the protocol, the error it becomes at whoever hears it, and its exit code.
const REFUSALS: [(Code, &str, i32); 13] = [
    (Code::Other, "other", 1),
    (Code::NotAllowed, "not-allowed", 5),
    (Code::BadName, "bad-name", 5),
    (Code::Exists, "exists", 5),
    (Code::TooLarge, "too-large", 5),
    (Code::NoSpace, "no-space", 5),
    (Code::NotFound, "not-found", 5),
    (Code::Storage, "storage", 5),
    (Code::Unsupported, "unsupported", 5),
    (Code::Cancelled, "cancelled", 5),
    (Code::Integrity, "integrity", 6),
    (Code::Timeout, "timeout", 7),
    (Code::Closing, "closing", 7),
];

fn file(place: &Place) -> std::path::PathBuf {
    place.write("file", b"contents")
}

/// Sends a file to a server that is played by hand.
fn send_to(server: &HostileServer, place: &Place, answer: impl FnOnce(&mut Framed)) -> Ran {
    let url = server.url();
    let client = Sampan::send(&url, &["--retries", "0", "--timeout", "10s"]).args(&[file(place)]).start();
    let mut framed = server.open();
    framed.expect(Kind::Offer);
    answer(&mut framed);
    framed.see_off();
    drop(framed);
    client.finish()
}

#[test]
fn zero_means_that_everything_is_in_its_place() {
    let arena = Arena::new();
    let sent = Sampan::send(arena.url(), &[]).args(&[file(&arena.place)]).run();
    assert_eq!(sent.assert_exit(0).event("summary")["files"], 1);
    let got = Sampan::get(arena.url(), &["file"]).in_dir(arena.place.path()).run();
    assert_eq!(got.assert_exit(0).event("summary")["failed"], 0);
    Sampan::ls(arena.url(), &[]).run().assert_exit(0);
}

#[test]
fn refusals_of_a_file_have_the_code_of_their_reason() {
    let (server, place) = (HostileServer::new(), Place::new());
    for (code, error, exit) in REFUSALS {
        let what = Answered::Offer;
        let ran = send_to(&server, &place, |framed| {
            framed.say(&Frame::Decline(Decline { what, number: 1, code, words: "because" }));
        });
        let failed = ran.assert_exit(exit).assert_failed(error);
        assert_eq!(failed["name"], "file");
        assert!(failed["message"].as_str().is_some_and(|message| message.contains("because")), "{failed}");
    }
}

#[test]
fn refusals_of_what_was_asked_for_have_the_code_of_their_reason() {
    let (server, place) = (HostileServer::new(), Place::new());
    for (code, error, exit) in REFUSALS {
        let url = server.url();
        for listing in [false, true] {
            let client = match listing {
                true => Sampan::ls(&url, &["--retries", "0"]),
                false => Sampan::get(&url, &["--retries", "0", "file"]).in_dir(place.path()),
            };
            let client = client.start();
            let mut framed = server.open();
            framed.refuse_all(code, "because");
            drop(framed);
            client.finish().assert_exit(exit).assert_failed(error);
        }
    }
}

#[test]
fn codes_that_nobody_knows_are_other() {
    let (server, place) = (HostileServer::new(), Place::new());
    let ran = send_to(&server, &place, |framed| framed.say_raw(&[Kind::Decline.code(), 0, 1, 99, b'?']));
    ran.assert_exit(1).assert_failed("other");
    let ran = send_to(&server, &place, |framed| framed.say_raw(&[Kind::Abort.code(), 0, 0, 99, b'?']));
    ran.assert_exit(1).assert_failed("other");
}

#[test]
fn two_means_that_what_was_typed_makes_no_sense() {
    let place = Place::new();
    let root = place.root();
    let root = root.to_str().expect("UTF-8");
    for arguments in [
        &["send"][..],
        &["get"],
        &["serve", "--min-rate", "fast"],
        &["serve", "--on-conflict", "maybe", root],
        &["serve", "--allow", "everything", root],
        &["serve", "--listen", "ftp://localhost", root],
        &["serve", "--listen", "tcp://0.0.0.0:0", root],
        &["serve", "--listen", "exec:cat", root],
        &["serve", "--digest", "md5", root],
        &["serve", "--handshake-timeout", "-1s", root],
        &["serve", "--max-connections", "0", root],
        &["send", "--to", "tcp://", "x"],
        &["send", "--to", "gopher://localhost", "x"],
        &["send", "--timeout", "soon", "x"],
        &["send", "--retries", "-1", "x"],
        &["send", "--classic", "-"],
        &["send", "--name", "one", "a", "b"],
        &["get", "-o", "-", "a", "b"],
        &["nonsense"],
        &["ls", "a", "b"],
    ] {
        let ran = Sampan::new(arguments).in_dir(place.path()).run();
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(!ran.stderr.is_empty() && ran.stdout.is_empty(), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn three_means_that_there_is_no_link() {
    let place = Place::new();
    let unused = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("tcp://{}", listener.local_addr().expect("an address"))
    };
    let socket = format!("unix:{}", place.path().join("nobody").display());
    for url in [&*unused, &*socket, "tcp://sampan.invalid:1"] {
        let ran = Sampan::send(url, &[]).args(&[file(&place)]).run();
        ran.assert_exit(3).assert_failed("connect");
        Sampan::ls(url, &[]).run().assert_exit(3).assert_failed("connect");
        Sampan::get(url, &["file"]).in_dir(&place.root()).run().assert_exit(3).assert_failed("connect");
    }
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("tcp://{}", taken.local_addr().expect("an address"));
    let ran = Sampan::new(&["serve", "--json", "--listen", &url]).args(&[place.root()]).run();
    ran.assert_exit(3).assert_failed("connect");
}

#[test]
fn six_means_that_the_contents_differ() {
    let (server, place) = (HostileServer::new(), Place::new());
    let ran = send_to(&server, &place, |framed| {
        framed.say(&Frame::Accept(sampan_core::wire::Accept {
            transfer: 1,
            have: false,
            offset: 0,
            check: 0,
            credit: 1 << 20,
        }));
        framed.expect_past(Kind::End);
        let done = Done { transfer: 1, code: Code::Integrity, words: "" };
        framed.say(&Frame::Done(done));
        // It is offered once more.
        framed.expect_past(Kind::Offer);
        framed.expect_past(Kind::End);
        framed.say(&Frame::Done(done));
    });
    ran.assert_exit(6).assert_failed("integrity");
    let url = server.url();
    let client = Sampan::get(&url, &["--retries", "0", "file"]).in_dir(&place.root()).start();
    let mut framed = server.open();
    let wanted = framed.next_file(&record(b"file", 4), &["file"]).expect("the file is asked for");
    let offer = framed.answer_to(&wanted, 4);
    framed.say(&Frame::Offer(offer));
    assert!(framed.is_taken());
    framed.say_data(offer.transfer, b"four", 0, 4);
    framed.say(&Frame::End(End { check: 1, ..Framed::end_of(offer.transfer, b"four") }));
    framed.see_off();
    client.finish().assert_exit(6).assert_failed("integrity");
}

#[test]
fn seven_means_that_the_link_was_lost_silent_or_closed() {
    let (server, place) = (HostileServer::new(), Place::new());
    let ran = send_to(&server, &place, |framed| framed.raw.fin());
    assert_eq!(ran.assert_exit(7).assert_failed("link-lost")["resumable"], true);
    for (code, error) in [(Code::Closing, "closing"), (Code::Timeout, "timeout")] {
        let ran = send_to(&server, &place, |framed| {
            framed.say(&Frame::Abort(Abort { scope: Scope::Session, transfer: 0, code, words: "" }));
        });
        assert_eq!(ran.assert_exit(7).assert_failed(error)["resumable"], true);
    }
    // One that takes the connection and says nothing, and one that says nothing after the handshake.
    let url = server.url();
    let client = Sampan::send(&url, &["--retries", "0", "--timeout", "1s"]).args(&[file(&place)]).start();
    let silent = server.accept();
    client.finish().assert_exit(7).assert_failed("timeout");
    drop(silent);
    let client = Sampan::send(&url, &["--retries", "0", "--timeout", "1s"]).args(&[file(&place)]).start();
    let silent = server.open();
    client.finish().assert_exit(7).assert_failed("timeout");
    drop(silent);
}

#[test]
fn eight_means_that_a_file_here_is_the_problem() {
    let arena = Arena::new();
    arena.place.serve("served", b"contents");
    for missing in ["missing", "missing/below"] {
        let ran = Sampan::send(arena.url(), &[missing]).in_dir(arena.place.path()).run();
        ran.assert_exit(8).assert_failed("local-file");
    }
    let file = file(&arena.place);
    let ran = Sampan::get(arena.url(), &["-o"]).args(&[file.join("below")]).args(&["served"]).run();
    ran.assert_exit(8).assert_failed("local-file");
    let ran = Sampan::new(&["serve", "--json", "--listen", "tcp://127.0.0.1:0"]).args(&[&file]).run();
    ran.assert_exit(8).assert_failed("local-file");
    assert_eq!(arena.place.visible(), ["served"]);
}

#[test]
fn nine_means_some_and_all_alike_have_their_own_code() {
    let arena = Arena::new();
    arena.place.serve("there", b"contents");
    let here = arena.place.path();
    let get = |names: &[&str]| Sampan::get(arena.url(), names).in_dir(here).run();
    let ran = get(&["there", "absent"]);
    assert_eq!(ran.assert_exit(9).assert_failed("not-found")["name"], "absent");
    let summary = ran.event("summary");
    assert_eq!((&summary["files"], &summary["failed"]), (&1.into(), &1.into()));
    let ran = get(&["absent", "absent-too"]);
    assert_eq!(ran.assert_exit(5).events("failed").len(), 2);
    let ran = Sampan::send(arena.url(), &["missing"]).args(&[file(&arena.place)]).in_dir(here).run();
    ran.assert_exit(9).assert_failed("local-file");
    assert_eq!(arena.place.stored("file"), Some(b"contents".to_vec()));
    std::os::unix::fs::symlink("nowhere", here.join("link")).expect("a link");
    fs::create_dir(here.join("tree")).expect("a folder");
    fs::rename(here.join("link"), here.join("tree/link")).expect("it can be moved");
    fs::write(here.join("tree/file"), b"x").expect("it can be written");
    let ran = Sampan::send(arena.url(), &["tree"]).in_dir(here).run();
    assert_eq!(ran.assert_exit(9).events("skipped").len(), 1);
}

/// A server that says this, whatever it hears, and then nothing.
fn saying(words: &'static [u8], client: impl FnOnce(&str) -> Sampan) -> Ran {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("tcp://{}", listener.local_addr().expect("an address"));
    let client = client(&url).start();
    let (mut stream, _) = listener.accept().expect("a client");
    stream.write_all(words).expect("it can be written");
    let ran = client.finish();
    drop(stream);
    ran
}

#[test]
fn ten_means_that_the_peer_does_not_keep_to_the_protocol() {
    let (server, place) = (HostileServer::new(), Place::new());
    let file = file(&place);
    let ran = send_to(&server, &place, |framed| framed.say_raw(&[0x2A, 1, 2, 3]));
    assert_eq!(ran.assert_exit(10).assert_failed("protocol")["resumable"], false);
    for words in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"\xF5SPN\x09",
    ] {
        let ran = saying(words, |url| Sampan::send(url, &["--retries", "0"]).args(&[&file]));
        ran.assert_exit(10).assert_failed("not-sampan");
        let ran = saying(words, |url| Sampan::ls(url, &["--retries", "0"]));
        ran.assert_exit(10).assert_failed("not-sampan");
    }
    for words in [&b"[+] server : filename query ok"[..], b"[!] server : the name is bad"] {
        let ran = saying(words, |url| Sampan::send(url, &["--retries", "0"]).args(&[&file]));
        let failed = ran.assert_exit(10).assert_failed("classic-peer");
        assert!(failed["message"].as_str().is_some_and(|message| message.contains("--classic")), "{failed}");
        let ran = saying(words, |url| Sampan::get(url, &["--retries", "0", "file"]).in_dir(&place.root()));
        ran.assert_exit(10).assert_failed("classic-peer");
    }
}

#[test]
fn one_hundred_and_thirty_means_interrupted() {
    let server = HostileServer::new();
    let url = server.url();
    for client in [Sampan::ls(&url, &[]), Sampan::get(&url, &["x"]).in_dir(Path::new("/"))] {
        let client = client.start();
        let held = server.open();
        client.signal(rustix::process::Signal::INT);
        drop(held);
        client.finish().assert_exit(130);
    }
}

#[test]
fn a_name_that_is_taken_exists_and_one_that_is_being_written_is_waited_for() {
    let arena = Arena::with(&["--on-conflict", "refuse"]);
    let path = file(&arena.place);
    Sampan::send(arena.url(), &[]).args(&[&path]).run().assert_exit(0);
    fs::write(&path, b"other contents").expect("it can be written");
    Sampan::send(arena.url(), &[]).args(&[&path]).run().assert_exit(5).assert_failed("exists");
    let large = arena.place.write("large", &content(1, 6 << 20));
    let first = Sampan::send(arena.url(), &["--limit-rate", "3M"]).args(&[&large]).start();
    first.stdout.wait("progress", PATIENCE, |event| event["bytes"].as_u64() > Some(0));
    let second = Sampan::send(arena.url(), &[]).args(&[&large]).run();
    first.finish().assert_exit(0);
    assert_eq!(second.assert_exit(0).event("sent")["resumed_from"], 6 << 20);
}

#[test]
fn busy_means_that_there_are_too_many() {
    let (server, place) = (HostileServer::new(), Place::new());
    let ran = send_to(&server, &place, |framed| {
        let code = Code::Busy;
        framed.say(&Frame::Abort(Abort { scope: Scope::Session, transfer: 0, code, words: "" }));
    });
    assert_eq!(ran.assert_exit(5).assert_failed("busy")["resumable"], true);
}

#[test]
fn a_program_that_cannot_be_run_or_ends_at_once_is_no_link() {
    let place = Place::new();
    for url in ["exec:exit 7", "exec:/nonexistent/program", "exec:echo hello"] {
        let ran = Sampan::send(url, &["--retries", "0"]).args(&[file(&place)]).run();
        assert!(matches!(ran.code, Some(3 | 7 | 10)), "{url}: {ran:?}");
    }
}
