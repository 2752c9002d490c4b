//! What a peer may do on a link that loses frames instead of what it should, in each state of the three tables: be silent, babble, greet for ever, hear nothing, begin anew.
//! The end is typed, another session can go on, and it comes in time (§13).

use sampan_core::session::transitions::{ReceiveState, SendState, SessionState};
use sampan_core::wire::{Accept, Code, Data, DigestKind, End, Frame, Hello, Ping};
use sampan_core::{Cobs, Datagrams, Limits, Stream, TransferId};
use sampan_tests::{
    Conditions, Dice, Disk, Faults, Jobs, Laid, Lives, Offer, Policy, PuppetOver, Setup, Task, content,
};

const MEMORY: (usize, usize, usize) = (4096, 4096, 2);

/// The silence budget and the longest timer, in milliseconds.
const IN_TIME: u64 = 30_000 + 5_000;
/// The same for one that answers, but gets nowhere.
const STALLED: u64 = 300_000 + IN_TIME;

fn opened<F: Laid>() -> PuppetOver<F> {
    PuppetOver::opened(Limits::LARGE, MEMORY)
}

fn offer(size: u64) -> Frame<'static> {
    Frame::Offer(PuppetOver::<Stream>::offer(1, size))
}

fn accept(credit: u32) -> Frame<'static> {
    Frame::Accept(Accept { transfer: 1, have: false, offset: 0, check: 0, credit })
}

fn end() -> Frame<'static> {
    Frame::End(End { transfer: 1, size: 0, check: 0, digest: DigestKind::Crc32, value: &[] })
}

fn poke<F: Laid>(puppet: &mut PuppetOver<F>) {
    puppet.say(&Frame::Ping(Ping { number: 1 }));
}

/// The link takes nothing more, and the transmit buffer is full of answers.
fn stop_up<F: Laid>(puppet: &mut PuppetOver<F>) {
    puppet.close_ears();
    (0..1_000).for_each(|_| poke(puppet));
}

fn sending<F: Laid>(length: usize, credit: Option<u32>) -> PuppetOver<F> {
    let mut puppet = opened();
    puppet.node.send(Offer::file("n", vec![1; length]).patient());
    poke(&mut puppet);
    if let Some(credit) = credit {
        puppet.say(&accept(credit));
    }
    puppet
}

/// A session in the state named; `None` if in that state nothing is awaited from the peer or the link.
fn in_send_state<F: Laid>(state: SendState) -> Option<PuppetOver<F>> {
    Some(match state {
        // That is what an open session is, below.
        SendState::Free => return None,
        SendState::Queued => {
            let mut puppet = PuppetOver::opened_with(Limits::LARGE, MEMORY, 1);
            puppet.node.send(Offer::file("first", vec![1; 10]).patient());
            puppet.node.send(Offer::file("second", vec![1; 10]).patient());
            poke(&mut puppet);
            puppet
        }
        SendState::Offered => sending(100, None),
        SendState::Sending => sending(100, Some(10)),
        SendState::Ended => sending(100, Some(100)),
        SendState::Over => {
            // The ABORT cannot leave.
            let mut puppet = sending(100, None);
            stop_up(&mut puppet);
            puppet.node.engine.cancel(TransferId(1), Code::Cancelled);
            poke(&mut puppet);
            puppet
        }
        // The source is read, without a pause.
        SendState::Verifying => return None,
    })
}

fn in_receive_state<F: Laid>(state: ReceiveState) -> Option<PuppetOver<F>> {
    let mut puppet = opened();
    match state {
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
            puppet.say(&end());
        }
        ReceiveState::Over => {
            stop_up(&mut puppet);
            puppet.say(&offer(0));
            puppet.say(&end());
        }
        // The storage is asked, without a pause; free is what an open session is.
        ReceiveState::Deciding | ReceiveState::Free => return None,
    }
    Some(puppet)
}

