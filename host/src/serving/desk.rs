//! Where others leave what a connection is to do.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Errand, Gauge};
use crate::control::Control;
use crate::report::Protocol;

/// One connection, as others see it.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) control: Arc<Control>,
    pub(crate) gauge: Gauge,
    any: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Errand>,
    protocol: Option<Protocol>,
    door: Door,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Door {
    #[default]
    Open,
    /// Nobody does errands here any more.
    Closed,
}

impl Desk {
    pub(crate) fn new(control: Arc<Control>) -> Self {
        let (gauge, any, state) = Default::default();
        Self { control, gauge, any, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves an errand, and wakes the connection. Whoever comes too late has it ended at once.
    pub(crate) fn leave(&self, errand: Errand) {
        let mut state = self.state();
        if state.door == Door::Open {
            state.queue.push_back(errand);
            self.any.store(true, Ordering::Release);
            drop(state);
            self.control.waker().wake();
        }
    }

    /// What was left since this was called last.
    pub(crate) fn take(&self) -> VecDeque<Errand> {
        if !self.any.load(Ordering::Acquire) {
            return VecDeque::new();
        }
        let mut state = self.state();
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut state.queue)
    }

    /// The connection has ended: what was left is ended too.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.door = Door::Closed;
        let left = std::mem::take(&mut state.queue);
        drop(state);
        drop(left);
    }

    /// Whether the connection has ended, though its link may take a while to close.
    pub(crate) fn is_closed(&self) -> bool {
        self.state().door == Door::Closed
    }

    pub(crate) fn speaks(&self, protocol: Protocol) {
        self.state().protocol = Some(protocol);
    }

    pub(crate) fn protocol(&self) -> Option<Protocol> {
        self.state().protocol
    }
}
