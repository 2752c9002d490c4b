//! The driver that never waits.

use embedded_io::{Read, ReadReady, Write, WriteReady};

use super::{Turn, receive, report, transmit};
use crate::action::Next;
use crate::engine::Engine;
use crate::error::Error;
use crate::storage::{self, Storage};
use crate::units::Instant;

/// Does at most one read and one action, and returns at once.
///
/// It reads before it writes, so that both directions run. In a superloop, call it each turn. In an event loop, call it until it says
/// [`WouldBlock`](nb::Error::WouldBlock), and then wait for the link (to be readable while
/// [`receive_buffer`](Engine::receive_buffer) is not empty, to be writable if it has just refused a write), for a late
/// answer of the storage's, or until [`deadline`](Engine::deadline).
///
/// # Errors
///
/// [`WouldBlock`](nb::Error::WouldBlock) if there is nothing to do now; otherwise what ended the session.
pub fn turn<'e, E, L, S>(
    engine: &'e mut E,
    link: &mut L,
    storage: &mut S,
    now: Instant,
) -> nb::Result<Turn<'e>, Error>
where
    E: Engine,
    L: Read + Write + ReadReady + WriteReady,
    S: Storage,
{
    let mut worked = false;
    if !engine.receive_buffer().is_empty() && link.read_ready().unwrap_or(true) {
        worked = receive(engine, link, now);
    }
    let mut next = engine.next(now);
    if next == Next::Transmit {
        if link.write_ready().unwrap_or(true) && transmit(engine, link, now) {
            return Ok(Turn::Worked);
        }
        engine.transmitted(0);
        next = engine.next(now);
    }
    match next {
        Next::Storage => storage::serve(engine, storage, now),
        Next::Wait(_) => {
            if !storage::complete(engine, storage) {
                // The poll that lends Wait ends this round: what was busy is asked again in the next.
                let _ = engine.poll(now);
                if !worked {
                    return Err(nb::Error::WouldBlock);
                }
            }
        }
        Next::Transmit | Next::Event | Next::Closed => {}
    }
    report(engine, next, now).map_err(nb::Error::Other)
}
