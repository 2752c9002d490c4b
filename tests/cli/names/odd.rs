//! Names that a shell, a format string or an option parser might take for something else.

use std::collections::BTreeMap;
use std::fs;

use crate::kit::place::entries;
use crate::kit::{Arena, Sampan};

const ODD: [&str; 24] = [
    "-rf",
    "--help",
    "-",
    "$(id)",
    "`id`",
    ";",
    "; touch owned",
    "a;b",
    "'quoted'",
    "\"quoted\"",
    "%s%n%x",
    "{}",
    "{0}",
    "*",
    "?",
    "~",
    "~root",
    "$HOME",
    "a b",
    " leading",
    "CON",
    "name:with:colons",
    "\u{d55c}\u{ad6d}\u{c5b4}",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
];

#[test]
fn names_for_shells_and_format_strings_are_only_names() {
    let mut arena = Arena::new();
    let mut expected = BTreeMap::new();
    for name in ODD {
        arena.place.write(&format!("from/{name}"), name.as_bytes());
        arena.place.write(&format!("from/folder {name}/{name}"), name.as_bytes());
        expected.insert(name.to_owned(), name.as_bytes().to_vec());
    }
    let from = arena.place.path().join("from");
    Sampan::send(arena.url(), &[]).args(&[from.join(".")]).run().assert_exit(0);
    assert_eq!(arena.place.visible(), entries(&from));
    for (name, contents) in &expected {
        assert_eq!(arena.place.stored(name).as_ref(), Some(contents), "{name}");
    }
    let back = arena.place.path().join("back");
    fs::create_dir(&back).expect("a folder");
    let got = Sampan::get(arena.url(), &["-o"]).args(&[&back]).args(&["--"]).args(&ODD).run();
    got.assert_exit(0);
    for (name, contents) in &expected {
        assert_eq!(fs::read(back.join(name)).ok().as_ref(), Some(contents), "{name}");
    }
    let listed = Sampan::ls(arena.url(), &[]).run();
    listed.assert_exit(0);
    let mut names: Vec<String> = listed
        .events("entry")
        .iter()
        .map(|entry| entry["name"].as_str().expect("a name").to_owned())
        .collect();
    names.retain(|name| !name.contains('/') && expected.contains_key(name));
    assert_eq!(names.len(), ODD.len());
    let stored = arena.place.visible();
    let stored: Vec<&str> = stored.iter().map(String::as_str).collect();
    arena.oracle().failures(0).files(&stored).check();
}
