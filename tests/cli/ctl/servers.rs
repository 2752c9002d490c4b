//! Which server is meant where none is named.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::{Then, lines, serve, status};
use crate::kit::Sampan;

/// A runtime directory.
struct Runtime(TempDir);

impl Runtime {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        DirBuilder::new().mode(0o700).create(place.path().join("sampan")).unwrap();
        Self(place)
    }

    fn socket(&self, pid: u32) -> PathBuf {
        self.0.path().join(format!("sampan/{pid}.control"))
    }

    /// `ctl` where this is the runtime directory.
    fn ctl(&self, arguments: &[&str]) -> Sampan {
        in_runtime(self.0.path(), arguments)
    }
}

fn in_runtime(runtime: &Path, arguments: &[&str]) -> Sampan {
    let mut env = Command::new("env");
    env.arg(format!("XDG_RUNTIME_DIR={}", runtime.display()));
    Sampan::under(env, &["ctl"]).args(arguments)
}

fn at(url: &str) -> Vec<u8> {
    let mut status = status();
    status["urls"] = json!([url]);
    lines(&[status]).into()
}

#[test]
fn without_a_server_it_says_how_to_start_one() {
    let runtime = Runtime::new();
    drop(UnixListener::bind(runtime.socket(1)).unwrap());
    let ran = runtime.ctl(&["status"]).run();
    assert!(ran.assert_exit(3).stderr.contains("start one with: sampan serve"), "{}", ran.stderr);
    assert!(!runtime.socket(1).exists(), "what a server has left behind is removed");
    in_runtime(&runtime.0.path().join("nowhere"), &["status"]).run().assert_exit(3);
}

#[test]
fn the_only_server_is_the_one_that_is_meant() {
    let runtime = Runtime::new();
    drop(UnixListener::bind(runtime.socket(1)).unwrap());
    fs::write(runtime.0.path().join("sampan/notes"), "").unwrap();
    serve(&runtime.socket(2), at("tcp://h:1"), Then::Closes);
    let ran = runtime.ctl(&["status", "--json"]).run();
    assert_eq!(ran.assert_exit(0).event("status")["urls"], json!(["tcp://h:1"]));
}

#[test]
fn of_several_servers_one_has_to_be_named() {
    let runtime = Runtime::new();
    serve(&runtime.socket(2), at("tcp://h:1"), Then::Closes);
    serve(&runtime.socket(3), at("tcp://h:2\u{1b}[2J"), Then::Closes);
    // One that says nothing is listed all the same.
    serve(&runtime.socket(4), Vec::new(), Then::Waits);
    let ran = runtime.ctl(&["drain"]).run();
    ran.assert_exit(2);
    for (pid, url) in [(2, "tcp://h:1"), (3, "tcp://h:2\\u{1b}[2J"), (4, "")] {
        let socket = format!("--control unix:{}", runtime.socket(pid).display());
        let line = ran
            .stderr
            .lines()
            .find(|line| line.contains(&socket))
            .unwrap_or_else(|| panic!("{}", ran.stderr));
        assert!(line.contains(url), "{line}");
    }
    let named = format!("unix:{}", runtime.socket(2).display());
    runtime.ctl(&["status", "--control", &named]).run().assert_exit(0);
}

#[test]
fn a_directory_that_others_may_write_to_is_not_trusted() {
    let place = tempfile::tempdir().unwrap();
    DirBuilder::new().mode(0o755).create(place.path().join("sampan")).unwrap();
    serve(&place.path().join("sampan/7.control"), at("tcp://h:1"), Then::Closes);
    let ran = in_runtime(place.path(), &["status"]).run();
    assert!(ran.assert_exit(3).stderr.contains("mode 700"), "{}", ran.stderr);
}
