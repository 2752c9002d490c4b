//! Who writes which part: one writer for a name and identity (`docs/protocol.md` §10.2).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::key::Key;
use crate::control::{Control, Order};

/// A writer that has stored nothing for so long has to give way to one that comes anew.
const QUIET: Duration = Duration::from_secs(3);
/// How long it may take to let go.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Writers {
    start: Instant,
    held: Mutex<HashMap<Key, Holder>>,
    released: Condvar,
}

#[derive(Debug)]
struct Holder {
    control: Arc<Control>,
    /// When it last stored something, as [`Writers::now`] has it; [`LET_GO`] once it is through.
    active: Arc<AtomicU64>,
}

const LET_GO: u64 = 0;

/// The right to write a part, until it is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    writers: Arc<Writers>,
    key: Key,
    active: Arc<AtomicU64>,
}

impl Writers {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), held: Mutex::default(), released: Condvar::new() }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Key, Holder>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds, never [`LET_GO`].
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// The right to write this part for the connection of `control`. Whoever has it and has gone quiet, or is about to let go of it, is
    /// waited for; `None` if somebody is at work on it.
    pub(super) fn claim(self: &Arc<Self>, key: Key, control: &Arc<Control>) -> Option<Claim> {
        let until = Instant::now() + PATIENCE;
        let mut held = self.held();
        while let Some(holder) = held.get(&key) {
            let active = holder.active.load(Ordering::Relaxed);
            if active != LET_GO {
                let quiet = Duration::from_millis(self.now().saturating_sub(active));
                if quiet < QUIET || Arc::ptr_eq(&holder.control, control) {
                    return None;
                }
                holder.control.ask(Order::GiveWay);
            }
            if Instant::now() >= until {
                return None;
            }
            held = self
                .released
                .wait_timeout(held, Duration::from_millis(100))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let active = Arc::new(AtomicU64::new(self.now()));
        held.insert(key, Holder { control: Arc::clone(control), active: Arc::clone(&active) });
        Some(Claim { writers: Arc::clone(self), key, active })
    }
}

impl Claim {
    pub(super) const fn key(&self) -> Key {
        self.key
    }

    /// Something was stored.
    pub(super) fn is_active(&self) {
        self.active.store(self.writers.now(), Ordering::Relaxed);
    }

    /// Its connection is through with it: whoever comes now may wait for the rest.
    pub(super) fn lets_go(&self) {
        self.active.store(LET_GO, Ordering::Relaxed);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.writers.held().remove(&self.key);
        self.writers.released.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Waker;

    fn control() -> Arc<Control> {
        Arc::new(Control::new(Waker::new().unwrap()))
    }

    #[test]
    fn one_writer_at_a_time() {
        let (writers, key) = (Arc::new(Writers::new()), Key::of("a", b"1"));
        let (one, two) = (control(), control());
        let claim = writers.claim(key, &one).unwrap();
        assert!(writers.claim(key, &two).is_none());
        assert!(writers.claim(Key::of("a", b"2"), &two).is_some());
        drop(claim);
        assert!(writers.claim(key, &two).is_some());
    }

    #[test]
    fn a_quiet_writer_gives_way() {
        let writers = Arc::new(Writers { start: Instant::now() - 2 * QUIET, ..Writers::new() });
        let (key, one, two) = (Key::of("a", b"1"), control(), control());
        let claim = writers.claim(key, &one).unwrap();
        claim.active.store(1, Ordering::Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while one.order() != Order::GiveWay {
                    std::thread::yield_now();
                }
                drop(claim);
            });
            assert!(writers.claim(key, &two).is_some());
        });
        assert_eq!(two.order(), Order::GoOn);
    }

    #[test]
    fn a_part_that_was_let_go_is_waited_for() {
        let writers = Arc::new(Writers::new());
        let (key, one) = (Key::of("a", b"1"), control());
        let claim = writers.claim(key, &one).unwrap();
        claim.lets_go();
        std::thread::scope(|scope| {
            scope.spawn(|| drop(claim));
            assert!(writers.claim(key, &one).is_some());
        });
        assert_eq!(one.order(), Order::GoOn);
    }
}
