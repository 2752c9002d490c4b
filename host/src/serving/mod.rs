//! A connection that serves a directory: of a server's to whoever dialled it, and of a node's to the server that it is attached to.

mod desk;
mod duties;
mod errand;
mod files;
mod framed;
mod gauge;

mod pushes;
mod relay;
mod relayed;
mod spool;
mod teller;
mod watch;

pub(crate) use desk::Desk;
pub(crate) use errand::{Errand, NoticeErrand, PushErrand, PushNews, PushedFile, Wanting};
pub(crate) use files::say;
pub(crate) use framed::{Ended, Serving, Step};
pub(crate) use gauge::{Figures, Gauge};
pub(crate) use relay::{Asks, Relay, What};
pub(crate) use teller::Teller;
pub(crate) use watch::{Patience, Turn, Watch};

use std::time::Duration;

/// How long files that were received whole may take to get to their places once the link has gone.
pub(crate) const COMMIT: Duration = Duration::from_secs(60);
