//! How much memory there is for what is on its way.

use sampan_core::{Limits, Millis};

use crate::flash::SECTOR;
use crate::place::NAME_LEN;

#[cfg(not(feature = "mps2-an385"))]
mod board {
    pub(super) const WINDOW: usize = 4_096;
    pub(super) const UDP_WINDOW: usize = 4_096;
    pub(super) const TRANSMIT: usize = 2_920;
    pub(super) const TCP_BUFFER: usize = 1_460;
    pub(super) const SYNC: u32 = 1;
}

#[cfg(feature = "mps2-an385")]
mod board {
    pub(super) const WINDOW: usize = 32_768;
    /// The controller's queue holds 10 KiB, and what it cannot take is lost.
    pub(super) const UDP_WINDOW: usize = 8_192;
    pub(super) const TRANSMIT: usize = 32_768;
    pub(super) const TCP_BUFFER: usize = 8_192;
    pub(super) const SYNC: u32 = 8;
}

/// What a TCP socket holds of what has come.
pub const TCP_RECEIVE: usize = board::WINDOW;
/// What a TCP socket holds of what is to go, and has not been acknowledged.
pub const TCP_TRANSMIT: usize = board::TRANSMIT;
/// A buffer of a session over TCP.
pub const TCP_BUFFER: usize = board::TCP_BUFFER;
/// A buffer of a session over UDP: the longest datagram that fits a frame of the Ethernet's and is among the lengths that are tried, and one more (§8.7).
pub const UDP_BUFFER: usize = 1_453;
/// What the UDP socket holds of what has come: all that may be on its way, and what is said beside it.
pub(crate) const UDP_RECEIVE: usize = board::UDP_WINDOW + 2 * UDP_BUFFER;
/// What the UDP socket holds of what is to go.
pub(crate) const UDP_TRANSMIT: usize = board::TRANSMIT;

/// What the board takes over TCP. What may be on its way fits the socket.
pub static OVER_TCP: Limits = Limits {
    window: board::WINDOW as u32,
    name: NAME_LEN as u16,
    sync_bytes: board::SYNC * SECTOR,
    // Who says nothing keeps others waiting.
    handshake: Millis(5_000),
    silence: Millis(20_000),
    ..Limits::SMALL
};

/// What it takes over UDP, likewise.
pub static OVER_UDP: Limits = Limits { window: board::UDP_WINDOW as u32, ..OVER_TCP };
