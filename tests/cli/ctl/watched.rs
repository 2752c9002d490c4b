//! `status`, once and again and again.

use std::io::Read as _;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{Double, Then, connection, lines, status};

fn busy(bytes: u64) -> serde_json::Value {
    let mut busy = connection(3, Some("boat"));
    busy["transfers"] = json!([{"name": "a", "way": "send", "bytes": bytes, "size": 10}]);
    busy
}

#[test]
fn the_table_is_in_columns_and_ends_with_totals() {
    let double = Double::saying(&[connection(12, Some("boat-7")), busy(3), status()]);
    for voice in ["-v", "-q"] {
        let ran = double.ctl(&["status", voice]).run();
        let lines: Vec<&str> = ran.assert_exit(0).text().lines().collect();
        assert_eq!(lines.len(), 4, "{lines:#?}");
        assert!(lines[0].starts_with(" ID  NODE    ADDRESS"), "{lines:#?}");
        assert!(lines[1].starts_with("#12  boat-7  192.0.2.7:5123  framed"), "{lines:#?}");
        assert!(lines[2].ends_with("sends \"a\" 30 %"), "{lines:#?}");
        assert!(lines[3].starts_with("1 connection, 1 node, 0 transfers; received 12.0 MB"), "{lines:#?}");
    }
    let ran = double.ctl(&["status", "--json"]).run();
    assert_eq!((ran.events("connection").len(), ran.events("status").len()), (2, 1));
    assert_eq!(double.first().request, json!({"request": "status", "every": null}));
}

#[test]
fn in_a_pipe_only_what_changes_has_a_line() {
    let alive = |bytes: u64| {
        let mut alive = connection(3, Some("boat"));
        alive["received"] = json!(bytes);
        alive
    };
    let double = Double::saying(&[
        status(),
        alive(1),
        status(),
        alive(2),
        status(),
        busy(5),
        status(),
        busy(10),
        status(),
        alive(30),
        status(),
        status(),
    ]);
    let ran = double.ctl(&["status", "--watch", "--every", "250ms"]).run();
    // Each line begins with the time: `YYYY-MM-DD HH:MM:SS  `.
    let told: Vec<&str> = ran.assert_exit(0).text().lines().map(|line| &line[21..]).collect();
    let who = "#3  boat  192.0.2.7:5123  framed";
    assert_eq!(
        told,
        [
            format!("new      {who}  idle"),
            format!("changed  {who}  sends \"a\" 50 %"),
            format!("changed  {who}  sends \"a\" 100 %"),
            format!("changed  {who}  idle"),
            format!("gone     {who}"),
        ]
    );
    assert!(ran.stderr.contains("the server has stopped"), "{}", ran.stderr);
    assert_eq!(double.first().request, json!({"request": "status", "every": 0.25}));
}

#[test]
fn whoever_reads_no_further_ends_it() {
    let says =
        lines(&[status()]).repeat(3) + &lines(&[connection(1, None), status(), status()]).repeat(20_000);
    let double = Double::new(says, Then::Waits);
    for arguments in [&["status", "--watch"][..], &["status", "--watch", "--json"]] {
        let control = format!("unix:{}", double.path().display());
        let mut child = Command::new(env!("CARGO_BIN_EXE_sampan"))
            .arg("ctl")
            .args(arguments)
            .args(["--control", &control])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 10]).unwrap();
        drop(stdout);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}
