//! What a peer that is played by hand expects of the other end.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use sampan_core::wire::{
    Abort, Accept, Answered, Code, Crc32 as _, Decline, Done, Frame, Kind, Nibble, Pong, Scope,
};

use super::framed::ack;
use super::{Framed, PATIENCE};

impl Framed {
    /// The next frame of this kind; PING is answered, and what else a peer says of itself is passed over.
    #[track_caller]
    pub(crate) fn expect(&mut self, kind: Kind) -> Vec<u8> {
        self.expect_within(kind, PATIENCE)
    }

    /// The same with another deadline.
    #[track_caller]
    pub(crate) fn expect_within(&mut self, kind: Kind, within: Duration) -> Vec<u8> {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let frame = self.hear(left).unwrap_or_else(|error| panic!("{kind} was expected: {error}"));
            let parsed = Frame::parse(&frame).unwrap_or_else(|error| panic!("{error}: {frame:02x?}"));
            match parsed {
                _ if parsed.kind() == kind => return frame,
                Frame::Ping(ping) => {
                    let pong = Frame::Pong(Pong { number: ping.number });
                    let _ = self.try_say(&pong);
                }
                Frame::Hello(_) | Frame::Ack(_) | Frame::Pong(_) => {}
                other => panic!("{kind} was expected and not {other:?}"),
            }
        }
    }

    /// The next frame of this kind, past all others.
    #[track_caller]
    pub(crate) fn expect_past(&mut self, kind: Kind) -> Vec<u8> {
        loop {
            let frame = self.hear(PATIENCE).unwrap_or_else(|error| panic!("{kind} was expected: {error}"));
            if frame[0] == kind.code() {
                return frame;
            }
        }
    }

    /// The peer takes the offer; from where and with how much credit.
    #[track_caller]
    pub(crate) fn expect_accept(&mut self) -> Accept {
        let frame = self.expect(Kind::Accept);
        Accept::parse(&frame[1..]).expect("an ACCEPT")
    }

    /// The peer refuses an offer, or a want, with this code; its words.
    #[track_caller]
    pub(crate) fn expect_decline(&mut self, what: Answered, number: u32, code: Code) -> String {
        let frame = self.expect(Kind::Decline);
        let decline = Decline::parse(&frame[1..]).expect("a DECLINE");
        assert_eq!((decline.what, decline.number, decline.code), (what, number, code), "{}", decline.words);
        decline.words.to_owned()
    }

    /// The peer's verdict on a transfer is this code; its words.
    #[track_caller]
    pub(crate) fn expect_done(&mut self, transfer: u32, code: Code) -> String {
        let frame = self.expect(Kind::Done);
        let done = Done::parse(&frame[1..]).expect("a DONE");
        assert_eq!((done.transfer, done.code), (transfer, code), "{}", done.words);
        done.words.to_owned()
    }

    /// The peer takes the offer and, with what was sent of it, the file.
    #[track_caller]
    pub(crate) fn expect_done_after_accept(&mut self, transfer: u32) {
        let mut frame = self.hear(PATIENCE).expect("an answer");
        while frame[0] != Kind::Done.code() {
            assert!(matches!(frame[0], 0x12 | 0x15), "a DONE was expected and not {frame:02x?}");
            frame = self.hear(PATIENCE).expect("an answer");
        }
        let done = Done::parse(&frame[1..]).expect("a DONE");
        assert_eq!((done.transfer, done.code), (transfer, Code::Ok), "{}", done.words);
    }

    /// The peer ends a transfer with this code; its words.
    #[track_caller]
    pub(crate) fn expect_abort(&mut self, scope: Scope, transfer: u32, code: Code) -> String {
        let frame = self.expect(Kind::Abort);
        let abort = Abort::parse(&frame[1..]).expect("an ABORT");
        assert_eq!((abort.scope, abort.transfer, abort.code), (scope, transfer, code), "{}", abort.words);
        abort.words.to_owned()
    }

    /// The peer ends the session with this code and closes; everything it says before is passed over.
    #[track_caller]
    pub(crate) fn expect_end(&mut self, code: Code) {
        let mut told = None;
        loop {
            match self.hear(PATIENCE) {
                Ok(frame) => {
                    if let Ok(Frame::Abort(abort)) = Frame::parse(&frame)
                        && abort.scope == Scope::Session
                    {
                        told = Some(abort.code);
                    }
                }
                Err(error) => {
                    assert_ne!(error.kind(), ErrorKind::TimedOut, "the link is still open");
                    break;
                }
            }
        }
        assert_eq!(told, Some(code));
    }

    /// The contents of a transfer that the peer sends after our ACCEPT, to its END, which must be right. Acknowledges as it
    /// comes.
    #[track_caller]
    pub(crate) fn take_contents(&mut self, transfer: u32) -> Vec<u8> {
        self.take_contents_or_abort(transfer).expect("contents and not an ABORT")
    }

    /// The same; none if the peer gives the transfer up.
    #[track_caller]
    pub(crate) fn take_contents_or_abort(&mut self, transfer: u32) -> Option<Vec<u8>> {
        let mut contents = Vec::new();
        let credit = self.ours.window;
        self.say(&Frame::Accept(Accept { transfer, have: false, offset: 0, check: 0, credit }));
        let mut told = 0;
        loop {
            let frame = self.hear(PATIENCE).expect("contents");
            match Frame::parse(&frame).expect("a frame") {
                Frame::Data(data) => {
                    assert_eq!((data.transfer, data.offset), (transfer, contents.len() as u64));
                    contents.extend_from_slice(data.payload);
                }
                Frame::End(end) => {
                    assert_eq!(end.check, Nibble.update(0, &contents));
                    assert_eq!((end.transfer, end.size), (transfer, contents.len() as u64));
                    self.say(&Frame::Done(Done { transfer, code: Code::Ok, words: "" }));
                    return Some(contents);
                }
                Frame::Abort(abort) => {
                    assert_eq!((abort.scope, abort.transfer), (Scope::Sending, transfer));
                    return None;
                }
                Frame::Ping(ping) => {
                    self.say(&Frame::Pong(Pong { number: ping.number }));
                }
                Frame::Hello(_) | Frame::Pong(_) | Frame::Ack(_) => {}
                other => panic!("contents were expected and not {other:?}"),
            }
            if contents.len() - told >= self.ours.window as usize / 2 {
                told = contents.len();
                self.say(&ack(transfer, told as u64, credit));
            }
        }
    }
}
