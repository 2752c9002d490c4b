//! The engine of [`sampan_core`] for JavaScript: an instance of this module is one session, which is polled from outside.
//!
//! [`poll`] says by its number what is to be done; [`pointer`], [`length`], [`offset`] and [`check`] say the rest of it, until the next call. What is to be
//! answered is answered by the export that bears its past participle. `transfer.mjs` is a whole program around two instances.

#![cfg_attr(target_family = "wasm", no_std)]

mod end;
mod memory;
#[cfg(target_family = "wasm")]
mod panic;

use sampan_core::wire::Code;
use sampan_core::{AnyFraming, Cobs, Datagrams, Instant, ResumePoint, Speaks, Stream};

use end::{Asked, End};
use memory::Once;

static END: Once<End> = Once::new();

/// Does something with the session; a module without one traps.
fn with<T>(work: impl FnOnce(&mut End) -> T) -> T {
    // SAFETY: A module has one thread, imports nothing that could call back, and no export calls another.
    work(unsafe { END.get() })
}

fn at(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

/// Begins the session of this instance, once: in a stream (0), in COBS (1) or in datagrams (2), by speaking first (0) or second (1).
#[unsafe(no_mangle)]
pub extern "C" fn begin(framing: u32, speaks: u32, nonce: u64, now: u64) {
    let framing = match framing {
        0 => AnyFraming::Stream(Stream::new()),
        1 => AnyFraming::Cobs(Cobs::new()),
        _ => AnyFraming::Datagrams(Datagrams),
    };
    let speaks = if speaks == 0 { Speaks::First } else { Speaks::Second };
    // SAFETY: As in `with`.
    unsafe { END.set(|| End::begin(framing, speaks, nonce, at(now))) };
}

/// What the caller must do now: the number of an [`Asked`].
#[unsafe(no_mangle)]
pub extern "C" fn poll(now: u64) -> Asked {
    with(|end| end.poll(at(now)))
}

/// Where the bytes lie that the last call was about.
#[unsafe(no_mangle)]
pub extern "C" fn pointer() -> usize {
    with(|end| end.lent.pointer)
}

/// How many there are.
#[unsafe(no_mangle)]
pub extern "C" fn length() -> usize {
    with(|end| end.lent.length)
}

/// The offset in the file, its size, or the instant that the last poll was about.
#[unsafe(no_mangle)]
pub extern "C" fn offset() -> u64 {
    with(|end| end.lent.offset)
}

/// The CRC-32 that the last poll was about.
#[unsafe(no_mangle)]
pub extern "C" fn check() -> u32 {
    with(|end| end.lent.check)
}

/// Makes [`pointer`] and [`length`] say where bytes from the link go next.
#[unsafe(no_mangle)]
pub extern "C" fn receive_buffer() {
    with(End::receive_buffer);
}

/// So many bytes were read into the receive buffer; in datagrams they are one.
#[unsafe(no_mangle)]
pub extern "C" fn received(length: usize, now: u64) {
    with(|end| end.received(length, at(now)));
}

/// The link has ended.
#[unsafe(no_mangle)]
pub extern "C" fn link_lost(now: u64) {
    with(|end| end.link_lost(at(now)));
}

/// Offers a file, and says goodbye once it is there.
#[unsafe(no_mangle)]
pub extern "C" fn offer() {
    with(End::offer);
}

/// The link took so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn transmitted(length: usize) {
    with(|end| end.transmitted(length));
}

/// The file's name has so many bytes, which lie where [`poll`] said; the file has this size, and this number that no other contents have.
#[unsafe(no_mangle)]
pub extern "C" fn described(length: usize, size: u64, identity: u64) {
    with(|end| end.described(length, size, identity));
}

/// So many bytes were read, 0 at the end.
#[unsafe(no_mangle)]
pub extern "C" fn fetched(length: usize) {
    with(|end| end.fetched(length));
}

/// Takes what is offered, from what is there already.
#[unsafe(no_mangle)]
pub extern "C" fn accepted(offset: u64, check: u32) {
    with(|end| end.accepted(ResumePoint { offset, check }));
}

/// Everything below survives.
#[unsafe(no_mangle)]
pub extern "C" fn synced(durable: u64) {
    with(|end| end.synced(durable));
}

/// The bytes are stored.
#[unsafe(no_mangle)]
pub extern "C" fn stored(length: usize) {
    with(|end| end.stored(length));
}

/// The file is in place.
#[unsafe(no_mangle)]
pub extern "C" fn committed() {
    with(End::committed);
}

/// Refuses what was offered.
#[unsafe(no_mangle)]
pub extern "C" fn declined() {
    with(|end| end.declined(Code::NotAllowed));
}
