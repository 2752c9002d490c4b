//! A directory that files are received into and served from, and that loses nothing.
//!
//! ```text
//!   offered ─► part (hidden, locked) ─► store … sync ─► commit ─► flush, rename, flush the directory ─► its name
//!                │                        │                │
//!                └ record: how much is    └ Syncer         └ Committer, many files at a time
//!                  durable, to resume
//! ```
//!
//! Nothing is visible under its name before it is whole, verified and flushed. No name and no link leads out of the directory; nothing
//! but regular files and directories is opened. Several processes may use one directory: a part is locked by whoever writes it.

mod committer;
pub(crate) mod file_io;
mod follower;
mod gathered;
mod key;
mod late;
mod lister;
mod part;
mod place;
mod record;
mod root;
mod sink;
mod source;
mod stamp;
mod sweep;
mod syncer;
mod worker;
mod writers;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sampan_core::Refusal;
use sampan_core::wire::Code;

use crate::control::Control;
use crate::file_error::{Doing, FileError};
use crate::link::Nature;
use committer::Committer;
use root::Root;
use sweep::Known;
use syncer::Syncer;
use writers::Writers;

pub use sink::{Accepts, Receipt, StoreSink};
pub use source::{Sending, Serves, StoreSource};

/// A directory for transfers; clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    root: Root,
    options: StoreOptions,
    writers: Arc<Writers>,
    syncer: Syncer,
    committer: Arc<Committer>,
    known: Known,
}

/// What a store takes, and how long it keeps what was begun.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// Which names.
    pub names: Names,
    /// The largest file, in bytes.
    pub max_file_size: Option<u64>,
    /// Parts that nobody has gone on with for so long are thrown away.
    pub part_age: Duration,
}

/// Which of the valid names are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Every one of `docs/protocol.md` §6.
    Valid,
    /// Those that Windows can hold too.
    Portable,
}

/// What happens to a name that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// The new file takes its place, at once.
    Replace,
    /// The new file gets another name, unless it is the same.
    Keep,
    /// The new file is refused, unless it is the same.
    Refuse,
}

impl Default for StoreOptions {
    fn default() -> Self {
        let week = Duration::from_secs(7 * 24 * 3600);
        Self { names: Names::Valid, max_file_size: None, part_age: week }
    }
}

impl Store {
    /// The directory at `path`, which is made if it is missing. What nobody can go on with is thrown away.
    ///
    /// # Errors
    ///
    /// If it cannot be made or opened.
    pub fn open(path: &Path, options: StoreOptions) -> Result<Self, FileError> {
        let root = Root::open(path).map_err(|cause| FileError::new(Doing::Open, path, cause))?;
        let shared = Shared {
            root,
            options,
            writers: Arc::new(Writers::new()),
            syncer: Syncer::default(),
            committer: Arc::default(),
            known: Known::default(),
        };
        let store = Self { shared: Arc::new(shared) };
        store.sweep();
        Ok(store)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.shared.root.path()
    }

    /// Throws away what was begun and nobody goes on with.
    pub fn sweep(&self) {
        let Shared { root, options, known, .. } = &*self.shared;
        sweep::sweep(&root.refresh(), options.part_age, known);
    }

    /// The receiving half of a connection's storage.
    #[must_use]
    pub fn sink(&self, accepts: Accepts, on_conflict: OnConflict, control: &Arc<Control>) -> StoreSink {
        StoreSink::new(self.clone(), accepts, on_conflict, control)
    }

    /// The sending half of a connection's storage.
    #[must_use]
    pub fn source(&self, serves: Serves, link: Nature) -> StoreSource {
        StoreSource::new(self.shared.root.refresh(), serves, link)
    }
}

/// What the peer is told of an error with a file of the store's.
fn refusal(doing: Doing, error: &io::Error) -> Refusal {
    if error.kind() == io::ErrorKind::NotADirectory || is_loop(error) {
        return Refusal { code: Code::Exists, words: "a part of the name is a file or a link" };
    }
    FileError::refusal_for(doing, error)
}

#[cfg(unix)]
fn is_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

#[cfg(not(unix))]
fn is_loop(_: &io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests;
