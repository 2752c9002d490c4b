//! A sender in every state (§14.3): silence, inputs of all kinds, and anything in any order.

mod classic_kit;

use classic_kit::sending::{FINISHED, NAME_OK, SIZE_OK, assert_over, reach, rig_with};
use classic_kit::{Driver, POISON, Rig, Shelf, Told};
use proptest::prelude::*;
use sampan_core::classic::transitions::SenderState as State;
use sampan_core::classic::{Sender, TRANSFER};
use sampan_core::wire::Code;
use sampan_core::{By, Engine, Error, Instant, LinkError, Next};

/// Every state ends, and how, if the server says no more.
#[test]
fn a_silent_peer_is_let_go_in_every_state() {
    for state in State::ALL {
        for driver in [Driver::Nb, Driver::Blocking] {
            let mut rig = reach(*state);
            rig.driver = driver;
            let before = rig.elapsed();
            rig.wait(40_000);
            assert_over(&rig);
            let closed = rig.told.last().unwrap().clone();
            let lost = |error: LinkError| Told::Closed(Err(Error::Link(error)));
            let expected = match state {
                State::Describing | State::Name | State::Size => lost(LinkError::Handshake),
                State::NameReply => lost(LinkError::Handshake),
                State::SizeReply | State::Sending | State::Finishing | State::Flushing => {
                    lost(LinkError::Silent)
                }
                State::Closing | State::Ending => lost(LinkError::Silent),
                State::LastReply | State::Refused | State::Closed => Told::Closed(Ok(())),
                State::Listening => lost(LinkError::Lost),
            };
            assert_eq!((closed, before), (expected, 0), "{state}");
        }
    }
}

