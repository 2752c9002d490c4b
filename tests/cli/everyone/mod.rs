//! Speaking to everyone connected: nodes that stay, notices, files that are pushed, and the control socket that all of it is asked at.

mod attached;
mod crowd;
mod drained;
mod hostile_nodes;
mod notices;
mod notices_classic;
mod pushes;
mod pushes_resumed;
mod pushes_trouble;
mod reached;
mod socket;
mod status;

use std::path::{Path, PathBuf};

use sampan_core::wire::{Kind, Offer};

use crate::kit::{Framed, Place, Running, Sampan, Server};

/// A server to attach to, beside the folders of its nodes.
#[derive(Debug)]
struct Harbour {
    server: Server,
    place: Place,
}

impl Harbour {
    #[track_caller]
    fn new() -> Self {
        Self::with(&[])
    }

    #[track_caller]
    fn with(arguments: &[&str]) -> Self {
        let place = Place::new();
        let server = Server::with(&place.root(), arguments);
        Self { server, place }
    }

    /// A node, attached.
    #[track_caller]
    fn node(&self, name: &str, arguments: &[&str]) -> Node {
        let node = self.node_at(self.server.url(), name, arguments);
        self.server.await_node(name);
        node
    }

    /// A node of a server that may be anywhere.
    #[track_caller]
    fn node_at(&self, url: &str, name: &str, arguments: &[&str]) -> Node {
        let folder = self.place.path().join("nodes").join(name);
        let running = Sampan::attach(url, name, &folder, arguments).start();
        Node { running, folder }
    }
}

/// `sampan attach`, while it runs.
#[derive(Debug)]
struct Node {
    running: Running,
    folder: PathBuf,
}

impl Node {
    /// What it has under this name.
    fn has(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.folder.join(name)).ok()
    }

    /// How much of an unfinished file would be resumed, as its record beside it says; 0 if there is none.
    fn durable(&self) -> u64 {
        let kept = crate::kit::entries(&self.folder).into_iter().filter(|name| name.starts_with(".sampan"));
        let records = kept.filter_map(|name| std::fs::read(self.folder.join(name)).ok());
        let copies = records.flat_map(|bytes| [0, 2048].map(|at| bytes.get(at..at + 16).map(<[u8]>::to_vec)));
        let copies = copies.flatten().filter(|copy| copy.starts_with(b"SPN1"));
        copies.filter_map(|copy| Some(u64::from_le_bytes(*copy.last_chunk()?))).max().unwrap_or(0)
    }

    /// It has these contents under this name.
    #[track_caller]
    fn assert_has(&self, name: &str, contents: &[u8]) {
        assert!(self.has(name).as_deref() == Some(contents), "{} has another {name}", self.folder.display());
    }

    /// What it has, hidden or not, but for what it keeps for itself.
    fn visible(&self) -> Vec<String> {
        let mut names = crate::kit::entries(&self.folder);
        names.retain(|name| !name.starts_with(".sampan"));
        names
    }
}

/// A sparse file of this size.
fn sparse(path: &Path, size: u64) {
    std::fs::File::create(path).and_then(|file| file.set_len(size)).expect("a sparse file");
}

/// Waits for the OFFER that answers a WANT; its id.
#[track_caller]
fn expect_offer_of(session: &mut Framed, want: u32) -> u32 {
    let frame = session.expect(Kind::Offer);
    let offer = Offer::parse(&frame[1..]).expect("an OFFER");
    assert_eq!(offer.want, Some(want));
    offer.transfer
}
