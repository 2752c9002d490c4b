//! What is known of those who are connected.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::Harbour;
use crate::classic::OlderClient;
use crate::kit::{Framed, PATIENCE, Raw, Sampan, content, until};

const CONNECTION: [&str; 12] = [
    "event",
    "id",
    "node",
    "peer",
    "protocol",
    "receive_rate",
    "received",
    "send_rate",
    "sent",
    "since",
    "transfers",
    "v",
];
const STATUS: [&str; 13] = [
    "connections",
    "draining",
    "event",
    "nodes",
    "pid",
    "receive_rate",
    "received",
    "send_rate",
    "sent",
    "since",
    "transfers",
    "urls",
    "v",
];

fn fields(value: &Value) -> Vec<&str> {
    let mut fields: Vec<_> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    fields.sort_unstable();
    fields
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

#[test]
fn everybody_is_listed_with_what_the_manual_says() {
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() - 1.0;
    let harbour = Harbour::new();
    let (_, status) = harbour.server.status();
    assert_eq!(fields(&status), STATUS);
    assert_eq!(
        (&status["urls"], &status["pid"]),
        (&json!([harbour.server.url()]), &json!(harbour.server.pid()))
    );
    assert_eq!(
        (&status["connections"], &status["nodes"], &status["transfers"]),
        (&json!(0), &json!(0), &json!(0))
    );
    assert_eq!(
        (&status["received"], &status["sent"], &status["draining"]),
        (&json!(0), &json!(0), &json!(false))
    );
    assert!(number(&status["since"]) > before);

    let _mute = Raw::dial(harbour.server.url());
    harbour.server.await_connection("the mute one", |connection| connection["id"] == 1);
    let _framed = Framed::dial(harbour.server.url());
    harbour.server.await_connection("the framed one", |connection| connection["protocol"] == "framed");
    let _classic = OlderClient::announcing(harbour.server.url(), "file", 1000);
    harbour.server.await_connection("its transfer", |connection| connection["transfers"] != json!([]));
    let _node = harbour.node("a", &[]);
    let (connections, status) = harbour.server.status();
    let column =
        |name: &str| connections.iter().map(|connection| connection[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("id"), [json!(1), json!(2), json!(3), json!(4)]);
    assert_eq!(column("protocol"), [json!(null), json!("framed"), json!("classic"), json!("framed")]);
    assert_eq!(column("node"), [json!(null), json!(null), json!(null), json!("a")]);
    let transfer = json!({ "name": "file", "way": "receive", "bytes": 0, "size": 1000 });
    assert_eq!(column("transfers"), [json!([]), json!([]), json!([transfer]), json!([])]);
    for connection in &connections {
        assert_eq!(fields(connection), CONNECTION);
        assert!(connection["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{connection}");
        assert!(number(&connection["since"]) > before);
    }
    assert_eq!(
        (&status["connections"], &status["nodes"], &status["transfers"]),
        (&json!(4), &json!(1), &json!(1))
    );
    let sum = |name: &str| connections.iter().map(|connection| number(&connection[name])).sum::<f64>();
    assert!(sum("received") > 0.0 && sum("sent") > 0.0);
}

#[test]
fn a_transfer_is_seen_to_advance_and_then_to_be_over_and_counted() {
    let harbour = Harbour::new();
    let length = 3 << 20;
    let file = harbour.place.write("file", &content(1, length));
    let client = Sampan::send(harbour.server.url(), &["--limit-rate", "1500k"]).args(&[file]).start();
    let mut last = 0;
    for more in [1, 500_000, 500_000] {
        let connection = harbour.server.await_connection("it comes further", |connection| {
            let bytes = connection["transfers"][0]["bytes"].as_u64();
            bytes >= Some(last + more) && number(&connection["receive_rate"]) > 0.0
        });
        let transfer = &connection["transfers"][0];
        assert_eq!((&transfer["name"], &transfer["way"]), (&json!("file"), &json!("receive")));
        assert_eq!(transfer["size"], length);
        last = transfer["bytes"].as_u64().unwrap();
        assert!(last <= length as u64, "{transfer}");
        assert!(number(&connection["received"]) >= last as f64, "{connection}");
    }
    assert!(number(&harbour.server.status().1["receive_rate"]) > 0.0);
    client.finish().assert_exit(0);
    // Those who have gone are counted, and nothing moves any more.
    let status = until("it has gone", PATIENCE, || {
        let (connections, status) = harbour.server.status();
        connections.is_empty().then_some(status)
    });
    assert!(number(&status["received"]) >= length as f64, "{status}");
    assert!(number(&status["sent"]) > 0.0, "{status}");
    assert_eq!((&status["receive_rate"], &status["transfers"]), (&json!(0.0), &json!(0)));
    let again = harbour.server.status().1;
    assert_eq!((&again["received"], &again["sent"]), (&status["received"], &status["sent"]));
}

#[test]
fn a_node_that_was_pushed_to_is_seen_at_rest_afterwards() {
    let harbour = Harbour::new();
    let node = harbour.node("a", &[]);
    let length = 20 << 20;
    let file = harbour.place.write("file", &content(1, length));
    node.running.signal(Signal::STOP);
    let push = harbour.server.push(&[&file], &["a"]);
    let busy = harbour
        .server
        .await_connection("it is being pushed to", |connection| connection["transfers"] != json!([]));
    assert_eq!(busy["transfers"][0]["way"], "send");
    assert_eq!(busy["transfers"][0]["size"], length);
    node.running.signal(Signal::CONT);
    push.finish().assert_total(1, 0);
    harbour.server.await_connection("it is at rest", |connection| {
        connection["transfers"] == json!([])
            && number(&connection["send_rate"]) == 0.0
            && number(&connection["sent"]) >= length as f64
    });
}

#[test]
fn it_comes_again_and_again_until_nobody_listens() {
    let harbour = Harbour::new();
    let asked = harbour.server.ask(&json!({ "request": "status", "every": 0.02 }));
    until("ten of them", PATIENCE, || (asked.answers.named("status", 0).len() >= 10).then_some(()));
    let _node = harbour.node("a", &[]);
    asked.answers.wait("connection", PATIENCE, |connection| connection["node"] == "a");
    drop(asked);
    // One who does not ask again and again is answered once.
    let answers = harbour
        .server
        .ask(&json!({ "request": "status", "every": null }))
        .finish_within(Duration::from_secs(10));
    assert_eq!(answers.named("status").len(), 1);
}
