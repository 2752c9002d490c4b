//! Late answers of a store's threads to the connections that wait for them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sampan_core::{Completion, Refusal, TransferId};

use crate::control::Control;

/// The answers for one connection.
#[derive(Debug)]
pub(super) struct Answers {
    any: AtomicBool,
    queue: Mutex<VecDeque<Answer>>,
    control: Arc<Control>,
}

/// One answer.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Synced { transfer: TransferId, durable: u64 },
    Committed { transfer: TransferId, result: Result<Stored, Setback> },
}

/// Why a file has come nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setback {
    /// What the peer is told.
    pub(super) refusal: Refusal,
    /// What is known of it here.
    pub(super) trouble: Option<String>,
}

impl From<Refusal> for Setback {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, trouble: None }
    }
}

/// Where a file has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// Under its own name.
    AsNamed,
    /// Under this one.
    As(String),
}

impl Answers {
    pub(super) fn new(control: Arc<Control>) -> Self {
        Self { any: AtomicBool::new(false), queue: Mutex::default(), control }
    }

    pub(super) fn control(&self) -> &Arc<Control> {
        &self.control
    }

    pub(super) fn put(&self, answer: Answer) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push_back(answer);
        let woken = self.any.swap(true, Ordering::Release);
        drop(queue);
        // Whoever was woken takes them all.
        if !woken {
            self.control.waker().wake();
        }
    }

    pub(super) fn take(&self) -> Option<Answer> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = queue.pop_front();
        self.any.store(!queue.is_empty(), Ordering::Release);
        answer
    }
}

impl Answer {
    /// What the engine is told.
    pub(super) fn completion(&self) -> Completion {
        match self {
            Self::Synced { transfer, durable } => {
                Completion::Synced { transfer: *transfer, durable: *durable }
            }
            Self::Committed { transfer, result } => {
                let result = result.as_ref().map(|_| ()).map_err(|setback| setback.refusal);
                Completion::Committed { transfer: *transfer, result }
            }
        }
    }
}
