//! Being asked to stop: Ctrl-C, or a signal that means the same.

mod signals;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::failure::Failure;
use crate::link::Waker;

/// Whether somebody has asked the work to stop. All clones are one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    asked: Arc<AtomicBool>,
    wakers: Mutex<Wakers>,
}

#[derive(Debug, Default)]
struct Wakers {
    next: u64,
    by_number: BTreeMap<u64, Waker>,
}

impl Stop {
    /// Only [`ask`](Self::ask) asks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Signals ask too: SIGINT, SIGTERM, and SIGHUP unless it is ignored (as `nohup` has it). The second one ends the process at
    /// once, with exit code 130. A write beyond the limit of file sizes becomes an error instead of the end. Once in a process.
    ///
    /// # Errors
    ///
    /// If the system has no signal handler or no thread to give.
    pub fn install() -> io::Result<Self> {
        let stop = Self::new();
        signals::install(&stop)?;
        Ok(stop)
    }

    /// Asks, and wakes everybody who waits.
    pub fn ask(&self) {
        self.0.asked.store(true, Ordering::SeqCst);
        self.wakers().by_number.values().for_each(Waker::wake);
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// For work that cannot go on once it is asked.
    ///
    /// # Errors
    ///
    /// [`ErrorName::Interrupted`](crate::failure::ErrorName::Interrupted) if somebody has asked.
    pub fn check(&self) -> Result<(), Failure> {
        if self.is_asked() { Err(Failure::interrupted()) } else { Ok(()) }
    }

    /// `waker` is woken when somebody asks, at once if that has happened already, as long as the registration is kept.
    pub fn register(&self, waker: Waker) -> Registration {
        let mut wakers = self.wakers();
        if self.is_asked() {
            waker.wake();
        }
        let number = wakers.next;
        wakers.next += 1;
        wakers.by_number.insert(number, waker);
        Registration { stop: self.clone(), number }
    }

    fn wakers(&self) -> MutexGuard<'_, Wakers> {
        self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a waker registered; whoever drops it is not woken any more.
#[must_use = "who drops it is not woken"]
#[derive(Debug)]
pub struct Registration {
    stop: Stop,
    number: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.stop.wakers().by_number.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::wait_for_any;
    use std::time::{Duration, Instant};

    const SOON: Option<Duration> = Some(Duration::from_millis(30));

    fn is_woken(waker: &Waker) -> bool {
        let begun = Instant::now();
        wait_for_any(&[], waker, SOON).unwrap();
        begun.elapsed() < Duration::from_millis(29)
    }

    #[test]
    fn asking_wakes_whoever_is_registered() {
        let stop = Stop::new();
        let (waker, other) = (Waker::new().unwrap(), Waker::new().unwrap());
        let _registration = stop.register(waker.clone());
        drop(stop.register(other.clone()));
        assert!(!stop.is_asked() && stop.check().is_ok());
        stop.clone().ask();
        assert!(is_woken(&waker) && !is_woken(&other));
        assert!(stop.is_asked() && stop.check().is_err());
    }

    #[test]
    fn who_comes_too_late_is_woken_at_once() {
        let stop = Stop::new();
        stop.ask();
        let waker = Waker::new().unwrap();
        let _registration = stop.register(waker.clone());
        assert!(is_woken(&waker));
    }
}