type Input = fn(&mut Rig<Sender<'static>>);

/// What may come from outside in any state: the caller's answers, asked for or not, and the link.
const INPUTS: &[(&str, Input)] = &[
    ("received nothing", |rig| rig.engine.received(0, rig.now)),
    ("received in the past", |rig| rig.engine.received(0, Instant::ZERO)),
    ("transmitted nothing", |rig| rig.engine.transmitted(0)),
    ("asked", |rig| rig.engine.asked(Err(Code::Other.into()))),
    ("said", |rig| rig.engine.said(usize::MAX)),
    ("stored", |rig| rig.engine.stored(Ok(7))),
    ("not stored", |rig| rig.engine.stored(Err(Code::Other.into()))),
    ("synced", |rig| rig.engine.synced(TRANSFER, 7)),
    ("committed", |rig| rig.engine.committed(TRANSFER, Ok(()))),
    ("received a byte", |rig| {
        if let Some(byte) = rig.engine.receive_buffer().first_mut() {
            *byte = b'7';
        }
        rig.engine.received(1, rig.now);
    }),
    ("received more than there is room for", |rig| rig.engine.received(usize::MAX, rig.now)),
    ("link_lost", |rig| rig.engine.link_lost(rig.now)),
    ("link_lost twice", |rig| {
        rig.engine.link_lost(rig.now);
        rig.engine.link_lost(rig.now);
    }),
    ("transmitted more than was lent", |rig| rig.engine.transmitted(usize::MAX)),
    ("not described", |rig| rig.engine.described(Err(Code::Other.into()))),
    ("fetched more than was lent", |rig| rig.engine.fetched(Ok(usize::MAX))),
    ("fetched nothing", |rig| rig.engine.fetched(Ok(0))),
    ("not fetched", |rig| rig.engine.fetched(Err(Code::Other.into()))),
    ("finished", |rig| rig.engine.finished(Ok(7))),
    ("not finished", |rig| rig.engine.finished(Err(Code::Changed.into()))),
    ("cancelled", |rig| rig.engine.cancel(Code::Cancelled)),
];

/// How many of [`INPUTS`] mean nothing in any state.
const MEANINGLESS: usize = 9;

#[test]
fn every_input_in_every_state_leads_to_one_end() {
    for state in State::ALL {
        for (index, (name, input)) in INPUTS.iter().enumerate() {
            for end in [false, true] {
                let mut rig = reach(*state);
                let told = rig.told.len();
                input(&mut rig);
                assert!(index >= MEANINGLESS || rig.engine.state() == *state, "{state}: {name}");
                if *state == State::Closed {
                    assert_eq!(rig.engine.next(rig.now), Next::Closed);
                    assert_eq!((rig.engine.state(), rig.told.len()), (State::Closed, told));
                    continue;
                }
                if *name == "link_lost twice" {
                    assert!(rig.engine.receive_buffer().is_empty());
                }
                rig.run();
                if end && !rig.is_closed() {
                    rig.end();
                }
                rig.wait(100_000);
                assert_over(&rig);
            }
        }
    }
}

#[test]
fn it_may_be_cancelled_in_every_state() {
    for state in State::ALL {
        let mut rig = reach(*state);
        rig.written();
        rig.engine.cancel(Code::Cancelled);
        assert_eq!(rig.engine.state(), State::Closed);
        if *state == State::Closed {
            continue;
        }
        rig.run();
        assert_over(&rig);
        let told = Told::Failed { receiving: false, code: Code::Cancelled, words: String::new(), by: By::Us };
        assert!(rig.told.contains(&told));
        assert_eq!(rig.written(), b"");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Feed(Vec<u8>),
    Wait(u64),
    End,
    Reset,
    Cancel,
    Capacity(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let texts = prop_oneof![Just(NAME_OK), Just(SIZE_OK), Just(FINISHED)];
    prop_oneof![
        8 => texts.clone().prop_map(|text| Step::Feed(text.to_vec())),
        2 => (texts, 0..39usize).prop_map(|(text, cut)| Step::Feed(text[..cut.min(text.len())].to_vec())),
        1 => "\\[[!+*]\\][a-z ]{0,9}".prop_map(|text| Step::Feed(text.into_bytes())),
        1 => prop::collection::vec(any::<u8>(), 1..300).prop_map(Step::Feed),
        4 => prop_oneof![0..49u64, Just(50), 50..40_000u64].prop_map(Step::Wait),
        1 => Just(Step::End),
        1 => Just(Step::Reset),
        1 => Just(Step::Cancel),
        2 => prop_oneof![0..400usize, Just(usize::MAX)].prop_map(Step::Capacity),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// Whatever a server and a link do: it ends, what was written is in order, and *sent* means that all of it was.
    #[test]
    fn whatever_happens_has_one_end(
        steps in prop::collection::vec(step(), 0..12),
        (read, write, give) in (1..200usize, 1..200usize, 1..200usize),
        length in prop_oneof![Just(0), 1..300usize],
        blocking in any::<bool>(),
    ) {
        let mut rig = rig_with(Shelf::with("a.txt", &vec![b'x'; length]));
        rig.driver = if blocking { Driver::Blocking } else { Driver::Nb };
        (rig.link.read, rig.link.write, rig.shelf.give) = (read, write, give);
        for step in steps {
            match step {
                Step::Feed(bytes) => rig.feed(&bytes),
                Step::Wait(millis) => rig.wait(millis),
                Step::End => rig.end(),
                Step::Reset => {
                    rig.link.reset = true;
                    rig.end();
                }
                Step::Cancel => rig.engine.cancel(Code::Cancelled),
                Step::Capacity(capacity) => rig.link.capacity = capacity,
            }
        }
        rig.wait(200_000);
        assert_over(&rig);
        let whole = format!("a.txt{length}{}", "x".repeat(length)).into_bytes();
        let written = rig.written();
        prop_assert!(whole.starts_with(&written) && !written.contains(&POISON));
        let ended = rig.told.contains(&Told::EndOfStream);
        prop_assert_eq!(ended, written == whole && rig.shelf.finished == 1 && ended);
    }
}
