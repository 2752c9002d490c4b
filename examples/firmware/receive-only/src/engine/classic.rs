//! The classic handshake.

use sampan_core::classic::Receiver;
pub(super) use sampan_core::driver::nb::turn as drive;
use sampan_core::{Buffers, Instant, Limits};

pub(crate) type Engine = Receiver<'static>;

static LIMITS: Limits = Limits { sync_bytes: 2_048, ..Limits::SMALL };

pub(super) fn make(buffers: Buffers<'static>, _: u64, now: Instant) -> Option<Engine> {
    Receiver::new(buffers, &LIMITS, now).ok()
}
