use super::ctl::CtlCommand;
use super::serve::{Conflict, Permission};
use super::*;
use clap::CommandFactory as _;
use clap::error::ErrorKind;
use sampan::failure::ErrorName;
use sampan_core::Millis;

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(line.split(' '))
}

fn refused(line: &str) -> (ErrorKind, String) {
    let error = parse(line).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{line}");
    (error.kind(), error.to_string())
}

fn send(line: &str) -> SendArguments {
    match parse(line).unwrap().command {
        Command::Send(arguments) => arguments,
        other => panic!("{other:?}"),
    }
}

fn get(line: &str) -> GetArguments {
    match parse(line).unwrap().command {
        Command::Get(arguments) => arguments,
        other => panic!("{other:?}"),
    }
}

fn serve(line: &str) -> ServeArguments {
    match parse(line).unwrap().command {
        Command::Serve(arguments) => arguments,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_definition_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn every_digest_can_be_named() {
    for choice in DigestChoice::value_variants() {
        let name = choice.to_possible_value().unwrap().get_name().to_owned();
        assert_eq!(name, DigestKind::from(*choice).name());
    }
    assert_eq!(DigestChoice::value_variants().len(), DigestKind::ALL.len());
}

#[test]
fn every_command_shows_examples_first() {
    let mut all = Arguments::command();
    all.build();
    let names: Vec<String> = all.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in names.iter().filter(|name| *name != "help") {
        for help in ["-h", "--help"] {
            let text = parse(&format!("sampan {name} {help}")).unwrap_err().to_string();
            assert!(text.find("Examples:\n  ").unwrap() < text.find("Usage: ").unwrap(), "{text}");
            assert!(text.contains(&format!("  sampan {name}")), "{text}");
        }
    }
}

#[test]
fn every_command_of_ctl_shows_examples_first() {
    let mut all = Arguments::command();
    all.build();
    let ctl = all.find_subcommand("ctl").unwrap();
    let names: Vec<&str> =
        ctl.get_subcommands().map(clap::Command::get_name).filter(|&name| name != "help").collect();
    assert_eq!(names, ["status", "notify", "push", "get", "ls", "disconnect", "drain"]);
    for name in names {
        let text = parse(&format!("sampan ctl {name} -h")).unwrap_err().to_string();
        assert!(text.find("Examples:\n  ").unwrap() < text.find("Usage: ").unwrap(), "{text}");
        assert!(text.contains(&format!("  sampan ctl {name}")) && text.contains("--control <URL>"), "{text}");
    }
}

#[test]
fn ctl_has_the_defaults_of_its_documentation() {
    let ctl = |line: &str| match parse(line).unwrap().command {
        Command::Ctl(arguments) => arguments,
        other => panic!("{other:?}"),
    };
    let CtlCommand::Push(push) = ctl("sampan ctl push a b").command else { panic!() };
    assert_eq!((push.to.who, push.parallel), (vec!["all".to_owned()], 32));
    assert_eq!(push.within.0, Millis(60_000));
    let CtlCommand::Notify(notify) = ctl("sampan ctl notify hello --to a --to #3").command else { panic!() };
    assert_eq!((notify.to.who, notify.within.0), (vec!["a".to_owned(), "#3".to_owned()], Millis(5_000)));
    for line in ["sampan ctl --control unix:/s drain", "sampan ctl drain --control unix:/s"] {
        assert_eq!(ctl(line).control.as_deref(), Some("unix:/s"));
    }
    let CtlCommand::Status(status) = ctl("sampan ctl status --watch").command else { panic!() };
    assert_eq!(status.every.0, Millis(1_000));
    for line in [
        "ctl",
        "ctl push",
        "ctl get",
        "ctl get boat",
        "ctl disconnect",
        "ctl status --every 1s",
        "ctl notify",
    ] {
        refused(&format!("sampan {line}"));
    }
}

#[test]
fn the_flags_of_the_older_client_work() {
    let arguments = send("sampan send -H example.org -P 50001 -F a --file b c");
    assert_eq!(arguments.to.url(), "tcp://example.org:50001");
    assert_eq!(arguments.sources().collect::<Vec<_>>(), ["a", "b", "c"].map(std::path::Path::new));
    assert_eq!(send("sampan send -H ::1 a").to.url(), "tcp://[::1]:50000");
    assert_eq!(send("sampan send -P 7 a").to.url(), "tcp://127.0.0.1:7");
}

#[test]
fn a_server_is_named_in_one_way() {
    assert_eq!(send("sampan send a").to.url(), "tcp://127.0.0.1:50000");
    assert_eq!(send("sampan send --to unix:/s a").to.url(), "unix:/s");
    assert_eq!(get("sampan get --from h a").from.url(), "h");
    for line in ["send --to h -H h a", "send --to h -P 1 a", "get --from h --host h a", "ls --from h -P 1"] {
        assert_eq!(refused(&format!("sampan {line}")).0, ErrorKind::ArgumentConflict, "{line}");
    }
    for line in ["get --to h a", "send --from h a", "send -P 0 a", "send -P 65536 a", "send -H h:1 a"] {
        refused(&format!("sampan {line}"));
    }
}

#[test]
fn values_that_make_no_sense_are_refused_with_what_does() {
    for (line, hint) in [
        ("send --timeout 0 a", "at least 1ms"),
        ("get --timeout 5x a", "such as 500ms or 5m"),
        ("serve --handshake-timeout 0s", "at least 1ms"),
        ("serve --idle-timeout 0", "at least 1ms"),
        ("serve --max-file-size 10X", "such as 500k or 2G"),
        ("send --limit-rate 0 a", "at least 1"),
        ("serve --max-connections 0", "not in 1.."),
        ("serve --allow put,fly", "put, get, list, classic"),
        ("serve --on-conflict merge", "replace, keep, refuse"),
        ("serve --digest md5", "crc32, crc64, blake3, sha256"),
        ("man fly", "serve, send, get"),
        ("completions csh", "bash"),
    ] {
        let (_, text) = refused(&format!("sampan {line}"));
        assert!(text.contains(hint), "{line}: {text}");
    }
    refused("sampan");
    refused("sampan get");
    refused("sampan send -q -v a");
    refused("sampan send --classic --digest crc32 a");
}

#[test]
fn a_server_has_the_defaults_of_its_documentation() {
    let arguments = serve("sampan serve");
    assert_eq!(arguments.directory, std::path::Path::new("received"));
    assert_eq!(arguments.listen, ["tcp://127.0.0.1:50000"]);
    assert_eq!((arguments.allow, arguments.on_conflict), (None, None));
    assert_eq!((arguments.max_connections, arguments.max_file_size), (1024, None));
    assert_eq!(arguments.handshake_timeout.0, Millis(10_000));
    assert_eq!(arguments.idle_timeout.0, Millis(300_000));
    assert_eq!((arguments.min_rate.0, arguments.digest), (16, DigestChoice::Crc64));
}

#[test]
fn a_server_is_told_what_it_allows_and_where_it_listens() {
    let arguments = serve("sampan serve --listen a --listen unix:/s --allow put,list --on-conflict keep dir");
    assert_eq!(arguments.listen, ["a", "unix:/s"]);
    assert_eq!(arguments.allow.unwrap(), [Permission::Put, Permission::List]);
    assert_eq!(arguments.on_conflict, Some(Conflict::Keep));
}

#[test]
fn what_cannot_be_sent_is_a_usage_error() {
    let refused = |line: &str| {
        let failure = send(line).check().unwrap_err();
        assert_eq!(failure.error, ErrorName::Usage);
        failure.to_string()
    };
    assert!(refused("sampan send").starts_with("nothing to send; "));
    assert!(refused("sampan send --name n a b").starts_with("--name is for one file"));
    assert!(refused("sampan send --name n a -F b").starts_with("--name is for one file"));
    assert!(refused("sampan send - -").contains("once only"));
    assert!(refused("sampan send --classic -").contains("standard input"));
    assert!(refused("sampan send --classic /").contains("directories"));
    assert!(refused("sampan send Cargo.toml nowhere:/x").contains("--to nowhere; "));
    for line in [
        "send a",
        "send -",
        "send --name n a",
        "send --name n -",
        "send -F a",
        "send / a",
        "send --classic a",
    ] {
        assert_eq!(send(&format!("sampan {line}")).check(), Ok(()), "{line}");
    }
}

#[test]
fn the_standard_output_takes_one_file() {
    assert_eq!(get("sampan get a b -o -").check().unwrap_err().error, ErrorName::Usage);
    assert_eq!(get("sampan get a -o -").check(), Ok(()));
    assert_eq!(get("sampan get a b -o dir").check(), Ok(()));
}

#[test]
fn events_go_where_nothing_else_goes() {
    let format = |line: &str| parse(line).unwrap().style().format;
    assert_eq!(format("sampan serve --json"), Format::Json(Stream::Stdout));
    assert_eq!(format("sampan serve --json --listen h --listen stdio:"), Format::Json(Stream::Stderr));
    assert_eq!(format("sampan get --json a"), Format::Json(Stream::Stdout));
    assert_eq!(format("sampan get --json a -o -"), Format::Json(Stream::Stderr));
    assert_eq!(format("sampan ls --json"), Format::Json(Stream::Stdout));
    assert_eq!(format("sampan send a"), Format::People);
}

#[test]
fn it_says_as_much_as_it_is_told_to() {
    let voice = |line: &str| parse(line).unwrap().style().voice;
    assert_eq!([voice("sampan ls -q"), voice("sampan ls")], [Voice::Quiet, Voice::Normal]);
    assert_eq!([voice("sampan serve -v"), voice("sampan send -vvv a")], [Voice::Verbose, Voice::Trace]);
}
