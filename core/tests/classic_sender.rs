//! The side that sends a file (§14.3): what the transcripts do not show.

mod classic_kit;

use classic_kit::sending::{FINISHED, NAME_OK, SIZE_OK, failed, reach, rig_with, sending};
use classic_kit::{Driver, Rig, START, Shelf, Told, buffers};
use sampan_core::classic::transitions::SenderState as State;
use sampan_core::classic::{MIN_BUFFER, Sender};
use sampan_core::wire::Code;
use sampan_core::{
    Action, By, Engine, Error, FileType, Limits, LinkError, Millis, Next, Refusal, ResourceError,
};

#[test]
fn buffers_that_are_too_small_are_refused() {
    for (receive, transmit) in [(MIN_BUFFER - 1, 4096), (4096, MIN_BUFFER - 1)] {
        let error = Sender::new(buffers(receive, transmit), &Limits::LARGE, START).unwrap_err();
        assert_eq!(error, Error::Resource(ResourceError::BufferTooSmall { needed: MIN_BUFFER }));
    }
}

#[test]
fn what_cannot_go_is_not_begun() {
    let directory = Shelf { source_type: FileType::Directory, ..Shelf::with("a", b"") };
    let listing = Shelf { source_type: FileType::Listing, ..Shelf::with("a", b"") };
    let unknown = Shelf { source_size: None, ..Shelf::with("a", b"") };
    let long = Shelf::with(&["n".repeat(120), "n".repeat(8)].join("/"), b"");
    for (shelf, code) in [
        (directory, Code::Unsupported),
        (listing, Code::Unsupported),
        (unknown, Code::Unsupported),
        (long, Code::BadName),
        (Shelf::new(), Code::NotFound),
    ] {
        let mut rig = rig_with(shelf);
        assert_eq!(rig.run(), None);
        assert!(
            matches!(&rig.told[0], Told::Failed { code: found, by: By::Us, .. } if *found == code),
            "{:?}",
            rig.told
        );
        assert_eq!((rig.told[1].clone(), rig.written()), (Told::Closed(Ok(())), vec![]));
    }
}

#[test]
fn a_name_goes_in_one_write_if_the_link_takes_it() {
    let name = [&"n".repeat(255), "/"].concat().repeat(4);
    let engine = Sender::new(buffers(128, 4096), &Limits::LARGE, START).unwrap();
    let mut rig = Rig::new(engine, Shelf::with(&name[..1023], b"x"));
    rig.run();
    assert_eq!(rig.written(), &name.as_bytes()[..1023]);
}

#[test]
fn replies_may_be_cut_anywhere_within_50_ms() {
    for cut in 1..30 {
        for driver in [Driver::Nb, Driver::Blocking] {
            let mut rig = rig_with(Shelf::with("a.txt", b"hello"));
            rig.driver = driver;
            rig.run();
            rig.written();
            rig.feed(&NAME_OK[..cut]);
            rig.wait(49);
            assert_eq!(rig.written(), b"", "{cut}");
            rig.feed(&[&NAME_OK[cut..], &SIZE_OK[..cut]].concat());
            assert_eq!(rig.written(), b"5");
            rig.wait(49);
            assert_eq!(rig.written(), b"");
            rig.feed(&SIZE_OK[cut..]);
            assert_eq!(rig.written(), b"hello");
            rig.feed(&FINISHED[..cut]);
            rig.wait(49);
            rig.feed(&FINISHED[cut..]);
            assert_eq!(rig.told, [Told::EndOfStream, Told::Sent, Told::Closed(Ok(()))]);
        }
    }
}

#[test]
fn any_text_is_a_reply_after_50_ms() {
    let mut rig = rig_with(Shelf::with("a.txt", b"hello"));
    rig.run();
    rig.written();
    for (text, answer) in [(&b"[+] server : filename query o"[..], &b"5"[..]), (b"[", b"hello")] {
        rig.feed(text);
        rig.wait(49);
        assert_eq!(rig.written(), b"");
        rig.wait(1);
        assert_eq!(rig.written(), answer);
    }
    rig.feed(b"bye");
    rig.wait(49);
    assert_eq!(rig.told, [Told::EndOfStream]);
    rig.wait(1);
    assert_eq!(rig.told, [Told::EndOfStream, Told::Sent, Told::Closed(Ok(()))]);
}

#[test]
fn a_reply_counts_when_its_message_is_sent() {
    let mut rig = rig_with(Shelf::with("a.txt", b"hello"));
    rig.link.capacity = 2;
    rig.feed(&[NAME_OK, SIZE_OK].concat());
    rig.wait(1_000);
    assert_eq!((rig.engine.state(), rig.written()), (State::Name, b"a.".to_vec()));
    rig.link.capacity = 3;
    rig.wait(0);
    assert_eq!((rig.engine.state(), rig.written()), (State::Size, b"txt".to_vec()));
    rig.link.capacity = 1;
    rig.wait(0);
    assert_eq!((rig.engine.state(), rig.written()), (State::Flushing, b"5".to_vec()));
}

