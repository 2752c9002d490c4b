//! Taking connections, and giving each a thread.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::connection::{self, Admission, Service};
use super::harbour::{Harbour, Served};
#[cfg(unix)]
use super::line::Line;
use crate::control::{Control, Order};
use crate::link::{Listener, StreamLink, Waker, wait_for_any};
use crate::report::Report;
use crate::stop::Stop;

/// How long those who are connected have to say goodbye when the server stops.
const FAREWELL: Duration = Duration::from_secs(5);
/// After the system had no descriptor or thread left.
const PAUSE: Duration = Duration::from_millis(100);
/// How often what nobody goes on with is thrown away.
const SWEEP: Duration = Duration::from_secs(3600);
/// So many more than are served are told that it is busy; the rest is just closed.
const TOLD: usize = 64;
pub(super) const STACK: usize = 256 << 10;

pub(super) struct Acceptor {
    pub(super) service: Arc<Service>,
    pub(super) listeners: Vec<Listener>,
    pub(super) harbours: Vec<Harbour>,
    pub(super) standard: Option<StreamLink>,
    #[cfg(unix)]
    pub(super) lines: Vec<Line>,
    pub(super) stop: Stop,
    pub(super) waker: Waker,
}

impl Acceptor {
    pub(super) fn run(mut self) {
        if let Some(link) = self.standard.take() {
            let only = self.listeners.is_empty() && self.harbours.is_empty();
            let _ = self.begin(link, only.then(|| self.waker.clone()));
            if only {
                while self.service.registry.count() > 0 && !self.stop.is_asked() {
                    let _ = wait_for_any(&[], &self.waker, None);
                }
            }
        }
        let lines = self.begin_lines();
        let harbours = self.begin_harbours();
        let mut swept = Instant::now();
        let goes_on = |acceptor: &Self| !acceptor.stop.is_asked() && !acceptor.is_draining();
        while goes_on(&self) && !(self.listeners.is_empty() && lines.is_empty() && harbours.is_empty()) {
            let timeout = SWEEP.saturating_sub(swept.elapsed());
            if wait_for_any(&self.listeners, &self.waker, Some(timeout)).is_err() || !self.take_all() {
                let _ = wait_for_any(&[], &self.waker, Some(PAUSE));
            }
            if swept.elapsed() >= SWEEP {
                swept = Instant::now();
                self.service.store.sweep();
            }
        }
        self.listeners.clear();
        self.drain();
        // Nobody waits any more for those who have gone.
        self.service.registry.drain();
        self.service.registry.ask_all(Order::Stop);
        self.service.registry.wait_until_empty(FAREWELL);
        for line in lines {
            let _ = line.join();
        }
        harbours.into_iter().for_each(Served::close);
    }

    /// Serves each UDP socket in a thread of its own.
    fn begin_harbours(&mut self) -> Vec<Served> {
        std::mem::take(&mut self.harbours)
            .into_iter()
            .filter_map(|harbour| {
                let served = harbour.begin(&self.service, &self.stop);
                served.inspect_err(|error| tracing::warn!("cannot serve UDP: {error}")).ok()
            })
            .collect()
    }

    /// Serves each serial line in a thread of its own.
    #[cfg(unix)]
    fn begin_lines(&mut self) -> Vec<JoinHandle<()>> {
        let begin = |line: Line| {
            let (service, stop) = (Arc::clone(&self.service), self.stop.clone());
            let thread = thread::Builder::new().name("line".into()).stack_size(STACK);
            thread.spawn(move || line.serve(&service, &stop))
        };
        std::mem::take(&mut self.lines)
            .into_iter()
            .filter_map(|line| {
                begin(line).inspect_err(|error| tracing::warn!("cannot serve a line: {error}")).ok()
            })
            .collect()
    }

    #[cfg(not(unix))]
    fn begin_lines(&mut self) -> Vec<JoinHandle<()>> {
        Vec::new()
    }

    fn is_draining(&self) -> bool {
        self.service.registry.is_draining()
    }

    /// Lets those who are connected finish.
    fn drain(&self) {
        if !self.is_draining() {
            return;
        }
        self.service.registry.ask_all(Order::Finish);
        while self.service.registry.count() > 0 && !self.stop.is_asked() {
            let _ = wait_for_any(&[], &self.waker, Some(PAUSE));
        }
    }

    /// Takes whoever waits; whether the system could.
    fn take_all(&self) -> bool {
        for listener in &self.listeners {
            loop {
                match listener.accept() {
                    Ok(Some(link)) => {
                        if let Err(error) = self.begin(link, None) {
                            tracing::warn!("cannot serve a connection: {error}");
                            return false;
                        }
                    }
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!("cannot take a connection: {error}");
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Serves it in a thread; `ends` is woken when that is over.
    fn begin(&self, link: StreamLink, ends: Option<Waker>) -> io::Result<()> {
        let waker = Waker::new()?;
        let link = link.with_waker(&waker);
        let control = Arc::new(Control::new(waker));
        let (connected, most) = (self.service.registry.count(), self.service.options.max_connections);
        let admission = match connected {
            _ if connected < most => Admission::Served,
            _ if connected < most.saturating_add(TOLD) => Admission::Busy,
            _ => return Ok(()),
        };
        let member = self.service.registry.add(control, link.peer());
        let service = Arc::clone(&self.service);
        let thread = thread::Builder::new().name("connection".into()).stack_size(STACK);
        let served = Arc::clone(&member);
        let started = thread.spawn(move || {
            connection::serve(&service, link, &served, admission);
            if let Some(node) = service.registry.remove(&served) {
                service.reports.tell(Report::Detached { node, peer: served.peer.clone() });
            }
            if let Some(ends) = ends {
                ends.wake();
            }
        });
        started.map(|_| ()).inspect_err(|_| drop(self.service.registry.remove(&member)))
    }
}
