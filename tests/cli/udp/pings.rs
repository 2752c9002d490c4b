//! `sampan ping`, over every link.

use rustix::process::Signal;
use serde_json::Value;

use super::relay::{Harm, Relay};
use super::serve;
use crate::kit::{PATIENCE, Place, Ran, Sampan, Server};

fn ping(url: &str, arguments: &[&str]) -> Sampan {
    Sampan::new(&["ping", url, "--json", "--interval", "10ms"]).args(arguments)
}

/// What was measured, of `count` pings that were all answered.
#[track_caller]
fn measured(ran: &Ran, count: u64) -> Value {
    ran.assert_exit(0);
    assert_eq!(ran.events("pong").len() as u64, count, "{}", ran.text());
    let measured = ran.event("measured");
    assert_eq!((&measured["sent"], &measured["answered"]), (&count.into(), &count.into()));
    let figure = |name: &str| measured[name].as_f64().unwrap_or_else(|| panic!("{name}: {measured}"));
    assert!(0.0 < figure("min") && figure("min") <= figure("median") && figure("median") <= figure("max"));
    assert!(figure("throughput") > 0.0 && figure("loss") == 0.0);
    measured
}

#[test]
fn every_link_is_measured_whatever_its_server_allows() {
    let place = Place::new();
    let unix = format!("unix:{}", place.path().join("socket").display());
    let urls = ["tcp://127.0.0.1:0", "udp://127.0.0.1:0", &unix];
    let server = Server::listening(&place.root(), &urls, &["--allow", "classic"]);
    for url in server.urls() {
        let measured = measured(&ping(url, &["-c", "5"]).run(), 5);
        let largest = if url.starts_with("udp") { 65_507 } else { 256 << 10 };
        assert!(measured["largest_frame"].as_u64().is_some_and(|it| it >= largest), "{url}: {measured}");
    }
    let exec =
        format!("exec:{} serve --listen stdio: {}", env!("CARGO_BIN_EXE_sampan"), place.root().display());
    measured(&ping(&exec, &["-c", "3"]).run(), 3);
    assert!(place.entries().is_empty(), "nothing is stored");
    assert!(server.failures(0).is_empty(), "{:?}", server.failures(0));
}

#[test]
fn people_are_told_in_lines() {
    let (_place, server) = serve(&[]);
    let ran = Sampan::new(&["ping", server.url(), "-c", "2", "--interval", "10ms"]).run();
    ran.assert_exit(0);
    let text = ran.text();
    for said in
        ["ping 1: ", "ping 2: ", "2 sent, 2 answered, 0.0 % lost", "round trip: ", "65507 bytes", "MB/s"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    let ran = Sampan::new(&["ping", server.url(), "-c", "1", "-q"]).run();
    ran.assert_exit(0);
    assert!(ran.text().contains("1 sent, 1 answered") && !ran.text().contains("ping 1"), "{}", ran.text());
}

#[test]
fn the_longest_datagram_that_the_path_carries_is_found() {
    let (_place, server) = serve(&[]);
    for longest in [1_472, 9_100] {
        let relay = Relay::new(server.url(), Harm { longest: Some(longest), ..Harm::default() }, 1);
        let measured = measured(&ping(relay.url(), &["-c", "3"]).run(), 3);
        assert_eq!(measured["largest_frame"], longest);
    }
}

#[test]
fn what_is_lost_is_counted_and_is_no_failure_unless_all_is() {
    let (_place, server) = serve(&[]);
    let relay = Relay::new(server.url(), Harm { drop: 250, ..Harm::default() }, 7);
    let ran = ping(relay.url(), &["-c", "60"]).run();
    ran.assert_exit(0);
    let measured = ran.event("measured");
    let (answered, lost) = (ran.events("pong").len(), ran.events("lost").len());
    assert!(answered > 5 && lost > 5 && answered + lost == 60, "{answered} {lost}");
    let loss = measured["loss"].as_f64().expect("a share");
    assert!((loss - lost as f64 / 60.0).abs() < 1e-9, "{measured}");
    // Sessions open, but no ping passes.
    relay.does(Harm { only: Some(1), ..Harm::default() });
    let ran = ping(relay.url(), &["-c", "3", "--timeout", "1s"]).run();
    ran.assert_exit(7).assert_failed("timeout");
    assert_eq!((ran.event("measured")["loss"].as_f64(), ran.events("lost").len()), (Some(1.0), 3));
}

#[test]
fn nobody_there_nobody_who_answers_and_an_interruption() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let url = format!("udp://{}", socket.local_addr().expect("a bound socket"));
    ping(&url, &["--timeout", "500ms"]).run().assert_exit(7).assert_failed("timeout");
    drop(socket);
    ping(&url, &[]).run().assert_exit(3).assert_failed("connect");
    ping("stdio:", &[]).run().assert_exit(2);
    let (_place, server) = serve(&[]);
    let running = ping(server.url(), &["-c", "1000000"]).start();
    running.stdout.wait("pong", PATIENCE, |pong| pong["number"] == 3);
    running.signal(Signal::INT);
    let ran = running.finish();
    ran.assert_exit(130);
    assert!(
        ran.event("measured")["answered"].as_u64().is_some_and(|answered| answered >= 3),
        "{}",
        ran.text()
    );
    // The server hears of it, rather than that nobody is there any more.
    server.events.wait("failed", PATIENCE, |failed| failed["error"] != "timeout");
}
