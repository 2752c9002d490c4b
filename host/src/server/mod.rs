//! A server: takes connections at any number of places, and serves each in a thread of its own.
//!
//! ```
//! use sampan::link::Url;
//! use sampan::report::Report;
//! use sampan::server::{Server, ServerOptions};
//! use sampan::store::{Store, StoreOptions};
//!
//! let folder = tempfile::tempdir()?;
//! let store = Store::open(folder.path(), StoreOptions::default())?;
//! let options = ServerOptions { listen: vec!["tcp://127.0.0.1:0".parse()?], ..ServerOptions::default() };
//! let (server, reports) = Server::start(store, options)?;
//! assert!(matches!(reports.recv()?, Report::Listening { .. }));
//! server.stop();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accept;
mod broadcast;
mod classic;
mod classic_files;
mod connection;
mod cookies;
mod everyone;
mod framed;
mod harbour;
#[cfg(unix)]
mod line;
mod push;
mod reach;
mod registry;
mod status;
mod whom;

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use sampan_core::Millis;
use sampan_core::wire::DigestKind;

use crate::failure::{ErrorName, Failure};
use crate::link::{Listener, StreamLink, TcpOptions, UdpListener, Url, Waker};
use crate::report::Report;
use crate::reports::{Lost, Reports};
use crate::stop::Stop;
use crate::store::{OnConflict, Store};
use accept::Acceptor;
use connection::Service;
use harbour::Harbour;
#[cfg(unix)]
use line::{Line, Told};
use registry::Registry;

pub use broadcast::Broadcast;
pub use everyone::{Everyone, ToPush};
pub use push::{Push, PushEvent, PushOptions};
pub use status::{
    ConnectionStatus, NodeResult, NoticeResult, Notified, Pushed, ServerStatus, Total, TransferStatus, Way,
};
pub use whom::{To, Who};

/// What to ask whoever cannot listen.
const RUNNING: &str = "is another server running there?";

/// What a server allows, and for how long.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where it listens; none for [`Url::default`].
    pub listen: Vec<Url>,
    /// What clients may do. `None`: everything, which is for places that only this computer reaches.
    pub allow: Option<Allow>,
    /// What happens to names that exist; `None`: replaced if the client is on this computer and not classic, else both are kept.
    pub on_conflict: Option<OnConflict>,
    /// The digest that senders are asked for.
    pub digest: DigestKind,
    /// Connections at a time; further ones are told `busy`, or over UDP nothing.
    pub max_connections: usize,
    /// From the connection until a session is open, or name and size of a classic client are here.
    pub handshake: Millis,
    /// How long a connection may move no contents.
    pub idle: Duration,
    /// Bytes a second that a peer must take or give while contents are under way; 0 for any.
    pub min_rate: u64,
    /// How sockets are set up.
    pub tcp: TcpOptions,
}

/// What clients may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allow {
    /// Send files.
    pub put: bool,
    /// Fetch files.
    pub get: bool,
    /// List them.
    pub list: bool,
    /// Send files by the classic handshake, if they may send any.
    pub classic: bool,
    /// Stay attached as nodes.
    pub attach: bool,
}

impl Allow {
    /// Everything.
    pub const ALL: Self = Self { put: true, get: true, list: true, classic: true, attach: true };
    /// Nothing.
    pub const NOTHING: Self = Self { put: false, get: false, list: false, classic: false, attach: false };
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            allow: None,
            on_conflict: None,
            digest: DigestKind::Crc64Nvme,
            max_connections: 1024,
            handshake: Millis(10_000),
            idle: Duration::from_secs(300),
            min_rate: 16,
            tcp: TcpOptions::default(),
        }
    }
}

