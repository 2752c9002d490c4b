//! A session in which there is nothing but pings.

use std::time::{Duration, Instant as StdInstant};

use sampan_core::wire::Code;
use sampan_core::{Instant, Sender};

use super::super::attempts::nothing_to_give;
use super::PingOptions;
use crate::clock::Clock;
use crate::failure::{ErrorName, Failure};
use crate::happened::Happened;
use crate::link::{Nature, StreamLink};
use crate::memory::{HostSession, Memory, Opening};
use crate::report::Report;
use crate::reports::Reports;
use crate::run::Connection;
use crate::source::FileSource;

/// How long a goodbye may take.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) struct Pinging<'m> {
    connection: Connection<HostSession<'m, Sender<'m>>, StreamLink, FileSource>,
    clock: Clock,
    pub(super) options: &'m PingOptions,
    pub(super) reports: &'m Reports,
    pub(super) peer: String,
    /// The longest answer so far.
    longest_trip: Duration,
}

/// A ping that is on its way, or was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) number: u32,
    pub(super) at: StdInstant,
}

impl<'m> Pinging<'m> {
    pub(super) fn begin(
        memory: &'m mut Memory,
        link: StreamLink,
        options: &'m PingOptions,
        reports: &'m Reports,
    ) -> Result<Self, Failure> {
        let clock = Clock::start();
        let opening = Opening::dialled(&link, clock).map_err(nothing_to_give)?;
        let session = memory.sender(opening).map_err(|error| Failure::session(error, None))?;
        let peer = link.peer();
        let connection = Connection::new(session, link, FileSource::new(), clock);
        Ok(Self { connection, clock, options, reports, peer, longest_trip: Duration::ZERO })
    }

    /// Waits until the session is open.
    pub(super) fn open(&mut self) -> Result<(), Failure> {
        while !matches!(self.turn(None)?, Happened::Opened) {}
        Ok(())
    }

    /// Asks for a ping of so many bytes; none while the one before has not left.
    pub(super) fn ping(&mut self, length: usize) -> Option<Sent> {
        let number = self.connection.engine.ping(length)?;
        self.connection.go_on();
        Some(Sent { number, at: StdInstant::now() })
    }

    pub(super) fn nature(&self) -> Nature {
        self.connection.link.nature()
    }

    /// The longest frame that both ends hold.
    pub(super) fn longest(&self) -> usize {
        self.connection.engine.longest_ping()
    }

    /// Waits for the next answer, but not beyond `until`.
    pub(super) fn answer(&mut self, until: StdInstant) -> Result<Option<u32>, Failure> {
        loop {
            if let Happened::Ponged(number) = self.turn(Some(until))? {
                return Ok(Some(number));
            }
            if StdInstant::now() >= until {
                return Ok(None);
            }
        }
    }

    /// Does a little, so that what was asked for leaves.
    pub(super) fn go_on(&mut self, until: StdInstant) -> Result<Option<u32>, Failure> {
        match self.turn(Some(until))? {
            Happened::Ponged(number) => Ok(Some(number)),
            _ => Ok(None),
        }
    }

    pub(super) fn took(&mut self, trip: Duration) {
        self.longest_trip = self.longest_trip.max(trip);
    }

    /// How long an answer is waited for whose way was measured before.
    pub(super) fn patience(&self) -> Duration {
        let usual = (4 * self.longest_trip).max(Duration::from_millis(200));
        usual.min(self.options.timeout.into())
    }

    fn turn(&mut self, until: Option<StdInstant>) -> Result<Happened, Failure> {
        if self.options.stop.is_asked() {
            self.connection.engine.abort(Code::Cancelled);
            let until = StdInstant::now() + FAREWELL;
            while StdInstant::now() < until && self.connection.turn().is_ok() {}
            return Err(Failure::interrupted());
        }
        if let Some(until) = until {
            let left = until.saturating_duration_since(StdInstant::now()).as_micros() as u64;
            let now = self.clock.now();
            self.connection.look_at(Instant::from_micros(now.as_micros().saturating_add(left)));
        }
        match self.connection.turn().map(Happened::of) {
            Ok(Happened::Closed) => Err(Failure::new(ErrorName::LinkLost, "the peer has ended the session")),
            Ok(Happened::Notice(text)) => {
                self.reports.tell(Report::Notice { text, peer: self.peer.clone() });
                Ok(Happened::Nothing)
            }
            Ok(Happened::Noise(bytes)) => {
                if let Some(report) = Report::console(&bytes, &self.peer) {
                    self.reports.tell(report);
                }
                Ok(Happened::Nothing)
            }
            Ok(happened) => Ok(happened),
            Err(error) => Err(Failure::over(&self.connection.link, error)),
        }
    }

    /// Says goodbye. Whatever comes of that changes nothing.
    pub(super) fn close(mut self) {
        self.connection.engine.close(Code::Ok);
        self.connection.go_on();
        let until = StdInstant::now() + FAREWELL;
        while StdInstant::now() < until && self.turn(Some(until)).is_ok() {}
    }
}
