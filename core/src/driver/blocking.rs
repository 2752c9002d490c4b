//! The driver whose reads and writes may wait.

use embedded_io::{Read, Write};

use super::{Turn, receive, report, transmit};
use crate::action::Next;
use crate::engine::Engine;
use crate::error::Error;
use crate::storage::{self, Storage};
use crate::units::Instant;

/// Does one action; waits in a read if there is nothing else to do.
///
/// Call it in a loop, each time with the present time. A deadline is as exact as the link's read time-out: a link whose reads wait for ever
/// keeps no deadline. Since writes wait too, give the engine [`Directions::OneAtATime`](crate::Directions::OneAtATime).
///
/// # Errors
///
/// What ended the session.
pub fn step<'e, E, L, S>(
    engine: &'e mut E,
    link: &mut L,
    storage: &mut S,
    now: Instant,
) -> Result<Turn<'e>, Error>
where
    E: Engine,
    L: Read + Write,
    S: Storage,
{
    let next = engine.next(now);
    match next {
        Next::Transmit => {
            if !transmit(engine, link, now) {
                engine.transmitted(0);
            }
        }
        Next::Storage => storage::serve(engine, storage, now),
        Next::Wait(_) => {
            if !storage::complete(engine, storage) {
                let _ = engine.poll(now);
                if link.flush().is_err() {
                    engine.link_lost(now);
                } else if !engine.receive_buffer().is_empty() {
                    let _ = receive(engine, link, now);
                }
            }
        }
        Next::Event | Next::Closed => {}
    }
    report(engine, next, now)
}
