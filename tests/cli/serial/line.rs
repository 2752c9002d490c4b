//! A line between two pseudo terminals: what is written at one end comes out at the other, if nothing happens to it.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// What happens to bytes on the way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conditions {
    /// Chance of a turned bit in each byte.
    pub(super) flips: f64,
    /// Bytes a second each way; 0 for as many as come.
    pub(super) rate: u64,
    pub(super) seed: u64,
}

impl Conditions {
    /// Nothing happens to them.
    pub(super) const CLEAN: Self = Self { flips: 0.0, rate: 0, seed: 1 };

    /// The same at so many bytes a second.
    pub(super) const fn at(rate: u64) -> Self {
        Self { rate, ..Self::CLEAN }
    }
}

/// One end: a terminal that stands for a port, and what the relay has of it.
#[derive(Debug)]
struct End {
    path: PathBuf,
    relay: OwnedFd,
    /// Keeps the terminal as it is while nobody else has it open, as a port is.
    _port: OwnedFd,
}

/// A line that carries bytes as long as it is kept.
#[derive(Debug)]
pub(super) struct Line {
    paths: [PathBuf; 2],
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stopped: AtomicBool,
    cut: AtomicBool,
    /// What is to come out at each end besides.
    injected: [Mutex<Vec<u8>>; 2],
    carried: [AtomicU64; 2],
}

impl Line {
    pub(super) fn new(conditions: Conditions) -> Self {
        let ends = [End::new(), End::new()];
        let paths = [ends[0].path.clone(), ends[1].path.clone()];
        let shared = Arc::new(Shared::default());
        let carrier = Arc::clone(&shared);
        let thread = thread::spawn(move || carrier.carry(&ends, conditions));
        Self { paths, shared, thread: Some(thread) }
    }

    /// The URL of the clients' end.
    pub(super) fn near(&self) -> String {
        format!("serial:{}", self.paths[0].display())
    }

    /// The URL of the servers' end.
    pub(super) fn far(&self) -> String {
        format!("serial:{}", self.paths[1].display())
    }

    /// The device of the clients' end.
    pub(super) fn device(&self) -> &PathBuf {
        &self.paths[0]
    }

    /// Nothing arrives any more; what is written is lost.
    pub(super) fn cut(&self) {
        self.shared.cut.store(true, Ordering::SeqCst);
    }

    pub(super) fn mend(&self) {
        self.shared.cut.store(false, Ordering::SeqCst);
    }

    /// These bytes come out at the clients' end, between two others.
    pub(super) fn say_near(&self, bytes: &[u8]) {
        self.shared.injected[0].lock().expect("nobody panics").extend_from_slice(bytes);
    }

    /// These bytes come out at the servers' end.
    pub(super) fn say_far(&self, bytes: &[u8]) {
        self.shared.injected[1].lock().expect("nobody panics").extend_from_slice(bytes);
    }

    /// Bytes that came from the clients' end so far.
    pub(super) fn sent(&self) -> u64 {
        self.shared.carried[0].load(Ordering::SeqCst)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl End {
    fn new() -> Self {
        let relay = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pty");
        grantpt(&relay).expect("its other side");
        unlockpt(&relay).expect("its other side");
        let path = PathBuf::from(ptsname(&relay, Vec::new()).expect("a name").into_string().expect("a path"));
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let port = open(&path, flags, rustix::fs::Mode::empty()).expect("its other side");
        let mut modes = tcgetattr(&port).expect("a terminal");
        modes.make_raw();
        tcsetattr(&port, OptionalActions::Now, &modes).expect("a terminal");
        fcntl_setfl(&relay, OFlags::NONBLOCK).expect("a pty");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).expect("a device");
        Self { path, relay, _port: port }
    }
}

impl Shared {
    fn carry(&self, ends: &[End; 2], conditions: Conditions) {
        let mut dice = conditions.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let threshold = (conditions.flips * u64::MAX as f64) as u64;
        let mut flip = move |byte: &mut u8| {
            if threshold == 0 {
                return;
            }
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            if dice < threshold {
                *byte ^= 1 << (dice % 8);
            }
        };
        let began = Instant::now();
        let mut buffer = [0; 1024];
        while !self.stopped.load(Ordering::SeqCst) {
            let allowed = |way: usize| match conditions.rate {
                0 => buffer.len(),
                rate => {
                    let due = began.elapsed().as_millis() as u64 * rate / 1000;
                    // What was not used is gone.
                    let carried = self.carried[way].load(Ordering::SeqCst);
                    due.saturating_sub(carried).min(rate / 50 + 1) as usize
                }
            };
            let quotas = [allowed(0), allowed(1)];
            let mut fds = [0, 1].map(|way| PollFd::new(&ends[way].relay, PollFlags::IN));
            let tick = Timespec { tv_sec: 0, tv_nsec: 2_000_000 };
            poll(&mut fds, Some(&tick)).expect("it waits");
            if conditions.rate > 0 {
                thread::sleep(Duration::from_millis(2));
            }
            for way in [0, 1] {
                let quota = quotas[way].min(buffer.len());
                let n = rustix::io::read(&ends[way].relay, &mut buffer[..quota]).unwrap_or(0);
                self.carried[way].fetch_add(n as u64, Ordering::SeqCst);
                buffer[..n].iter_mut().for_each(&mut flip);
                if !self.cut.load(Ordering::SeqCst) {
                    // What nobody reads is lost, as on a line.
                    let _ = rustix::io::write(&ends[1 - way].relay, &buffer[..n]);
                }
                let injected = std::mem::take(&mut *self.injected[1 - way].lock().expect("nobody panics"));
                for piece in injected.chunks(512) {
                    let _ = rustix::io::write(&ends[1 - way].relay, piece);
                }
            }
        }
    }
}
