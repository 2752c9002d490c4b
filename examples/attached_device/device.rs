//! A device that stays attached to a server: it takes files that are pushed to it, says what it has, and gives it back.
//!
//! Everything here is built on the core's traits alone: no `std`, no allocator, no unsafe code. A firmware takes these files as they are
//! and puts its own driver into [`Uart`] and its own flash below [`Files`].

#![no_std]
#![forbid(unsafe_code)]
#![warn(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects
)]

mod files;
mod uart;

pub use files::{Files, NAME_LEN, SLOT_LEN, SLOTS};
pub use uart::Uart;

use sampan_core::driver::{Turn, nb::turn};
use sampan_core::wire::{Code, NodeName};
use sampan_core::{
    Both, Buffers, Error, Event, Incoming, Instant, Limits, Nonce, Outgoing, Receiver, Sender, Session,
    Speaks,
};

/// Bytes of each buffer: the largest frame either way, and what the framing adds.
const BUFFER_LEN: usize = 512;

/// Up to 1 KiB may be on its way here: what the buffer does not hold waits in the UART's ring.
static LIMITS: Limits = Limits { window: 1_024, name: NAME_LEN as u16, ..Limits::SMALL };

/// The memory of a session, in a firmware a `static`: two buffers, and room for one transfer each way.
pub struct Memory {
    receive: [u8; BUFFER_LEN],
    transmit: [u8; BUFFER_LEN],
    incoming: [Incoming; 1],
    outgoing: [Outgoing; 1],
}

impl Memory {
    /// Memory that no session has used yet.
    pub const NEW: Self = Self {
        receive: [0; BUFFER_LEN],
        transmit: [0; BUFFER_LEN],
        incoming: [Incoming::FREE],
        outgoing: [Outgoing::FREE],
    };
}

/// The device on one link.
pub struct Device<'d> {
    session: Session<'d, Both<'d>>,
    uart: Uart<'d>,
    files: Files<'d>,
}

impl<'d> Device<'d> {
    /// Attaches itself under this name, over a link that has just come up. `random` is a number that differs from one link to the next.
    ///
    /// # Errors
    ///
    /// None with this memory: its buffers are large enough.
    pub fn attach(
        name: NodeName<'d>,
        uart: Uart<'d>,
        files: Files<'d>,
        memory: &'d mut Memory,
        random: u64,
        now_ms: u64,
    ) -> Result<Self, Error> {
        let Memory { receive, transmit, incoming, outgoing } = memory;
        let roles = Both { sender: Sender::new(outgoing), receiver: Receiver::new(incoming) };
        let now = Instant::from_millis(now_ms);
        let mut session = Session::new(
            Buffers { receive, transmit },
            &LIMITS,
            roles,
            Speaks::First,
            Nonce::new(random),
            now,
        )?;
        session.attach(name);
        Ok(Self { session, uart, files })
    }

    /// Does a little and returns at once: a superloop calls it each time around, with the milliseconds since any moment it likes.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](nb::Error::WouldBlock) if there is nothing to do before a byte comes or goes, or time passes; otherwise what ended
    /// the session. Then it is time for a new link, and for [`attach`](Self::attach) with the [files](Self::into_files).
    pub fn turn(&mut self, now_ms: u64) -> nb::Result<Turn<'_>, Error> {
        let now = Instant::from_millis(now_ms);
        let turn = turn(&mut self.session, &mut self.uart, &mut self.files, now)?;
        if let Turn::Event(Event::Sent { .. } | Event::SendFailed(_)) = turn {
            self.files.sent();
        }
        Ok(turn)
    }

    /// Finishes what is under way and says goodbye; [`Turn::Closed`] follows.
    pub fn leave(&mut self) {
        self.session.close(Code::Ok);
    }

    /// What it has, for the next link. What was under way is forgotten.
    pub fn into_files(self) -> Files<'d> {
        self.files.settled()
    }
}
