//! The driver of the [lean engine](crate::lean), which never waits.

use embedded_io::{Read, ReadReady, Write, WriteReady};

use super::{Outcome, Turn, outcome};
use crate::error::Error;
use crate::lean::{Ask, Framing, Role, Session, Store, Verdict};
use crate::units::Instant;
use crate::wire::Crc32;

/// Does at most one read and one thing that is asked, and returns at once.
///
/// # Errors
///
/// [`WouldBlock`](nb::Error::WouldBlock) if there is nothing to do now; otherwise what ended the session.
pub fn turn<F, C, R, L, S>(
    engine: &mut Session<'_, F, C, R>,
    link: &mut L,
    store: &mut S,
    now: Instant,
) -> nb::Result<Turn<'static>, Error>
where
    F: Framing,
    C: Crc32,
    R: Role,
    L: Read + Write + ReadReady + WriteReady,
    S: Store,
{
    let buffer = engine.receive_buffer();
    if !buffer.is_empty() && link.read_ready().unwrap_or(true) {
        match outcome(link.read(buffer)) {
            Outcome::Moved(n) => engine.received(n, now),
            Outcome::NothingNow => {}
            Outcome::Lost => engine.link_lost(),
        }
    }
    match engine.poll(now) {
        Ask::Transmit(bytes) => {
            let written = if link.write_ready().unwrap_or(true) {
                outcome(link.write(bytes))
            } else {
                Outcome::NothingNow
            };
            match written {
                Outcome::Moved(n) => engine.transmitted(n),
                Outcome::NothingNow => engine.transmitted(0),
                Outcome::Lost => engine.link_lost(),
            }
        }
        Ask::Offered(offer) => match store.offered(&offer) {
            Verdict::Accept { offset, check } => engine.accept(offset, check),
            Verdict::Have => engine.have(),
            Verdict::Decline(code) => engine.decline(code),
        },
        Ask::Store { offset, data } => {
            let result = store.store(offset, data);
            engine.stored(result);
        }
        Ask::Sync { offset, check } => engine.synced(store.sync(offset, check)),
        Ask::Commit { size, check } => engine.committed(store.commit(size, check)),
        Ask::Abandon(part) => store.abandon(part),
        Ask::Wanted(wish) => match store.wanted(&wish) {
            Ok(()) => engine.serve(),
            Err(code) => engine.refuse(code),
        },
        Ask::Describe => engine.described(store.describe()),
        Ask::Fetch { offset, into } => {
            let result = store.fetch(offset, into);
            engine.fetched(result);
        }
        Ask::Sent(result) => store.sent(result),
        Ask::Wait => return Err(nb::Error::WouldBlock),
        Ask::Closed(result) => return result.map(|()| Turn::Closed).map_err(nb::Error::Other),
    }
    Ok(Turn::Worked)
}
