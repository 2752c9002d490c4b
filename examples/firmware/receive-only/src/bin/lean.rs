//! The same board with the lean engine, which only receives: the smallest image.

#![no_std]
#![no_main]

use board::{Clock, Flash, Uart, random};
use core::mem::MaybeUninit;
use cortex_m_rt::entry;
#[cfg(feature = "cobs")]
use sampan_core::lean::Cobs as Framing;
#[cfg(not(feature = "cobs"))]
use sampan_core::lean::Stream as Framing;
use sampan_core::driver::Turn;
use sampan_core::lean::{Offer, Receiver, Setup, Store, Verdict, turn};
use sampan_core::wire::{Code, Nibble};
use sampan_core::{Buffers, FileType, Instant, Nonce, Part, Speaks};

#[entry]
fn main() -> ! {
    static mut RECEIVE: [u8; 128] = [0; 128];
    static mut TRANSMIT: [u8; 64] = [0; 64];
    static mut ENGINE: MaybeUninit<Receiver<'static, Framing>> = MaybeUninit::uninit();
    let (mut uart, mut clock, mut store) = (Uart::new(), Clock::new(), Slot(Flash::new()));
    loop {
        let mut now = || Instant::from_micros(clock.micros());
        // SAFETY: the engine of the round before, which borrowed these, is gone.
        let (receive, transmit, engine) = unsafe { (lend(RECEIVE), lend(TRANSMIT), lend(ENGINE)) };
        let setup = Setup { speaks: Speaks::Second, nonce: Nonce::new(random()), window: 112, sync_bytes: 2_048 };
        let parts = (Framing::new(), Nibble);
        let Ok(new) = Receiver::new(Buffers { receive, transmit }, &setup, parts, now()) else { continue };
        let engine = engine.write(new);
        loop {
            match turn(engine, &mut uart, &mut store, now()) {
                Ok(Turn::Worked | Turn::Event(_)) | Err(nb::Error::WouldBlock) => {}
                // Whatever ended this session, the next one goes on with the file.
                Ok(Turn::Closed) | Err(nb::Error::Other(_)) => break,
            }
        }
    }
}

/// The same memory once more.
///
/// # Safety
///
/// Whatever borrowed it before must not be used any more.
unsafe fn lend<T>(memory: &mut T) -> &'static mut T {
    // SAFETY: the caller sees to it.
    unsafe { &mut *(&raw mut *memory) }
}

/// The flash as the engine sees it. Names are not looked at: there is one place.
struct Slot(Flash);

impl Store for Slot {
    fn offered(&mut self, offer: &Offer<'_>) -> Verdict {
        let Some(size) = offer.size.filter(|size| *size <= Flash::CAPACITY) else {
            return Verdict::Decline(Code::TooLarge);
        };
        if !matches!(offer.file_type(), FileType::File | FileType::Executable) {
            return Verdict::Decline(Code::Unsupported);
        }
        // An identity as it is kept: its length, then its bytes.
        let mut key = [0; Flash::IDENTITY];
        key[0] = offer.identity.len() as u8;
        for (to, from) in key.iter_mut().skip(1).zip(offer.identity) {
            *to = *from;
        }
        if offer.restarts() {
            self.0.discard();
        }
        if self.0.is_complete(&key, size) {
            return Verdict::Have;
        }
        match self.0.open(&key) {
            Ok((offset, check)) => Verdict::Accept { offset, check },
            Err(_) => {
                self.0.discard();
                Verdict::Decline(Code::Storage)
            }
        }
    }

    fn store(&mut self, _: u32, data: &[u8]) -> Result<usize, Code> {
        if self.0.write(data).is_err() {
            self.0.discard();
            return Err(Code::Storage);
        }
        Ok(data.len())
    }

    fn sync(&mut self, offset: u32, check: u32) -> u32 {
        // Without room in the record nothing more is durable, and 0 says nothing new.
        if self.0.sync(check) == Ok(true) { offset } else { 0 }
    }

    fn commit(&mut self) -> Result<(), Code> {
        self.0.commit().map_err(|_| {
            self.0.discard();
            Code::Storage
        })
    }

    fn abandon(&mut self, part: Part) {
        if part == Part::Discard {
            self.0.discard();
        }
    }
}
