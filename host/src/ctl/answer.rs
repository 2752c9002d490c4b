//! What a server answers.

use serde::{Deserialize, Serialize};

use crate::failure::ErrorName;
use crate::server::{ConnectionStatus, NodeResult, Notified, Pushed, ServerStatus, Total};

/// One line of an answer; `docs/cli.md` §13 lists the fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Answer {
    /// A connection.
    Connection(ConnectionStatus),
    /// The server as a whole, after its connections.
    Status(ServerStatus),
    /// What became of a notice.
    Notified(Notified),
    /// A node is not attached now; it is waited for.
    Waiting {
        /// Its name.
        node: String,
    },
    /// A file is on its way; at most four a second for each node.
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
    /// A node is done with, for better or worse.
    Result(NodeResult),
    /// A connection is being ended.
    Disconnected(Disconnected),
    /// The rest of this connection is the link to a node.
    Reached {
        /// Its name.
        node: String,
    },
    /// The server takes nobody any more and waits.
    Draining {
        /// Connections that are left.
        connections: u64,
        /// Transfers that are under way.
        transfers: u64,
    },
    /// Everybody has finished; the server stops.
    Drained,
    /// It cannot be done at all. Nothing follows.
    Failed {
        /// Which error (`docs/cli.md` §10).
        error: ErrorName,
        /// What, why and what to do.
        message: String,
    },
    /// The last word.
    Summary(Total),
    /// What a later version says, to be passed over. It is never sent.
    #[serde(other)]
    Unknown,
}

/// A connection that was ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnected {
    /// Its number.
    pub id: u64,
    /// The node's name, if it is one.
    pub node: Option<String>,
    /// The other end.
    pub peer: String,
}
