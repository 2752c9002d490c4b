//! Who is connected, as values.

use serde::{Deserialize, Serialize};

use crate::failure::ErrorName;
use crate::report::Protocol;

/// One connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectionStatus {
    /// Its number, which no other connection of this server has had.
    pub id: u64,
    /// The name of the node, if one is attached.
    pub node: Option<String>,
    /// The other end.
    pub peer: String,
    /// What it speaks; none before that is known.
    pub protocol: Option<Protocol>,
    /// Since when, in seconds since 1970.
    pub since: f64,
    /// Bytes that came, everything counted.
    pub received: u64,
    /// Bytes that went.
    pub sent: u64,
    /// Bytes a second that come now.
    pub receive_rate: f64,
    /// Bytes a second that go now.
    pub send_rate: f64,
    /// What is under way.
    pub transfers: Vec<TransferStatus>,
}

/// One transfer that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferStatus {
    /// Its name.
    pub name: String,
    /// Which way it goes.
    pub way: Way,
    /// Bytes so far, what was resumed included.
    pub bytes: u64,
    /// Bytes in all, if that is known.
    pub size: Option<u64>,
}

/// Which way a transfer goes, as the server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// To the server.
    Receive,
    /// From the server.
    Send,
}

/// A server as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// Where it listens.
    pub urls: Vec<String>,
    /// The number of its process.
    pub pid: u32,
    /// Since when, in seconds since 1970.
    pub since: f64,
    /// Connections now.
    pub connections: u64,
    /// Nodes that are attached, of these.
    pub nodes: u64,
    /// Transfers that are under way.
    pub transfers: u64,
    /// Bytes that came since it began, everything counted.
    pub received: u64,
    /// Bytes that went.
    pub sent: u64,
    /// Bytes a second that come now.
    pub receive_rate: f64,
    /// Bytes a second that go now.
    pub send_rate: f64,
    /// Whether it takes nobody any more.
    pub draining: bool,
}

/// What became of a notice to one connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notified {
    /// The connection's number; none of a node that is not attached.
    pub id: Option<u64>,
    /// The node's name, if it is one.
    pub node: Option<String>,
    /// The other end; none of a node that is not attached.
    pub peer: Option<String>,
    /// What became of it.
    pub result: NoticeResult,
    /// How long that took, in seconds.
    pub seconds: f64,
}

/// How a notice ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeResult {
    /// The peer has said that it took it.
    Taken,
    /// It was sent to a classic client, which cannot say so.
    Told,
    /// A classic client is still sending: it is told just before the last reply.
    Pending,
    /// The peer's connection ended, or a classic client had its last reply, before it could be told.
    TooLate,
    /// The peer cannot be told: its file was refused, or it has not said yet what it speaks.
    NotPossible,
    /// There was no answer in time.
    Timeout,
    /// The link was lost before there was an answer.
    LinkLost,
    /// There is nobody of this name.
    NotFound,
}

impl NoticeResult {
    /// Whether the peer has it, or will have it if all goes well.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Taken | Self::Told | Self::Pending)
    }
}

/// A file that a node has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pushed {
    /// The node's name.
    pub node: String,
    /// The file's name.
    pub name: String,
    /// Bytes in all.
    pub size: u64,
    /// The offset that was there already; `size` if the node had all of it.
    pub resumed_from: u64,
    /// `KIND:HEX`, if one was computed.
    pub digest: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// What a push came to at one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeResult {
    /// The node's name.
    pub node: String,
    /// Files that it has.
    pub files: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Bytes of these that it had already.
    pub resumed: u64,
    /// Why it has not got all of them, if that is so.
    pub error: Option<ErrorName>,
    /// The same for people. It may quote the peer.
    pub message: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// What a request came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Total {
    /// Nodes, or connections, that were to be told something.
    pub asked: u64,
    /// Those with which it succeeded.
    pub succeeded: u64,
    /// Those with which it did not.
    pub failed: u64,
    /// Files that arrived, over all nodes.
    pub files: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Bytes of these that were there already.
    pub resumed: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
}
