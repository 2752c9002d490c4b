//! No file may be larger than so much (`RLIMIT_FSIZE`), wherever that is met.

use std::fs;
use std::process::Command;

use super::assert_no_room;
use crate::classic::OlderClient;
use crate::kit::{PATIENCE, Place, Sampan, Server, content, until};

/// Runs what follows with files of at most so many bytes, a multiple of 512.
fn limited(bytes: usize) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", r#"ulimit -f "$0" && exec "$@""#, &(bytes / 512).to_string()]);
    command
}

fn serve(place: &Place, limit: usize) -> Server {
    Server::under(limited(limit), &place.root(), &["tcp://127.0.0.1:0"], &[])
}

/// Nothing is there that was not there before, and the server takes what is small enough.
#[track_caller]
fn assert_serving_on(place: &Place, server: &mut Server, small: usize, before: &[&str]) {
    server.assert_alive();
    assert_eq!(place.visible(), before);
    until("what was stored is given back", PATIENCE, || place.parts().is_empty().then_some(()));
    assert_eq!(server.events.named("received", 0).len(), before.len());
    let contents = content(99, small);
    let file = place.write("from/small", &contents);
    Sampan::send(server.url(), &[]).args(&[&file]).run().assert_exit(0);
    assert_eq!(place.stored("small"), Some(contents));
}

#[track_caller]
fn assert_failed_once(server: &Server) {
    server.events.wait("failed", PATIENCE, |_| true);
    let failures = server.failures(0);
    assert_eq!(failures.len(), 1, "{failures:#?}");
}

#[track_caller]
fn refuses(limit: usize, length: usize, small: usize) {
    let place = Place::new();
    let mut server = serve(&place, limit);
    let file = place.write("from/large", &content(1, length));
    let ran = Sampan::send(server.url(), &[]).args(&[&file]).run();
    assert_no_room(&ran);
    assert_failed_once(&server);
    assert_serving_on(&place, &mut server, small, &[]);
    server.stop();
}

#[test]
fn at_the_first_byte() {
    let place = Place::new();
    let mut server = serve(&place, 0);
    let file = place.write("from/large", &content(1, 1));
    let ran = Sampan::send(server.url(), &[]).args(&[&file]).run();
    assert_no_room(&ran);
    server.assert_alive();
    assert_eq!(place.visible(), [""; 0]);
    assert_eq!(place.parts(), [""; 0]);
    // It still lists.
    Sampan::ls(server.url(), &[]).run().assert_exit(0);
    server.stop();
}

#[test]
fn in_the_middle() {
    refuses(1 << 20, 3 << 20, 500_000);
}

#[test]
fn in_the_middle_of_a_small_file() {
    refuses(102_400, 200_000, 50_000);
}

#[test]
fn at_the_last_byte() {
    refuses(102_400, 102_401, 50_000);
}

/// Contents fit, but what a server notes about a part may not: it must do without, or refuse.
#[test]
fn at_whatever_is_noted_of_a_part() {
    for limit in [512, 1024, 2048, 4096] {
        let place = Place::new();
        let mut server = serve(&place, limit);
        let contents = content(1, 400);
        let file = place.write("from/small", &contents);
        let ran = Sampan::send(server.url(), &[]).args(&[&file]).run();
        server.assert_alive();
        if ran.code == Some(0) {
            assert_eq!(place.stored("small"), Some(contents));
        } else {
            assert_no_room(&ran);
            assert_eq!(place.visible(), [""; 0]);
        }
        assert_eq!(place.parts(), [""; 0]);
        server.stop();
    }
}

#[test]
fn a_file_that_was_there_stays_as_it_was() {
    let place = Place::new();
    place.serve("large", b"what was there before");
    let server = serve(&place, 102_400);
    let file = place.write("from/large", &content(1, 200_000));
    assert_no_room(&Sampan::send(server.url(), &[]).args(&[&file]).run());
    assert_eq!(place.stored("large").as_deref(), Some(b"what was there before".as_slice()));
    assert_eq!(place.parts(), [""; 0]);
    server.stop();
}

#[test]
fn others_of_the_same_command_arrive() {
    let place = Place::new();
    let server = serve(&place, 102_400);
    for (name, length) in [("tree/a", 50_000), ("tree/b", 200_000), ("tree/c", 50_000)] {
        place.write(name, &content(length as u64, length));
    }
    let ran = Sampan::send(server.url(), &[]).args(&[place.path().join("tree")]).run();
    ran.assert_exit(9);
    assert_eq!(place.visible(), ["tree/", "tree/a", "tree/c"]);
    assert_eq!(place.parts(), [""; 0]);
    server.stop();
}

#[test]
fn an_older_client_is_refused_and_not_told_that_it_is_done() {
    for length in [102_401, 3_000_000] {
        let place = Place::new();
        let mut server = serve(&place, 102_400);
        let mut client = OlderClient::dial(server.url());
        client.say(b"large.bin");
        let mut said = client.say(length.to_string().as_bytes());
        let _ = client.raw.try_write(&content(1, length));
        client.raw.fin();
        said.push_str(&String::from_utf8_lossy(&client.raw.read_to_end(PATIENCE).0));
        assert!(said.contains("[!] server : ") && !said.contains("finished"), "{said:?}");
        assert_failed_once(&server);
        assert_serving_on(&place, &mut server, 50_000, &[]);
        server.stop();
    }
}

#[test]
fn what_is_fetched_has_no_room() {
    let place = Place::new();
    place.serve("large", &content(1, 300_000));
    let server = Server::new(&place.root());
    let to = place.path().join("to");
    fs::create_dir(&to).expect("a folder");
    for limit in [0, 512, 102_400, 299_520] {
        let ran = Sampan::under(limited(limit), &["get", "--json", "--from", server.url(), "large", "-o"])
            .args(&[to.join("fetched")])
            .run();
        ran.assert_exit(8);
        ran.assert_failed("local-file");
        assert!(ran.events("received").is_empty(), "{}", ran.text());
        assert_eq!(crate::kit::entries(&to), [""; 0], "{limit}");
    }
    Sampan::get(server.url(), &["large", "-o"]).args(&[to.join("fetched")]).run().assert_exit(0);
    assert_eq!(fs::read(to.join("fetched")).ok(), place.stored("large"));
    server.stop();
}

#[test]
fn a_device_that_is_full_takes_no_output() {
    let place = Place::new();
    place.serve("large", &content(1, 300_000));
    let server = Server::new(&place.root());
    for arguments in [["get", "-q", "large", "-o", "-"].as_slice(), &["ls"], &["ls", "--json"]] {
        let ran = Sampan::under(to_full_device(), arguments).args(&["--from", server.url()]).run();
        assert!(ran.code.is_some_and(|code| code != 0 && code != 101), "{arguments:?}: {ran:?}");
        let said = ran.stderr.lines().filter(|line| line.contains("standard output")).count();
        assert_eq!(said, 1, "{arguments:?}: {}", ran.stderr);
    }
    server.stop();
}

fn to_full_device() -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", r#"exec "$@" >/dev/full"#, "sh"]);
    command
}
