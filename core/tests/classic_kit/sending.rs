//! Senders for tests, in any state.

use sampan_core::classic::transitions::SenderState as State;
use sampan_core::classic::{MIN_BUFFER, Sender};
use sampan_core::{By, Engine, Limits, Next};

use super::{Rig, START, Shelf, Told, buffers};

pub const NAME_OK: &[u8] = b"[+] server : filename query ok";
pub const SIZE_OK: &[u8] = b"[+] server : filesize query ok";
pub const FINISHED: &[u8] = b"[+] server : finished transferring file";

pub fn rig_with(shelf: Shelf) -> Rig<Sender<'static>> {
    Rig::new(Sender::new(buffers(MIN_BUFFER, MIN_BUFFER), &Limits::LARGE, START).unwrap(), shelf)
}

/// A sender of `contents` that has the reply to its size.
pub fn sending(contents: &[u8], prepare: impl FnOnce(&mut Rig<Sender<'static>>)) -> Rig<Sender<'static>> {
    let mut rig = rig_with(Shelf::with("a.txt", contents));
    rig.run();
    assert_eq!(rig.written(), b"a.txt");
    rig.feed(NAME_OK);
    assert_eq!(rig.written(), contents.len().to_string().as_bytes());
    prepare(&mut rig);
    rig.feed(SIZE_OK);
    rig
}

/// What was told is a whole story: one outcome.
#[track_caller]
pub fn assert_over(rig: &Rig<Sender<'static>>) {
    assert!(rig.is_closed(), "{:?} {:?}", rig.engine.state(), rig.told);
    let told = rig.told.as_slice();
    let told = told.strip_prefix(&[Told::EndOfStream]).unwrap_or(told);
    match told {
        [Told::Sent, Told::Closed(Ok(()))] => assert_eq!(rig.told[0], Told::EndOfStream),
        [Told::Notice(_), Told::Sent, Told::Closed(Ok(()))] => assert_eq!(rig.told[0], Told::EndOfStream),
        [Told::Failed { receiving: false, .. }, Told::Closed(Ok(()))] | [Told::Closed(Err(_))] => {}
        other => panic!("{other:?}"),
    }
}

/// A sender of 200 bytes that has come to `state`.
pub fn reach(state: State) -> Rig<Sender<'static>> {
    let contents = [b'x'; 200];
    let named = || {
        let mut rig = rig_with(Shelf::with("a.txt", &contents));
        rig.run();
        rig.written();
        rig
    };
    let mut rig = match state {
        State::Describing => rig_with(Shelf::with("a.txt", &contents)),
        State::Name | State::NameReply => named(),
        State::Size | State::SizeReply => {
            let mut rig = named();
            rig.feed(NAME_OK);
            rig.written();
            rig
        }
        State::Sending
        | State::Listening
        | State::Refused
        | State::Flushing
        | State::Finishing
        | State::Closing => {
            sending(&contents, |rig| rig.link.capacity = if state == State::Flushing { 130 } else { 10 })
        }
        State::Ending | State::LastReply | State::Closed => sending(&contents, |_| {}),
    };
    match state {
        State::NameReply | State::SizeReply | State::LastReply => rig.feed(b"go"),
        State::Refused => rig.feed(b"[!] no"),
        State::Listening => rig.engine.link_lost(rig.now),
        State::Closed => rig.feed(FINISHED),
        State::Finishing | State::Closing => {
            rig.engine.transmitted(128);
            assert_eq!(rig.engine.next(rig.now), Next::Storage);
            rig.engine.fetched(Ok(72));
            assert_eq!(rig.engine.next(rig.now), Next::Storage);
            if state == State::Closing {
                rig.engine.finished(Ok(0));
                rig.engine.transmitted(72);
            }
        }
        _ => {}
    }
    assert_eq!(rig.engine.state(), state);
    rig
}

/// What a failure is told as.
pub fn failed(code: sampan_core::wire::Code, words: &str, by: By) -> [Told; 2] {
    [Told::Failed { receiving: false, code, words: words.into(), by }, Told::Closed(Ok(()))]
}