fn in_session_state<F: Laid>(state: SessionState) -> Option<PuppetOver<F>> {
    Some(match state {
        SessionState::Opening => {
            let mut puppet = PuppetOver::new(Limits::LARGE, MEMORY);
            puppet.say_hello(&PuppetOver::<F>::hello());
            puppet
        }
        SessionState::Open => opened(),
        SessionState::Ending => {
            // The ABORT that says why cannot leave.
            let mut puppet = opened();
            puppet.close_ears();
            puppet.node.engine.abort(Code::Closing);
            poke(&mut puppet);
            puppet
        }
        SessionState::Closed => return None,
    })
}

/// What a peer does from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    IsSilent,
    Babbles,
    /// It says frames of another session.
    IsStrange,
    /// It says HELLO of the session there is, as if it had not opened.
    GreetsAgain,
    /// It says HELLO of ever other sessions.
    GreetsAnew,
    /// It says PING, and nothing else.
    Pings,
}

const PEERS: [Peer; 6] =
    [Peer::IsSilent, Peer::Babbles, Peer::IsStrange, Peer::GreetsAgain, Peer::GreetsAnew, Peer::Pings];

impl Peer {
    /// Whether nothing it says is heard.
    fn is_dead(self) -> bool {
        !matches!(self, Self::Pings)
    }

    fn speaks<F: Laid>(self, puppet: &mut PuppetOver<F>, dice: &mut Dice) {
        let hello = PuppetOver::<F>::hello();
        match self {
            Self::IsSilent => {}
            Self::Babbles => {
                let bytes: Vec<u8> = (0..1 + dice.roll(300)).map(|_| dice.roll(256) as u8).collect();
                puppet.say_bytes(&bytes);
            }
            Self::IsStrange => puppet.say_strange(&Frame::Ping(Ping { number: 1 })),
            Self::GreetsAgain => puppet.say_hello(&hello),
            Self::GreetsAnew => puppet.say_hello(&Hello { nonce: 100 + dice.roll(1 << 40), ..hello }),
            Self::Pings => poke(puppet),
        }
    }
}

/// How many milliseconds it takes until the session ends, if it does in this time.
fn ends_after<F: Laid>(mut puppet: PuppetOver<F>, peer: Peer, state: &str, most: u64) -> Option<u64> {
    let what = format!("{peer:?} over {:?} in {state}", F::CARRIES);
    let engine = format!("{:?}", puppet.node.engine);
    assert!(engine.contains(&format!("state: {state}")), "{what}: not in that state");
    let mut dice = Dice::new(1);
    for passed in (0..=most).step_by(100) {
        if let Some(finish) = puppet.node.finish {
            let error = finish.expect_err("no good end");
            assert!(error.is_resumable(), "{what}: {error}");
            return Some(passed);
        }
        peer.speaks(&mut puppet, &mut dice);
        puppet.pass(100_000);
        // What the session says is not to pile up.
        puppet.listen();
    }
    None
}

fn in_every_state<F: Laid>(mut check: impl FnMut(&str, Peer, PuppetOver<F>)) {
    for peer in PEERS {
        for state in SendState::ALL {
            if let Some(puppet) = in_send_state(*state) {
                check(&state.to_string(), peer, puppet);
            }
        }
        for state in ReceiveState::ALL {
            if let Some(puppet) = in_receive_state(*state) {
                check(&state.to_string(), peer, puppet);
            }
        }
        for state in SessionState::ALL {
            if let Some(puppet) = in_session_state(*state) {
                check(&state.to_string(), peer, puppet);
            }
        }
    }
}

fn ends_in_time<F: Laid>() {
    in_every_state::<F>(|state, peer, puppet| {
        let most = if peer.is_dead() { IN_TIME } else { STALLED };
        let ended = ends_after(puppet, peer, state, most);
        // One that is heard, which opens the session, and of which nothing is awaited may stay.
        let may_stay = !peer.is_dead() && ["Opening", "Open"].contains(&state);
        assert!(ended.is_some() || may_stay, "{state} has no end: the peer {peer:?} over {:?}", F::CARRIES);
    });
}

