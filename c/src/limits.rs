//! The bounds of this end, as C gives them.

use sampan_core::{self as engine, Millis};

use crate::code::digests;

/// Bounds of this end. What concerns the peer is told to it, and the smaller of the two ends' rules.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Limits {
    /// Bytes that may be on their way to this end. A promise: what exceeds the receive buffer must be stored at line rate, or wait in the link (a
    /// UART's ring, a socket's buffer).
    pub window: u32,
    /// How many of these may belong to transfers that this end has not accepted yet; 0 for none.
    pub eager: u32,
    /// Longest name this end takes, in bytes; at most 1,024.
    pub name: u16,
    /// Whether bytes may flow both ways at once: one of sampan_directions.
    pub directions: u8,
    /// Digests (sampan_digest) that this end can check as a receiver, the preferred first; 0 ends them.
    pub checks: [u8; 4],
    /// Digests (sampan_digest) that this end can make as a sender; 0 ends them.
    pub makes: [u8; 4],
    /// Milliseconds until the session is open.
    pub handshake: u32,
    /// Nothing heard for so many milliseconds: the link counts as lost. At least 20,000.
    pub silence: u32,
    /// The peer answers but no transfer came any further for so many milliseconds.
    pub stall: u32,
    /// A receiver asks its sink to make what it stored durable after so many bytes ...
    pub sync_bytes: u32,
    /// ... or after so many milliseconds, whichever is first.
    pub sync_interval: u32,
}

/// Whether bytes of files may flow both ways at once (§11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Directions {
    /// The caller reads while its writes wait.
    Both = 0,
    /// The caller's writes block.
    OneAtATime = 1,
}

impl Limits {
    pub(crate) fn to_engine(self) -> engine::Limits {
        let one = self.directions == Directions::OneAtATime as u8;
        engine::Limits {
            window: self.window,
            eager: self.eager,
            name: self.name,
            checks: digests(self.checks),
            makes: digests(self.makes),
            directions: if one { engine::Directions::OneAtATime } else { engine::Directions::Both },
            handshake: Millis(self.handshake),
            silence: Millis(self.silence),
            stall: Millis(self.stall),
            sync_bytes: self.sync_bytes,
            sync_interval: Millis(self.sync_interval),
        }
    }

    const fn from_engine(limits: &engine::Limits) -> Self {
        Self {
            window: limits.window,
            eager: limits.eager,
            name: limits.name,
            directions: Directions::Both as u8,
            checks: [0; 4],
            makes: [0; 4],
            handshake: limits.handshake.0,
            silence: limits.silence.0,
            stall: limits.stall.0,
            sync_bytes: limits.sync_bytes,
            sync_interval: limits.sync_interval.0,
        }
    }
}

/// Limits for a microcontroller: nothing sent ahead, a window of 256 bytes, no digests.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_limits_small() -> Limits {
    Limits::from_engine(&engine::Limits::SMALL)
}

/// Limits for a computer: a window of 8 MiB, small files sent without waiting for an answer, no digests.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_limits_large() -> Limits {
    Limits::from_engine(&engine::Limits::LARGE)
}
