//! A connection that speaks the framed protocol.

use std::sync::Arc;
use std::time::Duration;

use sampan_core::wire::{Code, NodeName};
use sampan_core::{Both, Error, Instant, LinkError};

use super::duties::{Begun, Duties};
use super::files::Files;
use super::{COMMIT, Desk, Patience, Teller, Turn, Watch};
use crate::clock::Clock;
use crate::control::Order;
use crate::failure::Failure;
use crate::happened::{Happened, Why};
use crate::link::StreamLink;
use crate::memory::{Begins, HostSession, Memory, Opening};
use crate::run::Connection;
use crate::store::{StoreSink, StoreSource};

/// How long what was said last may take to be read.
const LINGER: Duration = Duration::from_secs(1);
/// How long who is connected to a server that takes nobody any more may do nothing.
const DAWDLE: Duration = Duration::from_secs(5);

type Framed<'m> = Connection<HostSession<'m, Both<'m>>, StreamLink, Files>;

/// A session with its files, its errands, and what watches over it.
pub(crate) struct Serving<'m> {
    connection: Framed<'m>,
    desk: Arc<Desk>,
    teller: Teller,
    duties: Duties,
    watch: Watch,
    attachment: Attachment,
    /// The last order that was carried out.
    obeyed: Order,
    /// When to look after everything again.
    look_at: Instant,
    /// Since when nothing is under way.
    quiet_since: Option<Instant>,
    told: u64,
    heard: u64,
}

/// What its caller is told of a step.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing that concerns it.
    Nothing,
    /// The session is open.
    Opened,
    /// The peer stays, as a node of this name.
    Attached(String),
    /// The session has ended well.
    Closed,
}

/// Whether the peer is a node that stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attachment {
    None,
    Attached,
}

/// How a session has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Why, if not well.
    pub(crate) failure: Option<Failure>,
    /// What had not come to an end.
    pub(crate) names: Vec<String>,
}

impl<'m> Serving<'m> {
    /// Begins a session in this memory.
    pub(crate) fn begin(
        memory: &'m mut Memory,
        (opening, clock): (Opening, Clock),
        link: StreamLink,
        (sink, source): (StoreSink, StoreSource),
        (desk, teller): (&Arc<Desk>, &Teller),
        patience: Option<Patience>,
    ) -> Result<Self, Failure> {
        let session = memory.both(opening).map_err(|error| Failure::session(error, None))?;
        let connection = Connection::new(session, link, Files::new(sink, source), clock);
        let now = connection.now();
        Ok(Self {
            connection,
            desk: Arc::clone(desk),
            teller: teller.clone(),
            duties: Duties::default(),
            watch: Watch::new(patience, now),
            attachment: Attachment::None,
            obeyed: Order::GoOn,
            look_at: now,
            quiet_since: None,
            told: 0,
            heard: 0,
        })
    }

    /// This end stays at the other, as a node.
    pub(crate) fn attach(&mut self, name: NodeName<'m>) {
        self.connection.engine.attach(name);
    }

    /// The peer is a node that stays: it may be idle for as long as it likes.
    pub(crate) fn stays(&mut self) {
        self.attachment = Attachment::Attached;
        self.watch.stays();
    }

    /// Ends the session at once.
    pub(crate) fn abort(&mut self, code: Code) {
        self.connection.engine.abort(code);
    }

    /// Does one thing.
    pub(crate) fn step(&mut self) -> Result<Step, Error> {
        let happened = Happened::of(self.connection.turn()?);
        let step = match happened {
            Happened::Nothing => Step::Nothing,
            Happened::Closed => return Ok(Step::Closed),
            Happened::Opened => Step::Opened,
            Happened::Attached(name) => Step::Attached(name),
            happened => {
                self.tell(happened);
                Step::Nothing
            }
        };
        let Connection { engine, storage, .. } = &mut self.connection;
        let mut begun = self.duties.begin(&self.desk, engine, storage);
        if begun == Begun::Something {
            self.connection.go_on();
        }
        let storage = &mut self.connection.storage;
        for (name, size) in storage.sink.begun().into_iter().chain(storage.source.begun()) {
            begun = Begun::Something;
            self.teller.started(name, size);
        }
        let now = self.connection.now();
        self.obey(now);
        let wakes =
            begun == Begun::Something || (self.quiet_since.is_some() && !self.connection.engine.is_idle());
        if wakes || now >= self.look_at {
            self.look(now);
        }
        self.connection.look_at(self.look_at);
        Ok(step)
    }

    /// Does what others have ordered, once.
    fn obey(&mut self, now: Instant) {
        let order = self.desk.control.order();
        if order == self.obeyed {
            return;
        }
        let engine = &mut self.connection.engine;
        match (order, self.attachment, self.quiet_since) {
            (Order::GoOn, ..) | (Order::Finish, Attachment::None, None) => return,
            (Order::Finish, Attachment::Attached, _) => engine.close(Code::Closing),
            (Order::Finish, Attachment::None, Some(since)) if now.since(since) < DAWDLE => {
                let until = Instant::from_micros(since.as_micros() + DAWDLE.as_micros() as u64);
                self.look_at = self.look_at.min(until);
                return;
            }
            (Order::Finish, Attachment::None, Some(_)) => engine.abort(Code::Closing),
            (Order::GiveWay, ..) => engine.abort(Code::Cancelled),
            (Order::Displaced, ..) => engine.abort(Code::Exists),
            (Order::Stop, ..) => engine.abort(Code::Closing),
        }
        self.obeyed = order;
        // The last turn may have found nothing to do; now there is.
        self.connection.go_on();
    }

