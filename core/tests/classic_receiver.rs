//! The side that takes a file (§14.2): what the transcripts do not show.

mod classic_kit;

use classic_kit::receiving::{LIMITS, assert_over, reach, rig, rig_with};
use classic_kit::{Busy, Driver, Later, Rig, START, Shelf, Told, buffers};
use sampan_core::classic::transitions::ReceiverState as State;
use sampan_core::classic::{MIN_BUFFER, Receiver, TRANSFER};
use sampan_core::driver::nb;
use sampan_core::wire::{Code, Crc32};
use sampan_core::{
    Action, Buffers, By, Engine, Error, Limits, LinkError, Next, Refusal, ResourceError, ResumePoint, Verdict,
};

const NAME_OK: &[u8] = b"[+] server : filename query ok";
const SIZE_OK: &[u8] = b"[+] server : filesize query ok";
const FINISHED: &[u8] = b"[+] server : finished transferring file";
const TIMEOUT: &[u8] = b"[!] server : timeout";

fn failed(code: Code, words: &str) -> Told {
    Told::Failed { receiving: true, code, words: words.into(), by: By::Us }
}

#[track_caller]
fn assert_received(rig: &mut Rig<Receiver<'static>>, name: &[u8], contents: &[u8]) {
    assert_over(rig);
    assert_eq!(rig.told[0], Told::Received);
    assert_eq!((rig.shelf.name.as_deref(), rig.shelf.stored.as_slice()), (Some(name), contents));
}

#[test]
fn buffers_that_are_too_small_are_refused() {
    for (receive, transmit) in [(MIN_BUFFER - 1, 4096), (4096, MIN_BUFFER - 1), (0, 0)] {
        let error = Receiver::new(buffers(receive, transmit), LIMITS, START).unwrap_err();
        assert_eq!(error, Error::Resource(ResourceError::BufferTooSmall { needed: MIN_BUFFER }));
    }
}

#[test]
fn a_message_is_what_comes_within_50_ms_of_its_first_bytes() {
    let mut rig = rig();
    for (at, piece) in [(0, &b"a"[..]), (20, b".t"), (49, b"xt")] {
        rig.wait(at - rig.elapsed());
        rig.feed(piece);
    }
    assert_eq!(rig.written(), b"");
    rig.wait(1);
    assert_eq!((rig.elapsed(), rig.written()), (50, NAME_OK.to_vec()));
    rig.wait(950);
    for (at, piece) in [(1000, &b"1"[..]), (1030, b"0"), (1049, b"0")] {
        rig.wait(at - rig.elapsed());
        rig.feed(piece);
    }
    assert_eq!(rig.written(), b"");
    rig.wait(1);
    assert_eq!(rig.written(), SIZE_OK);
    assert_eq!((rig.shelf.name.as_deref(), rig.shelf.size), (Some(&b"a.txt"[..]), Some(100)));
}

#[test]
fn nothing_is_awaited_once_the_stream_has_ended() {
    let mut rig = reach(State::MoreSize);
    rig.end();
    assert_eq!(rig.written(), [SIZE_OK, b"[!] server : fewer bytes than announced"].concat());
    assert_eq!(rig.elapsed(), 50);
}

#[test]
fn the_window_of_a_message_does_not_extend_the_handshake() {
    let mut rig = rig();
    rig.wait(9_970);
    rig.feed(b"a.txt");
    rig.wait(29);
    assert_eq!(rig.written(), b"");
    rig.wait(1);
    assert_eq!(rig.written(), TIMEOUT);
    assert_eq!(rig.told, [Told::Closed(Err(LinkError::Handshake.into()))]);

    let mut rig = reach(State::Size);
    rig.wait(9_900);
    rig.feed(b"5");
    rig.wait(49);
    assert_eq!(rig.written(), b"");
    rig.wait(1);
    assert_eq!(rig.written(), TIMEOUT);
    assert_eq!(rig.told, [Told::Closed(Err(LinkError::Handshake.into()))]);
}

