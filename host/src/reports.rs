//! The way of reports from the threads that work to the one that shows them.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::report::Report;

/// So many may wait to be shown before whoever has more to tell waits too.
const WAITING: usize = 1024;

/// Where reports go; clones lead to the same place.
#[derive(Clone, Debug)]
pub struct Reports(SyncSender<Report>);

impl Reports {
    /// A way, and its end.
    #[must_use]
    pub fn new() -> (Self, Receiver<Report>) {
        let (sender, receiver) = sync_channel(WAITING);
        (Self(sender), receiver)
    }

    /// Tells it. Nobody may be listening any more.
    pub fn tell(&self, report: Report) {
        let _ = match report {
            // One that comes too late is worth nothing.
            Report::Progress { .. } => self.0.try_send(report).map_err(|_| ()),
            report => self.0.send(report).map_err(|_| ()),
        };
    }
}
