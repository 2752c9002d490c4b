//! The engine for all.

use core::mem::MaybeUninit;

#[cfg(feature = "cobs")]
use sampan_core::Cobs as Framing;
#[cfg(not(feature = "cobs"))]
use sampan_core::Stream as Framing;
pub(super) use sampan_core::driver::nb::turn as drive;
use sampan_core::wire::Nibble;
#[cfg(feature = "both")]
use sampan_core::{Both, Outgoing, Sender};
use sampan_core::{Buffers, Incoming, Instant, Limits, Nonce, Receiver, Session, Speaks};

#[cfg(feature = "both")]
type Role = Both<'static>;
#[cfg(not(feature = "both"))]
type Role = Receiver<'static>;

pub(crate) type Engine = Session<'static, Role, Framing>;

/// One frame's worth: whatever the sender may send ahead fits the receive buffer, so that the flash can take its time.
static LIMITS: Limits = Limits { window: 112, name: 64, sync_bytes: 2_048, ..Limits::SMALL };

static mut INCOMING: MaybeUninit<[Incoming; 1]> = MaybeUninit::uninit();
#[cfg(feature = "both")]
static mut OUTGOING: MaybeUninit<[Outgoing; 1]> = MaybeUninit::uninit();

pub(super) fn make(buffers: Buffers<'static>, nonce: u64, now: Instant) -> Option<Engine> {
    let opening = (Speaks::Second, Nonce::new(nonce));
    Session::with_framing(buffers, &LIMITS, role(), (Framing::new(), Nibble), opening, now).ok()
}

#[cfg(not(feature = "both"))]
fn role() -> Role {
    // SAFETY: only one session is made at a time.
    let incoming = unsafe { &mut *(&raw mut INCOMING) };
    Receiver::new(incoming.write([Incoming::FREE]))
}

#[cfg(feature = "both")]
fn role() -> Role {
    // SAFETY: only one session is made at a time.
    let (incoming, outgoing) = unsafe { (&mut *(&raw mut INCOMING), &mut *(&raw mut OUTGOING)) };
    Both {
        sender: Sender::new(outgoing.write([Outgoing::FREE])),
        receiver: Receiver::new(incoming.write([Incoming::FREE])),
    }
}
