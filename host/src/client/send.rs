//! Sending what was planned.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use sampan_core::wire::Code;
use sampan_core::{By, Error, Instant, Sender, TransferId};

use super::attempts::{Contact, Rest, Task, attempt, conclude, nothing_to_give};
use super::plan::Plan;
use super::tally::Tally;
use super::{ClientOptions, Outcome};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::happened::{Happened, Why};
use crate::link::{StreamLink, Waker};
use crate::memory::{HostSession, Memory, Opening, TRANSFERS};
use crate::pipe::Pipe;
use crate::report::{Moved, Protocol, Report};
use crate::reports::Reports;
use crate::run::Connection;
use crate::source::{FileSource, ItemKind};

/// How often progress is told.
const TICK: Duration = Duration::from_millis(250);
/// How often something is offered that somebody else writes there.
const BUSY_TRIES: u32 = 12;

type Sending<'m> = Connection<HostSession<'m, Sender<'m>>, StreamLink, FileSource>;

/// Sends it all. A lost link is dialled again, and what was durable at the server is not sent again.
///
/// # Errors
///
/// If the server cannot be reached at first, if something is wrong that concerns every file, or at an interruption. What fails for single
/// files is reported, and in the outcome.
pub fn send(plan: Plan, options: &ClientOptions, reports: &Reports) -> Result<Outcome, Failure> {
    let mut tally = Tally::new(reports);
    let (items, bytes) = (plan.items.len() as u64, plan.bytes());
    for left_out in &plan.left_out {
        tally.skipped(left_out.path.display().to_string(), left_out.why.clone());
    }
    for (path, failure) in &plan.failed {
        tally.failed(Some(path.clone()), failure, None);
    }
    reports.tell(Report::Planned { files: items, bytes });
    if plan.items.is_empty() {
        return Ok(tally.finish());
    }
    let waker = Waker::new().map_err(nothing_to_give)?;
    let has_pipe = plan.items.iter().any(|item| item.kind == ItemKind::Pipe);
    let pipe = has_pipe.then(|| Pipe::start(std::io::stdin(), waker.clone()));
    let job = Job {
        options,
        queue: (0..plan.items.len()).collect(),
        plan,
        under_way: HashMap::new(),
        later: VecDeque::new(),
        tries: HashMap::new(),
        reached: 0,
        furthest: 0,
        contact: Contact::default(),
        tally,
        pipe: pipe.transpose().map_err(nothing_to_give)?,
    };
    attempt(job, options, &waker)
}

struct Job<'o> {
    options: &'o ClientOptions,
    plan: Plan,
    /// What is still to be offered, by its place in the plan.
    queue: VecDeque<usize>,
    under_way: HashMap<TransferId, usize>,
    /// What is offered again at a later time.
    later: VecDeque<(Instant, usize)>,
    tries: HashMap<usize, u32>,
    /// Bytes of the files that arrived, and the most that the server has had of one that did not yet.
    reached: u64,
    furthest: u64,
    contact: Contact,
    tally: Tally,
    pipe: Option<Pipe>,
}

impl Task for Job<'_> {
    fn work(&mut self, link: StreamLink) -> Result<(), Failure> {
        let clock = Clock::start();
        let (frame, limits) = (self.options.frame(), self.options.limits());
        let mut memory = Memory::for_link(&link, frame, TRANSFERS, limits).map_err(nothing_to_give)?;
        let opening = Opening::dialled(&link, clock).map_err(nothing_to_give)?;
        let session = memory.sender(opening).map_err(|error| Failure::session(error, None))?;
        if let Some(pipe) = &mut self.pipe {
            pipe.suit(link.nature());
        }
        let source = FileSource::new().with_pipe(self.pipe.take());
        let mut connection = Connection::new(session, link, source, clock);
        let result = self.turns(&mut connection);
        let Connection { mut engine, link, storage, .. } = connection;
        for transfer in self.under_way.keys() {
            self.furthest = self.furthest.max(engine.acknowledged(*transfer).unwrap_or(0));
        }
        self.pipe = storage.into_pipe();
        conclude(result, if self.is_done() { Rest::Done } else { Rest::Left }, link)
    }

    fn requeue(&mut self) -> Option<String> {
        let mut again: Vec<usize> = self.under_way.drain().map(|(_, index)| index).collect();
        again.extend(self.later.drain(..).map(|(_, index)| index));
        again.sort_unstable();
        let first = again.first().map(|index| self.plan.items[*index].name.clone());
        for index in again.into_iter().rev() {
            self.queue.push_front(index);
        }
        first
    }

    fn left(&self) -> u64 {
        self.queue.len() as u64
    }

    fn reached(&self) -> u64 {
        self.reached.saturating_add(self.furthest)
    }

    fn once(&self) -> Option<&'static str> {
        let begun = self.pipe.as_ref().is_some_and(Pipe::is_begun);
        let left = self.queue.iter().any(|index| self.plan.items[*index].kind == ItemKind::Pipe);
        (begun && left).then_some("the standard input cannot be read again")
    }

    fn contact(&self) -> &Contact {
        &self.contact
    }

    fn contact_mut(&mut self) -> &mut Contact {
        &mut self.contact
    }

    fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    fn into_tally(self) -> Tally {
        self.tally
    }
}

