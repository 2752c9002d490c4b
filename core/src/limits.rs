//! What this end can take, and how long it waits.

use crate::units::Millis;
use crate::wire::DigestList;

/// Bounds of this end. What concerns the peer is told to it in HELLO (§4.1), and the smaller of the two ends' rules.
///
/// The largest frame is not here: it follows from the length of the lent receive buffer.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Limits {
    /// Bytes of DATA that may be on their way to this end. A promise: what exceeds the receive buffer must be stored at
    /// line rate, or wait in the link (a UART's ring, a socket's buffer).
    pub window: u32,
    /// How many of these may belong to transfers that this end has not accepted yet; 0 for none.
    pub eager: u32,
    /// Longest name this end takes, in bytes; at most 1,024.
    pub name: u16,
    /// Digests this end can check as a receiver, the preferred first. CRC-32 is always checked.
    pub checks: DigestList,
    /// Digests this end can make as a sender.
    pub makes: DigestList,
    /// Whether DATA may flow both ways at once (§11).
    pub directions: Directions,
    /// From the first call until the session is open; trickling does not extend it.
    pub handshake: Millis,
    /// Nothing heard for so long: the link counts as lost. At least 20 s, since a peer may be silent for 10 (§13).
    pub silence: Millis,
    /// The peer answers but no transfer came any further for so long.
    pub stall: Millis,
    /// A receiver asks its sink to make what it stored durable after so many bytes ...
    pub sync_bytes: u32,
    /// ... or after so long, whichever is first.
    pub sync_interval: Millis,
}

/// Whether DATA may flow both ways at once (§11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Directions {
    /// The driver reads while its writes wait.
    Both,
    /// The driver's writes block: two ends that write at once would block each other for good.
    OneAtATime,
}

impl Limits {
    /// For a microcontroller: one transfer at a time, nothing sent ahead, a window of 256 bytes.
    pub const SMALL: Self = Self {
        window: 256,
        eager: 0,
        name: 255,
        checks: DigestList::new(&[]),
        makes: DigestList::new(&[]),
        directions: Directions::Both,
        handshake: Millis(10_000),
        silence: Millis(30_000),
        stall: Millis(300_000),
        sync_bytes: 4_096,
        sync_interval: Millis(1_000),
    };

    /// For a computer: a window of 8 MiB, small files sent without waiting for an answer.
    pub const LARGE: Self =
        Self { window: 8 << 20, eager: 2 << 20, name: 1_024, sync_bytes: 32 << 20, ..Self::SMALL };
}
