//! Putting whole files into their places: flushed, renamed, and their directories flushed, many at a time where many wait.

use std::io;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use cap_std::fs::Dir;
use sampan_core::wire::{Code, FileName};
use sampan_core::{Refusal, TransferId};

use super::file_io::time;
use super::late::{Answer, Answers, Setback, Stored};
use super::part::Part;
use super::place::{Taken, place};
use super::root::{self, Found, Missing};
use super::worker::Worker;
use super::{OnConflict, refusal};
use crate::file_error::Doing;

/// About so many share their flushes.
const BATCH: usize = 1024;
/// What is larger, in bytes, takes long to flush or to compare.
const SMALL: u64 = 4 << 20;
const STACK: usize = 256 << 10;
/// Up to so many are flushed one by one; more by flushing the whole file system.
const FEW: usize = 4;

/// The thread for small files. Whoever drops this waits until everything is done.
#[derive(Debug, Default)]
pub(super) struct Committer {
    worker: Mutex<Option<Worker<Vec<Job>>>>,
}

/// What is to be put into its place.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) what: What,
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) modified: Option<i64>,
    pub(super) on_conflict: OnConflict,
    pub(super) transfer: TransferId,
    pub(super) answers: Arc<Answers>,
}

#[derive(Debug)]
pub(super) enum What {
    /// A file whose contents are right. Its modification time is set already.
    File(Arc<Part>),
    /// A directory in this root.
    Directory(Arc<Dir>),
}

impl Job {
    pub(super) fn answer(self, result: Result<Stored, Setback>) {
        let Self { what, transfer, answers, .. } = self;
        if let (What::File(part), Err(setback)) = (&what, &result) {
            // What is wrong, or did not find room, is not kept.
            if matches!(setback.refusal.code, Code::NoSpace | Code::TooLarge | Code::Integrity | Code::Exists)
            {
                part.remove();
            }
        }
        // The claim to the part ends before the peer hears of it.
        drop(what);
        answers.put(Answer::Committed { transfer, result });
    }
}

impl Committer {
    /// Puts them into their places, and answers. Small ones share a thread and its flushes; a large one has a thread of its own, so that
    /// nobody waits for its flush.
    pub(super) fn submit(&self, jobs: Vec<Job>) {
        let (large, small): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.size > SMALL);
        for job in large {
            let thread = thread::Builder::new().name("commit".into()).stack_size(STACK);
            // Without another thread this one must do.
            let job = Arc::new(Mutex::new(Some(job)));
            let theirs = Arc::clone(&job);
            let take = |job: &Mutex<Option<Job>>| job.lock().unwrap_or_else(PoisonError::into_inner).take();
            if thread.spawn(move || run(take(&theirs).into_iter().collect())).is_err() {
                run(take(&job).into_iter().collect());
            }
        }
        if !small.is_empty() {
            self.share(small);
        }
    }

    fn share(&self, small: Vec<Job>) {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if worker.is_none() {
            *worker = Worker::start("committer", work).ok();
        }
        let unsent = match &*worker {
            Some(worker) => worker.give(small).err(),
            None => Some(small),
        };
        drop(worker);
        if let Some(small) = unsent {
            run(small);
        }
    }
}

fn work(jobs: &Receiver<Vec<Job>>) {
    while let Ok(mut batch) = jobs.recv() {
        while batch.len() < BATCH
            && let Ok(more) = jobs.try_recv()
        {
            batch.extend(more);
        }
        run(batch);
    }
}

/// Everything that a batch must flush after it was put into place.
#[derive(Default)]
struct Changed {
    directories: Vec<Dir>,
    times: Vec<(Dir, i64)>,
}

fn run(batch: Vec<Job>) {
    flush_contents(&batch);
    let mut changed = Changed::default();
    let results: Vec<_> = batch.iter().map(|job| put(job, &mut changed)).collect();
    for (dir, modified) in &changed.times {
        if let (Some(time), Ok(dir)) = (time(*modified), root::as_file(dir)) {
            let _ = dir.set_modified(time);
        }
    }
    let flushed = flush_directories(&changed.directories);
    for (job, result) in batch.into_iter().zip(results) {
        let result = match (&flushed, result) {
            (Err(error), Ok(_)) => Err(failed(&job, error)),
            (_, result) => result,
        };
        job.answer(result);
    }
}

fn flush_contents(batch: &[Job]) {
    let parts: Vec<&Part> = batch.iter().filter_map(Job::part).collect();
    // A flush that failed is found in the part.
    if let [first, ..] = &*parts
        && parts.len() > FEW
        && let Some(result) = flush_file_system(first.dir())
    {
        if result.is_err() {
            parts.iter().for_each(|part| part.spoil());
        }
        return;
    }
    for part in parts {
        let _ = part.flush();
    }
}

fn flush_directories(directories: &[Dir]) -> io::Result<()> {
    if let [first, ..] = directories
        && directories.len() > FEW
        && let Some(result) = flush_file_system(first)
    {
        return result;
    }
    directories.iter().try_for_each(root::flush)
}

/// Flushes everything, where there is such a call.
#[cfg(target_os = "linux")]
fn flush_file_system(dir: &Dir) -> Option<io::Result<()>> {
    Some(root::as_file(dir).and_then(|dir| Ok(rustix::fs::syncfs(dir)?)))
}

#[cfg(not(target_os = "linux"))]
fn flush_file_system(_: &Dir) -> Option<io::Result<()>> {
    None
}

impl Job {
    fn part(&self) -> Option<&Part> {
        match &self.what {
            What::File(part) => Some(part),
            What::Directory(_) => None,
        }
    }
}

fn failed(job: &Job, error: &io::Error) -> Setback {
    let trouble = format!("cannot finish {:?}: {error}", job.name);
    Setback { refusal: refusal(Doing::Finish, error), trouble: Some(trouble) }
}

fn put(job: &Job, changed: &mut Changed) -> Result<Stored, Setback> {
    let Ok(name) = FileName::new(&job.name) else { return Err(Refusal::from(Code::BadName).into()) };
    let finish = |error: io::Error| failed(job, &error);
    match &job.what {
        What::File(part) => {
            part.check().map_err(finish)?;
            let (dir, made) = root::parent(part.dir(), name, Missing::Make).map_err(finish)?;
            changed.directories.extend(made);
            let stored = match place(part, &dir, name, job.size, job.on_conflict) {
                Ok(stored) => stored,
                Err(Taken::Exists(words)) => return Err(Refusal { code: Code::Exists, words }.into()),
                Err(Taken::Failed(error)) => return Err(finish(error)),
            };
            part.remove_record();
            changed.directories.push(dir);
            Ok(stored)
        }
        What::Directory(root) => {
            let (dir, made) = root::parent(root, name, Missing::Make).map_err(finish)?;
            changed.directories.extend(made);
            let there = match root::look(&dir, name.last_part()).map_err(finish)? {
                Found::Directory(there) => there,
                Found::Nothing => {
                    dir.create_dir(name.last_part()).map_err(finish)?;
                    let Found::Directory(there) = root::look(&dir, name.last_part()).map_err(finish)? else {
                        return Err(Refusal::from(Code::Exists).into());
                    };
                    changed.directories.push(dir);
                    there
                }
                Found::File(_) | Found::Other => {
                    let words = "something else has this name";
                    return Err(Refusal { code: Code::Exists, words }.into());
                }
            };
            if let Some(modified) = job.modified {
                changed.times.push((there, modified));
            }
            Ok(Stored::AsNamed)
        }
    }
}
