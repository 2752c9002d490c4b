//! UDP: many peers at one socket (`docs/protocol.md` §8.6).

mod berths;

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sampan_core::wire::{Hello, MIN_FRAME};
use sampan_core::{Action, Engine as _, Nonce, Speaks};

use super::accept::STACK;
use super::connection::{self, Service};
use super::cookies::Cookies;
use super::framed;
use super::{ServerOptions, Url};
use crate::control::Control;
use crate::link::{
    Datagram, Greeting, Heard, LONGEST_DATAGRAM, Mailbox, Space, StreamLink, UdpListener, Waker, heard,
    wait_for,
};
use crate::memory::{Memory, Opening};
use crate::report::Report;
use crate::stop::Stop;
use berths::{Berths, Came};

/// How often what is over is forgotten.
const TICK: Duration = Duration::from_secs(1);
/// So many datagrams are read before anything else is looked at.
const AT_ONCE: usize = 256;

/// One UDP socket of a server.
#[derive(Debug)]
pub(super) struct Harbour {
    listener: UdpListener,
    greeting: Greeting,
    cookies: Cookies,
}

/// The thread that serves it.
#[derive(Debug)]
pub(super) struct Served {
    thread: JoinHandle<()>,
    closing: Arc<AtomicBool>,
    waker: Waker,
}

impl Served {
    /// Ends it: what still comes is for nobody.
    pub(super) fn close(self) {
        self.closing.store(true, Ordering::SeqCst);
        self.waker.wake();
        let _ = self.thread.join();
    }
}

impl Harbour {
    pub(super) fn new(listener: UdpListener, options: &ServerOptions) -> io::Result<Self> {
        Ok(Self { listener, greeting: greeting(options)?, cookies: Cookies::new()? })
    }

    pub(super) fn url(&self) -> Url {
        Url::Udp { host: self.listener.host.clone(), port: self.listener.port }
    }

    /// Serves it in a thread of its own.
    pub(super) fn begin(self, service: &Arc<Service>, stop: &Stop) -> io::Result<Served> {
        let (waker, closing) = (Waker::new()?, Arc::new(AtomicBool::new(false)));
        let Self { listener, greeting, cookies } = self;
        let watch = Watch {
            socket: Arc::new(listener.socket),
            greeting,
            cookies,
            berths: Arc::default(),
            space: Space::default(),
            service: Arc::clone(service),
            stop: stop.clone(),
        };
        let thread = thread::Builder::new().name("udp".into()).stack_size(STACK);
        let (ends, wakes) = (Arc::clone(&closing), waker.clone());
        let thread = thread.spawn(move || watch.keep(&ends, &wakes))?;
        Ok(Served { thread, closing, waker })
    }
}

/// What the sessions of this server say first.
fn greeting(options: &ServerOptions) -> io::Result<Greeting> {
    let mut memory = Memory::for_datagrams(LONGEST_DATAGRAM, Mailbox::HOLDS, framed::limits(options))?;
    let opening = Opening { speaks: Speaks::First, nonce: Nonce::new(1), since: sampan_core::Instant::ZERO };
    let mut session = memory.both(opening).map_err(io::Error::other)?;
    match session.poll(sampan_core::Instant::ZERO) {
        Action::Transmit([_, fields @ ..]) => {
            let hello = fields.get(..MIN_FRAME - 5).map(Hello::parse);
            hello.and_then(Result::ok).map(Greeting::new).ok_or_else(|| ErrorKind::InvalidData.into())
        }
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

/// Reads the socket, and gives what comes to whom it is for.
struct Watch {
    socket: Arc<UdpSocket>,
    greeting: Greeting,
    cookies: Cookies,
    berths: Arc<Mutex<Berths>>,
    space: Space,
    service: Arc<Service>,
    stop: Stop,
}

impl Watch {
    fn berths(&self) -> MutexGuard<'_, Berths> {
        self.berths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(self, closing: &AtomicBool, waker: &Waker) {
        let mut datagram = Datagram::default();
        let mut swept = Instant::now();
        while !closing.load(Ordering::SeqCst) {
            if self.read_some(&mut datagram) == Read::All {
                use rustix::event::{PollFd, PollFlags};
                let mut fds = [PollFd::new(&*self.socket, PollFlags::IN), waker.poll()];
                if wait_for(&mut fds, Some(TICK)).is_err() {
                    thread::sleep(TICK);
                }
            }
            if swept.elapsed() >= TICK {
                swept = Instant::now();
                self.berths().sweep(swept);
                self.space.trim();
            }
        }
        self.berths().close();
    }

    fn read_some(&self, datagram: &mut Datagram) -> Read {
        for _ in 0..AT_ONCE {
            match self.socket.recv_from(datagram.room(&self.space)) {
                Ok((length, peer)) => {
                    datagram.came(length);
                    self.came(datagram, peer);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Read::All,
                // It tells of one that was sent.
                Err(_) => {}
            }
        }
        Read::Some
    }

    fn came(&self, datagram: &mut Datagram, peer: SocketAddr) {
        let hello = heard(datagram.bytes());
        match self.berths().came(datagram, hello, peer) {
            Came::Taken => return,
            Came::Answer(answer) => {
                let _ = self.socket.send_to(&answer, peer);
                return;
            }
            Came::Stranger => {}
        }
        let Some(Heard { nonce, echo }) = hello else { return };
        let now = Instant::now();
        if self.is_full() {
            return;
        }
        if self.cookies.is_good(echo, peer, nonce, now) {
            if let Err(error) = self.begin(datagram, peer, Heard { nonce, echo }) {
                tracing::warn!("cannot serve a session: {error}");
            }
            return;
        }
        let cookie = self.cookies.make(peer, nonce, now);
        let answer = self.greeting.say(Heard { nonce: cookie, echo: nonce });
        let _ = self.socket.send_to(&answer, peer);
    }

    /// Whether nobody is taken.
    fn is_full(&self) -> bool {
        let registry = &self.service.registry;
        self.stop.is_asked()
            || registry.is_draining()
            || registry.count() >= self.service.options.max_connections
    }

    /// Begins a session at this address, in a thread of its own.
    fn begin(&self, hello: &mut Datagram, peer: SocketAddr, numbers: Heard) -> io::Result<()> {
        let (mailbox, waker) = (Arc::new(Mailbox::new(&self.space)?), Waker::new()?);
        mailbox.put(hello);
        let link =
            StreamLink::shared(Arc::clone(&self.socket), peer, Arc::clone(&mailbox)).with_waker(&waker);
        let member = self.service.registry.add(Arc::new(Control::new(waker)), link.peer());
        self.berths().take(peer, numbers, Arc::clone(&mailbox));
        let (service, berths) = (Arc::clone(&self.service), Arc::clone(&self.berths));
        let (served, left) = (Arc::clone(&member), Arc::clone(&mailbox));
        let thread = thread::Builder::new().name("connection".into()).stack_size(STACK);
        let started = thread.spawn(move || {
            let begins = (Speaks::Second, Nonce::new(numbers.echo));
            connection::serve_session(&service, link, &served, Some(begins));
            berths.lock().unwrap_or_else(PoisonError::into_inner).leave(peer, &left, Instant::now());
            if let Some(node) = service.registry.remove(&served) {
                service.reports.tell(Report::Detached { node, peer: served.peer.clone() });
            }
        });
        started.map(drop).inspect_err(|_| {
            self.berths().leave(peer, &mailbox, Instant::now());
            drop(self.service.registry.remove(&member));
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    All,
    Some,
}
