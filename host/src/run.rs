//! The loop that every connection of a host runs.

use sampan_core::driver::{Turn, nb};
use sampan_core::{Engine, Error, Event, Next, Storage};

use crate::clock::Clock;
use crate::link::{Inbound, Link};

/// An engine with its link, its storage and its clock.
///
/// Whoever owns it calls [`turn`](Self::turn) until the session has closed, and may use the three in between:
///
/// ```ignore
/// loop {
///     match connection.turn()? {
///         Turn::Worked => {}
///         Turn::Event(event) => ...,
///         Turn::Closed => break,
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Connection<E, L, S> {
    /// The protocol.
    pub engine: E,
    /// The bytes.
    pub link: L,
    /// The files.
    pub storage: S,
    clock: Clock,
    pace: Pace,
}

/// Whether there may be something to do at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Busy,
    Idle,
}

impl<E: Engine, L: Link, S: Storage> Connection<E, L, S> {
    /// Joins them. The clock is the one that the engine's first instant came from.
    pub const fn new(engine: E, link: L, storage: S, clock: Clock) -> Self {
        Self { engine, link, storage, clock, pace: Pace::Busy }
    }

    /// Does one action of the engine's; waits first, for the link or a deadline, if the last turn found nothing to do.
    ///
    /// # Errors
    ///
    /// What ended the session. If it is the link, [`Link::fault`] may know more.
    pub fn turn(&mut self) -> Result<Turn<'_>, Error> {
        if self.pace == Pace::Idle {
            self.pace = Pace::Busy;
            self.wait();
        }
        let now = self.clock.now();
        match nb::turn(&mut self.engine, &mut self.link, &mut self.storage, now) {
            Ok(turn) => {
                if let Turn::Event(Event::EndOfStream) = turn {
                    self.link.close_sending();
                }
                Ok(turn)
            }
            Err(::nb::Error::WouldBlock) => {
                self.pace = Pace::Idle;
                Ok(Turn::Worked)
            }
            Err(::nb::Error::Other(error)) => Err(error),
        }
    }

    fn wait(&mut self) {
        let now = self.clock.now();
        // What the link has refused is on offer again; only once it is refused again does the engine say when to come back.
        self.engine.transmitted(0);
        if let Next::Wait(until) = self.engine.next(now) {
            let inbound = match self.engine.receive_buffer() {
                [] => Inbound::Paused,
                _ => Inbound::Wanted,
            };
            if self.link.wait(inbound, until.map(|until| until.since(now))).is_err() {
                self.engine.link_lost(now);
            }
            let _ = self.engine.poll(now);
        }
    }
}
