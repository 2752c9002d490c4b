//! Who is connected.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::control::{Control, Order};

#[derive(Debug, Default)]
pub(super) struct Registry {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    connections: HashMap<u64, Arc<Control>>,
}

/// A place among the connected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(u64);

impl Registry {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self) -> usize {
        self.state().connections.len()
    }

    pub(super) fn add(&self, control: Arc<Control>) -> Place {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.connections.insert(number, control);
        Place(number)
    }

    pub(super) fn remove(&self, place: Place) {
        self.state().connections.remove(&place.0);
        self.changed.notify_all();
    }

    /// Asks everybody for something.
    pub(super) fn ask_all(&self, order: Order) {
        for control in self.state().connections.values() {
            control.ask(order);
        }
    }

    /// Waits until nobody is connected, but no longer than this.
    pub(super) fn wait_until_empty(&self, within: Duration) {
        let until = Instant::now() + within;
        let mut state = self.state();
        while !state.connections.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
