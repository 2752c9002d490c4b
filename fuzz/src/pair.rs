//! Two engines over a bad link, with bad storages, through several sessions: nothing hangs, and no file is ever wrong.

use std::collections::BTreeMap;

use embedded_io::WriteReady;
use sampan_core::driver::{Turn, nb as driver};
use sampan_core::wire::{Code, Nibble, NodeName};
use sampan_core::{
    Both, Buffers, Directions, Engine, Incoming, Instant, Limits, Next, Nonce, Outgoing, Receiver, Sender,
    Session, Speaks, TransferId,
};
use sampan_tests::{
    Carries, Chance, Conditions, Disk, End, Faults, Finish, Heard, Laid, MemoryStorage, Offer, Pair, Policy,
    content,
};

use crate::script::Script;

type Node<'b, F> = Session<'b, Both<'b>, F>;
type Nodes<'b, F> = Pair<Node<'b, F>, Node<'b, F>>;

const SECOND: u64 = 1_000_000;
const NAMES: [&str; 4] = ["a", "b/c", "\u{E9}", "d"];

/// What outlives sessions.
#[derive(Default)]
struct World {
    disks: [Disk; 2],
    /// Every contents that a name ever had, at any end.
    contents: BTreeMap<&'static str, Vec<Vec<u8>>>,
    /// What was asked for and has not arrived: from which end, which name.
    owed: BTreeMap<(usize, &'static str), Vec<u8>>,
    now: u64,
    sessions: u64,
}

pub(crate) fn run<F: Laid>(script: &mut Script<'_>) {
    let mut world = World::default();
    while world.sessions == 0 || (world.sessions < 4 && !script.is_over()) {
        session::<F>(&mut world, script);
    }
    last_session::<F>(&mut world);
}

/// The memory of one end.
struct Memory {
    receive: Vec<u8>,
    transmit: Vec<u8>,
    incoming: Vec<Incoming>,
    outgoing: Vec<Outgoing>,
}

impl Memory {
    fn new(receive: usize, transmit: usize, slots: usize) -> Self {
        Self {
            receive: vec![0xA5; receive],
            transmit: vec![0xA5; transmit],
            incoming: vec![Incoming::FREE; slots],
            outgoing: vec![Outgoing::FREE; slots],
        }
    }

    fn chosen<F: Laid>(script: &mut Script<'_>) -> Self {
        // The smallest that the framing can do with.
        let least =
            (60..).find(|length| F::largest(*length) >= 60 && F::fits(*length) >= 60).expect("some length");
        let lengths = [64, least, 70, 128, 300, 1_100, 5_000].map(|length| length.max(least));
        Self::new(script.pick(&lengths), script.pick(&lengths), script.pick(&[1, 2, 3]))
    }

    fn node<'b, F: Laid>(
        &'b mut self,
        limits: &'b Limits,
        (speaks, nonce): (Speaks, u64),
        now: u64,
    ) -> Node<'b, F> {
        let buffers = Buffers { receive: &mut self.receive, transmit: &mut self.transmit };
        let role =
            Both { sender: Sender::new(&mut self.outgoing), receiver: Receiver::new(&mut self.incoming) };
        let opening = (speaks, Nonce::new(nonce));
        Session::with_framing(buffers, limits, role, (F::lay(), Nibble), opening, Instant::from_micros(now))
            .expect("large enough")
    }
}

fn limits(script: &mut Script<'_>) -> Limits {
    let choice = script.byte();
    Limits {
        window: [8 << 20, 1, 50, 256, 2_000][usize::from(choice % 5)],
        eager: [2 << 20, 0, 60, 400][usize::from(choice / 5 % 4)],
        directions: if choice >= 200 { Directions::OneAtATime } else { Directions::Both },
        sync_bytes: [4_096, 1, 100][usize::from(choice / 20 % 3)],
        ..Limits::LARGE
    }
}

