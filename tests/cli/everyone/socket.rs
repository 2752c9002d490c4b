//! The control socket: who may open it, where it is, and what is no request.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::thread;

use rustix::process::{Signal, Uid};
use rustix::thread::set_thread_res_uid;
use serde_json::json;

use super::Harbour;
use crate::kit::{Asked, PATIENCE, Place, Sampan, Server, until};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
}

#[test]
fn it_belongs_to_the_user_alone_and_goes_with_the_server() {
    let harbour = Harbour::new();
    let path = harbour.server.control();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert!(fs::metadata(&path).unwrap().file_type().is_socket());
    let runtime = harbour.server.runtime().to_owned();
    let asked = harbour.server.ask(&json!({ "request": "status", "every": 0.05 }));
    asked.answers.wait("status", PATIENCE, |_| true);
    let Harbour { server, .. } = harbour;
    server.signal(Signal::TERM);
    until("it is removed", PATIENCE, || (!path.exists()).then_some(()));
    asked.finish();
    assert_eq!(fs::read_dir(runtime.join("sampan")).map_or(0, Iterator::count), 0);
}

/// A server that is started with these arguments, which may fail.
fn serve(place: &Place, runtime: &Path, arguments: &[&str]) -> Sampan {
    let mut command = Command::new("env");
    command.arg(format!("XDG_RUNTIME_DIR={}", runtime.display()));
    let serve = ["serve", "--json", "--listen", "tcp://127.0.0.1:0"];
    Sampan::under(command, &serve).args(arguments).args(&[place.root()])
}

#[test]
fn without_a_place_for_it_the_server_says_so_and_serves() {
    let place = Place::new();
    let (open, file) = (place.path().join("open"), place.write("file", b""));
    fs::create_dir_all(open.join("sampan")).unwrap();
    fs::set_permissions(open.join("sampan"), Permissions::from_mode(0o755)).unwrap();
    for runtime in [&open, &file, &place.path().join("missing")] {
        let server = serve(&place, runtime, &[]).start();
        let listening = server.stdout.wait("listening", PATIENCE, |_| true);
        let url = listening["url"].as_str().unwrap();
        let sent = place.write("sent", b"contents");
        Sampan::send(url, &[]).args(&[sent]).run().assert_exit(0);
        server.signal(Signal::TERM);
        let ran = server.finish();
        ran.assert_exit(0);
        assert!(ran.stderr.contains("control socket"), "{}", ran.stderr);
    }
    assert_eq!(mode(&open.join("sampan")), 0o755);
    // Where it was asked for, that is an error.
    let path = format!("unix:{}", place.path().join("missing/socket").display());
    serve(&place, place.path(), &["--control", &path]).run().assert_exit(3);
    for wrong in ["tcp://127.0.0.1:0", "stdio:", "nowhere", "exec:true"] {
        serve(&place, place.path(), &["--control", wrong]).run().assert_exit(2);
    }
}

#[test]
fn it_is_where_it_was_asked_for_and_one_server_has_it() {
    let place = Place::new();
    let path = place.path().join("socket");
    let url = format!("unix:{}", path.display());
    let server = Server::with(&place.root(), &["--control", &url]);
    assert_eq!(mode(&path), 0o600);
    assert!(!server.control().exists());
    serve(&place, place.path(), &["--control", &url]).run().assert_exit(3);
    // The one who has it has lost nothing.
    Asked::saying(&path, b"{\"request\":\"status\"}\n").finish().one("status");
    // A server that is gone leaves it, and the next takes it.
    server.kill();
    assert!(path.exists());
    let server = Server::with(&place.root(), &["--control", &url]);
    let status = Asked::saying(&path, b"{\"request\":\"status\"}\n").finish();
    assert_eq!(status.one("status")["pid"], server.pid());
    server.stop();
    assert!(!path.exists());
    // What is no socket stays.
    fs::write(&path, "precious").unwrap();
    serve(&place, place.path(), &["--control", &url]).run().assert_exit(3);
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    // Nor is a socket of somebody else taken who listens there.
    let path = place.path().join("other");
    let other = UnixListener::bind(&path).unwrap();
    serve(&place, place.path(), &["--control", &format!("unix:{}", path.display())]).run().assert_exit(3);
    drop(other);
}

#[test]
fn with_none_there_is_none() {
    let harbour = Harbour::with(&["--control", "none"]);
    assert!(!harbour.server.control().exists());
    assert_eq!(fs::read_dir(harbour.server.runtime()).unwrap().count(), 0);
    harbour.server.stop();
}

