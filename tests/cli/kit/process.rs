//! Processes that end with the test that began them.

use std::fs;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{SOON, until};

/// Sends a signal to a process of this test. After STOP the process does nothing more: each of its threads has stopped.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let number = Pid::from_raw(pid.cast_signed()).expect("a process id");
    kill_process(number, signal).expect("a process of this test");
    if signal == Signal::STOP {
        until("every thread has stopped", SOON, || has_stopped(pid).then_some(()));
    }
}

fn has_stopped(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the threads of a process");
    threads.flatten().all(|thread| {
        // The state follows the name, which stands in parentheses. A thread that has ended does nothing either.
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('T'))
    })
}

/// A process that is killed and reaped when it is dropped.
#[derive(Debug)]
pub(crate) struct Killed(pub(crate) Child);

impl Killed {
    /// How it has ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("a child of this process")
    }

    /// How it ends, at the latest after `within`.
    #[track_caller]
    pub(crate) fn wait(&mut self, what: &str, within: Duration) -> ExitStatus {
        until(what, within, || self.ended())
    }

    /// Ends it at once, as a power cut would.
    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        self.kill();
    }
}
