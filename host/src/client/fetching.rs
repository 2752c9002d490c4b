//! What a client asks a server for, over as many links as it takes.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use sampan_core::session::transitions::SessionState;
use sampan_core::wire::{Code, FileName};
use sampan_core::{By, Error, Instant, PeerError, Receiver, TransferId, WantId};

use super::asks::{Ask, Named};
use super::attempts::{Contact, Rest, Task, attempt, conclude, nothing_to_give};
use super::listed::Listed;
use super::output::Output;
use super::tally::Tally;
use super::wanted::{Under, WantedFiles};
use super::{ClientOptions, Outcome};
use crate::clock::Clock;
use crate::control::Control;
use crate::failure::{ErrorName, Failure};
use crate::happened::{Happened, Why};
use crate::link::StreamLink;
use crate::memory::{HostSession, Memory, Opening, TRANSFERS};
use crate::report::{Moved, Protocol, Report};
use crate::reports::Reports;
use crate::run::Connection;
use crate::store::{Accepts, OnConflict, Store, StoreSink};

const TICK: Duration = Duration::from_millis(250);
const BUSY_TRIES: u32 = 12;
const COMMIT: Duration = Duration::from_secs(60);

type Connected<'m> = Connection<HostSession<'m, Receiver<'m>>, StreamLink, WantedFiles>;

pub(super) struct Fetching<'o> {
    options: &'o ClientOptions,
    control: Arc<Control>,
    tally: Tally,
    queue: VecDeque<Ask>,
    /// What is asked for again at a later time.
    later: VecDeque<(Instant, Ask)>,
    asked: HashMap<WantId, Ask>,
    /// What is known of the names that are being looked at.
    looked: HashMap<WantId, Vec<Listed>>,
    /// Where files go, if not to the output.
    store: Option<Store>,
    output: Option<Output>,
    contact: Contact,
    reached: u64,
    entries: u64,
}

impl Task for Fetching<'_> {
    fn work(&mut self, link: StreamLink) -> Result<(), Failure> {
        let clock = Clock::start();
        let (frame, limits) = (self.options.frame(), self.options.limits());
        let mut memory = Memory::for_link(&link, frame, TRANSFERS, limits).map_err(nothing_to_give)?;
        let opening = Opening::dialled(&link, clock).map_err(nothing_to_give)?;
        let session = memory.receiver(opening).map_err(|error| Failure::session(error, None))?;
        let sink =
            self.store.as_ref().map(|store| store.sink(Accepts::Wanted, OnConflict::Replace, &self.control));
        let files = WantedFiles::new(sink, self.output.take());
        let mut connection = Connection::new(session, link, files, clock);
        let result = self.turns(&mut connection);
        let Connection { link, storage: mut files, .. } = connection;
        if let Some(sink) = &mut files.sink {
            self.reached = self.reached.saturating_add(sink.moved());
            for (receipt, result) in sink.finish(COMMIT) {
                // Those that are whole here need not be fetched again.
                if result.is_ok() {
                    self.asked.retain(|_, ask| !ask.is_for(&receipt.name));
                    self.tally.received(moved(receipt, &self.contact.peer));
                }
            }
        }
        self.output = files.output.take();
        self.reached = self.reached.saturating_add(self.output.as_ref().map_or(0, |output| output.written));
        conclude(result, if self.is_done() { Rest::Done } else { Rest::Left }, link)
    }

    fn requeue(&mut self) -> Option<String> {
        self.looked.clear();
        let mut again: Vec<_> = self.asked.drain().collect();
        again.sort_unstable_by_key(|(want, _)| *want);
        let first = again.first().map(|(_, ask)| ask.name().to_owned());
        let later = self.later.drain(..).map(|(_, ask)| ask);
        for ask in again.into_iter().map(|(_, ask)| ask).chain(later).rev().collect::<Vec<_>>() {
            self.queue.push_front(ask);
        }
        first
    }

    fn left(&self) -> u64 {
        self.queue.len() as u64
    }

    fn reached(&self) -> u64 {
        self.reached
    }

    fn once(&self) -> Option<&'static str> {
        (self.entries > 0).then_some("what was shown cannot be taken back")
    }

    fn contact(&self) -> &Contact {
        &self.contact
    }

    fn contact_mut(&mut self) -> &mut Contact {
        &mut self.contact
    }

    fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    fn into_tally(self) -> Tally {
        self.tally
    }
}