#[test]
fn another_user_is_refused_whatever_the_mode() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let harbour = Harbour::new();
    let path = harbour.server.control();
    assert_eq!(as_nobody(&path).unwrap_err().kind(), ErrorKind::PermissionDenied);
    fs::set_permissions(harbour.server.runtime(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(path.parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
    assert_eq!(as_nobody(&path).unwrap_err().kind(), ErrorKind::PermissionDenied);
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let said = as_nobody(&path).expect("the mode lets everybody in");
    let answer: serde_json::Value =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert_eq!((&answer["event"], &answer["error"]), (&json!("failed"), &json!("not-allowed")), "{said}");
    harbour.server.status();
}

/// What is answered to a thread of another user that asks for the status.
fn as_nobody(path: &Path) -> io::Result<String> {
    let path = path.to_owned();
    let asking = thread::spawn(move || {
        let nobody = Uid::from_raw(65_534);
        set_thread_res_uid(nobody, nobody, nobody).expect("root may be whoever it likes");
        let mut stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        // It may be answered before it has asked.
        let _ = stream.write_all(b"{\"request\":\"status\"}\n");
        let mut said = Vec::new();
        // What was not read makes the end of it a reset.
        let _ = stream.read_to_end(&mut said);
        String::from_utf8(said).map_err(io::Error::other)
    });
    asking.join().expect("no panic there")
}

#[test]
fn what_is_no_request_is_said_to_be_none() {
    let harbour = Harbour::new();
    let ask = |said: &[u8]| Asked::saying(&harbour.server.control(), said).finish();
    for line in [
        "",
        "{}",
        "[]",
        "null",
        "status",
        "{\"request\":\"status\"",
        "{\"request\":\"dance\"}",
        "{\"request\":7}",
        "\u{0}",
        "{\"request\":\"status\",\"every\":\"1\"}",
        "{\"request\":\"status\",\"every\":-1}",
        "{\"request\":\"status\",\"every\":0}",
        "{\"request\":\"notify\"}",
        "{\"request\":\"notify\",\"text\":\"x\",\"to\":\"all\",\"within\":1}",
        "{\"request\":\"notify\",\"text\":7,\"to\":[\"all\"],\"within\":1}",
        "{\"request\":\"notify\",\"text\":\"x\",\"to\":[\"all\"],\"within\":0}",
        "{\"request\":\"notify\",\"text\":\"x\",\"to\":[\"all\"],\"within\":-1}",
        "{\"request\":\"notify\",\"text\":\"x\",\"to\":[\"all\"],\"within\":1e999}",
        "{\"request\":\"push\",\"files\":[],\"to\":[\"all\"],\"parallel\":-1,\"within\":1}",
        "{\"request\":\"push\",\"files\":[{\"path\":7,\"name\":\"x\"}],\"to\":[\"all\"],\"parallel\":1,\"within\":1}",
        "{\"request\":\"disconnect\",\"who\":[]}",
        "{\"request\":\"reach\"}",
        "{\"request\":\"reach\",\"node\":[\"a\"]}",
    ] {
        ask(format!("{line}\n").as_bytes()).assert_failed("usage");
    }
    ask(b"\xff\xfe\n").assert_failed("usage");
    ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").assert_failed("usage");
    // Fields that are not known are for later versions.
    ask(b"{\"request\":\"status\",\"colour\":\"red\"}\n").one("status");
    harbour.server.status();
}

#[test]
fn a_request_without_an_end_is_none_and_too_long_a_one_is_not_read() {
    let harbour = Harbour::new();
    let path = harbour.server.control();
    for said in [&b""[..], b"{", b"{\"request\":\"status\"}"] {
        let asked = Asked::saying(&path, said);
        asked.fin();
        assert!(asked.finish().named("status").is_empty());
    }
    let blank = |length: usize| {
        let mut line = b"{\"request\":\"status\"}".to_vec();
        line.resize(length, b' ');
        line.push(b'\n');
        Asked::saying(&path, &line).finish()
    };
    blank(64 << 10).one("status");
    let answers = blank((64 << 10) + 1);
    assert!(answers.named("status").is_empty(), "{answers:?}");
    blank(10 << 20);
    harbour.server.status();
}

#[test]
fn many_that_say_nothing_are_closed_and_keep_the_server_from_nothing_else() {
    let harbour = Harbour::new();
    let path = harbour.server.control();
    let before = harbour.server.settled_usage();
    let silent: Vec<_> = (0..200).map(|_| UnixStream::connect(&path).unwrap()).collect();
    let file = harbour.place.write("file", b"contents");
    Sampan::send(harbour.server.url(), &[]).args(&[file]).run().assert_exit(0);
    until("no more than it takes are open", PATIENCE, || {
        (harbour.server.usage().threads <= before.threads + 80).then_some(())
    });
    drop(silent);
    until("it answers again", PATIENCE, || {
        let answers = Asked::saying(&path, b"{\"request\":\"status\"}\n").finish();
        (!answers.named("status").is_empty()).then_some(())
    });
    until("all is given back", PATIENCE, || {
        (harbour.server.usage().descriptors <= before.descriptors).then_some(())
    });
}

#[test]
fn who_leaves_at_once_or_does_not_read_costs_nothing() {
    let harbour = Harbour::new();
    let before = harbour.server.settled_usage();
    for _ in 0..50 {
        drop(harbour.server.ask(&json!({ "request": "status", "every": 0.01 })));
        drop(harbour.server.notify("x", &["all"]));
        drop(harbour.server.ask(&json!({ "request": "reach", "node": "nobody" })));
    }
    until("all is given back", PATIENCE, || {
        (harbour.server.usage().descriptors <= before.descriptors).then_some(())
    });
}
