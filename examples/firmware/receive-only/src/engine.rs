//! The engine with its framing, its driver and its memory: all that is measured, and nothing else (`scripts/footprint.sh`).
//!
//! What the firmware calls are [`begin`] and [`turn`], and `offer` where it sends too. Without features it only receives, over a line that loses nothing;
//! the features make other profiles.

use core::mem::MaybeUninit;

use board::{Store, Uart};
#[cfg(feature = "classic")]
use sampan_core::classic::Receiver;
#[cfg(not(feature = "lean"))]
use sampan_core::driver::nb::turn as drive;
use sampan_core::driver::Turn;
#[cfg(feature = "lean")]
use sampan_core::lean::{Receiver, Setup, turn as drive};
#[cfg(feature = "both")]
use sampan_core::{Both, Outgoing, Sender};
use sampan_core::{Buffers, Instant};
#[cfg(not(any(feature = "classic", feature = "lean")))]
use sampan_core::{Incoming, Receiver, Session};
#[cfg(not(feature = "lean"))]
use sampan_core::Limits;
#[cfg(not(feature = "classic"))]
use sampan_core::{Nonce, Speaks, wire::Nibble};

#[cfg(all(feature = "cobs", not(feature = "lean")))]
use sampan_core::Cobs as Framing;
#[cfg(not(any(feature = "cobs", feature = "classic", feature = "lean")))]
use sampan_core::Stream as Framing;
#[cfg(all(feature = "lean", feature = "cobs"))]
use sampan_core::lean::Cobs as Framing;
#[cfg(all(feature = "lean", not(feature = "cobs")))]
use sampan_core::lean::Stream as Framing;

#[cfg(feature = "both")]
type Role = Both<'static>;
#[cfg(not(any(feature = "both", feature = "classic", feature = "lean")))]
type Role = Receiver<'static>;

#[cfg(not(any(feature = "classic", feature = "lean")))]
pub(crate) type Engine = Session<'static, Role, Framing>;
#[cfg(feature = "lean")]
pub(crate) type Engine = Receiver<'static, Framing>;
#[cfg(feature = "classic")]
pub(crate) type Engine = Receiver<'static>;

/// One frame's worth: whatever the sender may send ahead fits the receive buffer, so that the flash can take its time.
#[cfg(not(feature = "lean"))]
static LIMITS: Limits = Limits { window: 112, name: 64, sync_bytes: 2_048, ..Limits::SMALL };

/// Bytes of the transmit buffer.
const TRANSMIT_LEN: usize = if cfg!(feature = "classic") { 128 } else { 64 };

// Statics, so that the linker knows of all the memory there is to know of but the stack.
static mut RECEIVE: [u8; 128] = [0; 128];
static mut TRANSMIT: [u8; TRANSMIT_LEN] = [0; TRANSMIT_LEN];
static mut ENGINE: MaybeUninit<Engine> = MaybeUninit::uninit();
#[cfg(not(any(feature = "classic", feature = "lean")))]
static mut INCOMING: MaybeUninit<[Incoming; 1]> = MaybeUninit::uninit();
#[cfg(feature = "both")]
static mut OUTGOING: MaybeUninit<[Outgoing; 1]> = MaybeUninit::uninit();

/// What is left to do after a turn.
pub(crate) enum After {
    /// There may be more.
    Worked,
    /// Nothing until a byte comes, or time has passed.
    Nothing,
    /// This session is over, for whatever reason.
    Closed,
}

/// Begins a session. It waits to be spoken to: what is on the other end of the wire may be a terminal.
///
/// # Safety
///
/// The session before, which is in the same memory, must not be used any more.
#[inline(never)]
#[cfg(not(any(feature = "classic", feature = "lean")))]
pub(crate) unsafe fn begin(nonce: u64, now: Instant) -> Option<&'static mut Engine> {
    // SAFETY: the session before, which borrowed these, is gone; nothing else uses them.
    let (receive, transmit, engine) =
        unsafe { (&mut *(&raw mut RECEIVE), &mut *(&raw mut TRANSMIT), &mut *(&raw mut ENGINE)) };
    let opening = (Speaks::Second, Nonce::new(nonce));
    let framing = (Framing::new(), Nibble);
    let session =
        Session::with_framing(Buffers { receive, transmit }, &LIMITS, role(), framing, opening, now).ok()?;
    Some(engine.write(session))
}

#[cfg(not(any(feature = "both", feature = "classic", feature = "lean")))]
fn role() -> Role {
    // SAFETY: only `begin` calls this.
    let incoming = unsafe { &mut *(&raw mut INCOMING) };
    Receiver::new(incoming.write([Incoming::FREE]))
}

#[cfg(feature = "both")]
fn role() -> Role {
    // SAFETY: only `begin` calls this.
    let (incoming, outgoing) = unsafe { (&mut *(&raw mut INCOMING), &mut *(&raw mut OUTGOING)) };
    Both {
        sender: Sender::new(outgoing.write([Outgoing::FREE])),
        receiver: Receiver::new(incoming.write([Incoming::FREE])),
    }
}

/// Begins a session that waits to be spoken to.
///
/// # Safety
///
/// The session before, which is in the same memory, must not be used any more.
#[inline(never)]
#[cfg(feature = "lean")]
pub(crate) unsafe fn begin(nonce: u64, now: Instant) -> Option<&'static mut Engine> {
    // SAFETY: the session before, which borrowed these, is gone; nothing else uses them.
    let (receive, transmit, engine) =
        unsafe { (&mut *(&raw mut RECEIVE), &mut *(&raw mut TRANSMIT), &mut *(&raw mut ENGINE)) };
    let setup = Setup { speaks: Speaks::Second, nonce: Nonce::new(nonce), window: 112, sync_bytes: 2_048 };
    let parts = (Framing::new(), Nibble);
    Some(engine.write(Receiver::new(Buffers { receive, transmit }, &setup, parts, now).ok()?))
}

/// Begins a session.
///
/// # Safety
///
/// The session before, which is in the same memory, must not be used any more.
#[inline(never)]
#[cfg(feature = "classic")]
pub(crate) unsafe fn begin(_: u64, now: Instant) -> Option<&'static mut Engine> {
    // SAFETY: the session before, which borrowed these, is gone; nothing else uses them.
    let (receive, transmit, engine) =
        unsafe { (&mut *(&raw mut RECEIVE), &mut *(&raw mut TRANSMIT), &mut *(&raw mut ENGINE)) };
    Some(engine.write(Receiver::new(Buffers { receive, transmit }, &LIMITS, now).ok()?))
}

/// One turn of the session. What it has to tell is not looked at: the store knows when a file is complete.
#[inline(never)]
pub(crate) fn turn(engine: &mut Engine, link: &mut Uart, store: &mut Store, now: Instant) -> After {
    match drive(engine, link, store, now) {
        Ok(Turn::Worked | Turn::Event(_)) => After::Worked,
        Err(nb::Error::WouldBlock) => After::Nothing,
        Ok(Turn::Closed) | Err(nb::Error::Other(_)) => After::Closed,
    }
}

/// Offers the file that the store has.
#[inline(never)]
#[cfg(feature = "both")]
pub(crate) fn offer(engine: &mut Engine) {
    let _ = engine.offer();
}