fn policy(script: &mut Script<'_>, clean: &mut bool) -> Policy {
    let mut policy = Policy::default();
    let choice = script.byte();
    if choice >= 180 {
        policy.dry = [0b1, 0b110, 0b1010_1010, 0xFFF][usize::from(choice / 12 % 4)];
    }
    match choice % 12 {
        0..=2 => {}
        3 => policy.late_sync = true,
        4 => policy.late_commit = true,
        5 => policy.busy_every = Some(2 + u32::from(script.byte() % 5)),
        6 => policy.at_most = 1 + usize::from(script.byte() % 60),
        choice => {
            *clean = false;
            match choice {
                7 => policy.decline = Some(script.pick(&[Code::NotAllowed, Code::Busy, Code::Exists]).into()),
                8 => policy.busy_every = Some(1),
                9 => policy.fail_store = Some(1 + u32::from(script.byte() % 8)),
                10 => policy.fail_commit = Some(script.pick(&[Code::Storage, Code::Integrity]).into()),
                _ => policy.changed = true,
            }
        }
    }
    policy
}

/// What one direction of a link that loses frames does to them.
fn faults(script: &mut Script<'_>) -> Faults {
    let choice = script.byte();
    let mut faults = Faults::seeded(u64::from(script.byte()));
    let chance = Chance::of([0.01, 0.05, 0.3, 0.9][usize::from(choice / 8 % 4)]);
    match choice % 8 {
        0 | 1 => {}
        2 => faults.flip = Chance::of([1e-4, 1e-3, 5e-3, 0.2][usize::from(choice / 8 % 4)]),
        3 => faults.loss = chance,
        4 => faults.doubling = chance,
        5 => faults.babble = chance,
        6 => faults.jitter = [2_000, 30_000, 200_000, 2 * SECOND][usize::from(choice / 8 % 4)],
        _ => {
            faults.lost = (0..8).map(|_| u64::from(script.byte() % 64)).collect();
            faults.twice = (0..4).map(|_| u64::from(script.byte() % 64)).collect();
        }
    }
    faults
}

fn session<F: Laid>(world: &mut World, script: &mut Script<'_>) {
    let limits = [limits(script), limits(script)];
    let mut memory = [Memory::chosen::<F>(script), Memory::chosen::<F>(script)];
    let mut conditions = Conditions {
        delay: script.pick(&[0, 10_000]),
        capacity: script.pick(&[usize::MAX, 1, 64, 300]),
        read_max: script.pick(&[usize::MAX, 1, 7, 61]),
        write_max: script.pick(&[usize::MAX, 1, 7, 61]),
        ..Conditions::default()
    };
    if conditions.capacity == 1 {
        // Not so slow that a long frame takes longer than the silence budget.
        conditions.delay /= 10;
    }
    if F::CARRIES == Carries::Datagrams {
        // One that does not fit is lost, and none is divided.
        conditions =
            Conditions { capacity: usize::MAX, read_max: usize::MAX, write_max: usize::MAX, ..conditions };
    }
    let mut run = Run::<F>::new(world, &limits, &mut memory, conditions);
    run.clean = F::CARRIES == Carries::Stream;
    if !run.clean {
        for end in 0..2 {
            run.pair.wire.channel(end).faults = faults(script);
        }
    }
    for end in 0..2 {
        *run.policy(end) = policy(script, &mut run.clean);
    }
    while !script.is_over() {
        let op = script.byte();
        let end = usize::from(op / 128);
        if cfg!(feature = "trace") {
            eprintln!("{:>12} end {end}: op {}", run.pair.now(), op % 16);
        }
        match op % 16 {
            0..=3 => run.send(script, end),
            4 => run.want(script, end),
            5..=7 => run.pass(script.pick(&[0, 1_000, 20_000, 100_000, SECOND, 20 * SECOND, 400 * SECOND])),
            8 if op / 16 % 8 >= 5 => {
                let names =
                    ["", "board-7", "a-node.whose_name-is-as-long-as-a-name-of-a-node-may-ever-be--64"];
                run.node(end).attach(NodeName::new(names[usize::from(op / 16 % 8) - 5]).unwrap());
            }
            8 => {
                let _ = run.node(end).notify();
            }
            9 => {
                // Cut after so many more bytes of one direction.
                run.clean = false;
                let mut channel = run.pair.wire.channel(end);
                channel.cut_after = Some(channel.carried + script.number() % 4_000);
            }
            10 => run.node(end).close(script.pick(&[Code::Ok, Code::Closing])),
            11 => {
                run.clean = false;
                run.node(end).cancel(TransferId(u32::from(script.byte() % 5)), Code::Cancelled);
            }
            12 => {
                run.clean = false;
                run.node(end).refuse(TransferId(u32::from(script.byte() % 5)), Code::Cancelled);
            }
            13 => {
                let policy = policy(script, &mut run.clean);
                *run.policy(end) = policy;
            }
            14 => {
                // The link goes, and perhaps the power with it.
                run.pair.wire.close();
                run.clean = false;
                // A sink that is busy hides it, but for no longer than a silent peer would.
                run.end(60);
                let cut = op >= 128;
                run.keep();
                if cut {
                    world.disks.iter().for_each(Disk::cut_power);
                }
                return;
            }
            _ => break,
        }
        run.check();
    }
    for end in 0..2 {
        if run.clean {
            continue;
        }
        *run.policy(end) = Policy::default();
    }
    let clean = run.clean;
    run.end(4_000);
    if clean {
        assert_eq!((run.pair.a.finish, run.pair.b.finish), (Some(Ok(())), Some(Ok(()))));
        assert!(run.sent.is_empty(), "all is well, but not sent: {:?}", run.sent);
    }
    run.keep();
}

