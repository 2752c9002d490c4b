//! The engine for all.

pub(crate) use sampan_core::driver::nb::turn;
use sampan_core::{Buffers, Incoming, Instant, Limits, Nonce, Receiver, Session, Speaks};

use crate::Framing;
use crate::check::Check;

pub(crate) const NAME: &str = "whole";

/// What a session keeps beside its buffers.
pub(crate) struct Memory {
    incoming: [Incoming; 1],
    limits: Limits,
}

impl Memory {
    pub(crate) fn new(window: u32) -> Self {
        Self { incoming: [Incoming::FREE], limits: Limits { window, name: 64, ..Limits::SMALL } }
    }

    pub(crate) fn session<'b>(
        &'b mut self,
        buffers: Buffers<'b>,
        now: Instant,
    ) -> Option<Session<'b, Receiver<'b>, Framing, Check>> {
        let role = Receiver::new(&mut self.incoming);
        let parts = (Framing::new(), Check::default());
        let opening = (Speaks::Second, Nonce::new(1));
        Session::with_framing(buffers, &self.limits, role, parts, opening, now).ok()
    }
}
