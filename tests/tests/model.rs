//! Two real sessions, explored: every order of what may happen to a few frames (delivery, loss, doubling, overtaking, a timer that runs out early), up to a number of faults
//! and of states (`STATES=n` in job `model`). Never a wrong file, never a state without a deadline, and from every state both ends finish once nothing more is lost (§8.5, §8.6).

use std::collections::{HashSet, VecDeque};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use sampan_core::driver::{Turn, nb as driver};
use sampan_core::wire::{Code, Nibble};
use sampan_core::{
    Both, Buffers, Cobs, Datagrams, Engine, Incoming, Instant, Limits, Missing, Next, Nonce, Outgoing,
    Receiver, Sender, Session, Speaks, Stretches,
};
use sampan_tests::{Carries, Disk, Finish, Heard, Laid, MemoryStorage, Offer, content, is_good};

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// The n-th frame that is under way in this direction arrives.
    Arrives(usize, usize),
    /// It is lost.
    Lost(usize, usize),
    /// It arrives, and will once more.
    Doubled(usize, usize),
    /// Time passes to the next deadline.
    TimePasses,
}

/// What is explored.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    /// Bytes of the file.
    length: usize,
    way: Way,
    /// Where it begins.
    from: From,
    /// How many losses, doublings and timers that run out early there may be.
    faults: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Push,
    Pull,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// Nothing has been said.
    Start,
    /// Both sessions are open.
    Open,
}

/// An end's side of the link: at most one frame that has arrived, and what was sent.
#[derive(Debug, Default)]
struct Port {
    arrived: Vec<u8>,
    sent: Vec<Vec<u8>>,
    carries: Option<Carries>,
}

impl ErrorType for Port {
    type Error = ErrorKind;
}

impl Read for Port {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        let n = self.arrived.len().min(buffer.len());
        buffer[..n].copy_from_slice(&self.arrived[..n]);
        self.arrived.drain(..n);
        if n == 0 { Err(ErrorKind::TimedOut) } else { Ok(n) }
    }
}

impl ReadReady for Port {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(!self.arrived.is_empty())
    }
}

impl Write for Port {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        match self.carries {
            Some(Carries::Line) => {
                let frames = bytes.split_inclusive(|byte| *byte == 0).filter(|frame| frame.len() > 1);
                // A delimiter before it, so that what was lost leaves nothing behind.
                self.sent.extend(frames.map(|frame| [&[0], frame].concat()));
            }
            _ => self.sent.push(bytes.to_vec()),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl WriteReady for Port {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(true)
    }
}

struct Node<'b, F> {
    engine: Session<'b, Both<'b>, F>,
    storage: MemoryStorage,
    port: Port,
    heard: Vec<Heard>,
    finish: Option<Finish>,
}

impl<F: Laid> Node<'_, F> {
    fn work(&mut self, now: Instant) {
        for _ in 0..100_000 {
            if self.finish.is_some() {
                self.port.arrived.clear();
                return;
            }
            match driver::turn(&mut self.engine, &mut self.port, &mut self.storage, now) {
                Ok(Turn::Worked) => {}
                Ok(Turn::Event(event)) => self.heard.push(Heard::from_event(event)),
                Ok(Turn::Closed) => self.finish = Some(Ok(())),
                Err(nb::Error::WouldBlock) => return,
                Err(nb::Error::Other(error)) => self.finish = Some(Err(error)),
            }
        }
        panic!("the engine is never done");
    }
}

struct World<'b, F> {
    scenario: Scenario,
    nodes: [Node<'b, F>; 2],
    under_way: [Vec<Vec<u8>>; 2],
    now: u64,
    faults: usize,
    asked: bool,
}

