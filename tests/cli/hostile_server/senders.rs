//! `send` to a server that answers as no server would.

use std::path::PathBuf;

use sampan_core::wire::{Accept, Code, Done, Frame, Gaps, Kind, Offer, Ping};

use super::Meeting;
use crate::kit::framed::ack;
use crate::kit::{Framed, PATIENCE, Ran, Running, Sampan, content};

const LENGTH: usize = 300_000;

/// A client that sends `file`; its OFFER has been heard.
fn sending(meeting: &Meeting) -> (Running, Framed) {
    let file: PathBuf = meeting.place.write("file", &content(1, LENGTH));
    let url = meeting.server.url();
    let client = Sampan::send(&url, &["--retries", "0"]).args(&[file]).in_dir(&meeting.here()).start();
    let mut framed = meeting.server.open();
    framed.expect(Kind::Offer);
    (client, framed)
}

/// How the client ends whom the server says this after the OFFER, and then nothing more.
fn ends(say: impl FnOnce(&mut Framed)) -> Ran {
    let meeting = Meeting::new();
    let (client, mut framed) = sending(&meeting);
    say(&mut framed);
    framed.raw.fin();
    while framed.hear(PATIENCE).is_ok() {}
    let ran = client.finish();
    assert_eq!(meeting.made(), [""; 0]);
    meeting.place.sentinel.assert_untouched();
    ran
}

const ACCEPT: Accept = Accept { transfer: 1, have: false, offset: 0, check: 0, credit: 1000 };

#[test]
fn answers_that_cannot_be_are_a_broken_rule() {
    let beyond = LENGTH as u64 + 1;
    let acked =
        sampan_core::wire::Ack { transfer: 1, received: 1 << 40, durable: 0, credit: 1, gaps: Gaps::NONE };
    for frames in [
        &[Frame::Accept(Accept { offset: beyond, check: 1, ..ACCEPT })][..],
        &[Frame::Accept(ACCEPT), Frame::Accept(ACCEPT)],
        &[Frame::Accept(Accept { transfer: 2, ..ACCEPT })],
        &[Frame::Done(Done { transfer: 9, code: Code::Ok, words: "" })],
        &[Frame::Accept(ACCEPT), Frame::Ack(acked)],
    ] {
        let ran = ends(|framed| {
            for frame in frames {
                let _ = framed.try_say(frame);
            }
        });
        ran.assert_exit(10).assert_failed("protocol");
    }
}

#[test]
fn a_server_that_claims_to_have_other_bytes_is_sent_everything() {
    let meeting = Meeting::new();
    let (client, mut framed) = sending(&meeting);
    framed.say(&Frame::Accept(Accept { offset: 100_000, check: 0xBAD, credit: 0, ..ACCEPT }));
    // It must find out by reading its file, and offer it again.
    let mut offered = None;
    while offered.is_none() {
        let frame = framed.hear(PATIENCE).expect("another OFFER");
        match Frame::parse(&frame).expect("a frame") {
            Frame::Offer(offer) => offered = Some((offer.transfer, offer.restart)),
            // What went ahead of the answer.
            Frame::Data(data) => assert!(data.offset < 100_000, "it goes on where others left off"),
            _ => {}
        }
    }
    assert_eq!(offered, Some((1, true)));
    assert_eq!(framed.take_contents(1), content(1, LENGTH));
    framed.expect(Kind::Bye);
    framed.say_bye();
    let ran = client.finish();
    ran.assert_exit(0);
    assert_eq!(ran.event("sent")["resumed_from"], 0);
}

#[test]
fn a_server_that_sends_files_to_a_sender_makes_nothing() {
    for name in ["file", ".bashrc", "../outside/secret"] {
        let ran = ends(|framed| {
            let _ = framed.try_say(&Frame::Offer(Framed::offer(1, name, 4)));
            if framed.is_taken() {
                panic!("a sender takes a file");
            }
        });
        assert!(matches!(ran.code, Some(5 | 7 | 10)), "{ran:?}");
    }
}

#[test]
fn a_server_that_asks_a_sender_for_files_gets_none() {
    for (listing, name) in [(false, "file"), (false, "../outside/secret"), (true, "")] {
        let ran = ends(|framed| {
            if listing {
                framed.say_list(1, name);
            } else {
                framed.say_want(1, name);
            }
            while let Ok(frame) = framed.hear(PATIENCE) {
                match Frame::parse(&frame).expect("a frame") {
                    Frame::Offer(Offer { want, .. }) => assert_eq!(want, None),
                    Frame::Decline(_) | Frame::Abort(_) => break,
                    _ => {}
                }
            }
        });
        assert!(matches!(ran.code, Some(5 | 7 | 10)), "{ran:?}");
    }
}

#[test]
fn a_sender_answers_a_ping_and_nothing_that_is_an_answer() {
    let meeting = Meeting::new();
    let (client, mut framed) = sending(&meeting);
    framed.say(&Frame::Accept(Accept { credit: 0, ..ACCEPT }));
    framed.say(&Frame::Pong(sampan_core::wire::Pong { number: 5 }));
    framed.say(&Frame::Ping(Ping { number: 6 }));
    let pong = framed.expect_past(Kind::Pong);
    assert_eq!(pong, [Kind::Pong.code(), 6]);
    for _ in 0..1000 {
        framed.say(&ack(1, 0, 0));
    }
    framed.say(&Frame::Ping(Ping { number: 7 }));
    assert_eq!(framed.expect_past(Kind::Pong), [Kind::Pong.code(), 7]);
    drop(framed);
    client.finish().assert_exit(7).assert_failed("link-lost");
}