#[test]
fn what_comes_later_belongs_to_the_next_message() {
    let mut rig = rig();
    rig.feed(b"a.t");
    rig.wait(50);
    rig.feed(b"xt");
    assert_eq!(rig.written(), [NAME_OK, b"[!] server : the size is not a number"].concat());

    let mut rig = reach(State::MoreSize);
    rig.wait(51);
    assert_eq!(rig.written(), SIZE_OK);
    rig.feed(b"0hello");
    assert_eq!(rig.written(), b"[!] server : more bytes than announced");
    rig.wait(2_000);
    assert_eq!(rig.told[0], failed(Code::TooLarge, "more bytes than announced"));
    assert_over(&rig);
}

#[test]
fn names_are_as_long_as_buffer_and_limits_allow() {
    for (receive, length, good) in
        [(128, 107, true), (128, 108, false), (2048, 255, true), (2048, 256, false)]
    {
        let mut rig = rig_with(Shelf::new(), receive);
        rig.feed(&b"n".repeat(length));
        let reply = if good { NAME_OK } else { b"[!] server : the name is too long" };
        rig.expect(reply);
    }
    for (folders, length, reply) in [
        (1_022, 2, NAME_OK),
        (1_024, 0, b"[!] server : the name is empty"),
        (1_024, 1, b"[!] server : the name is too long"),
        (5_000, 5, b"[!] server : the name is too long"),
    ] {
        for read in [1, 100, 5_000] {
            let mut rig = rig_with(Shelf::new(), 4_096);
            rig.link.read = read;
            rig.feed(&[b"d/".repeat(folders / 2), b"n".repeat(length)].concat());
            rig.expect(reply);
        }
    }
    for (name, reply) in
        [("folder/name-of-9", NAME_OK), ("folder/name-of-10", b"[!] server : the name is too long")]
    {
        const SHORT: &Limits = &Limits { name: 9, ..Limits::SMALL };
        let mut rig = Rig::new(Receiver::new(buffers(4_096, 128), SHORT, START).unwrap(), Shelf::new());
        rig.feed(name.as_bytes());
        rig.expect(reply);
    }
}

#[test]
fn words_of_a_notice_are_cut_to_256_bytes() {
    let mut rig = Rig::new(Receiver::new(buffers(128, 4_096), LIMITS, START).unwrap(), Shelf::new());
    rig.shelf.words = "w".repeat(1_000).leak();
    rig.engine.notify();
    rig.feed(b"a.txt");
    rig.expect(NAME_OK);
    rig.feed(b"0");
    rig.expect(SIZE_OK);
    rig.end();
    rig.expect(
        format!("[*] server : {}\n[+] server : finished transferring file", "w".repeat(256)).as_bytes(),
    );
}

/// An engine of the check that does not look, so that gigabytes are quick.
#[derive(Debug)]
struct NoCrc;

impl Crc32 for NoCrc {
    fn update(&mut self, crc: u32, _: &[u8]) -> u32 {
        crc
    }
}

/// The older client's largest file: it announces 2 GiB and sends 4,096 bytes fewer.
#[test]
fn two_gibibytes_less_4096_bytes_are_refused() {
    const SIZE: u64 = 1 << 31;
    let buffers: Buffers<'static> = buffers(1 << 20, 128);
    let mut engine = Receiver::with_crc(buffers, LIMITS, NoCrc, START).unwrap();
    let mut now = START;
    let mut sent: u64 = 0;
    let mut stored: u64 = 0;
    let mut told = vec![];
    let mut written = vec![];
    engine.receive_buffer()[..5].copy_from_slice(b"a.txt");
    engine.received(5, now);
    loop {
        match engine.poll(now) {
            Action::Transmit(bytes) => {
                written.extend_from_slice(bytes);
                let n = bytes.len();
                engine.transmitted(n);
                if written.ends_with(NAME_OK) {
                    engine.receive_buffer()[..10].copy_from_slice(b"2147483648");
                    engine.received(10, now);
                }
            }
            Action::Offered(offered) => {
                assert_eq!(offered.offer.size, Some(SIZE));
                offered.accept(ResumePoint::START);
            }
            Action::Store { offset, data, .. } => {
                assert_eq!(offset, stored);
                stored += data.len() as u64;
                let n = data.len();
                engine.stored(Ok(n));
            }
            Action::Wait { until } => {
                let n = engine.receive_buffer().len() as u64;
                if !written.ends_with(SIZE_OK) || n == 0 {
                    now = until.unwrap();
                } else if sent == SIZE - 4_096 {
                    engine.link_lost(now);
                } else {
                    let n = n.min(SIZE - 4_096 - sent);
                    sent += n;
                    engine.received(n as usize, now);
                }
            }
            Action::Closed(result) => {
                assert_eq!(result, Ok(()));
                break;
            }
            action => told.push(format!("{action:?}")),
        }
    }
    assert_eq!(stored, SIZE - 4_096);
    assert!(written.ends_with(b"[!] server : fewer bytes than announced"));
    assert_eq!(told.len(), 2);
    assert!(told[0].contains("Abandon") && told[0].contains("Discard"));
    assert!(told[1].contains("ReceiveFailed") && told[1].contains("Integrity"));
}

