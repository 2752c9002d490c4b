//! Who gets what when, in a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use sampan_core::By;
use sampan_core::wire::Code;

use super::node::{Node, Stage, State};
use super::{PushEvent, PushOptions};
use crate::failure::{ErrorName, Failure};
use crate::happened::Why;
use crate::server::registry::Registry;
use crate::server::{Pushed, Total};
use crate::serving::{Errand, PushErrand, PushNews, PushedFile};
use crate::store::Sending;

/// How often it is looked for those who come back or do not come further.
const TICK: Duration = Duration::from_millis(50);
/// How often progress is told.
const STEP: Duration = Duration::from_millis(250);
/// When a file is sent again that somebody else writes there.
const BUSY: Duration = Duration::from_millis(500);

pub(super) struct Runner {
    registry: Arc<Registry>,
    files: Vec<Arc<PushedFile>>,
    nodes: Vec<Node>,
    options: PushOptions,
    news: (Sender<PushNews>, Receiver<PushNews>),
    way: Sender<PushEvent>,
    cancelled: Arc<AtomicBool>,
    total: Total,
}

impl Runner {
    pub(super) fn new(
        registry: Arc<Registry>,
        files: Vec<Arc<PushedFile>>,
        names: Vec<String>,
        options: PushOptions,
        way: Sender<PushEvent>,
        cancelled: Arc<AtomicBool>,
    ) -> Self {
        let nodes: Vec<_> = names.into_iter().map(|name| Node::new(name, &files)).collect();
        let total = Total { asked: nodes.len() as u64, ..Total::default() };
        Self { registry, files, nodes, options, news: channel(), way, cancelled, total }
    }

