//! Testing a link: how long an answer takes, how many are lost, how long a frame may be, how much goes through.

mod length;
mod session;
mod through;
mod trips;

use std::time::Duration;

use sampan_core::{Limits, Millis};

use super::attempts::nothing_to_give;
use super::dial::dial;
use super::{ClientOptions, Outcome};
use crate::failure::{ErrorName, Failure};
use crate::link::{TcpOptions, Url, Waker};
use crate::memory::Memory;
use crate::report::{Measured, Protocol, Report, Summary};
use crate::reports::Reports;
use crate::stop::Stop;
use session::Pinging;
use trips::Trips;

/// How a link is tested.
#[derive(Clone, Debug)]
pub struct PingOptions {
    /// Who is to answer.
    pub url: Url,
    /// How many pings.
    pub count: u32,
    /// From one ping to the next.
    pub interval: Duration,
    /// How long a session may take to open, and an answer to come.
    pub timeout: Millis,
    /// How sockets are set up.
    pub tcp: TcpOptions,
    /// Whether to stop.
    pub stop: Stop,
}

impl PingOptions {
    /// Ten pings in two seconds.
    #[must_use]
    pub fn new(url: Url) -> Self {
        let (interval, timeout) = (Duration::from_millis(200), Millis(5_000));
        Self { url, count: 10, interval, timeout, tcp: TcpOptions::default(), stop: Stop::default() }
    }
}

/// Pings whoever is at the other end, and reports each answer and what was measured in all ([`Report::Measured`]), also at an interruption.
/// Nothing is sent but pings, so that any server answers.
///
/// # Errors
///
/// If there is no link or no session; [`ErrorName::Timeout`] if no ping was answered; if the session was lost; at an interruption.
pub fn ping(options: &PingOptions, reports: &Reports) -> Result<Outcome, Failure> {
    let waker = Waker::new().map_err(nothing_to_give)?;
    let _registration = options.stop.register(waker.clone());
    let client = ClientOptions {
        timeout: options.timeout,
        tcp: options.tcp,
        stop: options.stop.clone(),
        ..ClientOptions::new(options.url.clone())
    };
    let link = dial(&client, &waker)?;
    let (peer, nature) = (link.peer(), link.nature());
    // It is the pings that may be silent for too long, not the link.
    let silence = options.timeout.max(Limits::LARGE.silence);
    let limits = Limits { handshake: options.timeout, silence, ..Limits::LARGE };
    let mut memory = Memory::for_link(&link, crate::memory::FRAME, 1, limits).map_err(nothing_to_give)?;
    let mut pinging = Pinging::begin(&mut memory, link, options, reports)?;
    pinging.open().map_err(|failure| match (failure.error, &options.url) {
        (ErrorName::LinkLost, Url::Exec(_)) => {
            let what = format!("no session with {}: {failure}", options.url);
            Failure::new(ErrorName::Connect, what)
                .with_advice("does this command start a sampan that serves stdio:?")
        }
        _ => failure,
    })?;
    reports.tell(Report::Connected { peer: peer.clone(), protocol: Protocol::Framed });
    let mut trips = Trips::default();
    let (mut largest, mut throughput) = (None, None);
    let mut measure = || {
        trips::measure(&mut pinging, &mut trips)?;
        if trips.answered() == 0 {
            return Ok(());
        }
        length::measure(&mut pinging, nature, &mut largest)?;
        throughput = through::measure(&mut pinging, nature, largest.unwrap_or_default())?;
        Ok(())
    };
    let result: Result<(), Failure> = measure();
    trips.tell_lost(reports);
    reports.tell(Report::Measured(Measured {
        peer,
        sent: trips.sent(),
        answered: trips.answered(),
        loss: trips.loss(),
        min: trips.least(),
        median: trips.median(),
        max: trips.most(),
        largest_frame: largest.and_then(|bytes| u64::try_from(bytes).ok()),
        throughput,
    }));
    result?;
    pinging.close();
    if trips.answered() == 0 {
        let what = format!("none of {} pings was answered by {}", trips.sent(), options.url);
        return Err(Failure::new(ErrorName::Timeout, what));
    }
    Ok(Outcome { summary: Summary::default(), error: None })
}
