//! The whole engine.

use sampan_core::{Buffers, Incoming, Instant, Limits, Nonce, Receiver, Session, Speaks};

pub(crate) use sampan_core::driver::nb::turn;

#[cfg(feature = "cobs")]
use sampan_core::Cobs as Framing;
#[cfg(not(feature = "cobs"))]
use sampan_core::Stream as Framing;

use crate::check::Check;

pub(crate) const NAME: &str = "whole";

/// What a session needs beside its buffers.
pub(crate) const SLOTS: [Incoming; 1] = [Incoming::FREE];

pub(crate) fn receiver<'m>(
    buffers: Buffers<'m>,
    slots: &'m mut [Incoming; 1],
    limits: &'m Limits,
    now: Instant,
) -> Option<Session<'m, Receiver<'m>, Framing, Check>> {
    let opening = (Speaks::Second, Nonce::new(1));
    let tools = (Framing::new(), Check::default());
    Session::with_framing(buffers, limits, Receiver::new(slots), tools, opening, now).ok()
}
