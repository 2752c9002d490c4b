//! Everyone who is connected to a server.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::push::{Push, PushOptions};
#[cfg(unix)]
use super::reach::Reach;
use super::registry::{Registry, seconds};
use super::{Broadcast, ConnectionStatus, ServerStatus, To};
use crate::control::Order;
use crate::failure::Failure;
use crate::link::Waker;

/// Speaks to everyone who is connected to a server, from any thread; clones speak to the same.
#[derive(Clone, Debug)]
pub struct Everyone {
    pub(super) registry: Arc<Registry>,
    /// Where the server listens, and since when.
    pub(super) urls: Arc<[String]>,
    pub(super) began: SystemTime,
    /// Wakes the thread that takes connections.
    pub(super) waker: Waker,
}

/// A file to push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToPush<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// What it is called at the nodes: a valid name (`docs/protocol.md` §6).
    pub name: &'a str,
}

impl Everyone {
    /// Who is connected, in the order in which they came.
    #[must_use]
    pub fn connections(&self) -> Vec<ConnectionStatus> {
        self.registry.members().iter().map(|member| member.status()).collect()
    }

    /// Who is connected, and the server as a whole.
    #[must_use]
    pub fn status(&self) -> (Vec<ConnectionStatus>, ServerStatus) {
        let (connections, (received, sent)) = (self.connections(), self.registry.gone());
        let mut status = ServerStatus {
            urls: self.urls.to_vec(),
            pid: std::process::id(),
            since: seconds(self.began),
            connections: connections.len() as u64,
            nodes: 0,
            transfers: 0,
            received,
            sent,
            receive_rate: 0.0,
            send_rate: 0.0,
            draining: self.registry.is_draining(),
        };
        for connection in &connections {
            status.nodes += u64::from(connection.node.is_some());
            status.transfers += connection.transfers.len() as u64;
            status.received += connection.received;
            status.sent += connection.sent;
            status.receive_rate += connection.receive_rate;
            status.send_rate += connection.send_rate;
        }
        (connections, status)
    }

    /// Sends a notice; each of those it is for has `within` to answer. Words beyond 1,024 bytes are cut.
    #[must_use]
    pub fn broadcast(&self, text: &str, to: &To, within: Duration) -> Broadcast {
        Broadcast::begin(&self.registry, text, to, within)
    }

    /// Sends files to nodes. What comes of it is told by the [`Push`]; dropping that cancels it.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or nobody is attached.
    pub fn push(&self, files: &[ToPush<'_>], to: &To, options: PushOptions) -> Result<Push, Failure> {
        Push::begin(&self.registry, files, to, options)
    }

    /// A way to the node of this name, if one is attached.
    #[cfg(unix)]
    pub(crate) fn reach(&self, node: &str) -> Option<Reach> {
        self.registry.node(node).map(Reach::new)
    }

    /// How many are connected, and what of theirs is under way.
    #[cfg(unix)]
    pub(crate) fn left(&self) -> (u64, u64) {
        let members = self.registry.members();
        let transfers = members.iter().map(|member| member.desk.gauge.figures().transfers.len() as u64);
        (members.len() as u64, transfers.sum())
    }

    /// Ends connections: those that are being ended, and how many of those named are not here.
    pub fn disconnect(&self, to: &To) -> (Vec<ConnectionStatus>, usize) {
        let (members, absent) = self.registry.find(to);
        for member in &members {
            member.desk.control.ask(Order::Stop);
        }
        (members.iter().map(|member| member.status()).collect(), absent.len())
    }

    /// Takes nobody any more, lets those who are connected finish what is under way, and then stops.
    pub fn drain(&self) {
        self.registry.drain();
        self.registry.ask_all(Order::Finish);
        self.waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{Server, ServerOptions};
    use crate::store::{Store, StoreOptions};

    #[test]
    fn reports_end_with_the_server_whoever_still_speaks_to_everyone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), StoreOptions::default()).unwrap();
        let options =
            ServerOptions { listen: vec!["tcp://127.0.0.1:0".parse().unwrap()], ..ServerOptions::default() };
        let (server, reports) = Server::start(store, options).unwrap();
        let everyone = server.everyone();
        assert_eq!(everyone.status().1.urls.len(), 1);
        everyone.drain();
        assert_eq!(reports.iter().count(), 1);
        server.stop();
        assert!(everyone.connections().is_empty());
        assert_eq!(everyone.broadcast("tea", &To::All, Duration::from_secs(9)).count(), 0);
        assert!(everyone.push(&[], &To::All, PushOptions::default()).is_err());
    }
}