    /// Looks after what takes time.
    fn look(&mut self, now: Instant) {
        let Connection { engine, storage, link, .. } = &mut self.connection;
        self.duties.look(engine, storage);
        let turn = match (storage.sink.is_committing(), storage.are_moving()) {
            (true, _) => Turn::Ours,
            (false, true) => Turn::Peer,
            (false, false) => Turn::Nobody,
        };
        let (received, sent) = link.moved();
        if received != self.heard {
            self.heard = received;
            storage.sink.heard();
        }
        let contents = storage.moved();
        if self.watch.look(now, turn, contents, received + sent).is_some() {
            engine.abort(Code::Timeout);
        }
        self.desk.gauge.show((received, sent), storage.under_way());
        if contents != self.told {
            self.told = contents;
            self.progress();
        }
        let quiet = turn == Turn::Nobody && self.connection.engine.is_idle();
        if quiet {
            self.quiet_since.get_or_insert(now);
            self.look_at = self.watch.later(now);
        } else {
            self.quiet_since = None;
            self.look_at = Watch::soon(now);
        }
    }

    fn progress(&self) {
        let files = &self.connection.storage;
        if let Some((_, receipt)) = files.sink.newest() {
            self.teller.progress(&receipt.name, receipt.stored, receipt.size);
        }
        if let Some(sending) = files.source.newest().filter(|sending| !sending.is_listing) {
            self.teller.progress(&sending.name, sending.fetched, sending.size);
        }
    }

    fn tell(&mut self, happened: Happened) {
        let (files, teller) = (&mut self.connection.storage, &self.teller);
        match happened {
            Happened::Received(transfer) => {
                if !files.relayed.over(transfer, Code::Ok)
                    && let Some(receipt) = files.sink.take(transfer)
                {
                    teller.received(receipt);
                }
            }
            Happened::Sent(transfer, had) => {
                let resumed_from = |size: Option<u64>| had.or(size).unwrap_or(0);
                if let Some((push, sending)) = files.pushes.take(transfer) {
                    let resumed_from = resumed_from(sending.size);
                    teller.sent(sending.clone(), resumed_from);
                    push.stored(sending, resumed_from);
                } else if let Some(sending) = files.source.take(transfer) {
                    let resumed_from = resumed_from(sending.size);
                    teller.sent(sending, resumed_from);
                }
            }
            Happened::SendFailed(transfer, why) => {
                let (push, sending) = match files.pushes.take(transfer) {
                    Some((push, sending)) => (Some(push), Some(sending)),
                    None => (None, files.source.take(transfer)),
                };
                let (name, trouble) =
                    sending.map_or((None, None), |sending| (Some(sending.name), sending.trouble));
                teller.transfer_failed(name, &why, trouble.clone());
                if let Some(push) = push {
                    push.failed(why, trouble);
                }
            }
            Happened::ReceiveFailed(transfer, why) => {
                if !files.relayed.over(transfer, why.code) {
                    let receipt = files.sink.take(transfer);
                    let trouble = receipt.as_ref().and_then(|receipt| receipt.trouble.clone());
                    teller.transfer_failed(receipt.map(|receipt| receipt.name), &why, trouble);
                }
            }
            Happened::WantFailed(want, Why { code, .. }) => files.relayed.refused(want, code),
            Happened::Notice(text) => teller.notice(&text),
            Happened::Noise(bytes) => teller.console(&bytes),
            Happened::NoticeTaken(number) => self.duties.taken(number),
            Happened::Nothing
            | Happened::Opened
            | Happened::Attached(_)
            | Happened::Ponged(_)
            | Happened::Closed => {}
        }
    }

    /// How the next session on this link has to begin, if not as any.
    pub(crate) fn successor(&self) -> Option<Begins> {
        self.connection.engine.successor()
    }

    /// Lets go of the link, and of everything that was left to do.
    pub(crate) fn end(self, result: Result<(), Error>) -> Ended {
        let Self { connection, desk, teller, duties, .. } = self;
        desk.close();
        drop(duties);
        let Connection { link, mut storage, .. } = connection;
        desk.gauge.show(link.moved(), std::iter::empty());
        let ended_here = matches!(result, Err(error) if !matches!(error, Error::Link(LinkError::Lost)));
        let failure = result.err().map(|error| Failure::over(&link, error));
        for (receipt, result) in storage.sink.finish(COMMIT) {
            teller.committed(receipt, result);
        }
        let mut names = storage.sink.unfinished();
        names.extend(storage.source.unfinished());
        names.extend(storage.pushes.under_way().map(|(name, ..)| name.to_owned()));
        drop(storage);
        if ended_here {
            link.close_gently(LINGER);
        }
        Ended { failure, names }
    }
}
