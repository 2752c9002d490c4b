//! Two ends that begin again after whatever ends a session, also after a power cut, until everything is done.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sampan_core::wire::Code;
use sampan_core::{Nonce, Speaks, TransferId, WantId};

use crate::channel::Carries;
use crate::dice::Dice;
use crate::disk::Disk;
use crate::faults::Faults;
use crate::pair::{End, Finish, Heard, Pair, session_begun};
use crate::setup::{Laid, NodeOver, Setup};
use crate::storage::{MemoryStorage, Offer};

/// How long the end that dials waits before it dials again, in microseconds.
const REDIAL: u64 = 300_000;
/// How long a cut takes.
const DARK: u64 = 700_000;
/// More sessions than any link should need.
const ENOUGH: usize = 300;

/// What an end is to do.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    /// Files that are sent.
    pub files: Vec<Offer>,
    /// Files that are wanted, by the end that dials; the other end has them.
    pub wants: Vec<Offer>,
}

/// What an end does in its present session.
#[derive(Debug, Default)]
struct Life {
    files: VecDeque<Offer>,
    wants: VecDeque<String>,
    sending: BTreeMap<TransferId, String>,
    wanting: BTreeMap<WantId, String>,
    /// How much of what it heard has been looked at.
    looked: usize,
}

/// Two ends, all their sessions, and the link between them.
#[derive(Debug)]
pub struct Lives<F: Laid> {
    /// The present sessions.
    pub pair: Pair<NodeOver<F>, NodeOver<F>>,
    /// How each session has ended, and at which end.
    pub finishes: Vec<(usize, Finish)>,
    setup: Setup,
    jobs: [Jobs; 2],
    lives: [Life; 2],
    done: [BTreeSet<String>; 2],
    /// When an end that has finished begins again.
    begins: [Option<u64>; 2],
    cuts: Vec<(u64, usize)>,
    nonce: u64,
    dice: Dice,
}

impl<F: Laid> Lives<F> {
    /// Two ends with their jobs, the first of which dials; these faults are in the direction that either end writes into.
    pub fn new(setup: &Setup, jobs: [Jobs; 2], faults: [Faults; 2], seed: u64) -> Self {
        let mut pair = setup.join_with::<F>(faults);
        if F::CARRIES == Carries::Stream {
            pair.after = crate::pair::After::Closed;
        }
        let mut lives = Self {
            pair,
            finishes: Vec::new(),
            setup: setup.clone(),
            jobs,
            lives: Default::default(),
            done: Default::default(),
            begins: [None, None],
            cuts: Vec::new(),
            nonce: setup.session * 1_000 + 10,
            dice: Dice::new(seed),
        };
        (0..2).for_each(|end| lives.prepare(end));
        lives
    }

    /// The power of an end goes at this moment.
    pub fn cut(&mut self, end: usize, at: u64) {
        self.cuts.push((at, end));
    }

    /// Either end's disk.
    pub fn disk(&self, end: usize) -> &Disk {
        &self.setup.disks[end]
    }

    fn end(&mut self, end: usize) -> &mut End<NodeOver<F>> {
        if end == 0 { &mut self.pair.a } else { &mut self.pair.b }
    }

    /// What the present life of an end has to do.
    fn prepare(&mut self, end: usize) {
        let wants = |jobs: &Jobs| jobs.wants.iter().map(|file| file.name.clone()).collect::<VecDeque<_>>();
        let done = &self.done[end];
        self.lives[end] = Life {
            files: self.jobs[end].files.iter().filter(|file| !done.contains(&file.name)).cloned().collect(),
            wants: wants(&self.jobs[end])
                .into_iter()
                .filter(|name| self.disk(end).file(name).is_none())
                .collect(),
            ..Life::default()
        };
        let offers = self.jobs[1 - end].wants.iter().map(|file| (file.name.clone(), file.clone())).collect();
        self.end(end).storage.offers_on_want = offers;
    }

