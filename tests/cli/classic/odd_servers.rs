//! `sampan send --classic` to servers that refuse, fall silent or go, and `sampan send` to one that knows no frames.

use std::time::{Duration, Instant};

use super::{Manner, OlderServer, Reply};
use crate::kit::{Place, Ran, SOON, Sampan, assert_printable, content};

#[track_caller]
fn send(server: &OlderServer, length: usize) -> Ran {
    let place = Place::new();
    let file = place.write("file.bin", &content(1, length));
    let ran =
        Sampan::send(&server.url(), &["--classic", "--retries", "0", "--timeout", "1s"]).args(&[file]).run();
    assert_printable(ran.text());
    assert_printable(&ran.stderr);
    assert!(ran.events("sent").is_empty(), "{}", ran.text());
    ran
}

#[track_caller]
fn assert_refused(manner: Manner, words: &str) {
    let ran = send(&OlderServer::of(manner), 4_000_000);
    ran.assert_exit(5);
    let failed = ran.event("failed");
    let message = failed["message"].as_str().unwrap_or_default();
    assert!(message.contains(words), "{message:?} and not {words:?}");
    assert_eq!(failed["name"], "file.bin", "{failed}");
}

#[test]
fn a_refusal_of_the_name() {
    assert_refused(
        Manner { name: Reply::Last("[!] server : no such folder"), ..Manner::KNOWN },
        "no such folder",
    );
}

#[test]
fn a_refusal_of_the_size() {
    assert_refused(Manner { size: Reply::Last("[!] too much for me"), ..Manner::KNOWN }, "too much for me");
}

#[test]
fn a_refusal_within_the_contents() {
    let refusal = Reply::Last("[!] server : no space");
    assert_refused(Manner { contents: Some((10_000, refusal)), ..Manner::KNOWN }, "no space");
}

#[test]
fn a_refusal_at_the_end() {
    let refusal = Reply::Text("[!] server : fewer bytes than announced");
    assert_refused(Manner { end: refusal, ..Manner::KNOWN }, "fewer bytes than announced");
}

#[test]
fn a_refusal_that_would_paint_the_terminal() {
    let hostile = "[!] server : \x1b]0;title\x07\x1b[2J\u{202e}gnihton\r\nsampan: sent";
    let place = Place::new();
    let file = place.write("file.bin", b"contents");
    let server = OlderServer::of(Manner { name: Reply::Last(hostile), ..Manner::KNOWN });
    let url = server.url();
    for arguments in [["--json"].as_slice(), &[], &["-v"], &["-q"]] {
        let ran = Sampan::new(&["send", "--classic", "--to", &url]).args(arguments).args(&[&file]).run();
        ran.assert_exit(5);
        assert_printable(ran.text());
        assert_printable(&ran.stderr);
        let said = if arguments == ["--json"] { ran.text() } else { &ran.stderr };
        let about: Vec<_> = said.lines().filter(|line| line.contains("gnihton")).collect();
        assert_eq!(about.len(), 1, "{said:?}");
        assert!(about[0].contains("sampan: sent"), "{said:?}");
    }
}

#[track_caller]
fn assert_silent(manner: Manner) {
    let began = Instant::now();
    let ran = send(&OlderServer::of(manner), 100_000);
    let took = began.elapsed();
    ran.assert_exit(7);
    ran.assert_failed("timeout");
    assert!(took > Duration::from_millis(900) && took < SOON, "{took:?}");
}

#[test]
fn a_server_that_never_answers_the_name() {
    assert_silent(Manner { name: Reply::Silence, ..Manner::KNOWN });
}

#[test]
fn a_server_that_never_answers_the_size() {
    assert_silent(Manner { size: Reply::Silence, ..Manner::KNOWN });
}

#[test]
fn a_server_that_could_not_open_the_file_and_says_nothing_at_the_end() {
    assert_silent(Manner { end: Reply::Silence, ..Manner::KNOWN });
}

#[test]
fn a_server_that_stops_reading() {
    let server = crate::kit::HostileServer::new();
    let place = Place::new();
    let file = place.write("file.bin", &content(1, 20_000_000));
    let client = Sampan::send(&server.url(), &["--classic", "--retries", "0", "--timeout", "1s"])
        .args(&[file])
        .start();
    let mut raw = server.accept();
    raw.narrow();
    for text in [super::NAME_OK, super::SIZE_OK] {
        let mut buffer = [0; 1024];
        raw.try_read(&mut buffer, crate::kit::PATIENCE).expect("a message");
        raw.write(text.as_bytes());
    }
    let ran = client.finish();
    ran.assert_exit(7);
    ran.assert_failed("timeout");
}

#[track_caller]
fn assert_lost(manner: Manner) {
    let ran = send(&OlderServer::of(manner), 4_000_000);
    ran.assert_exit(7);
    ran.assert_failed("link-lost");
}

#[test]
fn a_server_that_closes_after_the_name() {
    assert_lost(Manner { name: Reply::Close, ..Manner::KNOWN });
}

#[test]
fn a_server_that_closes_after_the_size() {
    assert_lost(Manner { size: Reply::Close, ..Manner::KNOWN });
}

#[test]
fn a_server_that_closes_within_the_contents() {
    assert_lost(Manner { contents: Some((10_000, Reply::Close)), ..Manner::KNOWN });
}

#[test]
fn a_server_that_closes_without_its_last_answer() {
    assert_lost(Manner { end: Reply::Close, ..Manner::KNOWN });
}

#[test]
fn frames_to_an_older_server_get_a_hint() {
    let place = Place::new();
    let file = place.write("file.bin", b"contents");
    let server = OlderServer::new();
    let began = Instant::now();
    let ran = Sampan::send(&server.url(), &[]).args(&[&file]).run();
    ran.assert_exit(10);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let failed = ran.assert_failed("classic-peer");
    assert!(failed["message"].as_str().is_some_and(|message| message.contains("--classic")), "{failed}");
    let ran = Sampan::new(&["send", "--to", &server.url()]).args(&[&file]).run();
    ran.assert_exit(10);
    assert_eq!(ran.stderr.lines().filter(|line| line.contains("--classic")).count(), 1, "{}", ran.stderr);
}
