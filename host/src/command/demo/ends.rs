//! The two ends of the demo: the client, which sends, and the server, which receives.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sampan::clock::Clock;
use sampan::digests::Shown;
use sampan::link::{Link as _, TcpLink};
use sampan::memory::{Memory, Opening};
use sampan::run::Connection;
use sampan::sink::{Committed, FileSink};
use sampan::source::FileSource;
use sampan_core::driver::Turn;
use sampan_core::wire::{Code, DigestKind, DigestList};
use sampan_core::{By, Event, Speaks};

use sampan::failure::{ErrorName, Failure};

/// What the client knows in the end.
pub(super) struct Dispatched {
    pub(super) digest: Shown,
    /// From the offer until the server had it, verified and durable.
    pub(super) took: Duration,
}

pub(super) fn send(link: TcpLink, path: &Path, kind: DigestKind) -> Result<Dispatched, Failure> {
    let clock = Clock::start();
    let begun = Instant::now();
    let mut memory = Memory::new().with_digests(DigestList::new(&[kind]));
    let mut session =
        memory.sender(opening(Speaks::First, clock)?).map_err(|error| Failure::session(error, None))?;
    let mut source = FileSource::new();
    let transfer =
        session.offer().ok_or_else(|| Failure::new(ErrorName::Other, "no transfer can be queued"))?;
    source.add(transfer, path).map_err(|error| {
        Failure::new(ErrorName::LocalFile, format!("cannot send {path:?}: {error}")).with_advice("rename it")
    })?;
    let mut connection = Connection::new(session, link, source, clock);
    let mut outcome = Err(Failure::new(ErrorName::Other, "the session ended before the transfer"));
    loop {
        match connection.turn() {
            Ok(Turn::Event(Event::Sent { .. })) => {
                let took = begun.elapsed();
                let digest = connection.storage.digest(transfer);
                outcome = digest
                    .map(|digest| Dispatched { digest, took })
                    .ok_or_else(|| Failure::new(ErrorName::Other, "the receiver had the file already"));
                connection.engine.close(Code::Ok);
            }
            Ok(Turn::Event(Event::SendFailed(failure))) => {
                let refused = Failure::transfer(failure.by, failure.code, failure.words);
                outcome = Err(connection.storage.remove(transfer).map_or(refused, Failure::from));
                connection.engine.close(Code::Ok);
            }
            Ok(Turn::Event(_) | Turn::Worked) => {}
            Ok(Turn::Closed) => return outcome,
            Err(error) => return Err(Failure::session(error, connection.link.fault())),
        }
    }
}

pub(super) fn receive(
    link: TcpLink,
    directory: &Path,
    kind: DigestKind,
    stored: &AtomicU64,
) -> Result<Committed, Failure> {
    let clock = Clock::start();
    let mut memory = Memory::new().with_digests(DigestList::new(&[kind]));
    let session =
        memory.receiver(opening(Speaks::Second, clock)?).map_err(|error| Failure::session(error, None))?;
    let mut connection = Connection::new(session, link, FileSink::new(directory), clock);
    let mut failed = None;
    loop {
        match connection.turn() {
            Ok(Turn::Event(Event::ReceiveFailed(failure))) => {
                let by_code = Failure::transfer(failure.by, failure.code, failure.words);
                failed = Some(connection.storage.take_error().map_or(by_code, Failure::from));
            }
            Ok(Turn::Event(_)) => {}
            Ok(Turn::Worked) => stored.store(connection.storage.stored(), Ordering::Relaxed),
            Ok(Turn::Closed) => break,
            Err(error) => return Err(Failure::session(error, connection.link.fault())),
        }
    }
    let nothing = || Failure::transfer(By::Peer, Code::Cancelled, "nothing was sent");
    connection.storage.take_committed().ok_or_else(|| failed.unwrap_or_else(nothing))
}

fn opening(speaks: Speaks, clock: Clock) -> Result<Opening, Failure> {
    Opening::new(speaks, clock).map_err(|error: io::Error| {
        Failure::new(ErrorName::Other, format!("no randomness from the system: {error}"))
    })
}
