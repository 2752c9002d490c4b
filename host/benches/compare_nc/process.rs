//! Processes that are measured, and ended whatever happens.

use std::fs;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::Failure;

/// How often the peak memory of a process that ends by itself is looked at. It only grows, so the last look counts.
const LOOK: Duration = Duration::from_millis(10);

/// No run takes this long on a machine where measuring it makes sense.
const PATIENCE: Duration = Duration::from_secs(300);

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Makes signals to end errors, so that what was started ends and what was written goes.
pub(crate) fn stop_when_interrupted() -> Result<(), Failure> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&INTERRUPTED))?;
    }
    Ok(())
}

pub(crate) fn check_interrupted() -> Result<(), Failure> {
    if INTERRUPTED.load(Ordering::Relaxed) { Err("interrupted".into()) } else { Ok(()) }
}

/// What a process has used.
#[derive(Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    /// KiB of memory at its highest.
    pub(crate) peak: u64,
}

/// A process that is killed when it is dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    pidfd: OwnedFd,
    peak: u64,
    status: Option<ExitStatus>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Result<Self, Failure> {
        let name = command.get_program().to_owned();
        let child = command.spawn().map_err(|error| format!("cannot start {name:?}: {error}"))?;
        let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
        Ok(Self { child, pidfd, peak: 0, status: None })
    }

    /// What it has used so far. Of a process that has ended but was not reaped that is all of its processor time.
    pub(crate) fn usage(&mut self) -> Result<Usage, Failure> {
        let proc = format!("/proc/{}", self.child.id());
        let status = fs::read_to_string(format!("{proc}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(peak) = peak.and_then(|line| line.split_whitespace().next()) {
            self.peak = self.peak.max(peak.parse()?);
        }
        let stat = fs::read_to_string(format!("{proc}/stat"))?;
        let (_, fields) = stat.rsplit_once(')').ok_or("no name in its stat")?;
        let mut ticks = 0;
        for field in fields.split_whitespace().skip(11).take(2) {
            ticks += field.parse::<u64>()?;
        }
        let cpu = Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64);
        Ok(Usage { cpu, peak: self.peak })
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(&mut self) -> Result<(), Failure> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        wait_all([self]).map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.status.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Waits until all have ended, each with success. Gives what each has used, and when the last one ended.
pub(crate) fn wait_all<const N: usize>(
    mut processes: [&mut Process; N],
) -> Result<(Instant, [Usage; N]), Failure> {
    let started = Instant::now();
    let look = Timespec::try_from(LOOK)?;
    let mut usages = [Usage::default(); N];
    loop {
        check_interrupted()?;
        for (process, usage) in processes.iter_mut().zip(&mut usages) {
            *usage = process.usage()?;
        }
        let mut waiting = Vec::with_capacity(N);
        for process in &processes {
            let mut fds = [PollFd::new(&process.pidfd, PollFlags::IN)];
            if poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? == 0 {
                waiting.push(PollFd::new(&process.pidfd, PollFlags::IN));
            }
        }
        if waiting.is_empty() {
            break;
        }
        if started.elapsed() > PATIENCE {
            return Err("a process did not end".into());
        }
        match poll(&mut waiting, Some(&look)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let ended = Instant::now();
    for (process, usage) in processes.iter_mut().zip(&mut usages) {
        *usage = process.usage()?;
        let status = process.child.wait()?;
        process.status = Some(status);
        if !status.success() {
            return Err(format!("process {} ended with {status}", process.child.id()).into());
        }
    }
    Ok((ended, usages))
}
