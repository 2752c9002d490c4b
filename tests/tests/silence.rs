//! A peer that is never heard again, in each state of the three tables: typed, resumable, in time (§13).

use sampan_core::session::transitions::{ReceiveState, SendState, SessionState};
use sampan_core::wire::{Accept, Code, Data, DigestKind, End, Frame, Ping};
use sampan_core::{Error, Limits, LinkError};
use sampan_tests::{Heard, Policy, Puppet};

const MEMORY: (usize, usize, usize) = (4096, 4096, 2);

fn opened() -> Puppet {
    Puppet::opened(Limits::LARGE, MEMORY)
}

fn offer(size: u64) -> Frame<'static> {
    Frame::Offer(Puppet::offer(1, size))
}

fn accept(credit: u32) -> Frame<'static> {
    Frame::Accept(Accept { transfer: 1, have: false, offset: 0, check: 0, credit })
}

fn poke(puppet: &mut Puppet) {
    puppet.say(&Frame::Ping(Ping { number: 1 }));
}

/// The link takes nothing more, and the transmit buffer is full of answers.
fn stop_up(puppet: &mut Puppet) {
    puppet.close_ears();
    for _ in 0..500 {
        poke(puppet);
    }
}

fn sending(start: fn(sampan_tests::Offer) -> sampan_tests::Offer, length: usize) -> Puppet {
    let mut puppet = opened();
    puppet.node.send(start(sampan_tests::Offer::file("n", vec![1; length])));
    poke(&mut puppet);
    puppet
}

fn patient(file: sampan_tests::Offer) -> sampan_tests::Offer {
    file.patient()
}

/// A session in the state named; `None` if in that state nothing is awaited from the peer or the link.
fn in_send_state(state: SendState) -> Option<Puppet> {
    Some(match state {
        SendState::Free => opened(),
        SendState::Queued => {
            let mut puppet = Puppet::opened_with(Limits::LARGE, MEMORY, 1);
            puppet.node.send(sampan_tests::Offer::file("first", vec![1; 10]).patient());
            puppet.node.send(sampan_tests::Offer::file("second", vec![1; 10]).patient());
            poke(&mut puppet);
            puppet
        }
        SendState::Offered => sending(patient, 100),
        SendState::Sending => {
            let mut puppet = sending(patient, 100);
            puppet.say(&accept(10));
            puppet
        }
        SendState::Ended => sending(|file| file, 100),
        SendState::Over => {
            // The ABORT cannot leave.
            let mut puppet = sending(patient, 100);
            stop_up(&mut puppet);
            puppet.node.engine.cancel(sampan_core::TransferId(1), Code::Cancelled);
            poke(&mut puppet);
            puppet
        }
        // The source is read, without a pause.
        SendState::Verifying => return None,
    })
}

fn in_receive_state(state: ReceiveState) -> Option<Puppet> {
    let mut puppet = opened();
    match state {
        ReceiveState::Free => {}
        ReceiveState::Wanted => {
            let want = puppet.node.engine.want().expect("a free slot");
            puppet.node.storage.wants.insert(want, ("name".into(), false));
            poke(&mut puppet);
        }
        ReceiveState::Receiving => {
            puppet.say(&offer(10));
            puppet.say(&Frame::Data(Data { transfer: 1, offset: 0, payload: b"1234" }));
        }
        ReceiveState::Committing => {
            puppet.node.storage.policy = Policy { never_commit: true, ..Policy::default() };
            puppet.say(&offer(0));
            puppet.say(&Frame::End(End {
                transfer: 1,
                size: 0,
                check: 0,
                digest: DigestKind::Crc32,
                value: &[],
            }));
        }
        ReceiveState::Over => {
            stop_up(&mut puppet);
            puppet.say(&offer(0));
            puppet.say(&Frame::End(End {
                transfer: 1,
                size: 0,
                check: 0,
                digest: DigestKind::Crc32,
                value: &[],
            }));
        }
        // The storage is asked, without a pause.
        ReceiveState::Deciding => return None,
    }
    Some(puppet)
}

fn in_session_state(state: SessionState) -> Option<Puppet> {
    Some(match state {
        SessionState::Opening => {
            let mut puppet = Puppet::new(Limits::LARGE, MEMORY);
            puppet.say_bytes(b"\xF5SPN\x01");
            puppet.say_hello(&Puppet::hello());
            puppet
        }
        SessionState::Open => opened(),
        SessionState::Ending => {
            // The ABORT that says why cannot leave.
            let mut puppet = opened();
            puppet.close_ears();
            puppet.say_raw(&[0x2A]);
            puppet
        }
        SessionState::Closed => return None,
    })
}

/// Says nothing more; how it ends, and after how many milliseconds.
fn silence(mut puppet: Puppet, state: &str) -> (Error, u64) {
    assert!(
        format!("{:?}", puppet.node.engine).contains(&format!("state: {state}")),
        "not in the state {state}"
    );
    let mut waited = 0;
    while puppet.node.finish.is_none() {
        puppet.pass(100_000);
        waited += 100;
        assert!(waited < 100_000, "{state} has no end");
    }
    (puppet.node.finish.and_then(Result::err).expect("an error"), waited)
}

#[test]
fn a_sender_in_each_state() {
    for state in SendState::ALL {
        if let Some(puppet) = in_send_state(*state) {
            let name = if *state == SendState::Free { "Open".into() } else { state.to_string() };
            let (error, waited) = silence(puppet, &name);
            assert_eq!(error, Error::Link(LinkError::Silent), "{state}");
            assert!(error.is_resumable());
            assert!((29_900..=30_100).contains(&waited), "{state}: {waited} ms");
        }
    }
}

#[test]
fn a_receiver_in_each_state() {
    for state in ReceiveState::ALL {
        if let Some(puppet) = in_receive_state(*state) {
            let name = if *state == ReceiveState::Free { "Open".into() } else { state.to_string() };
            let (error, waited) = silence(puppet, &name);
            assert_eq!(error, Error::Link(LinkError::Silent), "{state}");
            assert!((29_900..=30_100).contains(&waited), "{state}: {waited} ms");
        }
    }
}

#[test]
fn a_session_in_each_state() {
    for (state, error, budget) in [
        (SessionState::Opening, Error::Link(LinkError::Handshake), 10_000),
        (SessionState::Open, Error::Link(LinkError::Silent), 30_000),
        (SessionState::Ending, Error::Peer(sampan_core::PeerError::UnknownKind(0x2A)), 1_000),
    ] {
        let puppet = in_session_state(state).expect("a state that waits");
        let (ended, waited) = silence(puppet, &state.to_string());
        assert_eq!(ended, error, "{state}");
        assert!((budget - 100..=budget + 100).contains(&waited), "{state}: {waited} ms");
    }
}

#[test]
fn after_the_farewell() {
    // BYE is said; the peer says none.
    let mut puppet = opened();
    puppet.node.engine.close(Code::Ok);
    poke(&mut puppet);
    let (error, waited) = silence(puppet, "Open");
    assert_eq!((error, waited), (Error::Link(LinkError::Silent), 30_000));
    // It answers PINGs, but says none.
    let mut puppet = opened();
    puppet.node.engine.close(Code::Ok);
    let mut waited = 0;
    while puppet.node.finish.is_none() {
        poke(&mut puppet);
        puppet.pass(5_000_000);
        waited += 5;
        assert!(waited < 1_000);
    }
    assert_eq!(puppet.node.finish, Some(Err(Error::Link(LinkError::Stalled))));
    assert!(!puppet.node.heard.iter().any(|heard| matches!(heard, Heard::Bye(_))));
}
