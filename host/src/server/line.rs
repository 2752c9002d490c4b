//! Serial lines: one peer at a time, session after session.

use std::sync::Arc;
use std::time::Duration;

use super::connection::{self, Service};
use crate::control::Control;
use crate::failure::{ErrorName, Failure};
use crate::link::{SerialUrl, StreamLink, Waker, wait_for_any};
use crate::memory::Begins;
use crate::report::{Failed, Report};
use crate::stop::Stop;

/// How often it is noticed that the server stops while nothing is said on the line.
const TICK: Duration = Duration::from_millis(250);
/// How long a port that cannot be opened is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// One serial line of a server.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) url: SerialUrl,
    /// It was opened when the server began.
    pub(super) link: Option<StreamLink>,
    /// Whether it was told that the port cannot be opened.
    pub(super) told: Told,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    No,
    Yes,
}

impl Line {
    /// Serves whoever speaks on it until the server stops.
    pub(super) fn serve(mut self, service: &Arc<Service>, stop: &Stop) {
        let mut begins = None;
        while !stop.is_asked() && !service.registry.is_draining() {
            let opened = self.link.take().map_or_else(|| StreamLink::serial(&self.url), Ok);
            match (opened, Waker::new()) {
                (Ok(link), Ok(waker)) => {
                    self.told = Told::No;
                    let _registration = stop.register(waker.clone());
                    begins = self.session(link.with_waker(&waker), waker, begins, (service, stop));
                }
                (Err(error), Ok(waker)) => {
                    self.gone(service, &error);
                    let _registration = stop.register(waker.clone());
                    let _ = wait_for_any(&[], &waker, Some(PAUSE));
                }
                (_, Err(_)) => std::thread::sleep(PAUSE),
            }
        }
    }

    /// Waits until something is said, and serves whoever says it; at once, if the session before has said how this one begins.
    fn session(
        &self,
        mut link: StreamLink,
        waker: Waker,
        begins: Option<Begins>,
        (service, stop): (&Service, &Stop),
    ) -> Option<Begins> {
        while begins.is_none() {
            let said = link.peek(1, TICK).map(|bytes| !bytes.is_empty());
            if stop.is_asked() || service.registry.is_draining() {
                return None;
            }
            match said {
                Ok(true) => break,
                Ok(false) if !link.has_ended() => {}
                // It may open again at once, and be as dead.
                _ => {
                    let _ = wait_for_any(&[], &waker, Some(PAUSE));
                    return None;
                }
            }
        }
        let member = service.registry.add(Arc::new(Control::new(waker)), link.peer());
        let begins = connection::serve_session(service, link, &member, begins);
        if let Some(node) = service.registry.remove(&member) {
            service.reports.tell(Report::Detached { node, peer: member.peer.clone() });
        }
        begins
    }

    fn gone(&mut self, service: &Service, error: &std::io::Error) {
        if std::mem::replace(&mut self.told, Told::Yes) == Told::No {
            let failure =
                Failure::new(ErrorName::LinkLost, format!("cannot open it: {error}; it is tried again"));
            service.reports.tell(Report::Failed(Failed {
                name: None,
                error: failure.error,
                message: failure.to_string(),
                resumable: true,
                peer: Some(format!("serial:{}", self.url.path.display())),
            }));
        }
    }
}
