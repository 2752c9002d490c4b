//! The engine with its framing, its driver and its memory: all that is measured, and nothing else (`scripts/footprint.sh`).
//!
//! What the firmware calls are [`begin`] and [`turn`], and `offer` where it sends too. Without features it only receives, over a line that loses nothing;
//! the features make other profiles.

#[cfg(feature = "classic")]
mod classic;
#[cfg(not(any(feature = "classic", feature = "lean")))]
mod full;
#[cfg(feature = "lean")]
mod lean;

#[cfg(feature = "classic")]
use classic as chosen;
#[cfg(not(any(feature = "classic", feature = "lean")))]
use full as chosen;
#[cfg(feature = "lean")]
use lean as chosen;

use board::{Store, Uart};
use core::mem::MaybeUninit;
use sampan_core::driver::Turn;
use sampan_core::{Buffers, Instant};

pub(crate) use chosen::Engine;

/// Bytes of the transmit buffer.
const TRANSMIT_LEN: usize = if cfg!(feature = "classic") { 128 } else { 64 };

// Statics, so that the linker knows of all the memory there is to know of but the stack.
static mut RECEIVE: [u8; 128] = [0; 128];
static mut TRANSMIT: [u8; TRANSMIT_LEN] = [0; TRANSMIT_LEN];
static mut ENGINE: MaybeUninit<Engine> = MaybeUninit::uninit();

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
pub(crate) unsafe fn begin(nonce: u64, now: Instant) -> Option<&'static mut Engine> {
    // SAFETY: the session before, which borrowed these, is gone; nothing else uses them.
    let (receive, transmit, engine) =
        unsafe { (&mut *(&raw mut RECEIVE), &mut *(&raw mut TRANSMIT), &mut *(&raw mut ENGINE)) };
    Some(engine.write(chosen::make(Buffers { receive, transmit }, nonce, now)?))
}

/// One turn of the session. What it has to tell is not looked at: the store knows when a file is complete.
#[inline(never)]
pub(crate) fn turn(engine: &mut Engine, link: &mut Uart, store: &mut Store, now: Instant) -> After {
    match chosen::drive(engine, link, store, now) {
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
