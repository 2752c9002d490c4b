//! A server with something to protect.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{Oracle, Place, SOON, Server, Usage};

/// Threads that a store starts when it needs them first, and keeps: one to flush, one to put files into their places.
const STANDING: usize = 2;

/// A server, the folder it serves, and what lies beside it.
#[derive(Debug)]
pub(crate) struct Arena {
    /// The server under attack.
    pub(crate) server: Server,
    /// What it took before.
    pub(crate) base: Usage,
    /// Its folder and the sentinel.
    pub(crate) place: Place,
    good: AtomicU32,
}

impl Arena {
    /// A server without further arguments.
    #[track_caller]
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// A server with these arguments.
    #[track_caller]
    pub(crate) fn with(arguments: &[&str]) -> Self {
        Self::serving(Place::new(), arguments)
    }

    /// A server of this place.
    #[track_caller]
    pub(crate) fn serving(place: Place, arguments: &[&str]) -> Self {
        let server = Server::with(&place.root(), arguments);
        let base = server.settled_usage();
        Self { server, base, place, good: AtomicU32::new(0) }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        self.server.url()
    }

    /// The folder that is served.
    pub(crate) fn root(&self) -> PathBuf {
        self.place.root()
    }

    /// What must be true after an attack.
    pub(crate) fn oracle(&mut self) -> Oracle<'_> {
        Oracle::of(self)
    }

    /// The name of a good client's next file.
    pub(crate) fn next_good(&self) -> String {
        format!("good-{}", self.good.fetch_add(1, Ordering::Relaxed))
    }

    /// No connection is left, and descriptors and threads are back to what they were, at the latest [`SOON`].
    #[track_caller]
    pub(crate) fn assert_given_back(&self) {
        let mut now = self.base;
        let began = Instant::now();
        while began.elapsed() < SOON {
            now = self.server.usage();
            if now.descriptors <= self.base.descriptors && now.threads <= self.base.threads + STANDING {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("not given back in {SOON:?}: {now:?}, and before the attack {:?}", self.base);
    }
}