    pub(super) fn run(mut self) {
        let began = Instant::now();
        let mut told_at = began;
        while self.nodes.iter().any(|node| node.state != State::Over) {
            for index in 0..self.nodes.len() {
                self.advance(index);
            }
            match self.news.1.recv_timeout(TICK) {
                Ok(news) => {
                    self.hear(news);
                    while let Ok(news) = self.news.1.try_recv() {
                        self.hear(news);
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if told_at.elapsed() >= STEP {
                told_at = Instant::now();
                self.progress();
            }
        }
        self.total.seconds = began.elapsed().as_secs_f64();
        self.tell(PushEvent::Summary(self.total));
    }

    fn tell(&self, event: PushEvent) {
        if self.way.send(event).is_err() {
            self.cancelled.store(true, Ordering::SeqCst);
        }
    }

    /// Does what is to be done for one node.
    fn advance(&mut self, index: usize) {
        let busy = self.nodes.iter().filter(|node| node.holds_a_place()).count();
        let Some(node) = self.nodes.get_mut(index) else { return };
        if node.state == State::Over {
            return;
        }
        if node.is_complete() {
            return self.end(index);
        }
        if self.cancelled.load(Ordering::SeqCst) {
            return self.give_up(index, Failure::interrupted());
        }
        if node.state != State::Queued && node.stuck_for() >= self.options.within {
            let seconds = self.options.within.as_secs_f64();
            let what = match node.state {
                State::Away => format!("it was not attached for {seconds} s"),
                _ => format!("it did not come further for {seconds} s"),
            };
            return self.give_up(index, Failure::new(ErrorName::Timeout, what));
        }
        if node.state == State::Away && self.registry.is_draining() {
            let failure = Failure::new(ErrorName::Closing, "the server takes nobody any more");
            return self.give_up(index, failure);
        }
        let waits = node.state != State::Busy && busy >= self.options.parallel.max(1);
        if waits || node.has_given() && node.state != State::Busy {
            return;
        }
        self.give(index);
    }

    /// Gives the node's connection the files that it has not got yet.
    fn give(&mut self, index: usize) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        let now = Instant::now();
        let is_due = |stage| matches!(stage, Stage::Ready(at) if at <= now);
        if node.state == State::Busy && !node.files.iter().any(|file| is_due(file.stage)) {
            return;
        }
        let Some(member) = self.registry.node(&node.name) else {
            if node.state != State::Away {
                node.leaves();
                let node = node.name.clone();
                self.tell(PushEvent::Waiting { node });
            }
            return;
        };
        if node.state != State::Busy {
            node.starts();
        }
        for (number, (progress, file)) in node.files.iter_mut().zip(&self.files).enumerate() {
            if is_due(progress.stage) {
                progress.stage = Stage::Given;
                let (reached, cancelled) = (Arc::clone(&progress.reached), Arc::clone(&node.cancelled));
                let place = (index, number);
                let push = PushErrand::new(Arc::clone(file), place, reached, cancelled, self.news.0.clone());
                member.desk.leave(Errand::Push(push));
            }
        }
    }

    fn hear(&mut self, news: PushNews) {
        match news {
            PushNews::Stored { place, sending, resumed_from } => self.stored(place, sending, resumed_from),
            PushNews::Failed { place, why, trouble } => self.failed(place, &why, trouble),
            PushNews::Lost { place: (index, number) } => {
                let Some(node) = self.nodes.get_mut(index) else { return };
                if let Some(progress) = node.files.get_mut(number) {
                    progress.stage = Stage::Ready(Instant::now());
                }
                if node.state == State::Busy {
                    node.leaves();
                    let node = node.name.clone();
                    self.tell(PushEvent::Waiting { node });
                }
            }
        }
    }

    fn stored(&mut self, (index, number): (usize, usize), sending: Sending, resumed_from: u64) {
        let Some(node) = self.nodes.get_mut(index).filter(|node| node.state != State::Over) else { return };
        let size = sending.size.unwrap_or(0);
        node.has(number, size, resumed_from);
        let node = node.name.clone();
        let Sending { name, digest, took, .. } = sending;
        let seconds = took.as_secs_f64();
        self.total.files += 1;
        self.total.bytes += size;
        self.total.resumed += resumed_from;
        self.tell(PushEvent::Pushed(Pushed { node, name, size, resumed_from, digest, seconds }));
    }

    fn failed(&mut self, (index, number): (usize, usize), why: &Why, trouble: Option<String>) {
        let Some(node) = self.nodes.get_mut(index).filter(|node| node.state != State::Over) else { return };
        if (why.by, why.code) == (By::Peer, Code::Busy) {
            if let Some(progress) = node.files.get_mut(number) {
                progress.stage = Stage::Ready(Instant::now() + BUSY);
            }
            return;
        }
        let failure = match trouble {
            Some(trouble) => Failure::new(ErrorName::LocalFile, trouble),
            None => Failure::transfer(why.by, why.code, &why.words),
        };
        node.fails(number, failure);
    }

    fn give_up(&mut self, index: usize, failure: Failure) {
        if let Some(node) = self.nodes.get_mut(index) {
            node.give_up(failure);
            if let Some(member) = self.registry.node(&node.name) {
                member.desk.control.waker().wake();
            }
        }
        self.end(index);
    }

    fn end(&mut self, index: usize) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        let result = node.end();
        match result.error {
            Some(_) => self.total.failed += 1,
            None => self.total.succeeded += 1,
        }
        self.tell(PushEvent::Result(result));
    }

    fn progress(&mut self) {
        let mut came = Vec::new();
        for node in self.nodes.iter_mut().filter(|node| node.state == State::Busy) {
            for (progress, file) in node.files.iter_mut().zip(&self.files) {
                let bytes = progress.reached.load(Ordering::Relaxed);
                if progress.stage == Stage::Given && bytes != progress.told {
                    progress.told = bytes;
                    let (node, name) = (node.name.clone(), file.name.clone());
                    came.push(PushEvent::Progress { node, name, bytes, size: file.version.size });
                    break;
                }
            }
        }
        for event in came {
            self.tell(event);
        }
    }
}
