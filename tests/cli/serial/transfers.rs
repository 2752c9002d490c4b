//! Everything over a line that does nothing but carry bytes.

use std::fs;

use super::line::Conditions;
use super::shore::Shore;
use crate::kit::{PATIENCE, Sampan, content};

#[test]
fn files_of_all_sizes_go_both_ways_and_are_listed() {
    let shore = Shore::new(Conditions::CLEAN);
    let sizes = [0, 1, 239, 240, 241, 4096, 70_000];
    let contents = sizes.map(|size| content(size as u64, size));
    let to = shore.place.path().join("to");
    fs::create_dir(&to).expect("a folder");
    for (size, contents) in sizes.iter().zip(&contents) {
        let name = format!("file{size}");
        let sent = shore.assert_serves(&name, contents).event("sent");
        assert!(
            sent["peer"] == shore.line.near()
                && sent["digest"].as_str().is_some_and(|it| it.starts_with("crc64:"))
        );
        shore.get(&name, &to).run().assert_exit(0);
        assert!(fs::read(to.join(&name)).expect("it was fetched") == *contents, "{name}");
    }
    let listed = Sampan::ls(&shore.line.near(), &[]).run();
    listed.assert_exit(0);
    let mut names: Vec<_> = listed.events("entry").into_iter().map(|entry| entry["name"].clone()).collect();
    names.sort_by_key(ToString::to_string);
    let mut expected = sizes.map(|size| format!("file{size}"));
    expected.sort();
    assert_eq!(names, expected);
}

#[test]
fn a_directory_of_many_files_arrives_whole() {
    let shore = Shore::new(Conditions::CLEAN);
    for number in 0..60 {
        shore.place.write(&format!("many/{}/{number}", number % 7), &content(number, 100 * number as usize));
    }
    shore.send(&[&shore.place.path().join("many")]).run().assert_exit(0);
    for number in 0..60 {
        let stored = shore.place.stored(&format!("many/{}/{number}", number % 7));
        assert!(stored == Some(content(number, 100 * number as usize)), "{number}");
    }
}

#[test]
fn the_same_file_is_not_sent_twice() {
    let shore = Shore::new(Conditions::CLEAN);
    let contents = content(5, 50_000);
    shore.assert_serves("file", &contents);
    let before = shore.line.sent();
    let again = shore.send(&[&shore.place.path().join("file")]).run();
    again.assert_exit(0);
    assert_eq!(again.event("sent")["resumed_from"], 50_000);
    assert!(shore.line.sent() - before < 2_000, "{} bytes", shore.line.sent() - before);
}

#[test]
fn a_node_takes_what_is_pushed_over_a_line() {
    let mut shore = Shore::new(Conditions::CLEAN);
    let folder = shore.place.path().join("node");
    let node = Sampan::attach(&shore.line.near(), "board", &folder, &[]).start();
    shore.server().events.wait("attached", PATIENCE, |event| event["node"] == "board");
    let file = shore.place.write("firmware", &content(8, 30_000));
    Sampan::ctl(shore.server(), &["push"]).args(&[&file]).run().assert_exit(0);
    assert!(fs::read(folder.join("firmware")).expect("it was pushed") == content(8, 30_000));
    node.signal(rustix::process::Signal::INT);
    node.finish().assert_exit(0);
    shore.server().events.wait("detached", PATIENCE, |event| event["node"] == "board");
}
