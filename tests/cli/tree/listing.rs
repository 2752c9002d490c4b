//! `sampan ls` of a tree.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Seen, grow};
use crate::kit::{Arena, Sampan, assert_printable};

#[track_caller]
fn entries(arena: &Arena, arguments: &[&str]) -> BTreeMap<String, Value> {
    let ran = Sampan::ls(arena.url(), arguments).run();
    ran.assert_exit(0);
    let mut entries = BTreeMap::new();
    for entry in ran.events("entry") {
        let name = entry["name"].as_str().expect("a name").to_owned();
        assert!(entries.insert(name, entry).is_none(), "{}", ran.text());
    }
    entries
}

#[test]
fn everything_is_listed_as_it_is() {
    let arena = Arena::new();
    grow(&arena.root().join("tree"), 21, 300);
    let seen = Seen::served(&arena.root());
    let listed = entries(&arena, &[]);
    for (name, node) in &seen.nodes {
        let entry = listed.get(name).unwrap_or_else(|| panic!("{name:?} is not listed"));
        assert_eq!(entry["directory"], node.directory, "{entry}");
        assert_eq!(entry["executable"], node.executable, "{entry}");
        let size = if node.directory { Value::Null } else { node.size.into() };
        assert_eq!(entry["size"], size, "{entry}");
        let modified = node.modified.0 as f64 + node.modified.1 as f64 / 1e9;
        let listed = entry["modified"].as_f64().expect("a time");
        assert!((listed - modified).abs() < 1e-5, "{entry} {modified}");
    }
    assert_eq!(listed.len(), seen.nodes.len());
}

#[test]
fn what_begins_with_a_prefix_is_listed() {
    let arena = Arena::new();
    for name in ["abc", "abd/file", "abd/x y", "xyz/abc"] {
        arena.place.serve(name, b"1234");
    }
    let names = |prefix: &str| entries(&arena, &[prefix]).into_keys().collect::<Vec<_>>();
    assert_eq!(names("ab"), ["abc", "abd", "abd/file", "abd/x y"]);
    assert_eq!(names("abd/"), ["abd/file", "abd/x y"]);
    assert_eq!(names("abd/f"), ["abd/file"]);
    assert_eq!(names("xyz/abc"), ["xyz/abc"]);
    assert_eq!(names("nothing"), [""; 0]);
}

#[test]
fn for_people_a_name_is_one_line_and_cannot_paint() {
    let arena = Arena::new();
    arena.place.serve("dir/with space", b"1234");
    arena.place.serve("bell\u{7}\u{1b}[2J\u{202e}", b"12345");
    let ran = Sampan::new(&["ls", "--from", arena.url()]).run();
    ran.assert_exit(0);
    assert_printable(ran.text());
    assert_printable(&ran.stderr);
    let lines: Vec<_> = ran.text().lines().collect();
    assert!(lines.iter().any(|line| line.ends_with(" dir/")), "{lines:?}");
    let line = lines.iter().find(|line| line.ends_with(" dir/with space"));
    assert!(line.is_some_and(|line| line.split_whitespace().next() == Some("4")), "{lines:?}");
}