impl<'o> Fetching<'o> {
    pub(super) fn new(
        named: Vec<Named>,
        (store, output): (Option<Store>, Option<Output>),
        options: &'o ClientOptions,
        reports: &Reports,
        control: Arc<Control>,
    ) -> Self {
        let ask = |what| match output {
            Some(_) => Ask::Fetch { what, size: None, tries: 0 },
            None => Ask::Look(what),
        };
        let queue = named.into_iter().map(ask).collect();
        Self {
            options,
            control,
            tally: Tally::new(reports),
            queue,
            later: VecDeque::new(),
            asked: HashMap::new(),
            looked: HashMap::new(),
            store,
            output,
            contact: Contact::default(),
            reached: 0,
            entries: 0,
        }
    }

    pub(super) fn listing(
        shown: &str,
        wire: &str,
        options: &'o ClientOptions,
        reports: &Reports,
        control: Arc<Control>,
    ) -> Self {
        let mut fetching = Self::new(Vec::new(), (None, None), options, reports, control);
        fetching.queue.push_back(Ask::List { shown: shown.to_owned(), wire: wire.to_owned() });
        fetching
    }

    /// Fetches it all; what is fetched into a directory goes to `store`.
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let (options, waker) = (self.options, self.control.waker().clone());
        attempt(self, options, &waker)
    }

    fn is_done(&self) -> bool {
        self.queue.is_empty() && self.asked.is_empty() && self.later.is_empty()
    }

    fn turns(&mut self, connection: &mut Connected<'_>) -> Result<(), Error> {
        let mut told_at = connection.now();
        loop {
            if self.options.stop.is_asked() {
                connection.engine.abort(Code::Cancelled);
            }
            self.ask(connection);
            let happened = Happened::of(connection.turn()?);
            let now = connection.now();
            for (name, size) in connection.storage.begun() {
                self.tally.reports().tell(Report::Started { name, size });
            }
            match happened {
                Happened::Nothing => {}
                Happened::Closed => return Ok(()),
                Happened::Opened => self.contact.opened(&self.tally),
                Happened::Notice(text) => self.contact.notice(text, &self.tally),
                Happened::Noise(bytes) => self.contact.console(&bytes, &self.tally),
                // Whoever has it is going, or has gone: what was under way goes on over another link.
                Happened::ReceiveFailed(_, Why { by: By::Peer, code: Code::Closing, .. })
                | Happened::WantFailed(_, Why { by: By::Peer, code: Code::Closing, .. }) => {
                    return Err(PeerError::Aborted(Code::Closing).into());
                }
                Happened::Received(transfer) => self.received(transfer, &mut connection.storage),
                Happened::ReceiveFailed(transfer, why) => self.failed(transfer, &why, connection),
                Happened::WantFailed(want, why) => {
                    if let Some(ask) = self.asked.remove(&want) {
                        self.refused(ask, &why, None, now);
                    }
                }
                Happened::Sent(..)
                | Happened::SendFailed(..)
                | Happened::NoticeTaken(_)
                | Happened::Ponged(_)
                | Happened::Attached(_) => {}
            }
            self.look(&mut connection.storage);
            if now.since(told_at) >= TICK {
                told_at = now;
                self.progress(&mut connection.storage);
            }
            connection.look_at(Instant::from_micros(now.as_micros() + TICK.as_micros() as u64));
        }
    }

    /// Asks for as much as can be asked for now; says goodbye when nothing is left.
    fn ask(&mut self, connection: &mut Connected<'_>) {
        if self.is_done() {
            return connection.engine.close(Code::Ok);
        }
        let now = connection.now();
        while self.later.front().is_some_and(|(at, _)| *at <= now) {
            self.queue.extend(self.later.pop_front().map(|(_, ask)| ask));
        }
        while let Some(ask) = self.queue.front() {
            let Some(want) = connection.engine.want() else {
                if connection.engine.state() == SessionState::Open && self.asked.is_empty() {
                    self.cannot_ask();
                }
                return;
            };
            match ask {
                Ask::Look(Named { remote, .. }) => connection.storage.want_listing(want, remote),
                Ask::List { wire, .. } => connection.storage.want_listing(want, wire),
                Ask::Fetch { what, .. } => {
                    if let (Ok(remote), Ok(local)) = (FileName::new(&what.remote), FileName::new(&what.local))
                    {
                        connection.storage.want_file(want, remote, local);
                    }
                }
            }
            self.asked.extend(self.queue.pop_front().map(|ask| (want, ask)));
        }
    }

    /// The peer answers no WANT at all.
    fn cannot_ask(&mut self) {
        let failure = Failure::new(ErrorName::NotAllowed, "the peer gives no files");
        for ask in std::mem::take(&mut self.queue) {
            self.tally.failed(Some(ask.name().to_owned()), &failure, Some(&self.contact.peer));
        }
    }

    /// Takes what has come of listings.
    fn look(&mut self, files: &mut WantedFiles) {
        for (want, listing) in files.listings() {
            let (listed, invalid) = listing.take();
            match self.asked.get(&want) {
                Some(Ask::List { shown, .. }) => {
                    for entry in listed.into_iter().filter(|entry| entry.name.starts_with(shown.as_str())) {
                        self.entries += 1;
                        self.tally.reports().tell(entry.report());
                    }
                }
                _ => self.looked.entry(want).or_default().extend(listed),
            }
            for name in invalid {
                let failure = Failure::new(
                    ErrorName::BadName,
                    format!("the peer lists {name}, which is no valid name"),
                );
                self.tally.failed(Some(name), &failure, Some(&self.contact.peer));
            }
        }
    }

    fn received(&mut self, transfer: TransferId, files: &mut WantedFiles) {
        self.look(files);
        let Some(under) = files.under(transfer) else { return };
        let ask = self.asked.remove(&under.want());
        files.forget(transfer);
        match (under, ask) {
            (Under::Listing(want), Some(Ask::Look(named))) => {
                let listed = self.looked.remove(&want).unwrap_or_default();
                self.found(&named, listed);
            }
            (Under::Listing(_), _) => {}
            (Under::File(_), _) => {
                if let Some(receipt) = files.sink.as_mut().and_then(|sink| sink.take(transfer)) {
                    self.tally.received(moved(receipt, &self.contact.peer));
                }
            }
            (Under::Output(_), ask) => {
                if let (Some(Ask::Fetch { what, .. }), Some(output)) = (ask, &mut files.output) {
                    self.tally.received(Moved {
                        name: what.remote,
                        size: output.written,
                        peer: self.contact.peer.clone(),
                        protocol: Protocol::Framed,
                        resumed_from: output.resumed_from,
                        digest: output.shown.take(),
                        seconds: output.began.elapsed().as_secs_f64(),
                        stored_as: None,
                    });
                }
            }
        }
    }

    /// A name was looked at.
    fn found(&mut self, named: &Named, listed: Vec<Listed>) {
        let (asks, bytes) = named.all(listed);
        let count = asks.len() as u64;
        for ask in asks {
            if let Ask::Fetch { what, .. } = &ask
                && let Err(error) = FileName::new(&what.local)
            {
                let failure =
                    Failure::new(ErrorName::LocalFile, format!("cannot make {:?}: {error}", what.local));
                self.tally.failed(Some(what.remote.clone()), &failure, None);
                continue;
            }
            self.queue.push_back(ask);
        }
        if count == 0 {
            // Only asking for it tells why it is not there.
            self.queue.push_back(Ask::Fetch { what: named.clone(), size: None, tries: 0 });
        } else {
            self.tally.reports().tell(Report::Planned { files: count, bytes });
        }
    }

    fn failed(&mut self, transfer: TransferId, why: &Why, connection: &mut Connected<'_>) {
        let now = connection.now();
        let files = &mut connection.storage;
        let Some(under) = files.under(transfer) else { return };
        files.forget(transfer);
        self.looked.remove(&under.want());
        let trouble = match under {
            Under::File(_) => {
                files.sink.as_mut().and_then(|sink| sink.take(transfer)).and_then(|receipt| receipt.trouble)
            }
            Under::Output(_) => files
                .output
                .as_mut()
                .and_then(|output| output.trouble.take())
                .map(|error| format!("cannot write to the standard output: {error}")),
            Under::Listing(_) => None,
        };
        if let Some(ask) = self.asked.remove(&under.want()) {
            self.refused(ask, why, trouble, now);
        }
    }

    /// What was asked for does not come.
    fn refused(&mut self, ask: Ask, why: &Why, trouble: Option<String>, now: Instant) {
        let Why { by, code, words } = why;
        let ask = match (ask, by, code) {
            // Perhaps it may be fetched though it may not be listed.
            (Ask::Look(what), By::Peer, _) => {
                self.queue.push_back(Ask::Fetch { what, size: None, tries: 0 });
                return;
            }
            (Ask::Fetch { what, size, tries }, By::Peer, Code::Busy) if tries < BUSY_TRIES => {
                let pause = 100_000_u64 << tries.min(4);
                let again = Ask::Fetch { what, size, tries: tries + 1 };
                self.later.push_back((Instant::from_micros(now.as_micros() + pause), again));
                return;
            }
            (ask, ..) => ask,
        };
        let failure = match (by, code, trouble) {
            // The name that was asked for is valid.
            (By::Us, Code::BadName, _) => {
                Failure::new(ErrorName::Protocol, "the peer does not send what was asked for: another name")
            }
            (_, _, Some(trouble)) => Failure::new(ErrorName::LocalFile, trouble),
            (By::Us, Code::NotAllowed | Code::TooLarge | Code::Unsupported, None) => Failure::new(
                ErrorName::Protocol,
                format!("the peer does not send what was asked for: {words}"),
            ),
            (By::Us, Code::Exists, None) => {
                Failure::new(ErrorName::LocalFile, format!("cannot put it into its place: {words}"))
            }
            (By::Us, Code::Changed | Code::Cancelled, None) => {
                Failure::new(ErrorName::Integrity, format!("what was written is not right: {words}"))
            }
            _ => Failure::transfer(*by, *code, words),
        };
        self.tally.failed(Some(ask.name().to_owned()), &failure, Some(&self.contact.peer));
    }

    fn progress(&mut self, files: &mut WantedFiles) {
        if let Some((_, receipt)) = files.sink.as_ref().and_then(StoreSink::newest) {
            let (name, bytes, size) = (receipt.name.clone(), receipt.stored, receipt.size);
            self.tally.reports().tell(Report::Progress { name, bytes, size });
        }
        if let (Some(output), Some(Ask::Fetch { what, .. })) = (&files.output, self.asked.values().next()) {
            let name = what.remote.clone();
            self.tally.reports().tell(Report::Progress { name, bytes: output.written, size: output.size });
        }
    }
}

fn moved(receipt: crate::store::Receipt, peer: &str) -> Moved {
    Moved {
        size: receipt.size.unwrap_or(receipt.stored),
        name: receipt.name,
        peer: peer.to_owned(),
        protocol: Protocol::Framed,
        resumed_from: receipt.resumed_from,
        digest: receipt.digest,
        seconds: receipt.took.as_secs_f64(),
        stored_as: receipt.stored_as,
    }
}
