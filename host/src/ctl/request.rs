//! What is asked of a server.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The version of requests and answers.
pub const VERSION: u32 = 1;

/// What a connection to the control socket asks for: its first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// Who is connected: a [`Connection`](super::Answer::Connection) for each, then the [`Status`](super::Answer::Status).
    Status {
        /// Again after so many seconds, until the connection is closed; once if there is no number.
        #[serde(default)]
        every: Option<f64>,
    },
    /// A notice to these: a [`Notified`](super::Answer::Notified) for each, as they come, then the [`Summary`](super::Answer::Summary).
    Notify {
        /// At most 1,024 bytes.
        text: String,
        /// `all`, names of nodes, and `#ID` of connections.
        to: Vec<String>,
        /// How many seconds an answer is waited for.
        within: f64,
    },
    /// Files to these nodes: [`Progress`](super::Answer::Progress), [`Pushed`](super::Answer::Pushed) and
    /// [`Failed`](super::Answer::Failed), a [`Result`](super::Answer::Result) for each, then the [`Summary`](super::Answer::Summary).
    /// It is cancelled if the connection is closed before.
    Push {
        /// At least one.
        files: Vec<FileToPush>,
        /// `all`, names of nodes, and `#ID` of connections.
        to: Vec<String>,
        /// How many nodes at a time; at least 1.
        parallel: u32,
        /// How many seconds a node may be away, or not come further.
        within: f64,
    },
    /// A session with this node: after [`Reached`](super::Answer::Reached) the connection is its link, on which whoever asked speaks first.
    Reach {
        /// Its name.
        node: String,
    },
    /// Ends these connections: a [`Disconnected`](super::Answer::Disconnected) for each, then the [`Summary`](super::Answer::Summary).
    Disconnect {
        /// `all`, names of nodes, and `#ID` of connections.
        who: Vec<String>,
    },
    /// Takes nobody any more, lets those who are connected finish, then stops: [`Draining`](super::Answer::Draining) now and then, and
    /// [`Drained`](super::Answer::Drained) last.
    Drain,
}

/// A file to push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileToPush {
    /// Its absolute path, which the server opens.
    pub path: PathBuf,
    /// What it is called at the nodes.
    pub name: String,
}