    /// Looks at what an end has heard.
    fn look(&mut self, end: usize) {
        let from = self.lives[end].looked;
        let heard = self.end(end).heard[from..].to_vec();
        self.lives[end].looked += heard.len();
        for it in heard {
            let life = &mut self.lives[end];
            match it {
                Heard::Sent(id) | Heard::HadIt(id) => {
                    if let Some(name) = life.sending.remove(&id) {
                        self.done[end].insert(name);
                    }
                }
                Heard::SendFailed(_, code, ..) | Heard::ReceiveFailed(_, code, ..) => {
                    let fair =
                        matches!(code, Code::Cancelled | Code::Busy | Code::Unknown | Code::NotAllowed);
                    assert!(fair, "end {end}: a transfer failed: {code}");
                }
                Heard::WantFailed(want, code) => {
                    assert!(matches!(code, Code::Busy | Code::Cancelled), "end {end}: a WANT failed: {code}");
                    life.wants.extend(life.wanting.remove(&want));
                }
                _ => {}
            }
        }
    }

    /// Gives an end what it has to do.
    fn employ(&mut self, end: usize) {
        let mut life = std::mem::take(&mut self.lives[end]);
        // Its places are for what the other end wants, as long as that wants something.
        let is_free = end == 0 || self.has_what_it_wants(0);
        let own = self.end(end);
        if own.finish.is_none() {
            while is_free
                && !life.files.is_empty()
                && let Some(id) = own.engine.offer()
                && let Some(file) = life.files.pop_front()
            {
                life.sending.insert(id, file.name.clone());
                own.storage.put(id, file);
            }
            while !life.wants.is_empty()
                && let Some(want) = own.engine.want()
                && let Some(name) = life.wants.pop_front()
            {
                life.wanting.insert(want, name.clone());
                own.storage.wants.insert(want, (name, false));
            }
            // The end that dials may still want something until it has said goodbye.
            let may_part = end == 0 || own.heard.iter().any(|it| matches!(it, Heard::Bye(_)));
            if life.files.is_empty() && life.wants.is_empty() && may_part {
                own.engine.close(Code::Ok);
            }
        }
        self.lives[end] = life;
    }

    /// Whether everything is done, as far as the ends whose jobs they are know.
    pub fn is_done(&self) -> bool {
        (0..2).all(|end| {
            self.jobs[end].files.iter().all(|file| self.done[end].contains(&file.name))
                && self.has_what_it_wants(end)
        })
    }

    fn has_what_it_wants(&self, end: usize) -> bool {
        self.jobs[end].wants.iter().all(|file| self.disk(end).file(&file.name).is_some())
    }

    /// An end has finished: it will begin again.
    fn bury(&mut self, end: usize) {
        let now = self.pair.now();
        let is_off = self.disk(end).is_off();
        let Some(finish) = self.end(end).finish else { return };
        if self.begins[end].is_some() {
            return;
        }
        assert!(finish.err().is_none_or(|error| error.is_resumable()), "end {end}: {finish:?}");
        self.finishes.push((end, finish));
        assert!(self.finishes.len() < ENOUGH, "sessions without an end: {}", self.report());
        let pause = match end {
            _ if is_off => DARK,
            0 => REDIAL,
            _ => 0,
        };
        self.begins[end] = Some(now + pause);
    }

    /// An end begins a new session.
    fn begin(&mut self, end: usize) {
        let now = self.pair.now();
        let disk = self.disk(end).clone();
        let was_off = disk.is_off();
        if was_off {
            disk.switch_on(&mut self.dice);
            // It does not remember what it has sent.
            self.done[end].clear();
        }
        self.nonce += 1;
        let speaks = if end == 0 { Speaks::First } else { Speaks::Second };
        let fresh = (speaks, Nonce::new(self.nonce));
        let opening = self.end(end).engine.successor().filter(|_| !was_off).unwrap_or(fresh);
        let engine = session_begun(F::lay(), self.setup.limits[end], self.setup.memory[end], opening, now);
        if was_off || end == 0 {
            // Nobody has heard what came meanwhile.
            self.pair.wire.channel(1 - end).lose_arrived(now);
        }
        let own = self.end(end);
        own.engine = engine;
        own.storage = MemoryStorage::on(&disk);
        (own.heard, own.finish) = (Vec::new(), None);
        self.begins[end] = None;
        self.prepare(end);
    }

