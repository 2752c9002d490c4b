//! Contents that are more, less or other than was announced.

use std::time::Duration;

use rustix::process::Signal;
use sampan_core::wire::{Code, Data, DigestKind, End, Frame, Kind, Offer, Scope};

use super::Meeting;
use crate::kit::hostile::{Wanted, record};
use crate::kit::{Framed, PATIENCE, Ran, content};

/// Lets a client fetch `file`, which the server has announced with 1,000 bytes; `answer` says the rest after ACCEPT.
fn fetch(change: fn(Offer<'_>) -> Offer<'_>, answer: impl FnOnce(&mut Framed, u32)) -> (Meeting, Ran) {
    let meeting = Meeting::new();
    let (client, mut framed) = meeting.get(&["file"]);
    let wanted: Wanted = framed.next_file(&record(b"file", 1000), &["file"]).expect("the file is asked for");
    let offer = framed.answer_to(&wanted, 1000);
    let transfer = offer.transfer;
    framed.say(&Frame::Offer(change(offer)));
    if framed.is_taken() {
        answer(&mut framed, transfer);
    }
    framed.see_off();
    let ran = client.finish();
    (meeting, ran)
}

fn as_it_is(offer: Offer<'_>) -> Offer<'_> {
    offer
}

#[test]
fn more_bytes_than_announced_are_not_put_in_place() {
    let (meeting, ran) = fetch(as_it_is, |framed, transfer| {
        framed.say_data(transfer, &content(1, 2000), 0, 2000);
        framed.expect_abort(Scope::Receiving, transfer, Code::TooLarge);
    });
    ran.assert_failed("protocol");
    meeting.assert_nothing_written(&ran, &[10]);
}

#[test]
fn fewer_bytes_than_announced_are_not_put_in_place() {
    for size in [999, 1000] {
        let (meeting, ran) = fetch(as_it_is, |framed, transfer| {
            let contents = content(1, 999);
            framed.say_data(transfer, &contents, 0, 333);
            framed.say(&Frame::End(End { size, ..Framed::end_of(transfer, &contents) }));
            framed.expect_done(transfer, Code::Integrity);
        });
        ran.assert_failed("integrity");
        meeting.assert_nothing_written(&ran, &[6]);
    }
}

#[test]
fn a_wrong_check_or_digest_is_not_put_in_place() {
    let wrong_check = fetch(as_it_is, |framed, transfer| {
        let contents = content(1, 1000);
        framed.say_data(transfer, &contents, 0, 500);
        framed.say(&Frame::End(End { check: 7, ..Framed::end_of(transfer, &contents) }));
        framed.expect_done(transfer, Code::Integrity);
    });
    let wrong_digest = fetch(
        |offer| Offer { digest: DigestKind::Crc64Nvme, ..offer },
        |framed, transfer| {
            let contents = content(1, 1000);
            framed.say_data(transfer, &contents, 0, 500);
            let end = Framed::end_of(transfer, &contents);
            framed.say(&Frame::End(End { digest: DigestKind::Crc64Nvme, value: &[9; 8], ..end }));
            framed.expect_done(transfer, Code::Integrity);
        },
    );
    for (meeting, ran) in [wrong_check, wrong_digest] {
        ran.assert_failed("integrity");
        meeting.assert_nothing_written(&ran, &[6]);
    }
}

#[test]
fn a_digest_that_is_wrong_again_after_a_restart_is_given_up() {
    let (meeting, ran) = fetch(as_it_is, |framed, transfer| {
        let contents = content(1, 1000);
        let wrong = Frame::End(End { check: 7, ..Framed::end_of(transfer, &contents) });
        framed.say_data(transfer, &contents, 0, 500);
        framed.say(&wrong);
        framed.expect_done(transfer, Code::Integrity);
        let again = Offer { restart: true, ..Framed::offer(transfer, "file", 1000) };
        let _ = framed.try_say(&Frame::Offer(again));
        if framed.is_taken() {
            framed.say_data(transfer, &contents, 0, 500);
            framed.say(&wrong);
            framed.expect_done(transfer, Code::Integrity);
        }
    });
    meeting.assert_nothing_written(&ran, &[6, 10]);
}

#[test]
fn a_server_that_gives_up_or_closes_in_mid_file_puts_nothing_in_place() {
    let (meeting, ran) = fetch(as_it_is, |framed, transfer| {
        framed.say_data(transfer, &content(1, 500), 0, 500);
        let code = Code::Changed;
        framed.say(&Frame::Abort(sampan_core::wire::Abort {
            scope: Scope::Sending,
            transfer,
            code,
            words: "",
        }));
    });
    ran.assert_failed("changed");
    meeting.assert_nothing_written(&ran, &[8]);
    let (meeting, ran) = fetch(as_it_is, |framed, transfer| {
        framed.say_data(transfer, &content(1, 1000), 0, 500);
        framed.raw.fin();
    });
    ran.assert_failed("link-lost");
    meeting.assert_nothing_written(&ran, &[7]);
}

#[test]
fn a_file_that_grows_while_it_is_offered_again_is_not_spliced() {
    let meeting = Meeting::new();
    let (client, mut framed) = meeting.get(&["file"]);
    let wanted = framed.next_file(&record(b"file", 1000), &["file"]).expect("the file is asked for");
    let offer = framed.answer_to(&wanted, 1000);
    framed.say(&Frame::Offer(offer));
    assert!(framed.is_taken());
    framed.say_data(offer.transfer, &content(1, 500), 0, 500);
    // The same id once more, larger: whatever came before must not be part of it.
    framed.say(&Frame::Offer(Offer { restart: true, size: Some(2000), ..offer }));
    let mut taken = false;
    while let Ok(frame) = framed.hear(Duration::from_secs(5)) {
        taken |= frame[0] == Kind::Accept.code();
        if matches!(frame[0], 0x05 | 0x12 | 0x13) {
            break;
        }
    }
    let contents = content(2, 2000);
    if taken {
        framed.say_data(offer.transfer, &contents, 0, 500);
        framed.say(&Frame::End(Framed::end_of(offer.transfer, &contents)));
    }
    framed.see_off();
    let ran = client.finish();
    match ran.code {
        Some(0) => assert_eq!(std::fs::read(meeting.here().join("file")).ok(), Some(contents)),
        _ => meeting.assert_nothing_written(&ran, &[5, 10]),
    }
}

#[test]
fn a_stream_without_end_can_be_interrupted_and_is_not_put_in_place() {
    let meeting = Meeting::new();
    let (client, mut framed) = meeting.get(&["file"]);
    let wanted = framed.next_file(&record(b"file", 1000), &["file"]).expect("the file is asked for");
    let offer = framed.answer_to(&wanted, 0);
    framed.say(&Frame::Offer(Offer { size: None, ..offer }));
    let frame = framed.expect(Kind::Accept);
    let accept = sampan_core::wire::Accept::parse(&frame[1..]).expect("an ACCEPT");
    let (mut limit, mut sent) = (u64::from(accept.credit), 0);
    let payload = &[0; 32_768];
    while sent < 16 << 20 {
        while sent + 32_768 > limit {
            let frame = framed.hear(PATIENCE).expect("an ACK");
            if let Ok(Frame::Ack(ack)) = Frame::parse(&frame) {
                limit = ack.received + u64::from(ack.credit);
            }
        }
        framed.say(&Frame::Data(Data { transfer: offer.transfer, offset: sent, payload }));
        sent += 32_768;
    }
    assert_eq!(meeting.made(), [""; 0]);
    client.signal(Signal::INT);
    let stopping = std::time::Instant::now();
    let mut client = client;
    while !client.has_ended() && stopping.elapsed() < PATIENCE {
        if framed.hear(Duration::from_millis(100)).is_ok_and(|frame| frame[0] == Kind::Bye.code()) {
            framed.say_bye();
        }
    }
    meeting.assert_nothing_written(&client.finish(), &[130]);
}
