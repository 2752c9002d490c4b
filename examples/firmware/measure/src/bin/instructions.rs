//! How many instructions a receiver takes for each byte, if the emulator counts them (`-icount shift=0`): a sender and a receiver in one image, which pass bytes to
//! each other in memory. Only the receiver's turns are counted: the engine (lean or whole), its framing, its driver and the check, with a store that takes everything and keeps nothing.

#![no_std]
#![no_main]

#[path = "../check.rs"]
mod check;
#[path = "../counter.rs"]
mod counter;
#[path = "../engine.rs"]
mod engine;
#[path = "../memory_link.rs"]
mod memory_link;
#[path = "../nowhere.rs"]
mod nowhere;
#[path = "../source.rs"]
mod source;
#[path = "../text.rs"]
mod text;

use core::cell::RefCell;

use board::semihosting;
use check::Check;
use cortex_m_rt::entry;
use counter::Counter;
use memory_link::{End, Pipe};
use nowhere::Nowhere;
use sampan_core::driver::{Turn, nb::turn};
use sampan_core::wire::Crc32;
use sampan_core::{Buffers, Instant, Limits, Millis, Nonce, Outgoing, Sender, Session, Speaks};
use source::{Source, byte};
use text::Text;

#[cfg(feature = "cobs")]
use sampan_core::Cobs as Framing;
#[cfg(not(feature = "cobs"))]
use sampan_core::Stream as Framing;

const FRAMING: &str = if cfg!(feature = "cobs") { "cobs" } else { "stream" };

/// Bytes of the file.
const SIZE: u32 = 65_536;

/// As little memory as firmware gives a receiver, and some more.
static SMALL: Limits = Limits { window: 112, name: 64, ..Limits::SMALL };
static LARGE: Limits = Limits { window: 2_048, name: 64, ..Limits::SMALL };

#[entry]
fn main() -> ! {
    let mut counter = Counter::start();
    calibrate(&mut counter);
    let check = per_byte(count_check(&mut counter));
    for (limits, length) in [(&SMALL, 128), (&LARGE, 600)] {
        let (received, frames) = transfer(&mut counter, limits, length);
        let link = per_byte(count_link(&mut counter, length));
        let mut text = Text::new();
        text.say(format_args!(
            "{} {FRAMING} {} buffer {length} frames {frames} receiver {} link {} check {}",
            engine::NAME,
            check::NAME,
            tenths(per_byte(received)),
            tenths(link),
            tenths(check),
        ));
    }
    semihosting::end()
}

/// Instructions for ten bytes of the file.
fn per_byte(count: u64) -> u64 {
    count * 10 / u64::from(SIZE)
}

fn tenths(count: u64) -> impl core::fmt::Display {
    text::Tenths(count)
}

/// The counter must count instructions: here are two million, and some around them.
fn calibrate(counter: &mut Counter) {
    counter.begin();
    counter::two_million();
    let count = counter.end();
    if count.abs_diff(2_000_000) > 1_000 {
        semihosting::fail(c"the clock does not count instructions: -icount shift=0\n");
    }
}

/// One pass of the check over as many bytes as the file has.
fn count_check(counter: &mut Counter) -> u64 {
    let mut bytes = [0; 512];
    for (at, to) in (0..).zip(&mut bytes) {
        *to = byte(at);
    }
    let mut check = 0;
    counter.begin();
    for _ in 0..SIZE / 512 {
        check = Check::default().update(check, &bytes);
    }
    let count = counter.end();
    core::hint::black_box(check);
    count
}

/// What reading as many bytes of the link costs by itself.
fn count_link(counter: &mut Counter, length: usize) -> u64 {
    use embedded_io::{Read, ReadReady, Write};
    let (one, other) = (RefCell::new(Pipe::new()), RefCell::new(Pipe::new()));
    let (mut near, mut far) = (End::new(&one, &other), End::new(&other, &one));
    let (bytes, mut into) = ([0x55; 600], [0; 600]);
    let (mut left, mut count) = (SIZE as usize, 0);
    while left > 0 {
        let piece = left.min(length);
        let _ = far.write(&bytes[..piece]);
        counter.begin();
        while near.read_ready() == Ok(true) {
            let _ = near.read(&mut into[..length]);
        }
        count += counter.end();
        left -= piece;
    }
    count
}

/// One transfer: the instructions of the receiver, and in how many frames the bytes came.
fn transfer(counter: &mut Counter, limits: &Limits, length: usize) -> (u64, u32) {
    let (one, other) = (RefCell::new(Pipe::new()), RefCell::new(Pipe::new()));
    let (mut near, mut far) = (End::new(&one, &other), End::new(&other, &one));
    let mut now = Instant::ZERO;

    let (mut receive, mut transmit, mut slots) = ([0; 600], [0; 64], engine::SLOTS);
    let mut store = Nowhere::default();
    let buffers = Buffers { receive: &mut receive[..length], transmit: &mut transmit };
    let receiver = engine::receiver(buffers, &mut slots, limits, now);

    let (mut heard, mut said, mut outgoing) = ([0; 128], [0; 700], [Outgoing::FREE]);
    let mut source = Source { size: SIZE };
    let buffers = Buffers { receive: &mut heard, transmit: &mut said };
    let role = Sender::new(&mut outgoing);
    let sender = Session::with_framing(
        buffers,
        &LARGE,
        role,
        (Framing::new(), Check::default()),
        (Speaks::First, Nonce::new(2)),
        now,
    );
    let (Some(mut receiver), Ok(mut sender)) = (receiver, sender) else {
        semihosting::fail(c"the buffers are too small\n");
    };
    sender.offer();

    let mut count = 0;
    while store.received < SIZE {
        now = now.after(Millis(1));
        while let Ok(Turn::Worked | Turn::Event(_)) = turn(&mut sender, &mut far, &mut source, now) {}
        counter.begin();
        let ended = loop {
            match engine::turn(&mut receiver, &mut near, &mut store, now) {
                Ok(Turn::Worked | Turn::Event(_)) => {}
                Err(nb::Error::WouldBlock) => break false,
                Ok(Turn::Closed) | Err(nb::Error::Other(_)) => break true,
            }
        };
        count += counter.end();
        if ended || now > Instant::ZERO.after(Millis(10_000_000)) {
            semihosting::fail(c"the transfer failed\n");
        }
    }
    (count, store.stores)
}
