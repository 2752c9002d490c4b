//! The Ethernet controller of either board, as a device of the TCP/IP stack.

use core::ops::Range;

use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

use crate::{peek, poke};

#[cfg(feature = "mps2-an385")]
#[path = "ethernet/lan9118.rs"]
mod chip;
#[cfg(not(feature = "mps2-an385"))]
#[path = "ethernet/stellaris.rs"]
mod chip;

/// What the board is called.
pub const BOARD: &str = chip::BOARD;

/// What the clock counts in two microseconds.
pub(crate) const HALF_MEGAHERTZ: u32 = chip::HALF_MEGAHERTZ;

/// Any will do that no other board on the same cable has.
pub(crate) const MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];

/// Bytes of the longest frame, without its check.
const LONGEST: usize = 1_514;
/// Room for it, for what the controllers put before it and after it.
const BUFFER: usize = 1_528;

const ENABLE: u32 = 0xE000_E100;
const DISABLE: u32 = 0xE000_E180;
const CLEAR: u32 = 0xE000_E280;
const WORD: u32 = chip::INTERRUPT / 32 * 4;
const BIT: u32 = 1 << (chip::INTERRUPT % 32);

/// From now on a frame that comes ends a sleep.
pub(crate) fn listen() {
    chip::acknowledge();
    poke(CLEAR + WORD, BIT);
    poke(ENABLE + WORD, BIT);
}

/// No interrupt is ever taken: who has slept looks.
pub(crate) fn listen_no_more() {
    poke(DISABLE + WORD, BIT);
}

pub(crate) fn has_frame() -> bool {
    chip::has_frame()
}

/// The controller, and room for one frame each way.
#[derive(Debug)]
pub struct Ethernet {
    received: [u8; BUFFER],
    to_send: [u8; BUFFER],
}

impl Ethernet {
    /// Before it is switched on.
    pub const OFF: Self = Self { received: [0; BUFFER], to_send: [0; BUFFER] };

    /// Switches it on.
    pub fn begin(&mut self) {
        chip::begin(MAC);
    }
}

impl Device for Ethernet {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = ToSend<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, ToSend<'_>)> {
        if !chip::has_room() {
            return None;
        }
        let frame = chip::receive(&mut self.received)?;
        Some((Received(self.received.get(frame)?), ToSend(&mut self.to_send)))
    }

    fn transmit(&mut self, _: Instant) -> Option<ToSend<'_>> {
        chip::has_room().then_some(ToSend(&mut self.to_send))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = LONGEST;
        capabilities.max_burst_size = Some(1);
        capabilities
    }
}

/// A frame that has come.
#[derive(Debug)]
pub struct Received<'e>(&'e [u8]);

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, look: F) -> R {
        look(self.0)
    }
}

/// Room for a frame that is to go.
#[derive(Debug)]
pub struct ToSend<'e>(&'e mut [u8; BUFFER]);

impl TxToken for ToSend<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, make: F) -> R {
        let place = chip::HEAD..chip::HEAD + length.min(LONGEST);
        let result = make(&mut self.0[place.clone()]);
        chip::send(self.0, place);
        result
    }
}

/// Takes so many words out of a queue of the controller's, and keeps what there is room for.
fn take(queue: u32, words: usize, into: &mut [u8]) {
    let mut places = into.chunks_exact_mut(4);
    for _ in 0..words {
        let word = peek(queue).to_le_bytes();
        if let Some(place) = places.next() {
            place.copy_from_slice(&word);
        }
    }
}

/// Puts bytes into a queue of the controller's, in whole words.
fn put(queue: u32, bytes: &[u8]) {
    let words = bytes.chunks_exact(4);
    let mut last = [0; 4];
    let rest = words.remainder();
    last[..rest.len()].copy_from_slice(rest);
    for word in words {
        poke(queue, u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    }
    if !rest.is_empty() {
        poke(queue, u32::from_le_bytes(last));
    }
}

/// Where a frame lies that begins here, if it has a length that a frame can have.
fn placed(start: usize, length: usize) -> Option<Range<usize>> {
    (14..=LONGEST).contains(&length).then_some(start..start + length)
}
