//! The standard streams as source, as sink and as link.

use std::fs;
use std::process::{Command, Stdio};

use super::round_trip::exec;
use crate::kit::{Arena, Place, Sampan, content};

#[test]
fn what_is_piped_in_is_stored() {
    let arena = Arena::new();
    for (n, length) in [0, 1, 70_000, 5_000_000].into_iter().enumerate() {
        let contents = content(n as u64, length);
        let ran = Sampan::send(arena.url(), &["-"]).input(&contents).run();
        ran.assert_exit(0);
        assert_eq!(ran.event("sent")["size"], length);
        assert_eq!(arena.place.stored("stdin"), Some(contents), "{length}");
    }
    assert_eq!(arena.place.visible(), ["stdin"]);
}

#[test]
fn what_is_piped_in_may_have_a_name() {
    let arena = Arena::new();
    let contents = content(9, 300_000);
    Sampan::send(arena.url(), &["--name", "piped in.bin", "-"]).input(&contents).run().assert_exit(0);
    assert_eq!(arena.place.stored("piped in.bin"), Some(contents));
    assert_eq!(arena.place.visible(), ["piped in.bin"]);
}

#[test]
fn what_is_fetched_can_be_piped_on() {
    let arena = Arena::new();
    for (n, length) in [0, 1, 70_000, 5_000_000].into_iter().enumerate() {
        let contents = content(n as u64, length);
        arena.place.serve("dir/file", &contents);
        let ran = Sampan::get(arena.url(), &["dir/file", "-o", "-"]).run();
        ran.assert_exit(0);
        assert!(ran.stdout == contents, "{} of {length} bytes, or others", ran.stdout.len());
        // Events are beside it.
        assert_eq!(ran.side_events("received")[0]["size"], length);
        let ran = Sampan::new(&["get", "--from", arena.url(), "dir/file", "-o", "-"]).run();
        ran.assert_exit(0);
        assert!(ran.stdout == contents);
    }
}

#[test]
fn a_shell_joins_them() {
    let arena = Arena::new();
    let contents = content(10, 2_000_000);
    arena.place.serve("from", &contents);
    let script = r#""$1" get -q --from "$2" from -o - | "$1" send -q --to "$2" --name to -"#;
    let status = Command::new("sh")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_sampan"), arena.url()])
        .stdin(Stdio::null())
        .status()
        .expect("a shell");
    assert!(status.success(), "{status}");
    assert_eq!(arena.place.stored("to"), Some(contents));
}

#[test]
fn a_folder_cannot_be_piped_on() {
    let arena = Arena::new();
    arena.place.serve("dir/file", b"contents");
    let ran = Sampan::get(arena.url(), &["dir", "-o", "-"]).run();
    assert!(ran.code.is_some_and(|code| code != 0), "{ran:?}");
    assert_eq!(ran.stdout, b"");
}

#[test]
fn a_server_on_the_standard_streams_of_a_command() {
    let place = Place::new();
    let url = exec(&place.root());
    let contents = content(11, 1_000_000);
    Sampan::send(&url, &["-"]).input(&contents).run().assert_exit(0);
    let ran = Sampan::get(&url, &["stdin", "-o", "-"]).run();
    ran.assert_exit(0);
    assert!(ran.stdout == contents);
    let ran = Sampan::ls(&url, &[]).run();
    ran.assert_exit(0);
    assert_eq!(ran.event("entry")["name"], "stdin");
    place.sentinel.assert_untouched();
}

#[test]
fn a_command_that_is_no_server() {
    let place = Place::new();
    let file = place.write("file", b"contents");
    for (command, code) in [("exec:exit 3", 3), ("exec:true", 3), ("exec:echo hello; exec sleep 60", 10)] {
        let ran = Sampan::send(command, &["--retries", "0"]).args(&[&file]).run();
        ran.assert_exit(code);
    }
    let left = fs::read(&file).expect("it is still there");
    assert_eq!(left, b"contents");
}
