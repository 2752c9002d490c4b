//! A receiver in every state (§14.2): silence, inputs of all kinds, and anything in any order.

mod classic_kit;

use classic_kit::receiving::{assert_over, reach, rig};
use classic_kit::{Busy, Driver, POISON, Rig, Told};
use proptest::prelude::*;
use sampan_core::classic::transitions::ReceiverState as State;
use sampan_core::classic::{Receiver, TRANSFER};
use sampan_core::wire::Code;
use sampan_core::{By, Engine, Instant, Next};

#[test]
fn a_notice_goes_before_the_last_reply_or_not_at_all() {
    for state in State::ALL {
        let mut rig = reach(*state);
        let late = matches!(
            state,
            State::Saying | State::Finishing | State::Refusing | State::Draining | State::Closed
        );
        assert_eq!(rig.engine.notify().is_none(), late, "{state}");
    }
}

/// Every state ends, whatever the storage does, if the client says no more.
#[test]
fn a_silent_peer_is_let_go_in_every_state() {
    for state in State::ALL {
        for driver in [Driver::Nb, Driver::Blocking] {
            for capacity in [0, usize::MAX] {
                let mut rig = reach(*state);
                rig.driver = driver;
                rig.link.capacity = capacity;
                let before = rig.elapsed();
                if !rig.is_closed() {
                    rig.run();
                }
                while !rig.is_closed() {
                    rig.wait(1);
                    assert!(rig.elapsed() - before <= 62_000, "{state}");
                }
                // The last words are given a second if the link does not take them.
                let words = if capacity == 0 { 1_000 } else { 0 };
                let after = rig.elapsed() - before;
                let expected = match state {
                    State::Name | State::MoreName | State::Size => 10_000 - before + words,
                    State::MoreSize => 50 + 30_000 + words,
                    State::Deciding => 30_000 + words,
                    State::Receiving | State::Committing => 60_000 + words,
                    State::Full => 1_000 + words,
                    State::Complete | State::Saying => words,
                    State::Finishing => 1_000 - if capacity == 0 { 0 } else { 1_000 },
                    State::Refusing | State::Draining => 1_000,
                    State::Closed => 0,
                };
                assert_eq!(after, expected, "{state}");
                assert_over(&rig);
            }
        }
    }
}