#[test]
fn whatever_a_peer_says_on_a_line_the_end_comes_in_time() {
    ends_in_time::<Cobs>();
}

#[test]
fn whatever_a_peer_says_in_datagrams_the_end_comes_in_time() {
    ends_in_time::<Datagrams>();
}

/// What the sessions of a reboot are about.
fn jobs(push: bool) -> [Jobs; 2] {
    let file = Offer::file("file", content(1, 4_000));
    let own = if push {
        Jobs { files: vec![file], wants: vec![] }
    } else {
        Jobs { files: vec![], wants: vec![file] }
    };
    [own, Jobs::default()]
}

fn reboots<F: Laid>() {
    let setup = || Setup {
        limits: [Limits { window: 1024, sync_bytes: 600, ..Limits::SMALL }; 2],
        memory: [(600, 600, 2); 2],
        conditions: Conditions { delay: 10_000, rate: 11_520, ..Conditions::default() },
        disks: [Disk::default(), Disk::default()],
        ..Setup::default()
    };
    for push in [true, false] {
        for end in 0..2 {
            for at in (0..600_000).step_by(7_000) {
                let faults = [Faults::default(), Faults::default()];
                let mut lives = Lives::<F>::new(&setup(), jobs(push), faults, at);
                lives.cut(end, at);
                lives.run(200);
                lives.check();
            }
        }
    }
}

#[test]
fn a_transfer_goes_on_after_a_reboot_at_any_moment() {
    reboots::<Stream>();
    reboots::<Cobs>();
    reboots::<Datagrams>();
}

/// From some moment on nothing arrives in one direction: how long it takes until both ends have finished.
fn half_open<F: Laid>(push: bool, way: usize, at: u64) {
    let mut pair = Setup {
        limits: [Limits { window: 1024, ..Limits::SMALL }; 2],
        memory: [(600, 600, 2); 2],
        conditions: Conditions { delay: 10_000, rate: 11_520, ..Conditions::default() },
        ..Setup::default()
    }
    .join_with::<F>(Default::default());
    pair.wire.channel(way).faults.outages.push(at..u64::MAX);
    let task = if push { Task::Push(4_000) } else { Task::Pull };
    if task == Task::Pull && at < 200_000 {
        return;
    }
    task.begin(&mut pair);
    pair.run_until(1_000, |pair| pair.a.finish.is_some() && pair.b.finish.is_some());
    // The end that hears nothing is silent first; the other one has heard nothing since.
    let most = at + 2 * IN_TIME * 1_000;
    assert!(pair.now() <= most, "{push} way {way} at {at} over {:?}: {}", F::CARRIES, pair.now());
    for finish in [pair.a.finish, pair.b.finish].into_iter().flatten() {
        assert!(finish.err().is_none_or(|error| error.is_resumable()), "{finish:?}");
    }
}

#[test]
fn an_end_that_is_not_heard_any_more_ends_in_time() {
    for push in [true, false] {
        for way in 0..2 {
            for at in (0..600_000).step_by(23_000) {
                half_open::<Cobs>(push, way, at);
                half_open::<Datagrams>(push, way, at);
            }
        }
    }
}

#[test]
fn a_frame_of_the_session_opens_it_though_the_last_hello_was_lost() {
    let mut puppet = in_session_state::<Cobs>(SessionState::Opening).expect("a puppet");
    assert_eq!(puppet.node.engine.state(), SessionState::Opening);
    puppet.say_strange(&Frame::Ping(Ping { number: 1 }));
    assert_eq!(puppet.node.engine.state(), SessionState::Opening);
    poke(&mut puppet);
    assert_eq!(puppet.node.engine.state(), SessionState::Open);
    assert_eq!(puppet.node.heard, [sampan_tests::Heard::Opened]);
}
