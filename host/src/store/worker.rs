//! A thread that does jobs in their order.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

const STACK: usize = 256 << 10;

/// The thread. Whoever drops this waits until all jobs are done.
#[derive(Debug)]
pub(super) struct Worker<T> {
    jobs: Option<Sender<T>>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Worker<T> {
    /// Starts it under this name; `work` ends when no more jobs come.
    pub(super) fn start(name: &str, work: fn(&Receiver<T>)) -> io::Result<Self> {
        let (jobs, received) = channel();
        let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK);
        let thread = thread.spawn(move || work(&received))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Gives it a job; gives it back if there is no thread any more.
    pub(super) fn give(&self, job: T) -> Result<(), T> {
        match &self.jobs {
            Some(jobs) => jobs.send(job).map_err(|unsent| unsent.0),
            None => Err(job),
        }
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