type Input = fn(&mut Rig<Receiver<'static>>);

/// What may come from outside in any state: the caller's answers, asked for or not, and the link.
const INPUTS: &[(&str, Input)] = &[
    ("received nothing", |rig| rig.engine.received(0, rig.now)),
    ("received a digit", |rig| {
        if let Some(byte) = rig.engine.receive_buffer().first_mut() {
            *byte = b'7';
        }
        rig.engine.received(1, rig.now);
    }),
    ("received more than there is room for", |rig| rig.engine.received(usize::MAX, rig.now)),
    ("received in the past", |rig| rig.engine.received(0, Instant::ZERO)),
    ("link_lost", |rig| rig.engine.link_lost(rig.now)),
    ("link_lost twice", |rig| {
        rig.engine.link_lost(rig.now);
        rig.engine.link_lost(rig.now);
    }),
    ("transmitted nothing", |rig| rig.engine.transmitted(0)),
    ("transmitted more than was lent", |rig| rig.engine.transmitted(usize::MAX)),
    ("described", |rig| rig.engine.described(Err(Code::Other.into()))),
    ("asked", |rig| rig.engine.asked(Err(Code::Other.into()))),
    ("fetched", |rig| rig.engine.fetched(Ok(7))),
    ("finished", |rig| rig.engine.finished(Ok(7))),
    ("said", |rig| rig.engine.said(usize::MAX)),
    ("stored nothing", |rig| rig.engine.stored(Ok(0))),
    ("stored more than was lent", |rig| {
        if rig.engine.state() == State::Receiving {
            rig.shelf.stored.extend(b"hel");
        }
        rig.engine.stored(Ok(usize::MAX));
    }),
    ("not stored", |rig| rig.engine.stored(Err(Code::Storage.into()))),
    ("synced", |rig| rig.engine.synced(TRANSFER, 7)),
    ("committed", |rig| {
        if rig.engine.state() == State::Committing {
            rig.shelf.committed = 1;
        }
        rig.engine.committed(TRANSFER, Ok(()));
    }),
    ("committed something else", |rig| rig.engine.committed(sampan_core::TransferId(2), Ok(()))),
    ("not committed", |rig| rig.engine.committed(TRANSFER, Err(Code::Storage.into()))),
    ("refused", |rig| rig.engine.refuse(Code::Closing)),
    ("notified", |rig| {
        rig.engine.notify();
    }),
];

#[test]
fn every_input_in_every_state_leads_to_one_end() {
    for state in State::ALL {
        for (name, input) in INPUTS {
            for end in [false, true] {
                let mut rig = reach(*state);
                let closed = rig.told.len();
                input(&mut rig);
                let said = rig.engine.state();
                let meant = match *name {
                    "received a digit" | "received more than there is room for" | "refused" => true,
                    "said" => *state == State::Saying,
                    "not stored" => *state == State::Receiving,
                    "committed" | "not committed" => *state == State::Committing,
                    _ => false,
                };
                assert!(meant || said == *state, "{state}: {name}: {said}");
                if *state == State::Closed {
                    assert_eq!((said, rig.engine.next(rig.now)), (State::Closed, Next::Closed));
                    assert_eq!(rig.told.len(), closed);
                    continue;
                }
                if *name == "link_lost twice" {
                    assert!(rig.engine.receive_buffer().is_empty());
                }
                if end {
                    rig.end();
                }
                rig.wait(200_000);
                assert_over(&rig);
            }
        }
    }
}

#[test]
fn a_refusal_of_the_applications_stops_it_before_the_commit() {
    for state in State::ALL {
        let mut rig = reach(*state);
        rig.engine.refuse(Code::Closing);
        let refused = rig.engine.state() == State::Refusing && *state != State::Refusing;
        let before = matches!(
            state.to_string().as_str(),
            "Name" | "MoreName" | "Size" | "MoreSize" | "Deciding" | "Receiving" | "Full" | "Complete"
        );
        assert_eq!(refused, before, "{state}");
        if refused {
            rig.wait(2_000);
            assert!(rig.written().ends_with(b"[!] server : closing"));
            let told =
                Told::Failed { receiving: true, code: Code::Closing, words: String::new(), by: By::Us };
            assert_eq!(rig.told[0], told);
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Feed(Vec<u8>),
    Wait(u64),
    End,
    Reset,
    Refuse,
    Notify,
    Capacity(usize),
    Busy(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => "[a-c/.]{1,6}".prop_map(|text| Step::Feed(text.into_bytes())),
        4 => "[0-9]{1,2}".prop_map(|text| Step::Feed(text.into_bytes())),
        2 => prop::collection::vec(any::<u8>(), 1..300).prop_map(Step::Feed),
        6 => prop_oneof![0..49u64, Just(50), Just(60), 50..40_000u64].prop_map(Step::Wait),
        1 => Just(Step::End),
        1 => Just(Step::Reset),
        1 => Just(Step::Refuse),
        1 => Just(Step::Notify),
        1 => (0..100usize).prop_map(Step::Capacity),
        1 => any::<bool>().prop_map(Step::Busy),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// Nothing that a client, a link and a storage can do publishes other bytes than announced, or hangs.
    #[test]
    fn whatever_happens_has_one_end(
        steps in prop::collection::vec(step(), 0..12),
        (read, write, take) in (1..200usize, 1..50usize, 1..200usize),
        blocking in any::<bool>(),
    ) {
        let mut rig = rig();
        rig.driver = if blocking { Driver::Blocking } else { Driver::Nb };
        (rig.link.read, rig.link.write, rig.shelf.take) = (read, write, take);
        for step in steps {
            match step {
                Step::Feed(bytes) => rig.feed(&bytes),
                Step::Wait(millis) => rig.wait(millis),
                Step::End => rig.end(),
                Step::Reset => {
                    rig.link.reset = true;
                    rig.end();
                }
                Step::Refuse => rig.engine.refuse(Code::Cancelled),
                Step::Notify => {
                    rig.engine.notify();
                }
                Step::Capacity(capacity) => rig.link.capacity = capacity,
                Step::Busy(busy) => rig.shelf.busy = if busy { Busy::EveryOther } else { Busy::Never },
            }
        }
        rig.wait(200_000);
        assert_over(&rig);
        if rig.shelf.committed == 1 {
            prop_assert_eq!(Some(rig.shelf.stored.len() as u64), rig.shelf.size);
        }
        let poisoned = rig.written().contains(&POISON);
        prop_assert!(!poisoned);
    }
}