#[test]
fn the_last_second_counts_from_when_the_bytes_are_stored() {
    let mut rig = rig();
    rig.shelf.busy = Busy::Always;
    rig.feed(b"a.txt");
    rig.expect(NAME_OK);
    rig.feed(b"5");
    rig.expect(SIZE_OK);
    rig.feed(b"hello");
    rig.wait(20_000);
    assert_eq!(rig.engine.state(), State::Receiving);
    rig.shelf.busy = Busy::EveryOther;
    rig.wait(999);
    assert_eq!((rig.engine.state(), rig.written()), (State::Full, vec![]));
    rig.wait(1);
    assert_eq!(rig.written(), FINISHED);
    assert_received(&mut rig, b"a.txt", b"hello");
}

#[test]
fn a_busy_sink_is_asked_again_for_as_long_as_the_stall_budget() {
    let mut rig = reach(State::Receiving);
    rig.wait(59_999);
    assert_eq!((rig.engine.state(), rig.written()), (State::Receiving, vec![]));
    rig.wait(1);
    assert_eq!(rig.written(), TIMEOUT);
    assert_eq!(rig.told, [Told::Closed(Err(LinkError::Stalled.into()))]);
    assert_over(&rig);
}

#[test]
fn the_stall_budget_counts_from_when_the_sink_last_took_something() {
    let mut rig = rig();
    rig.shelf.take = 1;
    rig.feed(b"a.txt");
    rig.expect(NAME_OK);
    rig.feed(b"5");
    rig.expect(SIZE_OK);
    rig.wait(29_000);
    rig.shelf.busy = Busy::Always;
    rig.feed(b"hello");
    rig.engine.link_lost(rig.now);
    for stored in 1..=4 {
        rig.wait(59_000);
        assert_eq!(rig.engine.state(), State::Receiving);
        rig.shelf.busy = Busy::Never;
        let _ = nb::turn(&mut rig.engine, &mut rig.link, &mut rig.shelf, rig.now);
        assert_eq!(rig.shelf.stored.len(), stored);
        rig.shelf.busy = Busy::Always;
    }
    rig.shelf.busy = Busy::Never;
    rig.wait(1);
    assert_received(&mut rig, b"a.txt", b"hello");
}

#[test]
fn a_storage_that_fails_ends_the_transfer() {
    for (contents, kept_open) in [(&b"hel"[..], true), (b"hello", false)] {
        let mut rig = rig();
        rig.shelf.store_error = Some(Refusal { code: Code::NoSpace, words: "the disk is full" });
        rig.feed(b"a.txt");
        rig.expect(NAME_OK);
        rig.feed(b"5");
        rig.expect(SIZE_OK);
        rig.feed(contents);
        rig.expect(b"[!] server : the disk is full");
        assert_eq!(rig.engine.state(), State::Draining);
        if kept_open {
            rig.feed(b"this is dropped, however much it is");
            rig.wait(999);
            assert!(!rig.is_closed());
            rig.wait(1);
        } else {
            rig.end();
        }
        assert_eq!(rig.told[0], failed(Code::NoSpace, "the disk is full"));
        assert_over(&rig);
    }
}

