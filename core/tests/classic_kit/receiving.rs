//! Receivers for tests, in any state.

use sampan_core::classic::transitions::ReceiverState as State;
use sampan_core::classic::{MIN_BUFFER, Receiver, TRANSFER};
use sampan_core::{Action, By, Engine, Limits, Millis, Next};

use super::{Busy, Later, Rig, START, Shelf, Told, buffers};

pub const LIMITS: &Limits = &Limits { stall: Millis(60_000), ..Limits::LARGE };

pub fn rig_with(shelf: Shelf, receive: usize) -> Rig<Receiver<'static>> {
    Rig::new(Receiver::new(buffers(receive, MIN_BUFFER), LIMITS, START).unwrap(), shelf)
}

pub fn rig() -> Rig<Receiver<'static>> {
    rig_with(Shelf::new(), MIN_BUFFER)
}

/// What was told is a whole story: one outcome, and nothing is left of a file that was not committed.
#[track_caller]
pub fn assert_over(rig: &Rig<Receiver<'static>>) {
    assert!(rig.is_closed(), "{:?} {:?}", rig.engine.state(), rig.told);
    match rig.told.as_slice() {
        [Told::Received, Told::Closed(Ok(()))] => {
            assert_eq!((rig.shelf.committed, rig.shelf.abandoned), (1, 0));
        }
        [Told::Failed { receiving: true, by: By::Us, .. }, Told::Closed(Ok(()))] | [Told::Closed(Err(_))] => {
            let committing = rig.shelf.commit_later != Later::AtOnce;
            assert!(rig.shelf.committed == 0 && (committing || !rig.shelf.is_open()));
        }
        other => panic!("{other:?}"),
    }
}

/// A receiver that has come to `state` in the ordinary course, or as near to it as the caller can see.
pub fn reach(state: State) -> Rig<Receiver<'static>> {
    let mut rig = rig();
    match state {
        State::Committing => rig.shelf.commit_later = Later::Never,
        State::Receiving => rig.shelf.busy = Busy::Always,
        State::Saying => assert_eq!(rig.engine.notify(), Some(1)),
        _ => {}
    }
    let messages: &[&[u8]] = match state {
        State::Name => &[],
        State::MoreName => &[b"a.txt"],
        State::Size => &[b"a.txt", b""],
        State::MoreSize => &[b"a.txt", b"", b"5"],
        State::Deciding => &[b"a.txt", b"", b"5", b"?"],
        State::Receiving => &[b"a.txt", b"", b"5", b"", b"hel"],
        State::Full => &[b"a.txt", b"", b"5", b"", b"hello"],
        State::Refusing | State::Draining => &[b"a.txt", b"", b"x"],
        State::Closed => &[b"a.txt", b"", b"x", b"", b"!"],
        _ => &[b"a.txt", b"", b"5", b"", b"hello", b"!"],
    };
    if matches!(state, State::Finishing | State::Refusing) {
        rig.link.capacity = 60;
    }
    for message in messages {
        match *message {
            b"" => {
                rig.wait(50);
                if !matches!(state, State::Finishing | State::Refusing) {
                    rig.written();
                }
            }
            b"?" => {
                rig.now = rig.now.after(Millis(50));
                assert_eq!(rig.engine.next(rig.now), Next::Storage);
            }
            b"!" if matches!(state, State::Complete | State::Saying) => {
                rig.engine.link_lost(rig.now);
                let _ = rig.engine.next(rig.now);
                if state == State::Saying {
                    let Action::Commit { .. } = rig.engine.poll(rig.now) else { panic!() };
                    rig.shelf.committed = 1;
                    rig.engine.committed(TRANSFER, Ok(()));
                }
            }
            b"!" => rig.end(),
            bytes => rig.feed(bytes),
        }
    }
    if state == State::Refusing {
        // The reply before was taken, the refusal only in part.
        assert_eq!(rig.link.outbox.len(), 60);
    }
    assert_eq!(rig.engine.state(), state);
    rig
}