/// Everything works: whatever is owed is sent.
fn last_session<F: Laid>(world: &mut World) {
    let limits = [Limits::LARGE; 2];
    let mut memory = [Memory::new(1_000, 1_000, 4), Memory::new(1_000, 1_000, 4)];
    let mut run = Run::<F>::new(world, &limits, &mut memory, Conditions::default());
    for ((end, name), data) in run.world.owed.clone() {
        run.offer(end, name, data);
    }
    run.end(4_000);
    assert_eq!((run.pair.a.finish, run.pair.b.finish), (Some(Ok(())), Some(Ok(()))));
    assert!(run.world.owed.is_empty(), "not sent: {:?}", run.world.owed.keys());
    run.keep();
}

/// One session of both ends.
struct Run<'w, 'b, F> {
    world: &'w mut World,
    pair: Nodes<'b, F>,
    /// Nothing happened that a transfer may fail of.
    clean: bool,
    /// Where every byte takes a round trip, files are short.
    longest: usize,
    /// Names under way from either end: a store takes one transfer of a name at a time.
    used: [Vec<&'static str>; 2],
    /// What either end was told to send and has not reported.
    sent: BTreeMap<(usize, TransferId), &'static str>,
    seen: [usize; 2],
}

impl<'w, 'b, F: Laid> Run<'w, 'b, F> {
    fn new(
        world: &'w mut World,
        limits: &'b [Limits; 2],
        memory: &'b mut [Memory; 2],
        conditions: Conditions,
    ) -> Self {
        world.sessions += 1;
        if cfg!(feature = "trace") {
            eprintln!("session {}: {limits:?} {conditions:?}", world.sessions);
        }
        let (nonce, now) = (world.sessions * 2, world.now);
        let Conditions { capacity, read_max, write_max, .. } = conditions;
        let narrow =
            limits.iter().any(|limits| limits.window < 200) || capacity.min(read_max).min(write_max) < 50;
        let longest = if narrow { 300 } else { 6_000 };
        let [memory_a, memory_b] = memory;
        let a = memory_a.node(&limits[0], (Speaks::First, nonce), now);
        let b = memory_b.node(&limits[1], (Speaks::Second, nonce + 1), now);
        let [disk_a, disk_b] = &world.disks;
        let ends = ((a, MemoryStorage::on(disk_a)), (b, MemoryStorage::on(disk_b)));
        let conditions = Conditions { carries: F::CARRIES, ..conditions };
        let mut pair = Pair::join(ends.0, ends.1, conditions, now);
        pair.a.storage.words = "a notice".into();
        pair.b.storage.words =
            "another notice, of words that no small frame holds, whatever it may try to do".into();
        Self {
            world,
            pair,
            clean: false,
            longest,
            used: Default::default(),
            sent: BTreeMap::new(),
            seen: [0; 2],
        }
    }