#[test]
fn white_space_and_what_follows_a_known_text_are_no_reply() {
    let mut rig = rig_with(Shelf::with("a.txt", b"hello"));
    rig.run();
    rig.written();
    rig.feed(b"\r\n ");
    rig.wait(1_000);
    assert_eq!(rig.written(), b"");
    rig.feed(&[NAME_OK, b", thank you"].concat());
    assert_eq!(rig.written(), b"5");
    rig.wait(1_000);
    assert_eq!(rig.written(), b"");
}

#[test]
fn a_notice_with_the_last_reply_ends_it_at_once() {
    let mut rig = sending(b"hello", |_| {});
    rig.feed(&[b"[*] server : tea\n", FINISHED].concat());
    assert_eq!((rig.told[1].clone(), rig.elapsed()), (Told::Notice("tea".into()), 0));
    assert!(rig.is_closed());
    // On its own it is a reply like any other.
    let mut rig = sending(b"hello", |_| {});
    rig.feed(b"[*] server : tea");
    assert_eq!(rig.told, [Told::EndOfStream]);
    rig.wait(50);
    assert_eq!(rig.told[1..], [Told::Notice("tea".into()), Told::Sent, Told::Closed(Ok(()))]);
}

#[test]
fn a_reply_longer_than_the_buffer_is_one_reply() {
    for read in [1, 7, 1_024] {
        let mut rig = rig_with(Shelf::with("a.txt", b"hello"));
        rig.link.read = read;
        rig.run();
        rig.written();
        rig.feed(&b"welcome ".repeat(128));
        rig.wait(50);
        assert_eq!(rig.written(), b"5");
        rig.wait(1_000);
        assert_eq!(rig.written(), b"");
        rig.feed(SIZE_OK);
        assert_eq!(rig.written(), b"hello");
        rig.feed(&[b"[!] ", &b"no ".repeat(300)[..]].concat());
        rig.wait(50);
        let words = "no ".repeat(36);
        assert_eq!(rig.told[1..], failed(Code::Other, words.trim_end(), By::Peer));
    }
}

#[test]
fn a_reply_and_a_refusal_may_come_together() {
    let mut rig = rig_with(Shelf::with("a.txt", b"hello"));
    rig.run();
    rig.written();
    rig.feed(&[NAME_OK, b"[!] server : no space"].concat());
    rig.wait(50);
    assert_eq!(
        (rig.written(), rig.told.clone()),
        (vec![], failed(Code::Other, "no space", By::Peer).to_vec())
    );

    let mut rig = sending(&[b'x'; 1_000], |rig| rig.link.capacity = 0);
    rig.feed(b"[!] server : no space");
    rig.wait(50);
    assert_eq!(rig.told, failed(Code::Other, "no space", By::Peer));
}

#[test]
fn a_refusal_while_contents_go_is_noticed() {
    for driver in [Driver::Nb, Driver::Blocking] {
        for cut in 0..=21 {
            let mut rig = sending(&[b'x'; 1_000], |rig| rig.link.capacity = 300);
            rig.driver = driver;
            assert_eq!(rig.engine.state(), State::Sending);
            rig.feed(b"not a refusal");
            let text = b"[!] server : no space";
            rig.feed(&text[..cut]);
            rig.feed(&text[cut..]);
            assert_eq!(rig.engine.state(), State::Refused);
            rig.written();
            rig.wait(50);
            assert_eq!(
                (rig.written(), rig.told.clone()),
                (vec![], failed(Code::Other, "no space", By::Peer).to_vec())
            );
        }
    }
}

/// The server refused and closed; the write that failed was before the read that would have told why.
#[test]
fn a_refusal_is_read_after_a_write_has_failed() {
    for text in [&b"[!] server : no space"[..], b""] {
        for state in [State::Sending, State::Flushing] {
            let length = if state == State::Sending { 1_000 } else { 100 };
            let mut rig = sending(&vec![b'x'; length], |rig| rig.link.capacity = 10);
            assert_eq!(rig.engine.state(), state);
            rig.driver = Driver::Blocking;
            rig.link.reset = true;
            rig.link.inbox.extend(text);
            rig.run();
            if text.is_empty() {
                assert_eq!(rig.told, [Told::Closed(Err(LinkError::Lost.into()))]);
            } else {
                assert_eq!(rig.told, failed(Code::Other, "no space", By::Peer));
            }
        }
    }
}

