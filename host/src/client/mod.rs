//! Clients: sending, fetching and listing over a link that may be lost and dialled again.

mod asks;
mod attach;
mod attempts;
mod classic;
mod dial;
mod fetching;
mod get;
mod listed;
mod ls;
mod output;
mod ping;
mod plan;
mod send;
mod tally;
mod wanted;

use sampan_core::wire::{DigestKind, DigestList};
use sampan_core::{Limits, Millis};

use crate::digests;
use crate::failure::ErrorName;
use crate::link::{TcpOptions, Url};
use crate::report::Summary;
use crate::stop::Stop;

pub use attach::{AttachOptions, attach};
pub use classic::send_classic;
pub use get::{Destination, get};
pub use ls::ls;
pub use ping::{PingOptions, ping};
pub use plan::{LeftOut, Plan};
pub use send::send;

/// How a client goes about it.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The server.
    pub url: Url,
    /// The one digest to make or to ask for; `None` for the peer's choice.
    pub digest: Option<DigestKind>,
    /// How often a lost link is dialled again before anything has come further.
    pub retries: u32,
    /// Silence after which a link counts as lost.
    pub timeout: Millis,
    /// Bytes a second.
    pub rate: Option<u64>,
    /// How sockets are set up.
    pub tcp: TcpOptions,
    /// Whether to stop.
    pub stop: Stop,
}

impl ClientOptions {
    /// For this server.
    #[must_use]
    pub fn new(url: Url) -> Self {
        let (tcp, stop) = Default::default();
        Self { url, digest: None, retries: 5, timeout: Millis(30_000), rate: None, tcp, stop }
    }

    fn limits(&self) -> Limits {
        let digests = self.digest.map_or(digests::ALL, |kind| DigestList::new(&[kind]));
        Limits {
            checks: digests,
            makes: digests,
            handshake: self.timeout.min(Limits::LARGE.handshake),
            silence: self.timeout,
            ..Limits::LARGE
        }
    }

    /// The largest frame: at a low rate one must not take long, or nothing else gets a word in.
    fn frame(&self) -> usize {
        let largest = crate::memory::FRAME;
        self.rate.map_or(largest, |rate| usize::try_from(rate / 4).unwrap_or(largest).clamp(1200, largest))
    }
}

/// What a client came to. What failed has been reported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Figures.
    pub summary: Summary,
    /// Why it is no success, if it is none.
    pub error: Option<ErrorName>,
}