    fn node(&mut self, end: usize) -> &mut Node<'b, F> {
        if end == 0 { &mut self.pair.a.engine } else { &mut self.pair.b.engine }
    }

    fn storage(&mut self, end: usize) -> &mut MemoryStorage {
        if end == 0 { &mut self.pair.a.storage } else { &mut self.pair.b.storage }
    }

    fn policy(&mut self, end: usize) -> &mut Policy {
        &mut self.storage(end).policy
    }

    fn file(&mut self, script: &mut Script<'_>, end: usize) -> Option<(&'static str, Offer)> {
        let choice = script.byte();
        let name = NAMES[usize::from(choice % 4)];
        if self.used[end].contains(&name) {
            return None;
        }
        let length = script.pick(&[0, 1, 40, 60, 200, self.longest / 3, self.longest]);
        let data = content(u64::from(choice % 16), length);
        let offer = Offer::file(name, data);
        Some((
            name,
            match choice / 16 % 4 {
                0 => offer,
                1 => offer.patient(),
                2 => offer.unsized_(),
                _ => Offer { identity: Vec::new(), ..offer },
            },
        ))
    }

    fn send(&mut self, script: &mut Script<'_>, end: usize) {
        let Some((name, offer)) = self.file(script, end) else { return };
        let Some(id) = self.node(end).offer() else { return };
        self.sending(end, name, id, offer);
    }

    fn sending(&mut self, end: usize, name: &'static str, id: TransferId, offer: Offer) {
        if cfg!(feature = "trace") {
            eprintln!(
                "{:>12} end {end}: {id} is {name} of {} bytes, {:?}",
                self.pair.now(),
                offer.data.len(),
                offer.start
            );
        }
        self.used[end].push(name);
        self.sent.insert((end, id), name);
        self.world.contents.entry(name).or_default().push(offer.data.clone());
        self.world.owed.insert((end, name), offer.data.clone());
        self.storage(end).put(id, offer);
    }

    /// As `send`, in the last session.
    fn offer(&mut self, end: usize, name: &'static str, data: Vec<u8>) {
        let id = self.node(end).offer().expect("a slot for each name");
        self.sending(end, name, id, Offer::file(name, data));
    }

    /// `end` wants something of the other one.
    fn want(&mut self, script: &mut Script<'_>, end: usize) {
        let Some((name, offer)) = self.file(script, 1 - end) else { return };
        let Some(want) = self.node(end).want() else { return };
        // It takes a slot that the peer may have meant to offer into.
        self.clean = false;
        self.used[1 - end].push(name);
        self.storage(end).wants.insert(want, (name.into(), false));
        if !script.flag() {
            self.world.contents.entry(name).or_default().push(offer.data.clone());
            self.storage(1 - end).offers_on_want.insert(name.into(), offer);
        }
    }

    /// Lets the time pass.
    fn pass(&mut self, span: u64) {
        let end = self.pair.now() + span;
        loop {
            self.settle();
            let now = self.pair.now();
            let next = [
                self.pair.wire.next_arrival(),
                deadline(&mut self.pair.a, now),
                deadline(&mut self.pair.b, now),
            ];
            // A busy sink is asked again now and then.
            let at = next
                .into_iter()
                .flatten()
                .min()
                .map_or(end, |at| if at <= now { now + SECOND / 20 } else { at });
            self.pair.wire.advance(at.min(end));
            if now == end {
                return;
            }
        }
    }

