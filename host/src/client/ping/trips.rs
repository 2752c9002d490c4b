//! How long answers take, and how many there are.

use std::time::{Duration, Instant};

use super::session::{Pinging, Sent};
use crate::failure::Failure;
use crate::link::Nature;
use crate::report::Report;
use crate::reports::Reports;

/// What has come of the pings so far.
#[derive(Debug, Default)]
pub(super) struct Trips {
    /// Those that are on their way, or lost, by the order in which they were sent, counted from 1.
    open: Vec<(u32, Sent)>,
    sent: u32,
    /// Seconds that answers took.
    took: Vec<f64>,
}

impl Trips {
    pub(super) const fn sent(&self) -> u32 {
        self.sent
    }

    pub(super) fn answered(&self) -> u32 {
        u32::try_from(self.took.len()).unwrap_or(u32::MAX)
    }

    /// The share of those without an answer.
    pub(super) fn loss(&self) -> f64 {
        match self.sent {
            0 => 0.0,
            sent => self.open.len() as f64 / f64::from(sent),
        }
    }

    pub(super) fn least(&self) -> Option<f64> {
        self.sorted().first().copied()
    }

    pub(super) fn most(&self) -> Option<f64> {
        self.sorted().last().copied()
    }

    pub(super) fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        let middle = sorted.get(sorted.len() / 2)?;
        match sorted.len() % 2 {
            0 => Some((sorted.get(sorted.len() / 2 - 1)? + middle) / 2.0),
            _ => Some(*middle),
        }
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.took.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// Those without an answer are lost.
    pub(super) fn tell_lost(&self, reports: &Reports) {
        for (number, _) in &self.open {
            reports.tell(Report::Lost { number: *number });
        }
    }

    fn sent_one(&mut self, sent: Sent) {
        self.sent += 1;
        self.open.push((self.sent, sent));
    }

    /// Takes out those that this answer answers: on a stream all before it too.
    fn answered_by(&mut self, number: u32, nature: Nature) -> Vec<(u32, Sent)> {
        let Some(index) = self.open.iter().position(|(_, sent)| sent.number == number) else {
            return Vec::new();
        };
        match nature {
            Nature::Stream => self.open.drain(..=index).collect(),
            Nature::Line { .. } | Nature::Datagrams { .. } => vec![self.open.remove(index)],
        }
    }
}

/// Sends as many as are wanted, and waits for their answers.
pub(super) fn measure(pinging: &mut Pinging<'_>, trips: &mut Trips) -> Result<(), Failure> {
    let (count, interval, timeout) =
        (pinging.options.count, pinging.options.interval, Duration::from(pinging.options.timeout));
    let mut next = Instant::now();
    let mut last = next;
    loop {
        let now = Instant::now();
        if trips.sent < count
            && now >= next
            && let Some(sent) = pinging.ping(0)
        {
            trips.sent_one(sent);
            (next, last) = (now + interval, now);
        }
        if trips.sent == count && trips.open.is_empty() {
            return Ok(());
        }
        let until = match trips.sent < count {
            true => next.max(now + Duration::from_millis(1)),
            // One whose like were answered soon is lost sooner.
            false if trips.took.is_empty() => last + timeout,
            false => last + (2 * pinging.patience()).max(Duration::from_secs(1)).min(timeout),
        };
        match pinging.answer(until)? {
            Some(number) => {
                for (count, sent) in trips.answered_by(number, pinging.nature()) {
                    let trip = sent.at.elapsed();
                    pinging.took(trip);
                    trips.took.push(trip.as_secs_f64());
                    let (peer, seconds) = (pinging.peer.clone(), trip.as_secs_f64());
                    pinging.reports.tell(Report::Pong { number: count, peer, seconds });
                }
            }
            None if trips.sent == count => return Ok(()),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trips(numbers: &[u32]) -> Trips {
        let mut trips = Trips::default();
        numbers.iter().for_each(|number| trips.sent_one(Sent { number: *number, at: Instant::now() }));
        trips
    }

    #[test]
    fn figures_of_what_was_answered_and_what_was_not() {
        let mut trips = trips(&[7, 8, 9, 10]);
        assert_eq!((trips.loss(), trips.median()), (1.0, None));
        trips.took = vec![0.3, 0.1, 0.2];
        trips.open.truncate(1);
        assert_eq!((trips.answered(), trips.loss()), (3, 0.25));
        assert_eq!((trips.least(), trips.median(), trips.most()), (Some(0.1), Some(0.2), Some(0.3)));
        trips.took.push(0.4);
        assert_eq!(trips.median(), Some(0.25));
    }

    #[test]
    fn an_answer_is_for_all_before_it_where_nothing_is_lost() {
        let counts =
            |answered: Vec<(u32, Sent)>| answered.iter().map(|(count, _)| *count).collect::<Vec<_>>();
        assert_eq!(counts(trips(&[7, 8, 9]).answered_by(8, Nature::Stream)), [1, 2]);
        assert_eq!(counts(trips(&[7, 8, 9]).answered_by(8, Nature::Datagrams { holds: 0 })), [2]);
        assert_eq!(counts(trips(&[7, 8, 9]).answered_by(10, Nature::Stream)), [0; 0]);
    }
}
