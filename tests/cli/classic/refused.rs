//! What `sampan serve` refuses of older clients: nothing is published, nothing is left over, and it is said once.

use super::{NAME_OK, OlderClient, SIZE_OK};
use crate::kit::{Arena, PATIENCE, content};

/// The client reads a refusal with these words, and that the server closes once it has ended its own stream.
#[track_caller]
fn assert_refused(mut client: OlderClient, refusal: &str, words: &str) {
    let words = format!("[!] server : {words}");
    let mut refusal = refusal.to_owned();
    client.raw.fin();
    refusal.push_str(&String::from_utf8_lossy(&client.raw.read_to_end(PATIENCE).0));
    assert!(refusal.starts_with(&words), "{refusal:?} and not {words:?}");
}

#[track_caller]
fn refuses_name(name: &[u8]) {
    let mut arena = Arena::new();
    let mut client = OlderClient::dial(arena.url());
    let answer = client.say(name);
    assert_refused(client, &answer, "");
    arena.oracle().failed("bad-name").check();
}

#[test]
fn a_name_that_is_the_folder_above() {
    refuses_name(b"..");
    refuses_name(b"a/..");
    refuses_name(b"..\\..");
}

#[test]
fn a_name_that_is_the_folder_itself() {
    refuses_name(b".");
    refuses_name(b"a/.");
}

#[test]
fn a_name_that_ends_as_a_folder() {
    refuses_name(b"a/");
    refuses_name(b"/");
    refuses_name(b"C:\\");
}

#[test]
fn a_name_with_control_characters() {
    refuses_name(b"a\nb");
    refuses_name(b"a\0b");
    refuses_name(b"\x1b[2Ja");
    refuses_name("a\u{202e}b".as_bytes());
    refuses_name("a\u{85}b".as_bytes());
}

#[test]
fn a_name_that_is_not_text() {
    refuses_name(b"a\xff");
    refuses_name(b"dir\xff/a");
}

#[test]
fn a_name_that_the_server_reserves() {
    refuses_name(b".sampan-x");
    refuses_name(b"dir/.SAMPAN");
}

#[test]
fn a_name_that_is_too_long() {
    refuses_name("x".repeat(256).as_bytes());
    let mut path = "d/".repeat(600);
    path.push('a');
    refuses_name(path.as_bytes());
}

#[test]
fn no_name_at_all_is_a_lost_link() {
    let mut arena = Arena::new();
    let mut client = OlderClient::dial(arena.url());
    client.raw.fin();
    let (said, _) = client.raw.read_to_end(PATIENCE);
    assert_eq!(said, b"");
    arena.oracle().any_failures().check();
    assert!(arena.server.failures(0).len() <= 1);
}

#[track_caller]
fn refuses_size(size: &[u8], words: &str, error: &'static str) {
    let mut arena = Arena::new();
    let mut client = OlderClient::dial(arena.url());
    assert_eq!(client.say(b"a.txt"), NAME_OK);
    let answer = client.say(size);
    assert_refused(client, &answer, words);
    arena.oracle().failed(error).check();
}

#[test]
fn a_size_that_is_no_number() {
    for size in [b"banana".as_slice(), b"-1", b"+1", b" 1", b"1\n", b"1.5", b"0x10", b"\xff", "１".as_bytes()]
    {
        refuses_size(size, "the size is not a number", "protocol");
    }
}

#[test]
fn a_size_above_2_to_the_64() {
    for size in [b"18446744073709551616".as_slice(), b"99999999999999999999", b"000000000000000000001"] {
        refuses_size(size, "the size is too large", "too-large");
    }
}

#[test]
fn a_size_above_what_the_server_takes() {
    let mut arena = Arena::with(&["--max-file-size", "100k"]);
    let mut client = OlderClient::dial(arena.url());
    assert_eq!(client.say(b"large.bin"), NAME_OK);
    let answer = client.say(b"102401");
    assert_refused(client, &answer, "");
    arena.oracle().failed("too-large").check();
}

#[test]
fn a_size_that_no_disk_has() {
    let mut arena = Arena::new();
    let mut client = OlderClient::dial(arena.url());
    assert_eq!(client.say(b"vast.bin"), NAME_OK);
    // Whether it is refused at once or when the bytes do not come, nothing may be reserved for it.
    let answer = client.say(b"18446744073709551615");
    if answer == SIZE_OK {
        client.raw.write(b"a few bytes");
    }
    client.raw.fin();
    let (said, _) = client.raw.read_to_end(PATIENCE);
    let said = answer + &String::from_utf8_lossy(&said);
    assert!(said.contains("[!] server : "), "{said:?}");
    arena.oracle().failures(1).check();
}

