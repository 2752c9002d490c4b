//! Under which name a tree goes, and where it comes to.

use std::fs;

use super::{Directories, Seen, grow};
use crate::kit::{Arena, Sampan};

const FILES: usize = 60;

#[test]
fn a_folder_goes_under_its_last_name() {
    let arena = Arena::new();
    let tree = arena.place.path().join("one/tree");
    fs::create_dir(tree.parent().expect("a folder")).expect("a folder");
    grow(&tree, 11, FILES);
    // However it is typed, once it is there nothing else is.
    for argument in [format!("{}/", tree.display()), format!("{}/../tree", tree.display())] {
        Sampan::send(arena.url(), &[&argument]).run().assert_exit(0);
        Seen::at(&tree).assert_same(&Seen::at(&arena.root().join("tree")), Directories::Dated);
        assert!(arena.place.visible().iter().all(|name| name.starts_with("tree/")));
        fs::remove_dir_all(arena.root().join("tree")).expect("a folder");
    }
}

#[test]
fn the_contents_of_a_folder_go_without_its_name() {
    let arena = Arena::new();
    let tree = arena.place.path().join("tree");
    grow(&tree, 12, FILES);
    Sampan::send(arena.url(), &[&format!("{}/.", tree.display())]).run().assert_exit(0);
    Seen::at(&tree).below().assert_same(&Seen::served(&arena.root()), Directories::Dated);
}

#[test]
fn the_folder_one_is_in_goes_without_a_name() {
    let arena = Arena::new();
    let tree = arena.place.path().join("tree");
    grow(&tree, 13, FILES);
    Sampan::send(arena.url(), &["."]).in_dir(&tree).run().assert_exit(0);
    Seen::at(&tree).below().assert_same(&Seen::served(&arena.root()), Directories::Dated);
}

#[test]
fn a_folder_may_have_another_name_at_the_server() {
    let arena = Arena::new();
    let tree = arena.place.path().join("tree");
    grow(&tree, 14, FILES);
    Sampan::send(arena.url(), &["--name", "other"]).args(&[&tree]).run().assert_exit(0);
    Seen::at(&tree).assert_same(&Seen::at(&arena.root().join("other")), Directories::Dated);
}

#[test]
fn files_and_folders_go_together() {
    let arena = Arena::new();
    let tree = arena.place.path().join("tree");
    grow(&tree, 15, FILES);
    let files = [arena.place.write("from/a", b"first"), arena.place.write("from/b c", b"second")];
    let ran = Sampan::send(arena.url(), &["-F"]).args(&[&files[0]]).args(&[&tree, &files[1]]).run();
    ran.assert_exit(0);
    Seen::at(&tree).assert_same(&Seen::at(&arena.root().join("tree")), Directories::Dated);
    assert_eq!(arena.place.stored("a").as_deref(), Some(b"first".as_slice()));
    assert_eq!(arena.place.stored("b c").as_deref(), Some(b"second".as_slice()));
}

#[test]
fn a_folder_is_fetched_under_another_name_or_into_a_folder() {
    let arena = Arena::new();
    let tree = arena.place.root().join("tree");
    grow(&tree, 16, FILES);
    let here = Seen::at(&tree);
    let to = arena.place.path().join("to");
    fs::create_dir(&to).expect("a folder");
    // Into a folder that exists, under a name that does not, into one that is named as a folder.
    for (output, comes_to) in [(".", "tree"), ("fresh", "fresh"), ("made/", "made/tree")] {
        Sampan::get(arena.url(), &["tree", "-o", output]).in_dir(&to).run().assert_exit(0);
        here.assert_same(&Seen::at(&to.join(comes_to)), Directories::Dated);
    }
    Sampan::get(arena.url(), &["tree/"]).in_dir(&to).run();
    assert_eq!(fs::read_dir(&to).expect("a folder").count(), 3, "something else was written");
}

#[test]
fn a_folder_within_a_folder_is_fetched_alone() {
    let arena = Arena::new();
    arena.place.serve("a/b/c/file", b"contents");
    arena.place.serve("a/b2/file", b"not this one");
    let to = arena.place.path().join("to");
    fs::create_dir(&to).expect("a folder");
    Sampan::get(arena.url(), &["a/b"]).in_dir(&to).run().assert_exit(0);
    Seen::at(&arena.root().join("a/b")).assert_same(&Seen::at(&to.join("b")), Directories::Dated);
    assert_eq!(fs::read_dir(&to).expect("a folder").count(), 1);
}

#[test]
fn several_names_are_fetched_at_once() {
    let arena = Arena::new();
    arena.place.serve("one", b"first");
    arena.place.serve("two/three", b"second");
    let to = arena.place.path().join("to");
    Sampan::get(arena.url(), &["one", "two", "-o"]).args(&[&to]).run().assert_exit(0);
    assert_eq!(fs::read(to.join("one")).ok().as_deref(), Some(b"first".as_slice()));
    assert_eq!(fs::read(to.join("two/three")).ok().as_deref(), Some(b"second".as_slice()));
}

#[test]
fn a_tree_that_has_changed_is_brought_up_to_date() {
    let arena = Arena::new();
    let tree = arena.place.path().join("tree");
    grow(&tree, 17, FILES);
    fs::write(tree.join("changing"), b"before").expect("a file");
    Sampan::send(arena.url(), &[]).args(&[&tree]).run().assert_exit(0);
    fs::write(tree.join("changing"), b"after it has changed").expect("a file");
    fs::write(tree.join("new"), b"new").expect("a file");
    let ran = Sampan::send(arena.url(), &[]).args(&[&tree]).run();
    ran.assert_exit(0);
    let here = Seen::at(&tree);
    here.assert_same(&Seen::at(&arena.root().join("tree")), Directories::Dated);
    let summary = ran.event("summary");
    assert_eq!(summary["resumed"], here.bytes() - "after it has changednew".len() as u64, "{summary}");
}
