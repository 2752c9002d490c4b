//! Loops that join an engine to a link and a storage. They hold no rule of the protocol.
//!
//! | driver | link | for |
//! | --- | --- | --- |
//! | [`blocking`] | [`embedded_io::Read`] and [`embedded_io::Write`] | tasks of an RTOS, simple programs |
//! | [`nb`] | the same, plus [`embedded_io::ReadReady`] and [`embedded_io::WriteReady`] | superloops, event loops |
//! | `asynch`, of the feature `async` | `embedded_io_async::Read` and `embedded_io_async::Write` | executors |
//!
//! A read or write that would wait too long says [`embedded_io::ErrorKind::TimedOut`], which all take for *nothing now*. Any
//! other error, an end of file, and a write of zero bytes mean that the link is lost.

#[cfg(feature = "async")]
pub mod asynch;
pub mod blocking;
pub mod lean;
pub mod nb;

use embedded_io::ErrorKind;

use crate::action::{Action, Event, Next};
use crate::engine::Engine;
use crate::error::Error;
use crate::units::Instant;

/// What one turn of a driver came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub enum Turn<'e> {
    /// Something was done; there may be more.
    Worked,
    /// The engine has something to say.
    Event(Event<'e>),
    /// The session has ended well; there is nothing more to do.
    Closed,
}

/// What became of one read or write.
enum Outcome {
    Moved(usize),
    NothingNow,
    Lost,
}

fn outcome<E: embedded_io::Error>(result: Result<usize, E>) -> Outcome {
    match result {
        Ok(0) => Outcome::Lost,
        Ok(n) => Outcome::Moved(n),
        Err(error) => match error.kind() {
            ErrorKind::TimedOut | ErrorKind::Interrupted => Outcome::NothingNow,
            _ => Outcome::Lost,
        },
    }
}

/// Writes once; whether anything came of it.
fn transmit<E: Engine, L: embedded_io::Write>(engine: &mut E, link: &mut L, now: Instant) -> bool {
    let Action::Transmit(bytes) = engine.poll(now) else { return false };
    match outcome(link.write(bytes)) {
        Outcome::Moved(n) => engine.transmitted(n),
        Outcome::NothingNow => return false,
        Outcome::Lost => engine.unwritable(now),
    }
    true
}

/// Reads once; whether anything came of it.
fn receive<E: Engine, L: embedded_io::Read>(engine: &mut E, link: &mut L, now: Instant) -> bool {
    match outcome(link.read(engine.receive_buffer())) {
        Outcome::Moved(n) => engine.received(n, now),
        Outcome::NothingNow => return false,
        Outcome::Lost => engine.link_lost(now),
    }
    true
}

/// The last word of the engine, if it has one: an event, or the end.
fn report<E: Engine>(engine: &mut E, next: Next, now: Instant) -> Result<Turn<'_>, Error> {
    if matches!(next, Next::Event | Next::Closed) {
        match engine.poll(now) {
            Action::Event(event) => return Ok(Turn::Event(event)),
            Action::Closed(result) => return result.map(|()| Turn::Closed),
            _ => {}
        }
    }
    Ok(Turn::Worked)
}
