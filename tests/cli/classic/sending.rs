//! `sampan send --classic` to the older server, and to others of its kind that take the file.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use super::older_server::SizeIs;
use super::{Manner, OlderServer, Reply};
use crate::kit::{Place, SOON, Sampan, content};

#[track_caller]
fn arrives(manner: Manner) {
    let (place, server) = (Place::new(), OlderServer::of(manner));
    let contents = content(1, 300_000);
    let file = place.write("some/file.bin", &contents);
    let ran = Sampan::send(&server.url(), &["--classic", "--retries", "0"]).args(&[&file]).run();
    ran.assert_exit(0);
    assert_eq!(server.stored("file.bin"), Some(contents));
    let sent = ran.event("sent");
    assert_eq!(
        (&sent["name"], &sent["size"], &sent["protocol"]),
        (&json!("file.bin"), &json!(300_000), &json!("classic"))
    );
    assert_eq!(server.all_ended().len(), 1);
}

#[test]
fn a_server_that_never_closes() {
    let began = Instant::now();
    arrives(Manner::KNOWN);
    assert!(began.elapsed() < SOON, "it waits for the server to close: {:?}", began.elapsed());
}

#[test]
fn a_server_of_other_words() {
    arrives(Manner {
        name: Reply::Text("ok\n"),
        size: Reply::Text("go on\r\n"),
        end: Reply::Text("bye"),
        ..Manner::KNOWN
    });
    arrives(Manner {
        name: Reply::Text("\0"),
        size: Reply::Text("["),
        end: Reply::Text("\u{7}"),
        ..Manner::KNOWN
    });
    arrives(Manner {
        name: Reply::Text("[+] ok"),
        size: Reply::Text("[+] ok"),
        end: Reply::Text("[+] ok"),
        ..Manner::KNOWN
    });
}

#[test]
fn a_server_whose_answers_come_together() {
    arrives(Manner {
        name: Reply::Text("[+] server : filename query ok[+] server : filesize query ok"),
        // A client that has its answer already sends contents at once.
        size_is: SizeIs::Digits("300000".len()),
        size: Reply::Text(""),
        ..Manner::KNOWN
    });
}

#[test]
fn a_server_that_answers_late() {
    let late = |text| Reply::Late(Duration::from_millis(700), text);
    arrives(Manner {
        name: late(super::NAME_OK),
        size: late(super::SIZE_OK),
        end: late(super::FINISHED),
        ..Manner::KNOWN
    });
}

#[test]
fn a_server_that_closes_after_its_last_answer() {
    arrives(Manner { end: Reply::Last(super::FINISHED), ..Manner::KNOWN });
}

#[test]
fn a_server_that_says_something_between() {
    arrives(Manner { contents: Some((100_000, Reply::Text("half of it is here\n"))), ..Manner::KNOWN });
}

#[test]
fn several_files_have_a_connection_each() {
    let (place, server) = (Place::new(), OlderServer::new());
    let files = [("a.txt", content(1, 10)), ("한국어 b.txt", content(2, 70_000)), ("c d", content(3, 1))];
    let paths: Vec<_> = files.iter().map(|(name, contents)| place.write(name, contents)).collect();
    let ran = Sampan::send(&server.url(), &["--classic"]).args(&paths).run();
    ran.assert_exit(0);
    let told = server.all_ended();
    let told: Vec<_> = told.iter().map(|told| (told.name.as_str(), told.size.as_str())).collect();
    assert_eq!(told, [("a.txt", "10"), ("한국어 b.txt", "70000"), ("c d", "1")]);
    for (name, contents) in files {
        assert_eq!(server.stored(name), Some(contents), "{name}");
    }
    let summary = ran.event("summary");
    assert_eq!(
        (&summary["files"], &summary["bytes"], &summary["failed"]),
        (&json!(3), &json!(70_011), &json!(0))
    );
}

#[test]
fn an_empty_file_is_sent_though_an_older_server_never_answers() {
    let (place, server) = (Place::new(), OlderServer::new());
    let file = place.write("empty", b"");
    let began = Instant::now();
    let ran = Sampan::send(&server.url(), &["--classic"]).args(&[file]).run();
    ran.assert_exit(0);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    let told = server.all_ended();
    assert_eq!((told[0].name.as_str(), told[0].size.as_str(), told[0].contents), ("empty", "0", 0));
}

#[test]
fn a_name_of_ones_choice() {
    let (place, server) = (Place::new(), OlderServer::new());
    let file = place.write("file.bin", b"contents");
    Sampan::send(&server.url(), &["--classic", "--name", "other.bin"]).args(&[file]).run().assert_exit(0);
    assert_eq!(server.stored("other.bin").as_deref(), Some(b"contents".as_slice()));
}

#[test]
fn the_habits_of_older_users() {
    let (place, server) = (Place::new(), OlderServer::new());
    let file = place.write("file.bin", b"contents");
    let url = server.url();
    let port = url.rsplit(':').next().expect("a port");
    let ran = Sampan::new(&["send", "--classic", "-H", "127.0.0.1", "-P", port, "-F"]).args(&[file]).run();
    ran.assert_exit(0);
    assert_eq!(server.stored("file.bin").as_deref(), Some(b"contents".as_slice()));
}

#[test]
fn what_the_classic_handshake_cannot_carry_is_said_before_dialling() {
    let (place, server) = (Place::new(), OlderServer::new());
    fs::create_dir(place.path().join("folder")).expect("a folder");
    let folder = place.path().join("folder");
    let ran = Sampan::send(&server.url(), &["--classic"]).args(&[&folder]).run();
    assert!(ran.code.is_some_and(|code| code != 0), "{ran:?}");
    let ran = Sampan::send(&server.url(), &["--classic", "-"]).input(b"contents").run();
    ran.assert_exit(2);
    assert_eq!(server.told(), []);
}

#[test]
fn both_ends_are_this_program() {
    let mut arena = crate::kit::Arena::new();
    let (contents, empty) = (content(9, 500_000), Vec::new());
    let files = [arena.place.write("from/file.bin", &contents), arena.place.write("from/empty", &empty)];
    Sampan::send(arena.url(), &["--classic"]).args(&files).run().assert_exit(0);
    assert_eq!(arena.place.stored("file.bin"), Some(contents));
    assert_eq!(arena.place.stored("empty"), Some(empty));
    arena.oracle().failures(0).files(&["empty", "file.bin"]).check();
}
