//! The right end: the one engine or the other.

use sampan_core::driver::{Turn, nb::turn};
use sampan_core::lean::{Adapted, Cobs, Sender};
use sampan_core::wire::{Code, Nibble};
use sampan_core::{Engine as _, Error, Instant};

use crate::Inner;
use crate::files::Files;
use crate::wire::Port;

pub(crate) enum Peer<'m> {
    Whole(Inner<'m>),
    Lean(Adapted<'m, Cobs, Nibble, Sender>),
}

impl Peer<'_> {
    pub(crate) fn turn(
        &mut self,
        port: &mut Port<'_>,
        files: &mut Files,
        now: Instant,
    ) -> nb::Result<Turn<'_>, Error> {
        match self {
            Self::Whole(session) => turn(session, port, files, now),
            Self::Lean(session) => turn(session, port, files, now),
        }
    }

    pub(crate) fn link_lost(&mut self, now: Instant) {
        match self {
            Self::Whole(session) => session.link_lost(now),
            Self::Lean(session) => session.link_lost(now),
        }
    }

    pub(crate) fn deadline(&mut self) -> Option<Instant> {
        match self {
            Self::Whole(session) => session.deadline(),
            Self::Lean(session) => session.deadline(),
        }
    }

    /// The lean engine is never told to.
    pub(crate) fn abort(&mut self, code: Code) {
        if let Self::Whole(session) = self {
            session.abort(code);
        }
    }
}
