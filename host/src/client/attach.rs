//! Staying connected to a server, as a node.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sampan_core::wire::{Code, NodeName};
use sampan_core::{Error, Limits, Millis};

use super::ClientOptions;
use super::attempts::nothing_to_give;
use super::dial::dial;
use crate::clock::Clock;
use crate::control::{Control, Order};
use crate::digests;
use crate::failure::{ErrorName, Failure};
use crate::link::{StreamLink, TcpOptions, Url, Waker};
use crate::memory::{FRAME, Memory, Opening, TRANSFERS};
use crate::report::{Failed, Protocol, Report};
use crate::reports::Reports;
use crate::serving::{Desk, Ended, Serving, Step, Teller};
use crate::stop::Stop;
use crate::store::{Accepts, OnConflict, Serves, Store};

/// The pause before the link is dialled again, at first and at most.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A session that was open for so long makes the pauses short again.
const STABLE: Duration = Duration::from_secs(10);
/// How often an interruption is noticed while nothing else happens.
const TICK: Duration = Duration::from_millis(50);

/// How a node stays connected.
#[derive(Clone, Debug)]
pub struct AttachOptions {
    /// The server.
    pub url: Url,
    /// The node's name: 1 to 64 ASCII letters, digits, `.`, `_` and `-`, not `all`; or empty, and the server gives it one.
    pub node: String,
    /// What the server's user may ask for.
    pub serves: Serves,
    /// What happens to names that exist.
    pub on_conflict: OnConflict,
    /// Silence after which a link counts as lost.
    pub timeout: Millis,
    /// How sockets are set up.
    pub tcp: TcpOptions,
    /// Whether to stop.
    pub stop: Stop,
}

impl AttachOptions {
    /// A node of this name at this server, which takes files and gives none.
    #[must_use]
    pub fn new(url: Url, node: &str) -> Self {
        let (serves, tcp, stop) = Default::default();
        let (on_conflict, timeout) = (OnConflict::Replace, Millis(30_000));
        Self { url, node: node.to_owned(), serves, on_conflict, timeout, tcp, stop }
    }
}

/// Stays connected until it is asked to stop: takes what is pushed into the store, gives what may be asked for, reports notices. A link that is
/// lost, or cannot be opened, is dialled again.
///
/// # Errors
///
/// If dialling again is of no use: the server takes no nodes, another node has come under this name, or the peer speaks something else.
/// [`ErrorName::Usage`] if the name is not valid.
pub fn attach(store: &Store, options: &AttachOptions, reports: &Reports) -> Result<(), Failure> {
    let name = NodeName::new(&options.node).map_err(|error| {
        Failure::new(ErrorName::Usage, format!("{:?} cannot be the name of a node: {error}", options.node))
    })?;
    let waker = Waker::new().map_err(nothing_to_give)?;
    let _registration = options.stop.register(waker.clone());
    let client = ClientOptions {
        timeout: options.timeout,
        tcp: options.tcp,
        stop: options.stop.clone(),
        ..ClientOptions::new(options.url.clone())
    };
    let mut pauses = Pauses::default();
    let mut dials = Dials::Succeed;
    loop {
        let began = Instant::now();
        let (failure, peer) = match dial(&client, &waker) {
            Ok(link) => {
                let peer = link.peer();
                let ended = session(store, options, name, link, &waker, reports).err();
                let closed = || Failure::new(ErrorName::Closing, "the server has ended the session");
                (ended.unwrap_or_else(closed), Some(peer))
            }
            Err(failure) => (failure, None),
        };
        if options.stop.is_asked() {
            return Ok(());
        }
        if is_for_good(failure.error) {
            return Err(failure);
        }
        let message = format!("{failure}; it is dialled again");
        match (&peer, dials) {
            (None, Dials::Fail) => tracing::info!("{message}"),
            _ => reports.tell(Report::Failed(Failed {
                name: None,
                error: failure.error,
                message,
                resumable: true,
                peer: peer.clone(),
            })),
        }
        dials = if peer.is_some() { Dials::Succeed } else { Dials::Fail };
        if peer.is_some() && began.elapsed() >= STABLE {
            pauses = Pauses::default();
        }
        let until = Instant::now() + pauses.next()?;
        while Instant::now() < until && !options.stop.is_asked() {
            std::thread::sleep(TICK.min(until.saturating_duration_since(Instant::now())));
        }
        if options.stop.is_asked() {
            return Ok(());
        }
    }
}

