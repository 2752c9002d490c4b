//! The lean engine.

use sampan_core::lean::{Receiver, Session, Setup};
use sampan_core::{Buffers, Instant, Limits, Nonce, Speaks};

pub(crate) use sampan_core::driver::lean::turn;

#[cfg(feature = "cobs")]
use sampan_core::lean::Cobs as Framing;
#[cfg(not(feature = "cobs"))]
use sampan_core::lean::Stream as Framing;

use crate::check::Check;

pub(crate) const NAME: &str = "lean";

/// It needs nothing beside its buffers.
pub(crate) const SLOTS: () = ();

pub(crate) fn receiver<'m>(
    buffers: Buffers<'m>,
    (): &mut (),
    limits: &Limits,
    now: Instant,
) -> Option<Receiver<'m, Framing, Check>> {
    let Limits { window, sync_bytes, .. } = *limits;
    let setup = Setup { speaks: Speaks::Second, nonce: Nonce::new(1), window, sync_bytes };
    Session::new(buffers, &setup, (Framing::new(), Check::default(), ()), now).ok()
}
