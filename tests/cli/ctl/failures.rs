//! What is no server, what does not answer, and what answers nonsense.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;

use rustix::process::Signal;
use serde_json::json;

use super::{Double, Then, lines, said, status};
use crate::kit::{PATIENCE, Sampan, until};

/// Every command, with what it needs; `push` reads no file before the server does.
const COMMANDS: [&[&str]; 8] = [
    &["status"],
    &["status", "--watch"],
    &["notify", "hello"],
    &["push", "/etc/hostname"],
    &["get", "boat:a"],
    &["ls", "boat"],
    &["disconnect", "all"],
    &["drain"],
];

#[test]
fn where_nobody_listens_it_says_so() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("s");
    for left_behind in [false, true] {
        if left_behind {
            drop(UnixListener::bind(&path).unwrap());
        }
        for command in COMMANDS {
            let ran = Sampan::new(&["ctl"])
                .args(command)
                .args(&["--control", &format!("unix:{}", path.display())])
                .run();
            ran.assert_exit(3);
            assert!(
                ran.stderr.contains("sampan serve") && ran.text().is_empty(),
                "{command:?}: {}",
                ran.stderr
            );
        }
    }
}

#[test]
fn the_socket_of_another_user_is_none_of_ours() {
    if rustix::process::geteuid().is_root() {
        return; // Nothing is closed to root.
    }
    let double = Double::saying(&[status()]);
    fs::set_permissions(double.path(), Permissions::from_mode(0o000)).unwrap();
    let ran = double.ctl(&["status"]).run();
    assert!(
        ran.assert_exit(3).stderr.contains("only the user who runs the server may open it"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_is_no_control_socket_cannot_be_named() {
    for url in ["tcp://127.0.0.1:1", "stdio:", "exec:true", "node:boat"] {
        let ran = Sampan::new(&["ctl", "status", "--control", url]).run();
        ran.assert_exit(2);
    }
}

#[test]
fn nonsense_is_a_failure_for_every_command() {
    let long = vec![b'x'; 3 << 20];
    for (says, code) in [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), 10),
        (b"{\"v\":1,\"event\":\"summary\",\"asked\":\"many\"}\n".to_vec(), 10),
        (b"{\"v\":7,\"event\":\"status\"}\n".to_vec(), 10),
        (b"\x1b[2J\x07\n".to_vec(), 10),
        (long, 10),
        (b"{\"v\":1,\"ev".to_vec(), 7),
    ] {
        let double = Double::new(says.clone(), Then::Closes);
        for command in COMMANDS {
            let ran = double.ctl(command).args(&["--json"]).run();
            ran.assert_exit(code);
            assert!(!said(&ran).contains(['\u{1b}', '\u{7}']), "{command:?}: {ran:?}");
            ran.event("failed");
        }
    }
}

#[test]
fn an_end_without_an_answer_is_a_failure() {
    let double = Double::new("", Then::Closes);
    for command in COMMANDS.into_iter().filter(|command| !command.contains(&"--watch")) {
        let ran = double.ctl(command).run();
        ran.assert_exit(7);
        assert!(ran.stderr.contains("has closed the connection"), "{command:?}: {}", ran.stderr);
    }
    // Who watches does so until the server's end.
    double.ctl(&["status", "--watch"]).run().assert_exit(0);
}

#[test]
fn what_the_server_says_is_passed_on_with_its_code() {
    let failed = |error: &str| json!({"event": "failed", "error": error, "message": "no \u{1b}[2J, because"});
    for (error, code) in [("not-found", 5), ("usage", 2), ("not-allowed", 5), ("something-new", 1)] {
        let double = Double::saying(&[failed(error)]);
        for command in COMMANDS {
            let ran = double.ctl(command).run();
            ran.assert_exit(code);
            assert!(ran.stderr.contains("no \\u{1b}[2J, because"), "{command:?}: {}", ran.stderr);
        }
    }
}

#[test]
fn ctrl_c_ends_every_command_at_once_and_closes_the_connection() {
    for command in COMMANDS {
        let double = Double::new(lines(&[json!({"event": "later", "x": 1})]), Then::Waits);
        let running = double.ctl(command).start();
        double.first();
        running.signal(Signal::INT);
        running.finish().assert_exit(130);
        until("the connection is closed", PATIENCE, || double.is_left().then_some(()));
    }
}
