//! The lean engine.

pub(super) use sampan_core::driver::lean::turn as drive;
#[cfg(feature = "cobs")]
use sampan_core::lean::Cobs as Framing;
#[cfg(feature = "both")]
use sampan_core::lean::Sender as Role;
#[cfg(not(feature = "cobs"))]
use sampan_core::lean::Stream as Framing;
use sampan_core::lean::{Session, Setup};
use sampan_core::wire::Nibble;
use sampan_core::{Buffers, Instant, Nonce, Speaks};

#[cfg(not(feature = "both"))]
type Role = ();

pub(crate) type Engine = Session<'static, Framing, Nibble, Role>;

pub(super) fn make(buffers: Buffers<'static>, nonce: u64, now: Instant) -> Option<Engine> {
    // One frame's worth: whatever the sender may send ahead fits the receive buffer, so that the flash can take its time.
    let setup = Setup { speaks: Speaks::Second, nonce: Nonce::new(nonce), window: 112, sync_bytes: 2_048 };
    Session::new(buffers, &setup, (Framing::new(), Nibble, Role::default()), now).ok()
}
