//! Files to many nodes.

mod node;
mod runner;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use sampan_core::FileType;
use sampan_core::wire::FileName;

use super::registry::Registry;
use super::{NodeResult, Pushed, To, ToPush, Total, Who};
use crate::failure::{ErrorName, Failure};
use crate::file_error::{Doing, FileError};
use crate::outbound::Version;
use crate::serving::PushedFile;
use crate::source::{ItemKind, open_regular};
use crate::store::file_io::is_executable;
use runner::Runner;

/// How a push goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushOptions {
    /// Nodes at a time, at least one.
    pub parallel: usize,
    /// How long a node may be away, or not come further, before it is given up.
    pub within: Duration,
}

impl Default for PushOptions {
    fn default() -> Self {
        Self { parallel: 32, within: Duration::from_secs(60) }
    }
}

/// What happens in a push: an iterator that waits for the next event, and ends after [`PushEvent::Summary`]. Dropped, it cancels the push;
/// what nodes have of a file by then stays there, and is not sent again by the next.
#[derive(Debug)]
pub struct Push {
    events: Receiver<PushEvent>,
    cancelled: Arc<AtomicBool>,
}

/// Something that happened in a push.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PushEvent {
    /// A node is not attached now; it is waited for.
    Waiting {
        /// Its name.
        node: String,
    },
    /// A file has come further; at most four a second for each node.
    Progress {
        /// The node's name.
        node: String,
        /// The file's name.
        name: String,
        /// Bytes that the node has.
        bytes: u64,
        /// Bytes in all.
        size: u64,
    },
    /// A node has a file, verified and durable.
    Pushed(Pushed),
    /// A node is done with; there is one of these for each.
    Result(NodeResult),
    /// The last word.
    Summary(Total),
}

impl Push {
    pub(super) fn begin(
        registry: &Arc<Registry>,
        files: &[ToPush<'_>],
        to: &To,
        options: PushOptions,
    ) -> Result<Self, Failure> {
        let files = open(files)?;
        let names = nodes(registry, to)?;
        let (way, events) = channel();
        let cancelled = Arc::new(AtomicBool::new(false));
        let runner = Runner::new(Arc::clone(registry), files, names, options, way, Arc::clone(&cancelled));
        let thread = thread::Builder::new().name("push".into()).spawn(move || runner.run());
        thread.map_err(|error| Failure::new(ErrorName::Other, format!("cannot begin to push: {error}")))?;
        Ok(Self { events, cancelled })
    }

    /// Gives up every node that is not done with; results and the summary still come.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
    }

    /// The next event, if there is one within this time; none after the last too.
    pub fn next_within(&mut self, timeout: Duration) -> Option<PushEvent> {
        self.events.recv_timeout(timeout).ok()
    }
}

impl Iterator for Push {
    type Item = PushEvent;

    fn next(&mut self) -> Option<PushEvent> {
        self.events.recv().ok()
    }
}

impl Drop for Push {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Opens them, once for all nodes.
fn open(files: &[ToPush<'_>]) -> Result<Vec<Arc<PushedFile>>, Failure> {
    let usage = |what| Failure::new(ErrorName::Usage, what);
    if files.is_empty() {
        return Err(usage("there is nothing to push".to_owned()));
    }
    let mut opened: Vec<Arc<PushedFile>> = Vec::new();
    for ToPush { path, name } in files {
        FileName::new(name)
            .map_err(|error| usage(format!("{name:?} cannot be the name of a file at a node: {error}")))?;
        if opened.iter().any(|file| file.name == *name) {
            return Err(usage(format!("two files would be called {name:?} at the nodes")));
        }
        let (file, metadata) = open_regular(path, ItemKind::Named)
            .map_err(|cause| Failure::from(FileError::new(Doing::Open, path, cause)))?;
        let file_type = if is_executable(&metadata) { FileType::Executable } else { FileType::File };
        let (name, version) = ((*name).to_owned(), Version::of(&metadata));
        opened.push(Arc::new(PushedFile { name, file: Arc::new(file), version, file_type }));
    }
    Ok(opened)
}

/// The names of the nodes that are meant, each once.
fn nodes(registry: &Registry, to: &To) -> Result<Vec<String>, Failure> {
    let (members, absent) = registry.find(to);
    let mut names = Vec::new();
    for member in members {
        match (member.node(), to) {
            (Some(name), _) => names.push(name),
            (None, To::All) => {}
            (None, To::These(_)) => {
                let what = format!("#{} is not a node: it does not stay attached", member.id);
                return Err(Failure::new(ErrorName::NotFound, what));
            }
        }
    }
    for who in absent {
        match who {
            Who::Node(name) => names.push(name),
            Who::Connection(id) => {
                return Err(Failure::new(ErrorName::NotFound, format!("there is no connection #{id}")));
            }
        }
    }
    if names.is_empty() {
        return Err(Failure::new(ErrorName::NotFound, "no node is attached")
            .with_advice("see who is connected with: sampan ctl status"));
    }
    names.dedup();
    Ok(names)
}
