//! Saying what happens on one connection.

use sampan_core::{By, Refusal};

use crate::failure::{ErrorName, Failure};
use crate::happened::Why;
use crate::report::{Failed, Moved, Protocol, Report};
use crate::reports::Reports;
use crate::store::{Receipt, Sending};

/// Tells what happens with one peer.
#[derive(Clone, Debug)]
pub(crate) struct Teller {
    reports: Reports,
    peer: String,
    protocol: Protocol,
}

impl Teller {
    pub(crate) fn new(reports: Reports, peer: String, protocol: Protocol) -> Self {
        Self { reports, peer, protocol }
    }

    pub(crate) fn connected(&self) {
        self.reports.tell(Report::Connected { peer: self.peer.clone(), protocol: self.protocol });
    }

    pub(crate) fn attached(&self, node: String) {
        self.reports.tell(Report::Attached { node, peer: self.peer.clone() });
    }

    pub(crate) fn started(&self, name: String, size: Option<u64>) {
        self.reports.tell(Report::Started { name, size });
    }

    pub(crate) fn progress(&self, name: &str, bytes: u64, size: Option<u64>) {
        self.reports.tell(Report::Progress { name: name.to_owned(), bytes, size });
    }

    pub(crate) fn received(&self, receipt: Receipt) {
        self.reports.tell(Report::Received(Moved {
            size: receipt.size.unwrap_or(receipt.stored),
            name: receipt.name,
            peer: self.peer.clone(),
            protocol: self.protocol,
            resumed_from: receipt.resumed_from,
            digest: receipt.digest,
            seconds: receipt.took.as_secs_f64(),
            stored_as: receipt.stored_as,
        }));
    }

    pub(crate) fn sent(&self, sending: Sending, resumed_from: u64) {
        if sending.is_listing {
            return;
        }
        self.reports.tell(Report::Sent(Moved {
            size: sending.size.unwrap_or(sending.fetched),
            name: sending.name,
            peer: self.peer.clone(),
            protocol: self.protocol,
            resumed_from,
            digest: sending.digest,
            seconds: sending.took.as_secs_f64(),
            stored_as: None,
        }));
    }

    pub(crate) fn notice(&self, text: &str) {
        self.reports.tell(Report::Notice { text: text.to_owned(), peer: self.peer.clone() });
    }

    /// Something was said between frames.
    pub(crate) fn console(&self, bytes: &[u8]) {
        if let Some(report) = Report::console(bytes, &self.peer) {
            self.reports.tell(report);
        }
    }

    /// A transfer was ended by somebody; `trouble` is what was wrong here.
    pub(crate) fn transfer_failed(&self, name: Option<String>, why: &Why, trouble: Option<String>) {
        let Why { by, code, words } = why;
        let error = ErrorName::of_code(*code);
        let message = match (trouble, words.as_str()) {
            (Some(trouble), _) => format!("{code}: {trouble}"),
            (None, "") => code.to_string(),
            (None, words) => format!("{code}: {}", words.escape_debug()),
        };
        let message = match by {
            By::Us => message,
            By::Peer => format!("the peer ended it: {message}"),
        };
        self.failed(name, error, message);
    }

    /// A file that was received whole has come into its place after the connection had ended, or could not be kept.
    pub(crate) fn committed(&self, receipt: Receipt, result: Result<(), Refusal>) {
        match result {
            Ok(()) => self.received(receipt),
            Err(Refusal { code, words }) => {
                let why = Why { by: By::Us, code, words: words.to_owned() };
                self.transfer_failed(Some(receipt.name), &why, receipt.trouble);
            }
        }
    }

    /// The connection was ended by a failure.
    pub(crate) fn connection_failed(&self, name: Option<String>, failure: &Failure) {
        self.failed(name, failure.error, failure.to_string());
    }

    fn failed(&self, name: Option<String>, error: ErrorName, message: String) {
        let peer = Some(self.peer.clone());
        let resumable = error.is_resumable();
        self.reports.tell(Report::Failed(Failed { name, error, message, resumable, peer }));
    }
}
