//! The driver for an executor: waits for the link and for the engine's deadline at once.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll};

use embedded_io_async::{Read, Write};

use super::{Outcome, Turn, outcome, report};
use crate::action::{Action, Next};
use crate::engine::Engine;
use crate::error::Error;
use crate::storage::{self, Storage};
use crate::units::{Instant, Millis};

/// How soon a storage is asked again that is busy or has nothing now, and a link that has refused a write.
const PAUSE: Millis = Millis(1);

/// The time, as the timers of an executor tell it.
pub trait Clock {
    /// The present time.
    fn now(&self) -> Instant;

    /// Waits until that instant; not at all if it is past. It may be dropped before.
    fn until(&self, instant: Instant) -> impl Future<Output = ()>;
}

/// Does at most one read and one action, or waits if there is nothing to do.
///
/// It reads before it writes, and while a write waits it goes on reading, so that both directions run. A link is two halves, as the `split` of a
/// UART or a socket gives them.
///
/// What it needs of the link is that a `read` or `write` that is dropped before it is ready has moved nothing; most are so. What it gives is the
/// same: a turn may be dropped and another one begun, so that an application can wait for something else beside it (a late answer of the
/// storage's, a button) and then ask the engine for more.
///
/// A turn that finds something to do does not yield to other tasks; where the link is never slower than the program, yield between turns.
///
/// # Errors
///
/// What ended the session.
pub async fn turn<'e, E, R, W, S, C>(
    engine: &'e mut E,
    (rx, tx): (&mut R, &mut W),
    storage: &mut S,
    clock: &C,
) -> Result<Turn<'e>, Error>
where
    E: Engine,
    R: Read,
    W: Write,
    S: Storage,
    C: Clock,
{
    let now = clock.now();
    poll_fn(|cx| Poll::Ready(receive(engine, rx, now, cx))).await;
    let mut next = engine.next(now);
    if next == Next::Transmit {
        if poll_fn(|cx| Poll::Ready(transmit(engine, tx, now, cx))).await {
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
                match engine.next(now) {
                    Next::Transmit => wait_for_either(engine, rx, tx, clock).await,
                    Next::Wait(until) => {
                        let until = until.filter(|until| *until > now).unwrap_or(now.after(PAUSE));
                        wait_to_read(engine, (rx, tx), until, clock).await;
                    }
                    _ => wait_to_read(engine, (rx, tx), now.after(PAUSE), clock).await,
                }
            }
        }
        Next::Transmit | Next::Event | Next::Closed => {}
    }
    report(engine, next, now)
}

/// What a wait has come to.
enum Woken {
    Read(Outcome),
    Unwritable,
    Time,
}

/// Waits until something can be read or it is time. What a link has taken and keeps back goes out meanwhile.
async fn wait_to_read<E: Engine>(
    engine: &mut E,
    (rx, tx): (&mut impl Read, &mut impl Write),
    until: Instant,
    clock: &impl Clock,
) {
    let woken = {
        let buffer = engine.receive_buffer();
        let (mut reads, mut flushes) = (!buffer.is_empty(), true);
        let (mut read, mut flush) = (pin!(rx.read(buffer)), pin!(tx.flush()));
        let mut time = pin!(clock.until(until));
        poll_fn(|cx| {
            if reads {
                if let Poll::Ready(result) = read.as_mut().poll(cx) {
                    reads = false;
                    return Poll::Ready(Woken::Read(outcome(result)));
                }
            }
            if flushes {
                if let Poll::Ready(result) = flush.as_mut().poll(cx) {
                    flushes = false;
                    if result.is_err() {
                        return Poll::Ready(Woken::Unwritable);
                    }
                }
            }
            time.as_mut().poll(cx).map(|()| Woken::Time)
        })
        .await
    };
    match woken {
        Woken::Read(outcome) => _ = took(engine, outcome, clock.now()),
        Woken::Unwritable => engine.unwritable(clock.now()),
        Woken::Time => {}
    }
}

/// Waits until the link takes a write that it has refused, or brings something. The engine lends one buffer at a time, so neither can be held on to:
/// they are begun anew whenever the task is woken, which the pause does where the link forgets whom to wake.
async fn wait_for_either<E: Engine>(
    engine: &mut E,
    rx: &mut impl Read,
    tx: &mut impl Write,
    clock: &impl Clock,
) {
    let mut pause = pin!(clock.until(clock.now().after(PAUSE)));
    poll_fn(|cx| {
        let now = clock.now();
        if receive(engine, rx, now, cx) || transmit(engine, tx, now, cx) {
            return Poll::Ready(());
        }
        pause.as_mut().poll(cx)
    })
    .await;
}

/// Reads what is there; whether anything came of it.
fn receive<E: Engine>(engine: &mut E, link: &mut impl Read, now: Instant, cx: &mut Context<'_>) -> bool {
    let buffer = engine.receive_buffer();
    if buffer.is_empty() {
        return false;
    }
    let Poll::Ready(result) = pin!(link.read(buffer)).poll(cx) else { return false };
    took(engine, outcome(result), now)
}

fn took<E: Engine>(engine: &mut E, outcome: Outcome, now: Instant) -> bool {
    match outcome {
        Outcome::Moved(n) => engine.received(n, now),
        Outcome::NothingNow => return false,
        Outcome::Lost => engine.link_lost(now),
    }
    true
}

/// Writes what the link takes now; whether anything came of it.
fn transmit<E: Engine>(engine: &mut E, link: &mut impl Write, now: Instant, cx: &mut Context<'_>) -> bool {
    let Action::Transmit(bytes) = engine.poll(now) else { return false };
    let Poll::Ready(result) = pin!(link.write(bytes)).poll(cx) else { return false };
    match outcome(result) {
        Outcome::Moved(n) => engine.transmitted(n),
        Outcome::NothingNow => return false,
        Outcome::Lost => engine.unwritable(now),
    }
    true
}