#[test]
fn a_caller_that_says_only_once_that_the_link_is_lost_waits_a_second() {
    let mut rig = sending(&[b'x'; 1_000], |rig| rig.link.capacity = 10);
    rig.engine.link_lost(rig.now);
    rig.wait(999);
    assert_eq!(rig.told, []);
    rig.wait(1);
    assert_eq!(rig.told, [Told::Closed(Err(LinkError::Lost.into()))]);
}

#[test]
fn a_source_that_changed_never_goes_whole() {
    // Shorter than it was.
    let mut rig = sending(&[b'x'; 1_000], |rig| {
        let (_, contents) = rig.shelf.source.as_mut().unwrap();
        contents.truncate(999);
    });
    assert_eq!(rig.told, failed(Code::Changed, "the source is shorter than it was", By::Us));
    assert_eq!(rig.written().len(), 999);
    // Otherwise changed: the last piece is held back, so that a server which compares the size refuses it.
    for length in [1, 128, 129, 1_000] {
        let mut rig = sending(&vec![b'x'; length], |rig| rig.shelf.finish = Err(Code::Changed.into()));
        assert_eq!(rig.told, failed(Code::Changed, "", By::Us));
        assert_eq!(rig.written().len(), (length - 1) / 128 * 128);
    }
    // Longer than it was: no more goes than was announced.
    let mut rig = sending(&[b'x'; 1_000], |rig| {
        let (_, contents) = rig.shelf.source.as_mut().unwrap();
        contents.extend(b"more");
    });
    assert_eq!((rig.written().len(), rig.shelf.finished, rig.told), (1_000, 1, vec![Told::EndOfStream]));
}

#[test]
fn a_source_that_fails_ends_the_transfer() {
    let refusal = Refusal { code: Code::Storage, words: "reading failed" };
    let rig = sending(b"hello", |rig| rig.shelf.fetch_error = Some(refusal));
    assert_eq!(rig.told, failed(Code::Storage, "reading failed", By::Us));
}

#[test]
fn a_link_that_takes_nothing_is_silent() {
    for capacity in [0, 127, 128, 999] {
        let mut rig = sending(&[b'x'; 1_000], |rig| rig.link.capacity = capacity);
        rig.wait(29_999);
        assert!(!rig.is_closed());
        rig.wait(1);
        assert_eq!(rig.told, [Told::Closed(Err(LinkError::Silent.into()))]);
        assert_eq!(rig.written().len(), capacity);
    }
}

#[test]
fn nothing_goes_after_the_deadline() {
    let mut rig = sending(&[b'x'; 1_000], |rig| rig.link.capacity = 10);
    rig.wait(29_999);
    rig.written();
    rig.now = rig.now.after(Millis(1));
    assert_eq!(rig.engine.next(rig.now), Next::Closed);
}

/// Answers of a caller that took its time, or that says more than it was asked.
#[test]
fn a_slow_source_is_not_held_against_the_server() {
    let mut rig = reach(State::Sending);
    rig.engine.fetched(Ok(50));
    rig.engine.transmitted(usize::MAX);
    let Action::Fetch { offset: 128, into, .. } = rig.engine.poll(rig.now) else { panic!() };
    into.fill(b'x');
    rig.now = rig.now.after(Millis(40_000));
    rig.engine.fetched(Ok(10));
    let Action::Transmit(bytes) = rig.engine.poll(rig.now) else { panic!() };
    assert_eq!(bytes, [b'x'; 10]);
    rig.engine.transmitted(10);
    let Action::Fetch { offset: 138, into, .. } = rig.engine.poll(rig.now) else { panic!() };
    into.fill(b'y');
    rig.now = rig.now.after(Millis(40_000));
    rig.engine.fetched(Ok(usize::MAX));
    let Action::Finish { .. } = rig.engine.poll(rig.now) else { panic!() };
    rig.now = rig.now.after(Millis(40_000));
    rig.engine.finished(Ok(0));
    let Action::Transmit(bytes) = rig.engine.poll(rig.now) else { panic!() };
    assert_eq!(bytes, [b'y'; 62]);
}

#[test]
fn a_link_that_takes_little_is_not_silent() {
    let mut rig = sending(&[b'x'; 300], |rig| rig.link.capacity = 1);
    for _ in 0..299 {
        rig.wait(29_000);
        assert_eq!(rig.written(), b"x");
    }
    rig.wait(29_000);
    assert_eq!((rig.written(), rig.told), (b"x".to_vec(), vec![Told::EndOfStream]));
}

#[test]
fn a_late_last_reply_still_counts() {
    for (contents, spent) in [(&b"hello"[..], 29_999), (b"", 4_999)] {
        let mut rig = sending(contents, |_| {});
        rig.wait(spent);
        assert_eq!(rig.told, [Told::EndOfStream]);
        rig.feed(FINISHED);
        assert_eq!(rig.told[1..], [Told::Sent, Told::Closed(Ok(()))]);
    }
}
