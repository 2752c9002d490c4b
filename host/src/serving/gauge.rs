//! What a connection shows of itself to others.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::server::{TransferStatus, Way};

/// Rates are measured over at least this time.
const SPAN: Duration = Duration::from_millis(500);
/// Rates that were measured longer ago than this are not those of now.
const STALE: Duration = Duration::from_secs(2);
/// No more transfers than these are shown of one connection.
pub(crate) const SHOWN: usize = 16;

/// How much a connection moves.
#[derive(Debug)]
pub(crate) struct Gauge(Mutex<Needles>);

#[derive(Debug)]
struct Needles {
    received: u64,
    sent: u64,
    /// When the rates were measured, and how much had moved then.
    measured: Instant,
    at_measure: (u64, u64),
    rates: (f64, f64),
    transfers: Vec<TransferStatus>,
}

/// What a gauge shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) receive_rate: f64,
    pub(crate) send_rate: f64,
    pub(crate) transfers: Vec<TransferStatus>,
}

impl Default for Gauge {
    fn default() -> Self {
        Self(Mutex::new(Needles {
            received: 0,
            sent: 0,
            measured: Instant::now(),
            at_measure: (0, 0),
            rates: (0.0, 0.0),
            transfers: Vec::new(),
        }))
    }
}

impl Gauge {
    fn needles(&self) -> MutexGuard<'_, Needles> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The link has moved so many bytes, and this is under way.
    pub(crate) fn show(&self, (received, sent): (u64, u64), transfers: impl Iterator<Item = TransferStatus>) {
        let mut needles = self.needles();
        (needles.received, needles.sent) = (received, sent);
        needles.transfers.clear();
        needles.transfers.extend(transfers.take(SHOWN));
        let span = needles.measured.elapsed();
        if span >= SPAN {
            let (received_then, sent_then) = needles.at_measure;
            let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 / span.as_secs_f64();
            needles.rates = (rate(received, received_then), rate(sent, sent_then));
            needles.measured = Instant::now();
            needles.at_measure = (received, sent);
        }
    }

    pub(crate) fn figures(&self) -> Figures {
        let needles = self.needles();
        let fresh = needles.measured.elapsed() < STALE;
        let (receive_rate, send_rate) = if fresh { needles.rates } else { (0.0, 0.0) };
        let (received, sent) = (needles.received, needles.sent);
        Figures { received, sent, receive_rate, send_rate, transfers: needles.transfers.clone() }
    }
}

impl TransferStatus {
    pub(crate) fn new(name: &str, way: Way, bytes: u64, size: Option<u64>) -> Self {
        Self { name: name.to_owned(), way, bytes, size }
    }
}
