//! Everyone who is connected to a server.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::connection::Service;
use super::push::{Push, PushOptions};
#[cfg(unix)]
use super::reach::Reach;
use super::registry::seconds;
use super::{Broadcast, ConnectionStatus, ServerStatus, To};
use crate::control::Order;
use crate::failure::Failure;
use crate::link::Waker;

/// Speaks to everyone who is connected to a server, from any thread; clones speak to the same.
#[derive(Clone, Debug)]
pub struct Everyone {
    pub(super) service: Arc<Service>,
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
        self.service.registry.members().iter().map(|member| member.status()).collect()
    }

    /// Who is connected, and the server as a whole.
    #[must_use]
    pub fn status(&self) -> (Vec<ConnectionStatus>, ServerStatus) {
        let (connections, (received, sent)) = (self.connections(), self.service.registry.gone());
        let mut status = ServerStatus {
            urls: self.service.urls.clone(),
            pid: std::process::id(),
            since: seconds(self.service.began),
            connections: connections.len() as u64,
            nodes: 0,
            transfers: 0,
            received,
            sent,
            receive_rate: 0.0,
            send_rate: 0.0,
            draining: self.service.draining.load(Ordering::SeqCst),
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
        Broadcast::begin(&self.service.registry, text, to, within)
    }

    /// Sends files to nodes. What comes of it is told by the [`Push`]; dropping that cancels it.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or nobody is attached.
    pub fn push(&self, files: &[ToPush<'_>], to: &To, options: PushOptions) -> Result<Push, Failure> {
        Push::begin(&self.service, files, to, options)
    }

    /// A way to the node of this name, if one is attached.
    #[cfg(unix)]
    pub(crate) fn reach(&self, node: &str) -> Option<Reach> {
        self.service.registry.node(node).map(Reach::new)
    }

    /// How many are connected, and what of theirs is under way.
    #[cfg(unix)]
    pub(crate) fn left(&self) -> (u64, u64) {
        let members = self.service.registry.members();
        let transfers = members.iter().map(|member| member.desk.gauge.figures().transfers.len() as u64);
        (members.len() as u64, transfers.sum())
    }

    /// Ends connections: those that are being ended, and how many of those named are not here.
    pub fn disconnect(&self, to: &To) -> (Vec<ConnectionStatus>, usize) {
        let (members, absent) = self.service.registry.find(to);
        for member in &members {
            member.desk.control.ask(Order::Stop);
        }
        (members.iter().map(|member| member.status()).collect(), absent.len())
    }

    /// Takes nobody any more, lets those who are connected finish what is under way, and then stops.
    pub fn drain(&self) {
        self.service.draining.store(true, Ordering::SeqCst);
        self.service.registry.ask_all(Order::Finish);
        self.waker.wake();
    }
}
