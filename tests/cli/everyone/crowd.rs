//! Everyone is many.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use sampan_core::wire::{Accept, Ack, Frame, Gaps, Pong};
use serde_json::json;

use super::{Harbour, expect_offer_of, sparse};
use crate::crowd::raise_descriptors;
use crate::kit::{Framed, PATIENCE, SOON, Sampan, content, until};

const LONG: Duration = Duration::from_secs(120);

/// KiB of the server's memory that a node which does nothing may take.
const EACH: u64 = 64;

/// Takes the contents of a transfer as they come, and counts them.
#[track_caller]
fn count_contents(session: &mut Framed, transfer: u32) -> u64 {
    const CREDIT: u32 = 1 << 20;
    session.say(&Frame::Accept(Accept { transfer, have: false, offset: 0, check: 0, credit: CREDIT }));
    let (mut received, mut told) = (0, 0);
    loop {
        let frame = session.hear(PATIENCE).expect("contents");
        match Frame::parse(&frame).expect("a frame") {
            Frame::Data(data) => {
                assert_eq!((data.transfer, data.offset), (transfer, received));
                received += data.payload.len() as u64;
            }
            Frame::End(end) => {
                assert_eq!((end.transfer, end.size), (transfer, received));
                return received;
            }
            Frame::Ping(ping) => session.say(&Frame::Pong(Pong { number: ping.number })),
            Frame::Hello(_) | Frame::Pong(_) | Frame::Ack(_) => {}
            other => panic!("contents were expected and not {other:?}"),
        }
        if received - told >= u64::from(CREDIT / 2) {
            told = received;
            session.say(&Frame::Ack(Ack {
                transfer,
                received,
                durable: 0,
                credit: CREDIT,
                gaps: Gaps::NONE,
            }));
        }
    }
}

#[test]
#[ignore = "job crowd"]
fn a_hundred_nodes_are_spoken_to_though_ten_stand_still() {
    const NODES: usize = 100;
    const STILL: usize = 10;
    let harbour = Harbour::new();
    let names: Vec<_> = (0..NODES).map(|n| format!("node-{n:03}")).collect();
    let nodes: Vec<_> =
        names.iter().map(|name| harbour.node_at(harbour.server.url(), name, &["--allow", "get"])).collect();
    until("all are attached", LONG, || (harbour.server.status().1["nodes"] == NODES).then_some(()));
    let (still, awake) = nodes.split_at(STILL);
    for node in still {
        node.running.signal(Signal::STOP);
    }

    let request = json!({ "request": "notify", "text": "tea is ready", "to": ["all"], "within": 8 });
    let answers = harbour.server.ask(&request).finish();
    answers.assert_total((NODES - STILL) as u64, STILL as u64);
    let told = answers.named("notified");
    let (first, last) = told.split_at(NODES - STILL);
    assert!(first.iter().all(|told| told["result"] == "taken"), "{first:#?}");
    assert!(last.iter().all(|told| told["result"] == "timeout"), "{last:#?}");
    println!(
        "a notice to {NODES}: the first answer after {} s, the last of {} after {} s",
        first[0]["seconds"],
        first.len(),
        first[first.len() - 1]["seconds"]
    );
    for node in awake {
        node.running.stdout.wait("notice", PATIENCE, |notice| notice["text"] == "tea is ready");
    }

    let (huge, size) = (&nodes[NODES - 1], 1 << 30);
    sparse(&huge.folder.join("huge"), size);
    let contents = content(1, 8 << 20);
    let file = harbour.place.write("file", &contents);
    let upload = harbour.place.write("upload", &content(2, 64 << 20));
    let began = Instant::now();
    let push = harbour.server.push_as(&[&file], &["all"], &json!({ "within": 25 }));
    let client = Sampan::send(harbour.server.url(), &[]).args(&[upload]).within(LONG).start();
    let mut session = harbour.server.reach(&names[NODES - 1]);
    session.say_want(1, "huge");
    let transfer = expect_offer_of(&mut session, 1);
    assert_eq!(count_contents(&mut session, transfer), size);
    println!("a file of 1 GiB has come through the server after {:?}", began.elapsed());
    client.finish().assert_exit(0);
    println!("64 MiB were sent after {:?}", began.elapsed());
    let answers = push.finish_within(LONG);
    println!("8 MiB were pushed to all after {:?}", began.elapsed());
    answers.assert_total((NODES - STILL) as u64, STILL as u64);
    assert_eq!(answers.named("result").len(), NODES);
    for (n, name) in names.iter().enumerate() {
        let error = if n < STILL { json!("timeout") } else { json!(null) };
        assert_eq!(answers.of_node("result", name)["error"], error);
    }
    let value = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &contents);
    let pushed = answers.named("pushed");
    assert_eq!(pushed.len(), NODES - STILL);
    assert!(pushed.iter().all(|pushed| pushed["digest"] == format!("crc64:{value:016x}")));
    for node in awake {
        node.assert_has("file", &contents);
    }
    let usage = harbour.server.usage();
    println!("the server: {usage:?}");
}

#[test]
#[ignore = "job crowd"]
fn a_thousand_nodes_that_do_nothing_take_little() {
    const NODES: u64 = 1000;
    let harbour = Harbour::new();
    let base = harbour.server.settled_usage();
    // After the server has started: it has to raise its own limit.
    raise_descriptors();
    let began = Instant::now();
    let mut nodes: Vec<_> =
        (0..NODES).map(|n| Framed::attach(harbour.server.url(), &format!("node-{n}"))).collect();
    until("all are attached", PATIENCE, || (harbour.server.status().1["nodes"] == NODES).then_some(()));
    println!("{NODES} nodes are attached after {:?}", began.elapsed());

    let asked = Instant::now();
    let (connections, status) = harbour.server.status();
    println!("the status of all after {:?}", asked.elapsed());
    assert_eq!((connections.len() as u64, &status["connections"]), (NODES, &json!(NODES)));

    let mut usage = base;
    let asked = Instant::now();
    // It gives memory back when it has been quiet for a second.
    while asked.elapsed() < SOON {
        usage = harbour.server.usage();
        if usage.resident.saturating_sub(base.resident) <= EACH * NODES && asked.elapsed() > SOON / 2 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let each = usage.resident.saturating_sub(base.resident) as f64 / NODES as f64;
    println!("{each:.1} KiB for each: {base:?}, then {usage:?}");
    assert!(each <= EACH as f64, "{each} KiB for each node: {base:?}, then {usage:?}");

    let told = Instant::now();
    let request = json!({ "request": "notify", "text": "hear", "to": ["all"], "within": 60 });
    let notice = harbour.server.ask(&request);
    for node in &mut nodes {
        let frame = node.expect(sampan_core::wire::Kind::Notice);
        let Ok(Frame::Notice(heard)) = Frame::parse(&frame) else { panic!("{frame:02x?}") };
        let number = heard.number;
        node.say(&Frame::Pong(Pong { number }));
    }
    notice.finish().assert_total(NODES, 0);
    println!("a notice was taken by all after {:?}", told.elapsed());
    drop(nodes);
    until("all have gone", PATIENCE, || (harbour.server.status().1["connections"] == 0).then_some(()));
    until("descriptors are given back", PATIENCE, || {
        (harbour.server.usage().descriptors <= base.descriptors).then_some(())
    });
}
