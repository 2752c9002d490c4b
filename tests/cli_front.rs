//! The front of the command as its users see it: what is refused, where words and events go, and streams that are gone.

use std::process::{Command, Output, Stdio};

fn sampan(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sampan"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    sampan(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

#[test]
fn what_is_typed_wrong_is_a_usage_error_in_words() {
    for arguments in [
        &["send"][..],
        &["send", "--name", "n", "a", "b"],
        &["send", "nowhere:/x"],
        &["send", "--timeout", "0", "a"],
        &["send", "--to", "h", "-H", "h", "a"],
        &["get"],
        &["get", "a", "b", "-o", "-"],
        &["serve", "--allow", "fly"],
        &["man", "fly"],
        &["fly"],
        &[],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
        let said = text(&output.stderr);
        assert!(!said.is_empty() && !said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");
    }
}

#[test]
fn the_habit_of_scp_gets_a_hint() {
    let output = run(&["send", "Cargo.toml", "me@nowhere.example:/tmp"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--to nowhere.example;"), "{}", text(&output.stderr));
}

#[test]
fn a_failure_is_an_event_and_words_unless_they_share_a_stream() {
    let output = run(&["send", "--json"]);
    assert!(text(&output.stdout).starts_with(r#"{"v":1,"event":"failed","name":null,"error":"usage","#));
    assert_eq!(text(&output.stdout).lines().count(), 1);
    assert!(text(&output.stderr).starts_with("sampan: nothing to send; "));
    let output = run(&["get", "--json", "a", "b", "-o", "-"]);
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).starts_with(r#"{"v":1,"event":"failed","name":null,"error":"usage","#));
    assert_eq!(text(&output.stderr).lines().count(), 1);
}

#[test]
fn a_reader_that_has_gone_is_not_an_error() {
    for arguments in [&["man"][..], &["completions", "bash"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = sampan(arguments).stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_standard_output_that_is_full_is_an_error() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = sampan(&["man"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(8));
    assert!(text(&output.stderr).starts_with("sampan: cannot write to the standard output: "));
}

#[test]
fn completions_and_pages_go_to_the_standard_output() {
    for (arguments, part) in [
        (&["completions", "zsh"][..], "#compdef sampan"),
        (&["completions", "fish"], "complete -c sampan"),
        (&["man"], ".TH SAMPAN 1"),
        (&["man", "send"], ".TH SAMPAN-SEND 1"),
    ] {
        let output = run(arguments);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{arguments:?}");
        assert!(text(&output.stdout).contains(part), "{arguments:?}");
    }
}
