//! Files that are pushed, and arrive.

use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::Harbour;
use crate::kit::proxy::{Direction, Proxy};
use crate::kit::{Answers, PATIENCE, content, until};

/// Some files, each a little odd, and their contents.
fn several(harbour: &Harbour) -> Vec<(&'static str, Vec<u8>)> {
    let files = [("empty", 0), ("one", 1), ("grüße 你好.txt", 70_000), (".hidden", 5), ("large", 3 << 20)];
    let files: Vec<_> = files.into_iter().map(|(name, length)| (name, content(9, length))).collect();
    for (name, contents) in &files {
        harbour.place.write(&format!("from/{name}"), contents);
    }
    files
}

/// The digest that a file of these contents is reported with.
fn digest(contents: &[u8]) -> String {
    let value = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, contents);
    format!("crc64:{value:016x}")
}

fn set_modified(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::new(seconds, 123_456_789);
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
}

#[test]
fn every_file_arrives_at_every_node_with_its_time_and_mode_and_each_is_told_of() {
    let harbour = Harbour::new();
    let nodes = ["a", "b", "c"].map(|name| (name, harbour.node(name, &[])));
    let files = several(&harbour);
    let from: Vec<_> = files.iter().map(|(name, _)| harbour.place.path().join("from").join(name)).collect();
    fs::set_permissions(&from[1], Permissions::from_mode(0o755)).unwrap();
    set_modified(&from[2], 1_600_000_000);
    let from: Vec<_> = from.iter().map(|path| &**path).collect();
    let answers = harbour.server.push(&from, &["all"]).finish();
    let bytes: usize = files.iter().map(|(_, contents)| contents.len()).sum();
    let total = answers.assert_total(3, 0);
    assert_eq!((&total["files"], &total["bytes"]), (&json!(15), &json!(3 * bytes)));
    assert_eq!(answers.named("result").len(), 3);
    for (name, node) in &nodes {
        let result = answers.of_node("result", name);
        assert_eq!(
            (&result["files"], &result["bytes"], &result["resumed"], &result["error"]),
            (&json!(5), &json!(bytes), &json!(0), &json!(null)),
            "{result}"
        );
        for ((file, contents), from) in files.iter().zip(&from) {
            node.assert_has(file, contents);
            let pushed: Vec<_> = answers.named("pushed");
            let pushed: Vec<_> =
                pushed.iter().filter(|told| told["node"] == *name && told["name"] == *file).collect();
            let [pushed] = &*pushed else { panic!("{file} at {name}: {pushed:?}") };
            assert_eq!(pushed["size"], contents.len());
            assert_eq!(pushed["resumed_from"], 0);
            assert_eq!(pushed["digest"], digest(contents));
            let (there, here) = (node.folder.join(file).metadata().unwrap(), from.metadata().unwrap());
            assert_eq!(there.modified().unwrap(), here.modified().unwrap(), "{file}");
            let executable = |mode: u32| mode & 0o100 != 0;
            assert_eq!(
                executable(there.permissions().mode()),
                executable(here.permissions().mode()),
                "{file}"
            );
        }
        let mut names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(node.visible(), names);
        let received = node.running.stdout.named("received", 0);
        assert_eq!(received.len(), 5, "{received:?}");
    }
}

/// Which of three nodes have the file that was pushed to these.
#[track_caller]
fn reached_of_three(to: &[&str], succeed: u64) -> Vec<&'static str> {
    let harbour = Harbour::new();
    let nodes = ["a", "b", "c"].map(|name| (name, harbour.node(name, &[])));
    let file = harbour.place.write("file", b"contents");
    let id = harbour.server.await_node("c")["id"].as_u64().unwrap();
    let to: Vec<_> = to.iter().map(|who| who.replace("#c", &format!("#{id}"))).collect();
    let to: Vec<_> = to.iter().map(String::as_str).collect();
    harbour.server.push(&[&file], &to).finish().assert_total(succeed, 0);
    nodes.iter().filter(|(_, node)| node.has("file").is_some()).map(|(name, _)| *name).collect()
}

#[test]
fn it_goes_to_those_who_are_named_and_to_nobody_else() {
    assert_eq!(reached_of_three(&["b"], 1), ["b"]);
    assert_eq!(reached_of_three(&["#c"], 1), ["c"]);
    assert_eq!(reached_of_three(&["#c", "a", "c", "a"], 2), ["a", "c"]);
    assert_eq!(reached_of_three(&["a", "all"], 3), ["a", "b", "c"]);
}

#[test]
fn a_client_that_does_not_stay_is_no_node() {
    let harbour = Harbour::new();
    let file = harbour.place.write("file", b"contents");
    let client = crate::kit::Framed::dial(harbour.server.url());
    let id = harbour.server.await_connection("the client", |c| c["protocol"] == "framed")["id"].clone();
    harbour.server.push(&[&file], &["all"]).finish().assert_failed("not-found");
    harbour.server.push(&[&file], &[&format!("#{id}")]).finish().assert_failed("not-found");
    harbour.server.push(&[&file], &["#999"]).finish().assert_failed("not-found");
    drop(client);
}