    /// A connection is made anew by the end that dials.
    fn connect(&mut self) {
        let wire = &self.pair.wire;
        let faults = [0, 1].map(|way| wire.channel(way).faults.clone());
        let (conditions, now) = (wire.conditions, wire.now());
        self.pair.renew_link(conditions, now);
        for (way, faults) in faults.into_iter().enumerate() {
            self.pair.wire.channel(way).faults = faults;
        }
        (0..2).for_each(|end| self.begin(end));
    }

    /// Begins what is to begin again; whether anything did.
    fn revive(&mut self) -> bool {
        let now = self.pair.now();
        (0..2).for_each(|end| self.bury(end));
        let due = self.begins.map(|at| at.is_some_and(|at| at <= now));
        if F::CARRIES == Carries::Stream {
            if due == [true, true] {
                self.connect();
            }
            return due == [true, true];
        }
        (0..2).filter(|end| due[*end]).for_each(|end| self.begin(end));
        due.contains(&true)
    }

    fn cut_what_is_due(&mut self) {
        let now = self.pair.now();
        let (due, later) = self.cuts.drain(..).partition::<Vec<_>, _>(|(at, _)| *at <= now);
        self.cuts = later;
        for (_, end) in due {
            self.disk(end).switch_off();
            self.end(end).finish.get_or_insert(Err(sampan_core::LinkError::Lost.into()));
        }
    }

    /// Runs until everything is done, for at most so many seconds of virtual time.
    ///
    /// # Panics
    ///
    /// If it takes longer, or a session ends so that beginning again is of no use.
    pub fn run(&mut self, seconds: u64) {
        let end = self.pair.now() + seconds * 1_000_000;
        let mut turns = 0;
        loop {
            self.cut_what_is_due();
            (0..2).for_each(|end| self.employ(end));
            self.pair.settle();
            (0..2).for_each(|end| self.look(end));
            if self.is_done() {
                return;
            }
            (0..2).for_each(|end| self.employ(end));
            self.pair.settle();
            if self.revive() {
                continue;
            }
            let now = self.pair.now();
            let begins = self.begins.into_iter().flatten().filter(|at| *at > now);
            let cuts = self.cuts.iter().map(|(at, _)| *at);
            let next = begins.chain(cuts).chain(self.pair.next()).min();
            let running = self.begins.iter().any(Option::is_none);
            let next = next.or(running.then_some(now)).unwrap_or(now);
            turns += 1;
            assert!(turns < 1_000_000, "it goes round and round: {}", self.report());
            assert!(next <= end, "not done in time: {}", self.report());
            self.pair.wire.advance(next);
        }
    }

    fn report(&self) -> String {
        let Pair { a, b, wire, .. } = &self.pair;
        let of = |end: &End<NodeOver<F>>| format!("{:?} {:?} {:?}", end.heard, end.finish, end.engine);
        format!(
            "at {}: done {:?}, ends {:?}, begin {:?}\n{}\n{}",
            wire.now(),
            self.done,
            &self.finishes[self.finishes.len().saturating_sub(8)..],
            self.begins,
            of(a),
            of(b)
        )
    }

    /// Checks that every file is where it should be, and right.
    ///
    /// # Panics
    ///
    /// If one is not.
    pub fn check(&self) {
        for (end, jobs) in self.jobs.iter().enumerate() {
            let sent = jobs.files.iter().map(|file| (1 - end, file));
            let wanted = jobs.wants.iter().map(|file| (end, file));
            for (to, file) in sent.chain(wanted) {
                let found = self.disk(to).file(&file.name);
                assert!(found.as_ref() == Some(&file.data), "{} is not at end {to}, or wrong", file.name);
            }
        }
    }
}
