//! The lean engine.

pub(crate) use sampan_core::driver::lean::turn;
#[cfg(feature = "cobs")]
use sampan_core::lean::Cobs as Framing;
#[cfg(not(feature = "cobs"))]
use sampan_core::lean::Stream as Framing;
use sampan_core::lean::{Session, Setup};
use sampan_core::{Buffers, Instant, Nonce, Speaks};

use crate::check::Check;

pub(crate) const NAME: &str = "lean";

/// What a session keeps beside its buffers.
pub(crate) struct Memory {
    window: u32,
}

impl Memory {
    pub(crate) fn new(window: u32) -> Self {
        Self { window }
    }

    pub(crate) fn session<'b>(
        &'b mut self,
        buffers: Buffers<'b>,
        now: Instant,
    ) -> Option<Session<'b, Framing, Check>> {
        let setup =
            Setup { speaks: Speaks::Second, nonce: Nonce::new(1), window: self.window, sync_bytes: 4_096 };
        Session::new(buffers, &setup, (Framing::new(), Check::default(), ()), now).ok()
    }
}
