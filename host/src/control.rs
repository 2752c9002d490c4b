//! What a connection's thread is asked by others.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::link::Waker;

/// Asks a connection to end, from another thread; it is woken for it.
#[derive(Debug)]
pub struct Control {
    order: AtomicU8,
    waker: Waker,
}

/// What was asked. A later one of these overrules an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Order {
    /// Nothing.
    GoOn,
    /// The server takes nobody any more: end when nothing is under way.
    Finish,
    /// Somebody else goes on with a transfer that this one has, since its link has gone quiet: end.
    GiveWay,
    /// Another node has come under the name of this one: end.
    Displaced,
    /// The server stops, or its user wants this connection to end.
    Stop,
}

impl Control {
    /// For a connection whose link waits with this waker.
    #[must_use]
    pub const fn new(waker: Waker) -> Self {
        Self { order: AtomicU8::new(Order::GoOn as u8), waker }
    }

    /// Asks for it.
    pub fn ask(&self, order: Order) {
        self.order.fetch_max(order as u8, Ordering::Relaxed);
        self.waker.wake();
    }

    /// What was asked so far.
    pub fn order(&self) -> Order {
        match self.order.load(Ordering::Relaxed) {
            0 => Order::GoOn,
            1 => Order::Finish,
            2 => Order::GiveWay,
            3 => Order::Displaced,
            _ => Order::Stop,
        }
    }

    /// What wakes the connection's thread.
    pub const fn waker(&self) -> &Waker {
        &self.waker
    }
}
