//! What a server or a client has to tell, as values (`docs/cli.md` §9): whoever runs it prints them, or does not.

use serde::{Deserialize, Serialize};

use crate::failure::ErrorName;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Report {
    /// The server takes connections at this URL.
    Listening {
        /// With the port that was taken.
        url: String,
    },
    /// A session is open, or a classic client has begun.
    Connected {
        /// The other end.
        peer: String,
        /// What it speaks.
        protocol: Protocol,
    },
    /// A node has attached itself (`docs/cli.md` §11).
    Attached {
        /// Its name.
        node: String,
        /// The other end.
        peer: String,
    },
    /// A node that was attached has gone.
    Detached {
        /// Its name.
        node: String,
        /// The other end.
        peer: String,
    },
    /// What is to be sent or fetched, as far as it is known.
    Planned {
        /// Files and directories.
        files: u64,
        /// Bytes of their contents.
        bytes: u64,
    },
    /// A transfer began.
    Started {
        /// Its name, as the peer has it.
        name: String,
        /// Bytes in all, if that is known.
        size: Option<u64>,
    },
    /// A transfer came further; at most four a second.
    Progress {
        /// Its name.
        name: String,
        /// Bytes so far, what was resumed included.
        bytes: u64,
        /// Bytes in all, if that is known.
        size: Option<u64>,
    },
    /// A file was received, verified and put into its place.
    Received(Moved),
    /// A file was sent; the peer has it, verified and durable.
    Sent(Moved),
    /// A record of a listing.
    Entry {
        /// What a client would ask for.
        name: String,
        /// Bytes in all; none for directories.
        size: Option<u64>,
        /// Seconds since 1970.
        modified: Option<f64>,
        /// It is a directory.
        directory: bool,
        /// It may be run.
        executable: bool,
    },
    /// Something that cannot be sent was left out.
    Skipped {
        /// Its path here.
        name: String,
        /// Why.
        message: String,
    },
    /// A transfer or a connection failed.
    Failed(Failed),
    /// Text from the peer's user.
    Notice {
        /// The text.
        text: String,
        /// The other end.
        peer: String,
    },
    /// What was said on a serial line between frames: a boot log, a shell.
    Console {
        /// The text.
        text: String,
        /// The other end.
        peer: String,
    },
    /// A ping was answered.
    Pong {
        /// Which of them, counted from 1.
        number: u32,
        /// The other end.
        peer: String,
        /// From its sending to its answer.
        seconds: f64,
    },
    /// A ping was not answered.
    Lost {
        /// Which of them, counted from 1.
        number: u32,
    },
    /// What a link was found to be like.
    Measured(Measured),
    /// The last word.
    Summary(Summary),
}

/// What a link was found to be like.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The other end.
    pub peer: String,
    /// Pings that were sent.
    pub sent: u32,
    /// Those that were answered.
    pub answered: u32,
    /// The share of the others: 0 to 1.
    pub loss: f64,
    /// The shortest round trip, in seconds, if there was any.
    pub min: Option<f64>,
    /// The one in the middle.
    pub median: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
    /// The longest frame that has reached the peer, kind to check, in bytes.
    pub largest_frame: Option<u64>,
    /// Bytes a second of frames that have reached the peer.
    pub throughput: Option<f64>,
}

/// A file that arrived.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moved {
    /// Its name on the wire.
    pub name: String,
    /// Bytes in all.
    pub size: u64,
    /// The other end.
    pub peer: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// The offset that was there already.
    pub resumed_from: u64,
    /// `KIND:HEX`, if one was computed.
    pub digest: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The name it has got, if that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored_as: Option<String>,
}

/// Something that did not succeed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failed {
    /// The transfer's name; none if it concerns the connection.
    pub name: Option<String>,
    /// Which error, by its stable name.
    pub error: ErrorName,
    /// What, why and what to do, for people. It may quote the peer.
    pub message: String,
    /// Whether the same command resumes it.
    pub resumable: bool,
    /// The other end, if there was one.
    pub peer: Option<String>,
}

/// What a command came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Files and directories that arrived.
    pub files: u64,
    /// Bytes of their contents.
    pub bytes: u64,
    /// Bytes of these that were there already.
    pub resumed: u64,
    /// What was left out.
    pub skipped: u64,
    /// What failed.
    pub failed: u64,
    /// How long it took.
    pub seconds: f64,
}

impl Report {
    /// What was said between frames, if it is text: damaged frames are none.
    pub(crate) fn console(bytes: &[u8], peer: &str) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?.trim();
        let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{1b}' | '\u{8}');
        let is_text = !text.is_empty() && text.chars().all(plain);
        is_text.then(|| Self::Console { text: text.to_owned(), peer: peer.to_owned() })
    }
}

/// What a peer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// The protocol of `docs/protocol.md` §2 to §13.
    Framed,
    /// The classic handshake (§14).
    Classic,
}