impl<F: Laid> World<'_, F> {
    /// Both ends do what there is to do now.
    fn settle(&mut self) {
        let now = Instant::from_micros(self.now);
        for (node, under_way) in self.nodes.iter_mut().zip(&mut self.under_way) {
            node.work(now);
            under_way.append(&mut node.port.sent);
        }
        let [a, _] = &mut self.nodes;
        if self.scenario.way == Way::Pull && !self.asked && a.heard.contains(&Heard::Opened) {
            self.asked = true;
            let want = a.engine.want().expect("a free slot");
            a.storage.wants.insert(want, ("file".into(), false));
            a.engine.close(Code::Ok);
            self.settle();
        }
        self.check();
    }

    fn check(&mut self) {
        let file = content(1, self.scenario.length);
        for node in &mut self.nodes {
            let disk = &node.storage.disk;
            assert!(disk.file("file").is_none_or(|found| found == file), "a wrong file");
            assert!(disk.published() <= 1, "published twice");
            if node.finish.is_none() {
                let next = node.engine.next(Instant::from_micros(self.now));
                assert!(matches!(next, Next::Wait(Some(_))), "a state without a deadline: {next:?}");
            }
        }
    }

    fn is_over(&self) -> bool {
        self.nodes.iter().all(|node| node.finish.is_some())
    }

    /// When the next deadline is.
    fn deadline(&mut self) -> u64 {
        let running = self.nodes.iter_mut().filter(|node| node.finish.is_none());
        let next = running.filter_map(|node| node.engine.deadline()).map(Instant::as_micros).min();
        next.expect("a deadline").max(self.now + 1)
    }

    fn choices(&self) -> Vec<Choice> {
        let mut choices = Vec::new();
        let may_fail = self.faults > 0;
        for (way, frames) in self.under_way.iter().enumerate() {
            // On a line nothing is overtaken.
            let any = if F::CARRIES == Carries::Line { frames.len().min(1) } else { frames.len() };
            for n in (0..any).filter(|n| !frames[..*n].contains(&frames[*n])) {
                choices.push(Choice::Arrives(way, n));
                if may_fail {
                    choices.extend([Choice::Lost(way, n), Choice::Doubled(way, n)]);
                }
            }
        }
        if !self.is_over() && (may_fail || choices.is_empty()) {
            choices.push(Choice::TimePasses);
        }
        choices
    }

    fn take(&mut self, choice: Choice) {
        match choice {
            Choice::Arrives(way, n) => {
                let frame = self.under_way[way].remove(n);
                self.nodes[1 - way].port.arrived = frame;
            }
            Choice::Lost(way, n) => {
                self.faults -= 1;
                self.under_way[way].remove(n);
            }
            Choice::Doubled(way, n) => {
                self.faults -= 1;
                self.nodes[1 - way].port.arrived = self.under_way[way][n].clone();
            }
            Choice::TimePasses => {
                if self.under_way.iter().any(|frames| !frames.is_empty()) {
                    self.faults -= 1;
                }
                self.now = self.deadline();
            }
        }
        self.settle();
    }

    /// Nothing more goes wrong: everything arrives in order, and time passes when nothing is under way.
    fn heal(&mut self) {
        self.faults = 0;
        for _ in 0..5_000 {
            if self.is_over() {
                break;
            }
            let way = usize::from(self.under_way[0].is_empty());
            let arrives = !self.under_way[way].is_empty();
            self.take(if arrives { Choice::Arrives(way, 0) } else { Choice::TimePasses });
        }
        let finish = [0, 1].map(|end| self.nodes[end].finish);
        let to = if self.scenario.way == Way::Push { 1 } else { 0 };
        assert!(self.nodes[to].storage.disk.file("file").is_some(), "the file never arrives: {finish:?}");
        assert!(finish.into_iter().all(|finish| finish.is_some_and(is_good)), "{finish:?}");
    }

    /// What can be seen of it: of times how long ago they are, of buffers nothing, for they are empty.
    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let mut text = String::new();
        for node in &self.nodes {
            text.clear();
            write!(text, "{:?} {:?} {:?}", node.engine, node.heard, node.finish).expect("text");
            let mut rest = text.as_str();
            while let Some((before, after)) = rest.split_once("buffer: [") {
                self.hash_times(before, &mut hasher);
                rest = after.split_once(']').map_or("", |(_, after)| after);
            }
            self.hash_times(rest, &mut hasher);
            (node.storage.stored, node.storage.fetched, node.storage.disk.names()).hash(&mut hasher);
        }
        let mut under_way = self.under_way.clone();
        if F::CARRIES == Carries::Datagrams {
            under_way.iter_mut().for_each(|frames| frames.sort_unstable());
        }
        (under_way, self.faults).hash(&mut hasher);
        hasher.finish()
    }

    fn hash_times(&self, mut text: &str, hasher: &mut DefaultHasher) {
        while let Some((before, after)) = text.split_once("Instant(") {
            before.hash(hasher);
            let (number, after) = after.split_once(')').unwrap_or((after, ""));
            number.parse().map_or(u64::MAX, |at: u64| self.now.wrapping_sub(at)).hash(hasher);
            text = after;
        }
        text.hash(hasher);
    }
}

