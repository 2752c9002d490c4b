//! Sending by the classic handshake (`docs/protocol.md` §14.3): a connection for each file.

use std::time::Duration;

use sampan_core::classic::{Sender, TRANSFER};
use sampan_core::driver::Turn;
use sampan_core::wire::Code;
use sampan_core::{By, Error, Event, Instant, LinkError};

use super::attempts::nothing_to_give;
use super::dial::dial;
use super::plan::Plan;
use super::tally::Tally;
use super::{ClientOptions, Outcome};
use crate::clock::Clock;
use crate::failure::{ErrorName, Failure};
use crate::link::{Link as _, StreamLink, Url, Waker};
use crate::memory::Memory;
use crate::report::{Moved, Protocol, Report};
use crate::reports::Reports;
use crate::run::Connection;
use crate::source::{FileSource, Item, ItemKind};

const TICK: Duration = Duration::from_millis(250);

/// Sends the files of a plan, one after the other. Nothing is resumed, and nothing is sent twice: the server cannot be asked what it has.
///
/// # Errors
///
/// [`ErrorName::Usage`] if there is something else than files in it; if the server cannot be reached at first; at an interruption.
pub fn send_classic(plan: Plan, options: &ClientOptions, reports: &Reports) -> Result<Outcome, Failure> {
    if plan.items.iter().any(|item| !matches!(item.kind, ItemKind::Named)) {
        return Err(Failure::new(ErrorName::Usage, "the classic handshake carries files only")
            .with_advice("name the files one by one, or leave --classic out"));
    }
    if matches!(options.url, Url::Udp { .. } | Url::Serial(_)) {
        let what = format!("the classic handshake needs a connection, which {} is not", options.url);
        return Err(Failure::new(ErrorName::Usage, what).with_advice("use tcp://, or leave --classic out"));
    }
    let mut tally = Tally::new(reports);
    for (path, failure) in &plan.failed {
        tally.failed(Some(path.clone()), failure, None);
    }
    reports.tell(Report::Planned { files: plan.items.len() as u64, bytes: plan.bytes() });
    let waker = Waker::new().map_err(nothing_to_give)?;
    let _registration = options.stop.register(waker.clone());
    for (index, item) in plan.items.into_iter().enumerate() {
        let link = match dial(options, &waker) {
            Ok(link) => link,
            Err(failure) if index == 0 || failure.error == ErrorName::Interrupted => return Err(failure),
            Err(failure) => {
                tally.failed(Some(item.name), &failure, None);
                continue;
            }
        };
        let peer = link.peer();
        let name = item.name.clone();
        if let Err(failure) = send_one(item, link, options, &mut tally) {
            if failure.error == ErrorName::Interrupted {
                return Err(failure);
            }
            tally.failed(Some(name), &failure, Some(&peer));
        }
    }
    Ok(tally.finish())
}

fn send_one(item: Item, link: StreamLink, options: &ClientOptions, tally: &mut Tally) -> Result<(), Failure> {
    let clock = Clock::start();
    let peer = link.peer();
    let mut memory =
        Memory::with_frame(options.frame()).map_err(nothing_to_give)?.with_limits(options.limits());
    let (buffers, limits) = memory.buffers();
    let engine = Sender::new(buffers, limits, clock.now()).map_err(|error| Failure::session(error, None))?;
    let mut source = FileSource::new();
    source.add(TRANSFER, item);
    let mut connection = Connection::new(engine, link, source, clock);
    tally.reports().tell(Report::Connected { peer: peer.clone(), protocol: Protocol::Classic });
    let mut outcome = Err(Failure::new(ErrorName::LinkLost, "the server closed before the file was sent"));
    let mut told = Instant::ZERO;
    loop {
        if options.stop.is_asked() {
            connection.engine.cancel(Code::Cancelled);
        }
        match connection.turn() {
            Ok(Turn::Event(Event::Sent { .. })) => outcome = Ok(()),
            Ok(Turn::Event(Event::SendFailed(failure))) => {
                let (by, code, words) = (failure.by, failure.code, failure.words.to_owned());
                outcome = Err(match (by, code) {
                    (By::Us, Code::Cancelled) => Failure::interrupted(),
                    (By::Peer, Code::Other) => Failure::new(
                        ErrorName::NotAllowed,
                        format!("the server refused it: {}", words.escape_debug()),
                    ),
                    _ => Failure::transfer(by, code, &words),
                });
            }
            Ok(Turn::Event(Event::Notice(text))) => {
                let text = text.to_owned();
                tally.reports().tell(Report::Notice { text, peer: peer.clone() });
            }
            Ok(Turn::Event(_) | Turn::Worked) => {}
            Ok(Turn::Closed) => break,
            Err(error) => {
                outcome = Err(lost(error, connection.link.fault()));
                break;
            }
        }
        for (name, size) in connection.storage.begun() {
            tally.reports().tell(Report::Started { name, size });
        }
        let now = connection.now();
        if now.since(told) >= TICK {
            told = now;
            if let Some((item, bytes)) = connection.storage.newest() {
                let (name, size) = (item.name.clone(), item.size);
                tally.reports().tell(Report::Progress { name, bytes, size });
            }
        }
        connection.look_at(Instant::from_micros(now.as_micros() + TICK.as_micros() as u64));
    }
    let sent = connection.storage.remove(TRANSFER);
    outcome.map_err(|failure| match sent.as_ref().and_then(|sent| sent.error.as_ref()) {
        Some(error) => Failure::new(ErrorName::LocalFile, error.to_string()),
        None => failure,
    })?;
    if let Some(sent) = sent {
        tally.sent(Moved {
            name: sent.item.name,
            size: sent.size,
            peer,
            protocol: Protocol::Classic,
            resumed_from: 0,
            digest: sent.digest,
            seconds: sent.took.as_secs_f64(),
            stored_as: None,
        });
    }
    Ok(())
}

fn lost(error: Error, fault: Option<&std::io::Error>) -> Failure {
    let failure = Failure::session(error, fault);
    match error {
        Error::Link(LinkError::Handshake | LinkError::Silent) => {
            failure.with_advice("does it speak the classic handshake?")
        }
        _ => failure,
    }
}
