//! Counting what succeeded and what did not.

use std::time::Instant;

use super::Outcome;
use crate::failure::{ErrorName, Failure};
use crate::report::{Failed, Moved, Report, Summary};
use crate::reports::Reports;

#[derive(Debug)]
pub(super) struct Tally {
    began: Instant,
    summary: Summary,
    /// The error that all failures have in common.
    common: Option<ErrorName>,
    mixed: Mixed,
    reports: Reports,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mixed {
    Alike,
    Different,
}

impl Tally {
    pub(super) fn new(reports: &Reports) -> Self {
        Self {
            began: Instant::now(),
            summary: Summary::default(),
            common: None,
            mixed: Mixed::Alike,
            reports: reports.clone(),
        }
    }

    pub(super) const fn reports(&self) -> &Reports {
        &self.reports
    }

    fn arrived(&mut self, moved: &Moved) {
        self.summary.files += 1;
        self.summary.bytes += moved.size;
        self.summary.resumed += moved.resumed_from;
    }

    pub(super) fn sent(&mut self, moved: Moved) {
        self.arrived(&moved);
        self.reports.tell(Report::Sent(moved));
    }

    pub(super) fn received(&mut self, moved: Moved) {
        self.arrived(&moved);
        self.reports.tell(Report::Received(moved));
    }

    pub(super) fn skipped(&mut self, name: String, message: String) {
        self.summary.skipped += 1;
        self.reports.tell(Report::Skipped { name, message });
    }

    pub(super) fn failed(&mut self, name: Option<String>, failure: &Failure, peer: Option<&str>) {
        self.failed_many(1, name, failure, peer);
    }

    /// The same failure for so many; it is told once.
    pub(super) fn failed_many(
        &mut self,
        count: u64,
        name: Option<String>,
        failure: &Failure,
        peer: Option<&str>,
    ) {
        self.summary.failed += count;
        if *self.common.get_or_insert(failure.error) != failure.error {
            self.mixed = Mixed::Different;
        }
        self.reports.tell(Report::Failed(Failed {
            name,
            error: failure.error,
            message: failure.to_string(),
            resumable: failure.is_resumable(),
            peer: peer.map(str::to_owned),
        }));
    }

    pub(super) const fn files(&self) -> u64 {
        self.summary.files
    }

    /// Everything was done that could be.
    pub(super) fn finish(self) -> Outcome {
        let Summary { files, skipped, failed, .. } = self.summary;
        let error = match (failed, skipped, self.common, self.mixed) {
            (0, 0, ..) => None,
            (1.., 0, Some(common), Mixed::Alike) if files == 0 => Some(common),
            _ => Some(ErrorName::SomeFailed),
        };
        self.end(error)
    }

    /// The user has stopped it, with so many left, of which `name` was under way; `once` is why that cannot be resumed.
    pub(super) fn interrupted(
        mut self,
        left: u64,
        name: Option<String>,
        peer: &str,
        once: Option<&str>,
    ) -> Outcome {
        let failure = match once {
            Some(why) => Failure::interrupted().for_good(why),
            None => Failure::interrupted().with_advice("the same command resumes"),
        };
        self.failed_many(left, name, &failure, Some(peer));
        self.break_off(ErrorName::Interrupted)
    }

    /// It ended before that, for this reason.
    pub(super) fn break_off(self, error: ErrorName) -> Outcome {
        self.end(Some(error))
    }

    fn end(mut self, error: Option<ErrorName>) -> Outcome {
        self.summary.seconds = self.began.elapsed().as_secs_f64();
        self.reports.tell(Report::Summary(self.summary));
        Outcome { summary: self.summary, error }
    }
}
