//! A connection that speaks the framed protocol.

use std::time::Duration;

use sampan_core::wire::{Code, DigestList};
use sampan_core::{Both, Limits, LinkError, Millis, Speaks};

use super::connection::{Admission, COMMIT, Client};
use super::files::Files;
use super::watch::{Turn, Watch};
use crate::control::Order;
use crate::digests;
use crate::failure::{ErrorName, Failure};
use crate::happened::Happened;
use crate::link::{Link as _, StreamLink};
use crate::memory::{HostSession, Memory, Opening};
use crate::report::Protocol;
use crate::run::Connection;
use crate::store::{Accepts, Serves};

/// How long what was said last may take to be read.
const LINGER: Duration = Duration::from_secs(1);

type Framed<'m> = Connection<HostSession<'m, Both<'m>>, StreamLink, Files>;

pub(super) fn serve(client: &Client<'_>, link: StreamLink) {
    if let Err(failure) = session(client, link) {
        client.teller.connection_failed(None, &failure);
    }
}

fn session(client: &Client<'_>, link: StreamLink) -> Result<(), Failure> {
    let no_memory =
        |error| Failure::new(ErrorName::Other, format!("the system has no memory to give: {error}"));
    let mut memory = Memory::with_frame(client.frame()).map_err(no_memory)?.with_limits(limits(client));
    let opening = Opening::new(Speaks::Second, client.clock).map_err(no_memory)?;
    let opening = Opening { since: sampan_core::Instant::ZERO, ..opening };
    let session = memory.both(opening).map_err(|error| Failure::session(error, None))?;
    let (allow, store) = (client.allow, &client.service.store);
    let accepts = if allow.put { Accepts::Anything } else { Accepts::Nothing };
    let sink = store.sink(accepts, client.on_conflict(Protocol::Framed), client.control);
    let source = store.source(Serves { get: allow.get, list: allow.list });
    let mut connection = Connection::new(session, link, Files { sink, source }, client.clock);
    let result = run(client, &mut connection);
    let Connection { link, mut storage, .. } = connection;
    let ended_here =
        matches!(result, Err(error) if !matches!(error, sampan_core::Error::Link(LinkError::Lost)));
    let failure = result.err().map(|error| Failure::session(error, link.fault()));
    for (receipt, result) in storage.sink.finish(COMMIT) {
        client.teller.committed(receipt, result);
    }
    let mut names = storage.sink.unfinished();
    names.extend(storage.source.unfinished());
    drop(storage);
    if ended_here {
        link.close_gently(LINGER);
    }
    if let Some(failure) = failure {
        if client.admission == Admission::Busy {
            let busy = Failure::new(ErrorName::Busy, "refused: too many connections")
                .with_advice("allow more with --max-connections");
            client.teller.connection_failed(None, &busy);
        } else if names.is_empty() {
            client.teller.connection_failed(None, &failure);
        }
        for name in names {
            client.teller.connection_failed(Some(name), &failure);
        }
    }
    Ok(())
}

fn limits(client: &Client<'_>) -> Limits {
    let options = &client.service.options;
    Limits {
        checks: digests::ALL.iter().fold(DigestList::new(&[options.digest]), DigestList::with),
        makes: digests::ALL,
        handshake: options.handshake,
        silence: Millis(30_000),
        ..Limits::LARGE
    }
}

fn run(client: &Client<'_>, connection: &mut Framed<'_>) -> Result<(), sampan_core::Error> {
    let options = &client.service.options;
    let mut watch = Watch::new(options.idle, options.min_rate, connection.now());
    let mut look_at = connection.now();
    let (mut told, mut heard) = (0, 0);
    loop {
        let happened = Happened::of(connection.turn()?);
        match happened {
            Happened::Nothing => {}
            Happened::Closed => return Ok(()),
            Happened::Opened if client.admission == Admission::Busy => connection.engine.abort(Code::Busy),
            Happened::Opened => client.teller.connected(),
            happened => tell(client, &mut connection.storage, happened),
        }
        let Files { sink, source } = &mut connection.storage;
        for (name, size) in sink.begun().into_iter().chain(source.begun()) {
            client.teller.started(name, size);
        }
        let now = connection.now();
        if now >= look_at {
            match client.control.order() {
                Order::GoOn => {}
                Order::GiveWay => connection.engine.abort(Code::Cancelled),
                Order::Stop => connection.engine.abort(Code::Closing),
            }
            let Files { sink, source } = &connection.storage;
            let turn = match (sink.is_committing(), sink.is_receiving() || source.is_sending()) {
                (true, _) => Turn::Ours,
                (false, true) => Turn::Peer,
                (false, false) => Turn::Nobody,
            };
            let contents = sink.moved() + source.moved();
            let (received, sent) = connection.link.moved();
            if received != heard {
                heard = received;
                sink.heard();
            }
            if watch.look(now, turn, contents, received + sent).is_some() {
                connection.engine.abort(Code::Timeout);
            }
            if contents != told {
                told = contents;
                progress(client, &connection.storage);
            }
            look_at = watch.next(now);
        }
        connection.look_at(look_at);
    }
}

fn progress(client: &Client<'_>, files: &Files) {
    if let Some((_, receipt)) = files.sink.newest() {
        client.teller.progress(&receipt.name, receipt.stored, receipt.size);
    }
    if let Some(sending) = files.source.newest().filter(|sending| !sending.is_listing) {
        client.teller.progress(&sending.name, sending.fetched, sending.size);
    }
}

fn tell(client: &Client<'_>, files: &mut Files, happened: Happened) {
    let teller = &client.teller;
    match happened {
        Happened::Received(transfer) => {
            if let Some(receipt) = files.sink.take(transfer) {
                teller.received(receipt);
            }
        }
        Happened::Sent(transfer, had) => {
            if let Some(sending) = files.source.take(transfer) {
                let resumed_from = had.or(sending.size).unwrap_or(0);
                teller.sent(sending, resumed_from);
            }
        }
        Happened::SendFailed(transfer, why) => {
            let sending = files.source.take(transfer);
            let trouble = sending.as_ref().and_then(|sending| sending.trouble.clone());
            teller.transfer_failed(sending.map(|sending| sending.name), &why, trouble);
        }
        Happened::ReceiveFailed(transfer, why) => {
            let receipt = files.sink.take(transfer);
            let trouble = receipt.as_ref().and_then(|receipt| receipt.trouble.clone());
            teller.transfer_failed(receipt.map(|receipt| receipt.name), &why, trouble);
        }
        Happened::Notice(text) => teller.notice(&text),
        Happened::Nothing | Happened::Opened | Happened::Closed | Happened::WantFailed(..) => {}
    }
}
