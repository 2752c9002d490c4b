//! A thread that makes parts durable while they are still being received, off the data path.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

use sampan_core::{ResumePoint, TransferId};

use super::late::{Answer, Answers};
use super::part::Part;
use super::worker::Worker;

/// The thread. Whoever drops this waits until everything is done.
#[derive(Debug, Default)]
pub(super) struct Syncer {
    worker: Mutex<Option<Worker<Job>>>,
}

#[derive(Debug)]
struct Job {
    part: Arc<Part>,
    transfer: TransferId,
    answers: Arc<Answers>,
}

impl Syncer {
    /// Makes a part durable up to a point; if one is behind already, up to the newest.
    pub(super) fn sync(
        &self,
        part: &Arc<Part>,
        to: ResumePoint,
        transfer: TransferId,
        answers: &Arc<Answers>,
    ) {
        if !part.want_durable(to) {
            return;
        }
        let job = Job { part: Arc::clone(part), transfer, answers: Arc::clone(answers) };
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if worker.is_none() {
            *worker = Worker::start("syncer", work).ok();
        }
        if let Some(worker) = &*worker {
            let _ = worker.give(job);
        }
    }
}

fn work(jobs: &Receiver<Job>) {
    for Job { part, transfer, answers } in jobs {
        if let Some(durable) = part.make_durable() {
            drop(part);
            answers.put(Answer::Synced { transfer, durable });
        }
    }
}