    /// Works at both ends until neither has anything to do at this moment.
    fn settle(&mut self) {
        let now = self.pair.now();
        for _ in 0..100_000 {
            let before = self.moved();
            work(&mut self.pair.a, now);
            work(&mut self.pair.b, now);
            if self.pair.a.finish.is_some() || self.pair.b.finish.is_some() {
                self.pair.wire.close();
            }
            if self.moved() == before {
                return self.check();
            }
        }
        panic!("both ends go on for ever at one and the same moment");
    }

    /// Changes as long as anything does. A busy sink that is asked again is no change.
    fn moved(&mut self) -> [(u64, bool, usize, u64, Option<Finish>); 2] {
        let Pair { a, b, wire, .. } = &mut self.pair;
        let ready = [a.link.write_ready() == Ok(true), b.link.write_ready() == Ok(true)];
        [
            (wire.channel(0).carried, ready[0], a.heard.len(), a.storage.stored, a.finish),
            (wire.channel(1).carried, ready[1], b.heard.len(), b.storage.stored, b.finish),
        ]
    }

    /// Ends the session, which may take so many seconds.
    fn end(&mut self, seconds: u64) {
        for end in 0..2 {
            self.node(end).close(Code::Ok);
        }
        let limit = self.pair.now() + seconds * SECOND;
        while self.pair.a.finish.is_none() || self.pair.b.finish.is_none() {
            assert!(
                self.pair.now() < limit,
                "it does not end: {:?} / {:?}",
                self.pair.a.heard,
                self.pair.b.heard
            );
            self.pass(SECOND);
        }
    }

    fn check(&mut self) {
        for end in 0..2 {
            let heard = if end == 0 { &self.pair.a.heard } else { &self.pair.b.heard };
            let new = heard[self.seen[end]..].to_vec();
            self.seen[end] = heard.len();
            for event in new {
                if cfg!(feature = "trace") {
                    eprintln!("{:>12} end {end}: {event:?}", self.pair.now());
                }
                if let Heard::Sent(id) | Heard::HadIt(id) = event
                    && let Some(name) = self.sent.remove(&(end, id))
                {
                    let data = self.world.owed.remove(&(end, name)).expect("told once");
                    assert!(
                        self.world.disks[1 - end].file(name) == Some(data),
                        "{name} is not what was sent"
                    );
                }
            }
        }
        for disk in &self.world.disks {
            for name in disk.names() {
                let file = disk.file(&name);
                let known = self.world.contents.get(name.as_str()).expect("a file that nobody sent");
                assert!(
                    known.iter().any(|data| Some(data) == file.as_ref()),
                    "{name} is nothing that was ever sent"
                );
            }
        }
    }

    fn keep(self) {
        self.world.now = self.pair.now();
    }
}

/// Turns until there is nothing to do now.
fn work<F: Laid>(end: &mut End<Node<'_, F>>, now: u64) {
    let now = Instant::from_micros(now);
    for _ in 0..100_000 {
        if end.finish.is_some() {
            return;
        }
        match driver::turn(&mut end.engine, &mut end.link, &mut end.storage, now) {
            Ok(Turn::Worked) => {}
            Ok(Turn::Event(event)) => end.heard.push(Heard::from_event(event)),
            Ok(Turn::Closed) => end.finish = Some(Ok(())),
            Err(nb::Error::Other(error)) => end.finish = Some(Err(error)),
            Err(nb::Error::WouldBlock) => return,
        }
    }
    panic!("there is always something to do at one and the same moment");
}

/// When an end that has nothing to do now wants to be called again.
fn deadline<F: Laid>(end: &mut End<Node<'_, F>>, now: u64) -> Option<u64> {
    if end.finish.is_some() {
        return None;
    }
    let instant = Instant::from_micros(now);
    let mut next = end.engine.next(instant);
    if next == Next::Transmit {
        // The link is full.
        end.engine.transmitted(0);
        next = end.engine.next(instant);
    }
    let until = match next {
        Next::Wait(until) => until.expect("a state without a deadline").as_micros(),
        _ => now,
    };
    // This round is over: in the next one, the link is tried again.
    let _ = end.engine.poll(instant);
    Some(until)
}
