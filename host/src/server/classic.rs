//! A connection that speaks the classic handshake (`docs/protocol.md` §14).

use sampan_core::classic::{Receiver, TRANSFER};
use sampan_core::wire::Code;
use sampan_core::{Error, Limits, Millis};

use super::classic_files::ClassicFiles;
use super::connection::{Admission, Client};
use super::{TransferStatus, Way};
use crate::checks::FastCrc32;
use crate::control::Order;
use crate::failure::{ErrorName, Failure};
use crate::happened::Happened;
use crate::link::{Link as _, StreamLink};
use crate::memory::Memory;
use crate::report::Protocol;
use crate::run::Connection;
use crate::serving::{COMMIT, Patience, Turn, Watch};
use crate::store::Accepts;

type Classic<'m> = Connection<Receiver<'m, FastCrc32>, StreamLink, ClassicFiles>;

pub(super) fn serve(client: &Client<'_>, link: StreamLink) {
    let options = &client.service.options;
    let idle = u32::try_from(options.idle.as_millis()).unwrap_or(u32::MAX);
    let limits = Limits { handshake: options.handshake, silence: Millis(idle.min(30_000)), ..Limits::LARGE };
    let memory = match Memory::with_frame(client.frame()) {
        Ok(memory) => memory,
        Err(error) => {
            let failure =
                Failure::new(ErrorName::Other, format!("the system has no memory to give: {error}"));
            return client.teller.connection_failed(None, &failure);
        }
    };
    let mut memory = memory.with_limits(limits);
    let (buffers, limits) = memory.buffers();
    let start = sampan_core::Instant::ZERO;
    let Ok(engine) = Receiver::with_crc(buffers, limits, FastCrc32, start) else { return };
    let allowed = client.allow.classic && client.allow.put;
    let accepts = if allowed { Accepts::Anything } else { Accepts::Nothing };
    let desk = &client.member.desk;
    let sink = client.service.store.sink(accepts, client.on_conflict(Protocol::Classic), &desk.control);
    let mut connection = Connection::new(engine, link, ClassicFiles::new(sink), client.clock);
    if client.admission == Admission::Busy {
        connection.engine.refuse(Code::Busy);
    } else {
        client.teller.connected();
    }
    let mut said = Said::Nothing;
    let result = run(client, &mut connection, &mut said);
    let Connection { engine, link, storage, .. } = connection;
    desk.gauge.show(link.moved(), std::iter::empty());
    desk.close();
    let mut sink = storage.end(&engine);
    for (receipt, result) in sink.finish(COMMIT) {
        said = Said::Something;
        client.teller.committed(receipt, result);
    }
    let name = sink.unfinished().pop();
    if let (Err(error), Said::Nothing) = (result, said) {
        let failure = match error {
            Error::Link(_) => Failure::session(error, link.fault()),
            error => Failure::new(ErrorName::Other, error.to_string()),
        };
        client.teller.connection_failed(name, &failure);
    }
}

/// Whether the end of the file was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Something,
}

fn run(client: &Client<'_>, connection: &mut Classic<'_>, said: &mut Said) -> Result<(), Error> {
    let options = &client.service.options;
    let mut watch =
        Watch::new(Some(Patience { idle: options.idle, min_rate: options.min_rate }), connection.now());
    let mut look_at = connection.now();
    let mut told = 0;
    loop {
        match Happened::of(connection.turn()?) {
            Happened::Received(_) => {
                *said = Said::Something;
                if let Some(receipt) = connection.storage.sink.take(TRANSFER) {
                    client.teller.received(receipt);
                }
            }
            Happened::ReceiveFailed(_, why) => {
                *said = Said::Something;
                let receipt = connection.storage.sink.take(TRANSFER);
                let trouble = receipt.as_ref().and_then(|receipt| receipt.trouble.clone());
                client.teller.transfer_failed(receipt.map(|receipt| receipt.name), &why, trouble);
            }
            Happened::Closed => return Ok(()),
            _ => {}
        }
        connection.storage.notify(&client.member.desk, &mut connection.engine);
        for (name, size) in connection.storage.sink.begun() {
            client.teller.started(name, size);
        }
        let now = connection.now();
        if now >= look_at {
            if !matches!(client.member.desk.control.order(), Order::GoOn | Order::Finish) {
                connection.engine.refuse(Code::Closing);
            }
            let sink = &connection.storage.sink;
            let turn = match (sink.is_committing(), sink.is_receiving()) {
                (true, _) => Turn::Ours,
                (false, true) => Turn::Peer,
                (false, false) => Turn::Nobody,
            };
            let (received, sent) = connection.link.moved();
            let shown = sink.under_way().map(|receipt| {
                TransferStatus::new(&receipt.name, Way::Receive, receipt.stored, receipt.size)
            });
            client.member.desk.gauge.show((received, sent), shown);
            if watch.look(now, turn, sink.moved(), received).is_some() {
                connection.engine.refuse(Code::Timeout);
            }
            if sink.moved() != told {
                told = sink.moved();
                if let Some((_, receipt)) = sink.newest() {
                    client.teller.progress(&receipt.name, receipt.stored, receipt.size);
                }
            }
            look_at = Watch::soon(now);
        }
        connection.look_at(look_at);
    }
}