impl Job<'_> {
    fn is_done(&self) -> bool {
        self.queue.is_empty() && self.under_way.is_empty() && self.later.is_empty()
    }

    fn turns(&mut self, connection: &mut Sending<'_>) -> Result<(), Error> {
        let mut told_at = connection.now();
        let mut told = 0;
        loop {
            if self.options.stop.is_asked() {
                connection.engine.abort(Code::Cancelled);
            }
            self.offer(connection);
            let happened = Happened::of(connection.turn()?);
            let now = connection.now();
            for (name, size) in connection.storage.begun() {
                self.tally.reports().tell(Report::Started { name, size });
            }
            match happened {
                Happened::Nothing => {}
                Happened::Closed => return Ok(()),
                Happened::Opened => self.contact.opened(&self.tally),
                Happened::Notice(text) => self.contact.notice(text, &self.tally),
                Happened::Noise(bytes) => self.contact.console(&bytes, &self.tally),
                Happened::Sent(transfer, resumed_from) => {
                    self.sent(transfer, resumed_from, connection);
                }
                Happened::SendFailed(transfer, why) => self.failed(transfer, &why, connection),
                Happened::Received(_)
                | Happened::ReceiveFailed(..)
                | Happened::WantFailed(..)
                | Happened::NoticeTaken(_)
                | Happened::Ponged(_)
                | Happened::Attached(_) => {}
            }
            if now.since(told_at) >= TICK {
                told_at = now;
                if let Some((item, bytes)) = connection.storage.newest().filter(|(_, bytes)| *bytes != told) {
                    told = bytes;
                    let (name, size) = (item.name.clone(), item.size);
                    self.tally.reports().tell(Report::Progress { name, bytes, size });
                }
            }
            connection.look_at(Instant::from_micros(now.as_micros() + TICK.as_micros() as u64));
        }
    }

    /// Offers as much as can be offered now; says goodbye when nothing is left.
    fn offer(&mut self, connection: &mut Sending<'_>) {
        let now = connection.now();
        while self.later.front().is_some_and(|(at, _)| *at <= now) {
            self.queue.extend(self.later.pop_front().map(|(_, index)| index));
        }
        while let Some(&index) = self.queue.front() {
            let Some(transfer) = connection.engine.offer() else { return };
            self.queue.pop_front();
            self.under_way.insert(transfer, index);
            connection.storage.add(transfer, self.plan.items[index].clone());
        }
        if self.is_done() {
            connection.engine.close(Code::Ok);
        }
    }

    fn sent(&mut self, transfer: TransferId, resumed_from: Option<u64>, connection: &mut Sending<'_>) {
        let (Some(_), Some(sent)) = (self.under_way.remove(&transfer), connection.storage.remove(transfer))
        else {
            return;
        };
        let size = sent.size;
        let resumed_from = resumed_from.unwrap_or(size);
        self.reached += size.saturating_sub(resumed_from);
        self.tally.sent(Moved {
            name: sent.item.name,
            size,
            peer: self.contact.peer.clone(),
            protocol: Protocol::Framed,
            resumed_from,
            digest: sent.digest,
            seconds: sent.took.as_secs_f64(),
            stored_as: None,
        });
    }

    fn failed(&mut self, transfer: TransferId, why: &Why, connection: &mut Sending<'_>) {
        let Some(index) = self.under_way.remove(&transfer) else { return };
        let error = connection.storage.remove(transfer).and_then(|sent| sent.error);
        if (why.by, why.code) == (By::Peer, Code::Busy) {
            let tries = self.tries.entry(index).or_default();
            *tries += 1;
            if *tries < BUSY_TRIES {
                let pause = 100_000_u64 << (*tries).min(4);
                self.later.push_back((Instant::from_micros(connection.now().as_micros() + pause), index));
                return;
            }
        }
        let failure = match error {
            Some(error) if why.by == By::Us => Failure::from(error),
            _ => Failure::transfer(why.by, why.code, &why.words),
        };
        self.tally.failed(Some(self.plan.items[index].name.clone()), &failure, Some(&self.contact.peer));
    }
}
