//! Waking a thread that waits.

use std::sync::mpsc;

/// Wakes whoever waits at the other end of a channel.
#[derive(Clone, Debug)]
pub struct Waker(mpsc::Sender<()>);

impl Waker {
    /// Wakes whoever receives from `channel`.
    #[must_use]
    pub fn new(channel: mpsc::Sender<()>) -> Self {
        Self(channel)
    }

    /// Wakes; it does not matter whether anybody waits.
    pub fn wake(&self) {
        let _ = self.0.send(());
    }
}
