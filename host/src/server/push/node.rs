//! One node of a push.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::server::NodeResult;
use crate::serving::PushedFile;

/// A node that does not come further for so long counts as stuck.
const STUCK: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) state: State,
    pub(super) files: Vec<Progress>,
    pub(super) cancelled: Arc<AtomicBool>,
    pub(super) began: Instant,
    /// When it last came further.
    advanced: Instant,
    /// How far it had come then, and when it was last begun with.
    reached: u64,
    reached_at_start: Option<u64>,
    failure: Option<Failure>,
    result: Totals,
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    files: u64,
    bytes: u64,
    resumed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It waits for its turn.
    Queued,
    /// Files are on their way, or about to be.
    Busy,
    /// It is not attached.
    Away,
    Over,
}

/// One file of one node.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) stage: Stage,
    /// Bytes that the node has.
    pub(super) reached: Arc<AtomicU64>,
    /// Bytes that were told of.
    pub(super) told: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// To be given to the node's connection, not before this.
    Ready(Instant),
    Given,
    Over,
}

impl Node {
    pub(super) fn new(name: String, files: &[Arc<PushedFile>]) -> Self {
        let now = Instant::now();
        let progress = || Progress { stage: Stage::Ready(now), reached: Arc::default(), told: 0 };
        Self {
            name,
            state: State::Queued,
            files: files.iter().map(|_| progress()).collect(),
            cancelled: Arc::default(),
            began: now,
            advanced: now,
            reached: 0,
            reached_at_start: None,
            failure: None,
            result: Totals::default(),
        }
    }

    pub(super) fn has_given(&self) -> bool {
        self.files.iter().any(|file| file.stage == Stage::Given)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.files.iter().all(|file| file.stage == Stage::Over)
    }

    /// It is begun with, or again. Coming back without ever coming further is none.
    pub(super) fn starts(&mut self) {
        if self.reached_at_start.is_none_or(|before| self.reached > before) {
            self.advanced = Instant::now();
        }
        self.reached_at_start = Some(self.reached);
        self.state = State::Busy;
    }

    /// It is not attached.
    pub(super) fn leaves(&mut self) {
        self.state = State::Away;
    }

    /// Whether others have to wait for it, if there may not be more at a time. Who does not come further holds up nobody.
    pub(super) fn holds_a_place(&self) -> bool {
        self.state == State::Busy && self.advanced.elapsed() < STUCK
    }

    /// How long it has not come further.
    pub(super) fn stuck_for(&mut self) -> Duration {
        let reached = self.files.iter().map(|file| file.reached.load(Ordering::Relaxed)).sum();
        if reached > self.reached {
            self.reached = reached;
            self.advanced = Instant::now();
        }
        self.advanced.elapsed()
    }

    /// It has a file.
    pub(super) fn has(&mut self, file: usize, size: u64, resumed: u64) {
        let Totals { files, bytes, resumed: before } = self.result;
        self.result = Totals { files: files + 1, bytes: bytes + size, resumed: before + resumed };
        self.advanced = Instant::now();
        self.over(file);
    }

    /// It does not get a file.
    pub(super) fn fails(&mut self, file: usize, failure: Failure) {
        self.failure.get_or_insert(failure);
        self.over(file);
    }

    fn over(&mut self, file: usize) {
        if let Some(file) = self.files.get_mut(file) {
            file.stage = Stage::Over;
        }
    }

    /// It is given up.
    pub(super) fn give_up(&mut self, failure: Failure) {
        self.cancelled.store(true, Ordering::Relaxed);
        self.failure.get_or_insert(failure);
    }

    /// Nothing more happens to it: what it came to.
    pub(super) fn end(&mut self) -> NodeResult {
        self.state = State::Over;
        let Totals { files, bytes, resumed } = self.result;
        NodeResult {
            node: self.name.clone(),
            files,
            bytes,
            resumed,
            error: self.failure.as_ref().map(|failure| failure.error),
            message: self.failure.as_ref().map(ToString::to_string),
            seconds: self.began.elapsed().as_secs_f64(),
        }
    }
}
