//! Any split of the byte stream gives the same outcome, and every byte that is sent was written on purpose.

use proptest::prelude::*;
use sampan_core::{
    Action, Both, Buffers, Engine, Incoming, Instant, Limits, Nonce, Outgoing, Receiver, Sender, Session,
    Speaks, driver::Turn,
};
use sampan_tests::{Disk, Heard, MemoryStorage, Node, Offer, Setup, content};

fn setup() -> Setup {
    let limits = Limits { window: 400, eager: 200, sync_bytes: 300, ..Limits::LARGE };
    Setup { limits: [limits; 2], memory: [(150, 150, 3); 2], ..Setup::default() }
}

/// What the dialler says in a session with three files, and what its peer answers.
fn tapes() -> [Vec<u8>; 2] {
    let mut pair = setup().join();
    for channel in [0, 1] {
        pair.wire.channel(channel).tape = Some(Vec::new());
    }
    for (index, length) in [0, 77, 1_000].into_iter().enumerate() {
        pair.a.send(Offer::file(&format!("file-{index}"), content(index as u64, length)));
    }
    pair.a.engine.close(sampan_core::wire::Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
    [0, 1].map(|channel| pair.wire.channel(channel).tape.take().expect("a tape"))
}

/// Feeds `tape` to a listening session in the pieces given; what it answers, and what it has in the end.
fn listen(tape: &[u8], pieces: &[usize], poison: u8) -> (Vec<u8>, Vec<Heard>, Disk, bool) {
    let disk = Disk::default();
    let mut storage = MemoryStorage::on(&disk);
    let limits = setup().limits[1];
    let (mut receive, mut transmit) = ([poison; 150], [poison; 150]);
    let (mut incoming, mut outgoing) = ([Incoming::FREE; 3], [Outgoing::FREE; 3]);
    let role = Both { sender: Sender::new(&mut outgoing), receiver: Receiver::new(&mut incoming) };
    let buffers = Buffers { receive: &mut receive, transmit: &mut transmit };
    let mut session = Session::new(buffers, &limits, role, Speaks::Second, Nonce::new(3), Instant::ZERO)
        .expect("large enough");
    let mut link = sampan_tests::TapeLink::new(tape, pieces);
    let mut heard = Vec::new();
    let mut closed = false;
    while !closed {
        match sampan_core::driver::nb::turn(&mut session, &mut link, &mut storage, Instant::ZERO) {
            Ok(Turn::Worked) => {}
            Ok(Turn::Event(event)) => heard.push(Heard::from_event(event)),
            Ok(Turn::Closed) => closed = true,
            Err(nb::Error::WouldBlock) if link.is_done() => break,
            Err(nb::Error::WouldBlock) => {}
            Err(nb::Error::Other(error)) => panic!("{error}"),
        }
    }
    (link.written, heard, disk, closed)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same(pieces in prop::collection::vec(1_usize..200, 1..400), poison in any::<u8>()) {
        let [spoken, _] = tapes();
        let (whole, heard, disk, closed) = listen(&spoken, &[usize::MAX], 0xA5);
        prop_assert!(closed);
        prop_assert_eq!(disk.names().len(), 3);
        let (split, heard_split, disk_split, closed) = listen(&spoken, &pieces, poison);
        prop_assert!(closed);
        prop_assert_eq!(frames(&whole), frames(&split));
        prop_assert_eq!(&heard, &heard_split);
        for name in disk.names() {
            prop_assert_eq!(disk.file(&name), disk_split.file(&name));
        }
    }
}

/// The frames of a tape that do not depend on when they were sent: ACKs may fall together or apart, and ACCEPT is not sent once
/// DONE says more.
fn frames(tape: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &tape[5..];
    let mut frames = Vec::new();
    while let [a, b, c, after @ ..] = rest {
        let (frame, after) = after.split_at(u32::from_le_bytes([*a, *b, *c, 0]) as usize);
        if ![0x12, 0x15].contains(&frame[0]) {
            frames.push(frame.to_vec());
        }
        rest = after;
    }
    frames.sort();
    frames
}

#[test]
fn one_byte_at_a_time() {
    let [spoken, _] = tapes();
    let (_, heard, disk, closed) = listen(&spoken, &[1], 0xA5);
    assert!(closed);
    assert_eq!(disk.names().len(), 3);
    assert_eq!(heard.iter().filter(|heard| matches!(heard, Heard::Received(_))).count(), 3);
}

#[test]
fn what_is_sent_does_not_depend_on_what_was_in_the_buffers() {
    let [spoken, _] = tapes();
    let (written, ..) = listen(&spoken, &[usize::MAX], 0xA5);
    let (other, ..) = listen(&spoken, &[usize::MAX], 0x5A);
    assert_eq!(written, other);
}

#[test]
fn an_action_is_lent_again_until_it_is_answered() {
    let mut pair = setup().join();
    let node: &mut Node = &mut pair.a.engine;
    let lent = |node: &mut Node| match node.poll(Instant::ZERO) {
        Action::Transmit(bytes) => bytes.to_vec(),
        other => panic!("{other:?}"),
    };
    let first = lent(node);
    assert_eq!(lent(node), first);
    node.transmitted(3);
    assert_eq!(lent(node), first[3..]);
}

#[test]
fn a_whole_session_byte_by_byte_as_the_document_shows_it() {
    let mut pair = setup().join();
    for channel in [0, 1] {
        pair.wire.channel(channel).tape = Some(Vec::new());
    }
    pair.a.send(Offer::file("hi.txt", b"hello".to_vec()));
    pair.a.engine.close(sampan_core::wire::Code::Ok);
    assert_eq!(pair.finish(60), (Ok(()), Ok(())));
    let mut text = String::new();
    for (channel, title) in [(0, "the end that dials (nonce 2)"), (1, "the other end (nonce 3)")] {
        let tape = pair.wire.channel(channel).tape.take().expect("a tape");
        text += &format!("{title}\n  preamble {}\n", hex(&tape[..5]));
        let mut rest = &tape[5..];
        while let [a, b, c, after @ ..] = rest {
            let (frame, after) = after.split_at(u32::from_le_bytes([*a, *b, *c, 0]) as usize);
            let kind = sampan_core::wire::Kind::from_code(frame[0]).expect("a known kind");
            text += &format!("  {:8} {} {}\n", kind.name(), hex(&rest[..3]), hex(frame));
            rest = after;
        }
    }
    sampan_tests::assert_snapshot("session-push.txt", &text);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
