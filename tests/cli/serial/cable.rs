//! Two pseudo terminals and what is between them.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// A cable between two serial ports; it is gone when dropped.
#[derive(Debug)]
pub(super) struct Cable {
    paths: [String; 2],
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// Somebody has to have them open, or the other end hangs up.
    _held: [OwnedFd; 2],
}

#[derive(Debug, Default)]
struct Shared {
    ends: AtomicBool,
    /// Nothing comes through.
    cut: AtomicBool,
    /// The chance that a bit of a byte is turned, in 2^-32, and the state of the dice.
    chance: AtomicU64,
    dice: AtomicU64,
    carried: [AtomicU64; 2],
    /// Said to the end with this number before what comes next.
    say: Mutex<Option<(usize, Vec<u8>)>>,
}

impl Cable {
    /// One that does no harm.
    pub(super) fn new() -> Self {
        let shared = Arc::new(Shared::default());
        shared.dice.store(1, Ordering::Relaxed);
        let (mains, (paths, held)): (Vec<_>, (Vec<_>, Vec<_>)) = (0..2).map(|_| terminal()).unzip();
        let mains: Vec<_> = mains.into_iter().map(Arc::new).collect();
        let threads = (0..2).map(|from| {
            let (shared, a, b) =
                (Arc::clone(&shared), Arc::clone(&mains[from]), Arc::clone(&mains[1 - from]));
            thread::spawn(move || carry(&shared, from, &a, &b))
        });
        let threads = threads.collect();
        Self { paths: paths.try_into().expect("two"), shared, threads, _held: held.try_into().expect("two") }
    }

    /// Turns bits both ways with this chance a byte.
    pub(super) fn flips(self, chance: f64, seed: u64) -> Self {
        self.shared.chance.store((chance * 2_f64.powi(32)) as u64, Ordering::Relaxed);
        self.shared.dice.store(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, Ordering::Relaxed);
        self
    }

    /// The URL of one of its ends.
    pub(super) fn url(&self, end: usize) -> String {
        format!("serial:{}", self.paths[end])
    }

    /// Whether nothing comes through.
    pub(super) fn cut(&self, cut: bool) {
        self.shared.cut.store(cut, Ordering::SeqCst);
    }

    /// Bytes that one end has written.
    pub(super) fn carried(&self, end: usize) -> u64 {
        self.shared.carried[end].load(Ordering::SeqCst)
    }

    /// Something is said to an end besides, before what the other end says next.
    pub(super) fn say(&self, to: usize, what: &[u8]) {
        *self.shared.say.lock().expect("no panic") = Some((to, what.to_vec()));
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// The main side of a pseudo terminal, and the path of the other, which is held open.
fn terminal() -> (OwnedFd, (String, OwnedFd)) {
    let main = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo terminal");
    grantpt(&main).expect("it is granted");
    unlockpt(&main).expect("it is unlocked");
    let path = ptsname(&main, Vec::new()).expect("its name").into_string().expect("UTF-8");
    let held = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("it opens");
    let mut modes = tcgetattr(&held).expect("its modes");
    modes.make_raw();
    tcsetattr(&held, OptionalActions::Now, &modes).expect("raw");
    (main, (path, held))
}

fn carry(shared: &Shared, from: usize, a: &OwnedFd, b: &OwnedFd) {
    let tick = Timespec::try_from(Duration::from_millis(20)).expect("short");
    let mut buffer = [0; 4096];
    while !shared.ends.load(Ordering::SeqCst) {
        if !matches!(poll(&mut [PollFd::new(a, PollFlags::IN)], Some(&tick)), Ok(1..)) {
            continue;
        }
        let Ok(n) = rustix::io::read(a, &mut buffer) else { continue };
        shared.carried[from].fetch_add(n as u64, Ordering::SeqCst);
        let said = shared.say.lock().expect("no panic").take_if(|(to, _)| *to == 1 - from);
        let mut bytes = said.map(|(_, what)| what).unwrap_or_default();
        bytes.extend(buffer[..n].iter().map(|byte| byte ^ shared.turned()));
        if !shared.cut.load(Ordering::SeqCst) {
            write_all(shared, b, &bytes);
        }
    }
}

fn write_all(shared: &Shared, to: &OwnedFd, mut bytes: &[u8]) {
    while !bytes.is_empty() && !shared.ends.load(Ordering::SeqCst) {
        match rustix::io::write(to, bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(_) => return,
        }
    }
}

impl Shared {
    fn roll(&self) -> u64 {
        let step = |dice: u64| {
            Some(dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
        };
        self.dice.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).expect("always") >> 32
    }

    /// The bit of a byte that is turned, if one is.
    fn turned(&self) -> u8 {
        let chance = self.chance.load(Ordering::Relaxed);
        if chance > 0 && self.roll() < chance { 1 << (self.roll() % 8) } else { 0 }
    }
}