/// Whether dialling again is of no use.
const fn is_for_good(error: ErrorName) -> bool {
    matches!(
        error,
        ErrorName::Usage
            | ErrorName::NotAllowed
            | ErrorName::Exists
            | ErrorName::Protocol
            | ErrorName::NotSampan
            | ErrorName::ClassicPeer
    )
}

/// How it went when the server was dialled last. Of dials that fail one after the other the first is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dials {
    Succeed,
    Fail,
}

/// Pauses that grow, and differ from node to node.
#[derive(Debug)]
struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(PAUSE)
    }
}

impl Pauses {
    /// Between half of it and one and a half.
    fn next(&mut self) -> Result<Duration, Failure> {
        let random = getrandom::u32().map_err(|error| nothing_to_give(error.into()))?;
        let pause = self.0.mul_f64(0.5 + f64::from(random) / f64::from(u32::MAX));
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
        Ok(pause.min(LONGEST_PAUSE))
    }
}

/// One session.
fn session(
    store: &Store,
    options: &AttachOptions,
    name: NodeName<'_>,
    link: StreamLink,
    waker: &Waker,
    reports: &Reports,
) -> Result<(), Failure> {
    let clock = Clock::start();
    let limits = Limits {
        checks: digests::ALL,
        makes: digests::ALL,
        handshake: options.timeout.min(Limits::LARGE.handshake),
        silence: options.timeout,
        ..Limits::LARGE
    };
    let mut memory = Memory::for_link(&link, FRAME, TRANSFERS, limits).map_err(nothing_to_give)?;
    let opening = Opening::dialled(&link, clock).map_err(nothing_to_give)?;
    let teller = Teller::new(reports.clone(), link.peer(), Protocol::Framed);
    let desk = Arc::new(Desk::new(Arc::new(Control::new(waker.clone()))));
    let sink = store.sink(Accepts::Anything, options.on_conflict, &desk.control);
    let source = store.source(options.serves, link.nature());
    let mut serving =
        Serving::begin(&mut memory, (opening, clock), link, (sink, source), (&desk, &teller), None)?;
    serving.attach(name);
    let result = run(&mut serving, options, &desk, &teller);
    let Ended { failure, names } = serving.end(result);
    let Some(failure) = failure else { return Ok(()) };
    for name in names {
        teller.connection_failed(Some(name), &failure);
    }
    Err(failure)
}

fn run(
    serving: &mut Serving<'_>,
    options: &AttachOptions,
    desk: &Desk,
    teller: &Teller,
) -> Result<(), Error> {
    loop {
        if options.stop.is_asked() {
            desk.control.ask(Order::Stop);
        }
        match serving.step()? {
            Step::Opened => teller.connected(),
            // A server does not attach itself.
            Step::Attached(_) => serving.abort(Code::NotAllowed),
            Step::Nothing => {}
            Step::Closed => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        let mut pauses = Pauses::default();
        let mut all = Vec::new();
        for most in [750, 1500, 3000, 6000, 12_000, 24_000, 30_000, 30_000] {
            let pause = pauses.next().unwrap();
            let (least, most) = (Duration::from_millis(most / 3), Duration::from_millis(most));
            assert!(pause >= least && pause <= most, "{pause:?}");
            all.push(pause);
        }
        all.dedup();
        assert!(all.len() > 2);
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let store = Store::open(place.path(), crate::store::StoreOptions::default()).unwrap();
        let (reports, _told) = Reports::new();
        let error = attach(&store, &AttachOptions::new(Url::default(), "a b"), &reports).unwrap_err();
        assert_eq!(error.error, ErrorName::Usage);
    }
}
