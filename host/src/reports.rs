//! The way of reports from the threads that work to the one that shows them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use crate::report::Report;

/// So many may wait to be shown before a client that has more to tell waits too.
const CLIENT: usize = 1024;
/// So many of a server's may wait; it waits for nobody.
const SERVER: usize = 1 << 14;

/// Where reports go; clones lead to the same place.
#[derive(Clone, Debug)]
pub struct Reports {
    way: SyncSender<Report>,
    when_full: WhenFull,
    lost: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhenFull {
    Wait,
    /// What is told is lost, and counted.
    Lose,
}

impl Reports {
    /// A way, and its end; whoever tells waits while too many have not been shown.
    #[must_use]
    pub fn new() -> (Self, Receiver<Report>) {
        Self::with(CLIENT, WhenFull::Wait)
    }

    /// A way that holds up nobody: if its reader falls far behind, reports are lost.
    pub(crate) fn for_server() -> (Self, Receiver<Report>) {
        Self::with(SERVER, WhenFull::Lose)
    }

    fn with(waiting: usize, when_full: WhenFull) -> (Self, Receiver<Report>) {
        let (way, end) = sync_channel(waiting);
        (Self { way, when_full, lost: Arc::default() }, end)
    }

    /// Tells it. Nobody may be listening any more.
    pub fn tell(&self, report: Report) {
        // Progress that comes too late is worth nothing.
        let waits = self.when_full == WhenFull::Wait && !matches!(report, Report::Progress { .. });
        if waits {
            let _ = self.way.send(report);
        } else if let Err(TrySendError::Full(report)) = self.way.try_send(report)
            && !matches!(report, Report::Progress { .. })
        {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What counts those that are lost.
    pub(crate) fn lost(&self) -> Lost {
        Lost(Arc::clone(&self.lost))
    }
}

/// Counts reports that were lost.
#[derive(Debug)]
pub(crate) struct Lost(Arc<AtomicU64>);

impl Lost {
    /// How many, since this was asked last.
    pub(crate) fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_waits_for_no_reader() {
        let (reports, end) = Reports::for_server();
        for _ in 0..SERVER + 3 {
            reports.tell(Report::Planned { files: 1, bytes: 1 });
        }
        let lost = reports.lost();
        assert_eq!((lost.take(), lost.take()), (3, 0));
        assert_eq!(end.try_iter().count(), SERVER);
    }
}