#[test]
fn one_at_a_time_reaches_all() {
    let harbour = Harbour::new();
    let nodes = ["a", "b", "c", "d"].map(|name| harbour.node(name, &[]));
    let contents = content(3, 1 << 20);
    let file = harbour.place.write("file", &contents);
    let answers = harbour.server.push_as(&[&file], &["all"], &json!({ "parallel": 1 })).finish();
    answers.assert_total(4, 0);
    // Nobody's turn begins before the one before has all of it.
    let order: Vec<_> = answers.named("pushed").iter().map(|told| told["node"].clone()).collect();
    let results: Vec<_> = answers.named("result").iter().map(|told| told["node"].clone()).collect();
    assert_eq!(order, results);
    for node in &nodes {
        node.assert_has("file", &contents);
    }
}

#[test]
fn what_a_node_has_already_is_not_sent_again() {
    let harbour = Harbour::new();
    let proxy = Proxy::new(harbour.server.url(), &[]);
    let node = harbour.node_at(proxy.url(), "a", &[]);
    harbour.server.await_node("a");
    let contents = content(4, 1 << 20);
    let file = harbour.place.write("file", &contents);
    let resumed = |answers: &Answers| answers.assert_total(1, 0)["resumed"].as_u64().unwrap();
    assert_eq!(resumed(&harbour.server.push(&[&file], &["all"]).finish()), 0);
    let before = proxy.passed(Direction::ToClient);
    let answers = harbour.server.push(&[&file], &["a"]).finish();
    assert_eq!(resumed(&answers), 1 << 20);
    assert_eq!(answers.one("pushed")["resumed_from"], 1 << 20);
    assert_eq!(answers.one("result")["resumed"], 1 << 20);
    let again = proxy.passed(Direction::ToClient) - before;
    assert!(again < 4096, "{again} bytes were sent again");
    // It is as long as before, but was changed there.
    fs::write(node.folder.join("file"), content(5, 1 << 20)).unwrap();
    assert_eq!(resumed(&harbour.server.push(&[&file], &["a"]).finish()), 0);
    node.assert_has("file", &contents);
}

#[test]
fn a_file_of_the_same_name_is_replaced() {
    let harbour = Harbour::new();
    let node = harbour.node("a", &[]);
    for (seed, length) in [(1, 5000), (2, 5000), (3, 100), (4, 200_000)] {
        let contents = content(seed, length);
        let file = harbour.place.write("file", &contents);
        harbour.server.push(&[&file], &["all"]).finish().assert_total(1, 0);
        node.assert_has("file", &contents);
    }
    assert_eq!(node.visible(), ["file"]);
}

#[test]
fn it_may_be_called_otherwise_at_the_nodes() {
    let harbour = Harbour::new();
    let node = harbour.node("a", &[]);
    let file = harbour.place.write("file", b"contents");
    let named = |name: &str| json!({ "files": [{ "path": file, "name": name }] });
    for name in ["other", "sub/folder/other", "file (1)"] {
        harbour.server.push_as(&[], &["all"], &named(name)).finish().assert_total(1, 0);
        node.assert_has(name, b"contents");
    }
    let long = "x".repeat(2000);
    for name in ["", ".", "..", "../x", "/x", "a/../b", "a//b", "a/", "a\0b", ".sampan-x", &long] {
        harbour.server.push_as(&[], &["all"], &named(name)).finish().assert_failed("usage");
    }
    assert_eq!(node.visible(), ["file (1)", "other", "sub/", "sub/folder/", "sub/folder/other"]);
    harbour.place.sentinel.assert_untouched();
}

#[test]
fn what_cannot_be_pushed_is_refused_at_once_and_reaches_nobody() {
    let harbour = Harbour::new();
    let node = harbour.node("a", &[]);
    let good = harbour.place.write("good", b"contents");
    let place = harbour.place.path();
    let push = |paths: &[&Path]| harbour.server.push(paths, &["all"]).finish();
    push(&[&good, &place.join("missing")]).assert_failed("local-file");
    push(&[&good, &place.join("outside")]).assert_failed("local-file");
    push(&[&good, Path::new("/dev/null")]).assert_failed("local-file");
    push(&[Path::new("relative")]).assert_failed("usage");
    push(&[]).assert_failed("usage");
    push(&[&good, &good]).assert_failed("usage");
    harbour.server.push(&[&good], &[]).finish().assert_failed("usage");
    harbour.server.push(&[&good], &["a b"]).finish().assert_failed("usage");
    assert_eq!(node.visible(), [""; 0]);
    push(&[&good]).assert_total(1, 0);
    drop(node);
    until("nobody is left", PATIENCE, || harbour.server.status().0.is_empty().then_some(()));
    push(&[&good]).assert_failed("not-found");
}