#[test]
fn fewer_bytes_than_announced() {
    let mut arena = Arena::new();
    // As many are missing as a well-known client leaves out of 2 GiB.
    let mut client = OlderClient::announcing(arena.url(), "short.bin", 100_000);
    client.raw.write(&content(1, 100_000 - 4_096));
    assert_refused(client, "", "fewer bytes than announced");
    let failed = arena.server.events.wait("failed", PATIENCE, |_| true);
    assert_eq!(failed["name"], "short.bin", "{failed}");
    let message = failed["message"].as_str().unwrap_or_default();
    assert!(message.contains("fewer bytes than announced"), "{failed}");
    arena.oracle().failed("integrity").check();
}

#[test]
fn no_bytes_at_all() {
    let mut arena = Arena::new();
    let client = OlderClient::announcing(arena.url(), "none.bin", 1);
    assert_refused(client, "", "fewer bytes than announced");
    arena.oracle().failed("integrity").check();
}

#[test]
fn fewer_bytes_than_announced_and_the_client_is_gone() {
    let mut arena = Arena::new();
    let mut client = OlderClient::announcing(arena.url(), "short.bin", 100_000);
    client.raw.write(&content(2, 50_000));
    drop(client);
    arena.oracle().failed("integrity").check();
}

#[test]
fn a_reset_before_the_last_byte() {
    let mut arena = Arena::new();
    let mut client = OlderClient::announcing(arena.url(), "reset.bin", 100_000);
    client.raw.write(&content(3, 50_000));
    client.raw.reset();
    arena.oracle().failures(1).check();
}

#[test]
fn more_bytes_than_announced() {
    let mut arena = Arena::new();
    for (more, error) in [(1, "more-1"), (200_000, "more-200000")] {
        let mut client = OlderClient::announcing(arena.url(), error, 1_000);
        let _ = client.raw.try_write(&content(4, 1_000 + more));
        assert_refused(client, "", "more bytes than announced");
    }
    arena.oracle().failed_times(2, "too-large").check();
}

#[test]
fn more_bytes_than_none() {
    let mut arena = Arena::new();
    let mut client = OlderClient::announcing(arena.url(), "empty", 0);
    client.raw.write(b"x");
    assert_refused(client, "", "more bytes than announced");
    arena.oracle().failed("too-large").check();
}

#[test]
fn a_server_that_takes_no_older_clients() {
    for allowed in ["put", "put,get,list"] {
        let mut arena = Arena::with(&["--allow", allowed]);
        let mut client = OlderClient::dial(arena.url());
        let mut answer = client.say(b"file.bin");
        if answer == NAME_OK {
            answer = client.say(b"8");
        }
        assert_refused(client, &answer, "");
        arena.oracle().failed("not-allowed").check();
    }
}

#[test]
fn each_is_one_line_for_people() {
    let place = crate::kit::Place::new();
    let socket = place.path().join("socket");
    let url = format!("unix:{}", socket.display());
    let root = place.root();
    let server = crate::kit::Sampan::new(&["serve", "--listen", &url]).args(&[&root]).start();
    crate::kit::until("the server listens", PATIENCE, || socket.exists().then_some(()));
    let lines = || server.stderr.text().lines().map(str::to_owned).collect::<Vec<_>>();
    let mut before =
        crate::kit::until("it says so", PATIENCE, || (!lines().is_empty()).then(|| lines().len()));
    let attacks: [&[&[u8]]; 4] = [&[b".."], &[b"a", b"banana"], &[b"b", b"5", b"1234"], &[b"c\x1b[2J"]];
    for messages in attacks {
        let mut client = OlderClient::dial(&url);
        let (last, first) = messages.split_last().expect("something to say");
        for message in first {
            client.say(message);
        }
        client.raw.write(last);
        client.raw.fin();
        client.raw.read_to_end(PATIENCE);
        let after =
            crate::kit::until("one line", PATIENCE, || Some(lines().len()).filter(|now| *now > before));
        assert_eq!(after, before + 1, "{:#?}", lines());
        before = after;
    }
    crate::kit::assert_printable(&server.stderr.text());
    assert_eq!(place.entries(), [""; 0]);
}