/// A server that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Server {
    urls: Vec<Url>,
    everyone: Everyone,
    lost: Lost,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Begins to listen. Reports come from the receiver; a server never waits for who reads them: of those that nobody takes in time
    /// some are lost.
    ///
    /// # Errors
    ///
    /// [`ErrorName::Connect`] if it cannot listen somewhere; [`ErrorName::Usage`] if that needs an explicit
    /// [`allow`](ServerOptions::allow).
    pub fn start(store: Store, options: ServerOptions) -> Result<(Self, Receiver<Report>), Failure> {
        let listen = if options.listen.is_empty() { vec![Url::default()] } else { options.listen.clone() };
        if let (Some(url), None) = (listen.iter().find(|url| !url.is_local()), options.allow) {
            return Err(Failure::new(
                ErrorName::Usage,
                format!("{url} can be reached from other computers, and nobody is authenticated"),
            )
            .with_advice("say what anybody may do there, for instance --allow put,classic"));
        }
        let (reports, receiver) = Reports::for_server();
        let mut listeners = Vec::new();
        let mut harbours = Vec::new();
        let mut standard = None;
        #[cfg(unix)]
        let mut lines = Vec::new();
        for url in &listen {
            let cannot = |error| Failure::new(ErrorName::Connect, format!("cannot listen at {url}: {error}"));
            match url {
                Url::Stdio => standard = Some(StreamLink::stdio().map_err(cannot)?),
                Url::Exec(_) => {
                    return Err(Failure::new(ErrorName::Usage, format!("a server cannot listen at {url}"))
                        .with_advice("use stdio: in the command that a client starts"));
                }
                #[cfg(unix)]
                Url::Serial(serial) => {
                    let link = Some(StreamLink::serial(serial).map_err(cannot)?);
                    lines.push(Line { url: serial.clone(), link, told: Told::No });
                }
                #[cfg(not(unix))]
                Url::Serial(_) => return Err(cannot(std::io::ErrorKind::Unsupported.into())),
                Url::Node { .. } => {
                    return Err(Failure::new(ErrorName::Usage, format!("a server cannot listen at {url}")));
                }
                Url::Udp { host, port } => {
                    let listener = UdpListener::bind(host, *port).map_err(cannot);
                    let listener = listener.map_err(|failure| failure.with_advice(RUNNING))?;
                    harbours.push(Harbour::new(listener, &options).map_err(cannot)?);
                }
                Url::Tcp { .. } | Url::Unix(_) => {
                    listeners.push(Listener::bind(url, &options.tcp).map_err(|error| {
                        let failure = cannot(error);
                        failure.with_advice(RUNNING)
                    })?);
                }
            }
        }
        let mut urls: Vec<Url> = listeners.iter().map(Listener::url).collect();
        urls.extend(harbours.iter().map(Harbour::url));
        urls.extend(standard.as_ref().map(|_| Url::Stdio));
        #[cfg(unix)]
        urls.extend(lines.iter().map(|line| Url::Serial(line.url.clone())));
        for url in &urls {
            reports.tell(Report::Listening { url: url.to_string() });
        }
        let stop = Stop::new();
        let no_waker =
            |error| Failure::new(ErrorName::Other, format!("the system has no event to give: {error}"));
        let waker = Waker::new().map_err(no_waker)?;
        let registration = stop.register(waker.clone());
        let lost = reports.lost();
        let registry = Arc::new(Registry::default());
        let everyone = Everyone {
            registry: Arc::clone(&registry),
            urls: urls.iter().map(ToString::to_string).collect(),
            began: SystemTime::now(),
            waker: waker.clone(),
        };
        let service = Arc::new(Service { store, options, reports, registry });
        let acceptor = Acceptor {
            service,
            listeners,
            harbours,
            standard,
            #[cfg(unix)]
            lines,
            stop: stop.clone(),
            waker,
        };
        let thread = thread::Builder::new().name("accept".into()).spawn(move || {
            let _registration = registration;
            acceptor.run();
        });
        let thread = thread.map_err(|error| Failure::new(ErrorName::Other, error.to_string()))?;
        Ok((Self { urls, everyone, lost, stop, thread: Some(thread) }, receiver))
    }

    /// Where it listens, with the ports that were taken.
    #[must_use]
    pub fn urls(&self) -> &[Url] {
        &self.urls
    }

    /// Speaks to everyone connected, from any thread.
    #[must_use]
    pub fn everyone(&self) -> Everyone {
        self.everyone.clone()
    }

    /// See [`Everyone::connections`].
    #[must_use]
    pub fn connections(&self) -> Vec<ConnectionStatus> {
        self.everyone.connections()
    }

    /// See [`Everyone::broadcast`].
    #[must_use]
    pub fn broadcast(&self, text: &str, to: &To, within: Duration) -> Broadcast {
        self.everyone.broadcast(text, to, within)
    }

    /// See [`Everyone::push`].
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or nobody is attached.
    pub fn push(&self, files: &[ToPush<'_>], to: &To, options: PushOptions) -> Result<Push, Failure> {
        self.everyone.push(files, to, options)
    }

    /// Asks it to stop: nobody is taken any more, and whoever is connected is told.
    pub fn ask_to_stop(&self) {
        self.stop.ask();
    }

    /// Whether it has stopped, because it was asked to or because its standard input has ended.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// How many reports were lost, since this was asked last, because nobody took them in time.
    #[must_use]
    pub fn lost_reports(&self) -> u64 {
        self.lost.take()
    }

    /// Stops it, and waits until it has.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.ask();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