#[test]
fn a_commit_may_be_answered_later_or_never() {
    for (later, commit) in
        [(Later::Delayed, Ok(())), (Later::Delayed, Err(Code::Exists.into())), (Later::Never, Ok(()))]
    {
        let mut rig = rig();
        rig.shelf.commit_later = later;
        rig.shelf.commit = commit;
        rig.feed(b"a.txt");
        rig.expect(NAME_OK);
        rig.feed(b"5");
        rig.expect(SIZE_OK);
        rig.feed(b"hello");
        rig.end();
        match (later, commit) {
            (Later::Delayed, Ok(())) => assert_received(&mut rig, b"a.txt", b"hello"),
            (Later::Delayed, Err(_)) => {
                rig.expect(b"[!] server : exists");
                assert_eq!((rig.told[0].clone(), rig.shelf.abandoned), (failed(Code::Exists, ""), 1));
            }
            _ => {
                rig.wait(60_000);
                assert_eq!(rig.told, [Told::Closed(Err(LinkError::Stalled.into()))]);
                rig.engine.committed(TRANSFER, Ok(()));
                assert_eq!(rig.engine.next(rig.now), Next::Closed);
            }
        }
        assert_over(&rig);
    }
}

#[test]
fn what_the_storage_says_of_a_part_does_not_matter() {
    let mut rig = rig();
    rig.shelf.verdict = Verdict::Accept(ResumePoint { offset: 3, check: 7 });
    rig.feed(b"a.txt");
    rig.expect(NAME_OK);
    rig.feed(b"5");
    rig.expect(SIZE_OK);
    rig.feed(b"hello");
    rig.end();
    assert_received(&mut rig, b"a.txt", b"hello");

    let mut rig = rig_with(Shelf { verdict: Verdict::Have, ..Shelf::new() }, 128);
    rig.feed(b"a.txt");
    rig.expect(NAME_OK);
    rig.feed(b"5");
    rig.expect(b"[!] server : the file is here already");
    rig.wait(1_000);
    assert_eq!(rig.told[0], failed(Code::Exists, "the file is here already"));
    assert_over(&rig);
}

#[test]
fn an_offer_that_is_dropped_is_lent_again() {
    let mut rig = reach(State::Deciding);
    for _ in 0..3 {
        let Action::Offered(offered) = rig.engine.poll(rig.now) else { panic!() };
        assert_eq!(offered.offer.name.as_bytes(), b"a.txt");
    }
    rig.wait(0);
    assert_eq!(rig.written(), SIZE_OK);
}

#[test]
fn a_file_that_is_given_up_as_soon_as_it_is_accepted_leaves_nothing() {
    let mut rig = reach(State::Deciding);
    let Action::Offered(offered) = rig.engine.poll(rig.now) else { panic!() };
    rig.shelf.name = Some(offered.offer.name.as_bytes().to_vec());
    offered.accept(ResumePoint::START);
    rig.engine.refuse(Code::Closing);
    rig.wait(2_000);
    assert_eq!((rig.told[0].clone(), rig.shelf.abandoned), (failed(Code::Closing, ""), 1));
    assert_over(&rig);
}

#[test]
fn a_client_that_takes_nothing_still_has_its_file_stored() {
    for driver in [Driver::Nb, Driver::Blocking] {
        let mut rig = rig();
        rig.driver = driver;
        rig.link.capacity = 0;
        rig.feed(b"a.txt");
        rig.wait(60);
        rig.feed(b"5");
        rig.wait(60);
        rig.feed(b"hello");
        rig.wait(0);
        rig.end();
        assert_eq!((rig.engine.state(), rig.told.clone()), (State::Finishing, vec![Told::Received]));
        rig.wait(1_000);
        assert_received(&mut rig, b"a.txt", b"hello");
    }
}

#[test]
fn all_replies_fit_the_smallest_buffer_when_the_link_takes_nothing() {
    let mut rig = rig();
    rig.link.capacity = 0;
    rig.engine.notify();
    rig.shelf.words = "these words are cut to what the buffer has left, which is not much";
    rig.feed(b"a.txt");
    rig.wait(60);
    rig.feed(b"1");
    rig.wait(60);
    rig.feed(b"x");
    rig.end();
    rig.link.capacity = usize::MAX;
    rig.wait(1);
    let written = String::from_utf8(rig.written()).unwrap();
    let notice = "[*] server : these\n";
    let expected = [&String::from_utf8_lossy(NAME_OK), &String::from_utf8_lossy(SIZE_OK), notice];
    assert!(
        written.starts_with(&expected.map(|text| &text[..text.len().min(30)]).concat()[..73]),
        "{written}"
    );
    assert!(written.ends_with(std::str::from_utf8(FINISHED).unwrap()), "{written}");
    assert_over(&rig);
}