/// Builds both ends and does something with them.
fn with_world<F: Laid, T>(scenario: Scenario, go: impl FnOnce(&mut World<'_, F>) -> T) -> T {
    let limits = Limits { window: 64, sync_bytes: 64, ..Limits::SMALL };
    let mut memory = [([0; 160], [0; 160]); 2];
    let mut outgoing = [[Outgoing::FREE; 2], [Outgoing::FREE; 2]];
    let mut incoming = [[Incoming::FREE; 2], [Incoming::FREE; 2]];
    let mut gaps = [Stretches::<2>::default(), Stretches::default()];
    let mut repairs = [heapless::Vec::<Missing, 2>::new(), heapless::Vec::new()];
    let mut nodes = memory
        .iter_mut()
        .zip(outgoing.iter_mut().zip(&mut incoming))
        .zip(gaps.iter_mut().zip(&mut repairs))
        .enumerate();
    let mut node = || {
        let (end, (((receive, transmit), (outgoing, incoming)), (gaps, repairs))) =
            nodes.next().expect("another end");
        let role = Both {
            sender: Sender::with_repairs(outgoing, repairs),
            receiver: Receiver::with_gaps(incoming, gaps),
        };
        let opening = if end == 0 { (Speaks::First, Nonce::new(2)) } else { (Speaks::Second, Nonce::new(3)) };
        let buffers = Buffers { receive, transmit };
        let engine =
            Session::with_framing(buffers, &limits, role, (F::lay(), Nibble), opening, Instant::ZERO);
        Node {
            engine: engine.expect("large enough"),
            storage: MemoryStorage::on(&Disk::default()),
            port: Port { carries: Some(F::CARRIES), ..Port::default() },
            heard: Vec::new(),
            finish: None,
        }
    };
    let nodes = [node(), node()];
    let mut world = World {
        scenario,
        nodes,
        under_way: Default::default(),
        now: 0,
        faults: scenario.faults,
        asked: false,
    };
    world.begin();
    go(&mut world)
}

impl<F: Laid> World<'_, F> {
    fn begin(&mut self) {
        let file = Offer::file("file", content(1, self.scenario.length));
        self.nodes[1].storage.offers_on_want.insert("file".into(), file.clone());
        if self.scenario.way == Way::Push {
            let [a, _] = &mut self.nodes;
            let id = a.engine.offer().expect("a free slot");
            a.storage.put(id, file);
            a.engine.close(Code::Ok);
        }
        self.settle();
        let opened = |node: &Node<'_, F>| node.heard.contains(&Heard::Opened);
        while self.scenario.from == From::Open && !self.nodes.iter().all(opened) {
            let way = usize::from(self.under_way[0].is_empty());
            self.take(Choice::Arrives(way, 0));
        }
    }
}

/// Explores the nearest states first, at most so many; how many there were, and whether these are all.
fn explore<F: Laid>(scenario: Scenario, most: usize) -> (usize, bool) {
    let mut seen = HashSet::new();
    let mut queue = VecDeque::from([Vec::new()]);
    while let Some(path) = queue.pop_front() {
        if seen.len() >= most {
            return (seen.len(), false);
        }
        let teller = Teller(scenario, &path);
        with_world::<F, ()>(scenario, |world| {
            path.iter().for_each(|choice| world.take(*choice));
            if seen.insert(world.hash()) {
                for choice in world.choices() {
                    queue.push_back([path.as_slice(), &[choice]].concat());
                }
                world.heal();
            }
        });
        drop(teller);
    }
    (seen.len(), true)
}

/// Says which way has led to a failure.
struct Teller<'p>(Scenario, &'p [Choice]);

impl Drop for Teller<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:?}: {:?}", self.0, self.1);
        }
    }
}

fn explore_all(faults: usize, most: usize) {
    let mut sum = 0;
    for from in [From::Start, From::Open] {
        for (way, length) in [(Way::Push, 0), (Way::Push, 150), (Way::Pull, 90)] {
            let scenario = Scenario { length, way, from, faults };
            for (carries, (states, all)) in [
                (Carries::Line, explore::<Cobs>(scenario, most)),
                (Carries::Datagrams, explore::<Datagrams>(scenario, most)),
            ] {
                println!(
                    "{states:8} states{}: {carries:?}, {scenario:?}",
                    if all { ", all there are" } else { "" }
                );
                sum += states;
            }
        }
    }
    println!("{sum:8} states in all");
    assert!(sum > 1_000, "only {sum} states");
}

#[test]
fn every_state_nearby_is_right_and_finishes() {
    explore_all(2, 400);
}

#[test]
#[ignore = "job model"]
fn every_state_is_right_and_finishes() {
    let most = std::env::var("STATES").ok().and_then(|most| most.parse().ok()).unwrap_or(40_000);
    explore_all(3, most);
}
