//! A thread that makes parts durable while they are still being received, off the data path.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use sampan_core::{ResumePoint, TransferId};

use super::late::{Answer, Answers};
use super::part::Part;

/// The thread; it ends when this is dropped and everything is done.
#[derive(Debug, Default)]
pub(super) struct Syncer {
    jobs: Mutex<Option<Sender<Job>>>,
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
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.is_none() {
            *jobs = start().ok();
        }
        if let Some(jobs) = &*jobs {
            let _ = jobs.send(job);
        }
    }
}

fn start() -> io::Result<Sender<Job>> {
    let (sender, jobs) = channel::<Job>();
    thread::Builder::new().name("syncer".into()).stack_size(128 << 10).spawn(move || {
        for Job { part, transfer, answers } in jobs {
            if let Some(durable) = part.make_durable() {
                drop(part);
                answers.put(Answer::Synced { transfer, durable });
            }
        }
    })?;
    Ok(sender)
}
