//! Sending what was planned.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use sampan_core::wire::Code;
use sampan_core::{By, Error, Instant, Sender, Speaks, TransferId};

use super::dial::{Redial, dial, ended_at_once};
use super::plan::Plan;
use super::tally::Tally;
use super::{ClientOptions, Outcome};
use crate::clock::Clock;
use crate::failure::{ErrorName, Failure};
use crate::happened::{Happened, Why};
use crate::link::{Link as _, StreamLink, Url, Waker};
use crate::memory::{HostSession, Memory, Opening};
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
    let waker = Waker::new().map_err(no_memory)?;
    let _registration = options.stop.register(waker.clone());
    let has_pipe = plan.items.iter().any(|item| item.kind == ItemKind::Pipe);
    let pipe =
        has_pipe.then(|| Pipe::start(std::io::stdin(), waker.clone())).transpose().map_err(no_memory)?;
    let mut job = Job {
        options,
        queue: (0..plan.items.len()).collect(),
        plan,
        under_way: HashMap::new(),
        later: VecDeque::new(),
        tries: HashMap::new(),
        reached: 0,
        peer: String::new(),
        sessions: 0,
        pipe,
    };
    let mut redial = Redial::new(options.retries);
    let mut last = None;
    loop {
        let ended = match (dial(options, &waker), last.take()) {
            (Ok(link), _) => job.session(link, &mut tally),
            (Err(failure), None) => return Err(failure),
            (Err(failure), Some(_)) if failure.error == ErrorName::Interrupted => Err(failure),
            // It was there once: that it is not now may pass.
            (Err(failure), Some(_)) => Err(Failure::new(ErrorName::LinkLost, failure.to_string())),
        };
        let Err(failure) = ended else { return Ok(tally.finish()) };
        let name = job.requeue();
        let left = job.queue.len() as u64;
        if failure.error == ErrorName::Interrupted {
            return Ok(tally.interrupted(left, name, &job.peer));
        }
        if job.sessions == 0 && failure.error == ErrorName::LinkLost && matches!(options.url, Url::Exec(_)) {
            return Err(ended_at_once(options, &failure));
        }
        let begun = job.pipe.as_ref().is_some_and(Pipe::is_begun);
        let failure = match failure.error.is_resumable() && begun && job.has_pipe_left() {
            true => {
                Failure::new(failure.error, format!("{failure}; the standard input cannot be read again"))
            }
            false => failure,
        };
        let hopeless = !failure.error.is_resumable() || (begun && job.has_pipe_left());
        let again = match hopeless {
            true => Ok(false),
            false => redial.again(job.reached + tally.files(), options),
        };
        let Ok(again) = again else { return Ok(tally.interrupted(left, name, &job.peer)) };
        if !again {
            tally.failed_many(left, name, &failure, Some(&job.peer));
            return Ok(tally.break_off(failure.error));
        }
        last = Some(failure);
    }
}

fn no_memory(error: std::io::Error) -> Failure {
    Failure::new(ErrorName::Other, format!("the system has nothing to give: {error}"))
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
    /// Grows as things come further.
    reached: u64,
    peer: String,
    /// That have been open.
    sessions: u32,
    pipe: Option<Pipe>,
}

impl Job<'_> {
    /// Sends over one link; an error ends that link, and perhaps everything.
    fn session(&mut self, link: StreamLink, tally: &mut Tally) -> Result<(), Failure> {
        let clock = Clock::start();
        self.peer = link.peer();
        let frame = self.options.frame();
        let mut memory = Memory::with_frame(frame).map_err(no_memory)?.with_limits(self.options.limits());
        let opening = Opening::new(Speaks::First, clock).map_err(no_memory)?;
        let session = memory.sender(opening).map_err(|error| Failure::session(error, None))?;
        let source = FileSource::new().with_pipe(self.pipe.take());
        let mut connection = Connection::new(session, link, source, clock);
        let result = self.turns(&mut connection, tally);
        let Connection { link, storage, .. } = connection;
        self.pipe = storage.into_pipe();
        match result {
            Ok(()) if self.is_done() => Ok(()),
            Ok(()) => {
                Err(Failure::new(ErrorName::Closing, "the peer ended the session before everything was sent"))
            }
            Err(Error::Ended(Code::Cancelled)) => {
                link.close_gently(Duration::from_secs(1));
                Err(Failure::interrupted().with_advice("the same command resumes"))
            }
            Err(error) => Err(Failure::session(error, link.fault())),
        }
    }

    fn is_done(&self) -> bool {
        self.queue.is_empty() && self.under_way.is_empty() && self.later.is_empty()
    }

    fn turns(&mut self, connection: &mut Sending<'_>, tally: &mut Tally) -> Result<(), Error> {
        let mut told_at = connection.now();
        let mut told = 0;
        loop {
            if self.options.stop.is_asked() {
                connection.engine.abort(Code::Cancelled);
            }
            self.offer(connection);
            let happened = Happened::of(connection.turn()?);
            let now = connection.now();
            match happened {
                Happened::Nothing => {}
                Happened::Closed => return Ok(()),
                Happened::Opened => {
                    self.sessions += 1;
                    let (peer, protocol) = (self.peer.clone(), Protocol::Framed);
                    tally.reports().tell(Report::Connected { peer, protocol });
                }
                Happened::Notice(text) => {
                    tally.reports().tell(Report::Notice { text, peer: self.peer.clone() });
                }
                Happened::Sent(transfer, resumed_from) => {
                    self.sent(transfer, resumed_from, connection, tally);
                }
                Happened::SendFailed(transfer, why) => self.failed(transfer, &why, connection, tally),
                Happened::Received(_) | Happened::ReceiveFailed(..) | Happened::WantFailed(..) => {}
            }
            if now.since(told_at) >= TICK {
                told_at = now;
                if let Some((item, bytes)) = connection.storage.newest().filter(|(_, bytes)| *bytes != told) {
                    told = bytes;
                    let (name, size) = (item.name.clone(), item.size);
                    tally.reports().tell(Report::Progress { name, bytes, size });
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

    fn sent(
        &mut self,
        transfer: TransferId,
        resumed_from: Option<u64>,
        connection: &mut Sending<'_>,
        tally: &mut Tally,
    ) {
        let (Some(_), Some(sent)) = (self.under_way.remove(&transfer), connection.storage.remove(transfer))
        else {
            return;
        };
        let size = sent.size;
        let resumed_from = resumed_from.unwrap_or(size);
        self.reached += size.saturating_sub(resumed_from);
        tally.sent(Moved {
            name: sent.item.name,
            size,
            peer: self.peer.clone(),
            protocol: Protocol::Framed,
            resumed_from,
            digest: sent.digest,
            seconds: sent.took.as_secs_f64(),
            stored_as: None,
        });
    }

    fn failed(&mut self, transfer: TransferId, why: &Why, connection: &mut Sending<'_>, tally: &mut Tally) {
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
        tally.failed(Some(self.plan.items[index].name.clone()), &failure, Some(&self.peer));
    }

    /// The link is gone: what was under way is to be offered again. Says what that was, if there was one.
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

    fn has_pipe_left(&self) -> bool {
        self.queue.iter().any(|index| self.plan.items[*index].kind == ItemKind::Pipe)
    }
}
