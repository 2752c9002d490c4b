//! Receives files over the UART into the flash, one at a time, for as long as the board runs.
//!
//! A transfer that is cut off, even by a reset, goes on from what the flash holds. A real board would then start what it
//! received, or show it; this one only keeps it.

#![no_std]
#![no_main]

mod profile;

use board::{Clock, Flash, Uart, Worn, random};
use core::mem::MaybeUninit;
use cortex_m_rt::entry;
use profile::{Engine, Framing, Slots};
use sampan_core::driver::{Turn, nb::turn};
use sampan_core::wire::{Code, Identity, Nibble, Offer};
use sampan_core::{
    Buffers, Ending, Instant, Limits, Nonce, Part, Refusal, ResumePoint, Session, Speaks, Storage,
    TransferId, Verdict,
};

/// One frame's worth: whatever the sender may send ahead fits the receive buffer, so that the flash can take its time.
static LIMITS: Limits = Limits { window: 112, name: 64, sync_bytes: 2_048, ..Limits::SMALL };

#[entry]
fn main() -> ! {
    // Statics, so that the linker knows of all the memory there is to know of but the stack.
    static mut RECEIVE: [u8; 128] = [0; 128];
    static mut TRANSMIT: [u8; 64] = [0; 64];
    static mut SLOTS: MaybeUninit<Slots> = MaybeUninit::uninit();
    static mut SESSION: MaybeUninit<Engine> = MaybeUninit::uninit();
    let (mut uart, mut clock, mut store) = (Uart::new(), Clock::new(), Store(Flash::new()));
    loop {
        let mut now = || Instant::from_micros(clock.micros());
        // SAFETY: the session of the round before, which borrowed these, is gone.
        let (receive, transmit, slots, session) =
            unsafe { (lend(RECEIVE), lend(TRANSMIT), lend(SLOTS), lend(SESSION)) };
        let buffers = Buffers { receive, transmit };
        let role = slots.write(Slots::FREE).role();
        // The board waits to be spoken to: what is on the other end of the wire may be a terminal.
        let opening = (Speaks::Second, Nonce::new(random()));
        let framing = (Framing::new(), Nibble);
        let Ok(engine) = Session::with_framing(buffers, &LIMITS, role, framing, opening, now()) else {
            continue;
        };
        let engine = session.write(engine);
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
struct Store(Flash);

impl Store {
    /// What the flash does not take is wrong in it: begin anew next time.
    fn failed(&mut self, _: Worn) -> Refusal {
        self.0.discard();
        Code::Storage.into()
    }
}

/// An identity as it is kept: its length, then its bytes.
fn key(identity: &Identity) -> [u8; Flash::IDENTITY] {
    let bytes = identity.as_bytes();
    let mut key = [0; Flash::IDENTITY];
    key[0] = bytes.len() as u8;
    for (to, from) in key.iter_mut().skip(1).zip(bytes) {
        *to = *from;
    }
    key
}

impl Storage for Store {
    fn offered(&mut self, _: TransferId, offer: &Offer<'_>) -> Verdict {
        let Some(size) =
            offer.size.and_then(|size| u32::try_from(size).ok()).filter(|size| *size <= Flash::CAPACITY)
        else {
            return Verdict::Decline(Code::TooLarge.into());
        };
        if offer.directory || offer.listing {
            return Verdict::Decline(Code::Unsupported.into());
        }
        let key = key(&offer.identity);
        if offer.restart {
            self.0.discard();
        }
        if self.0.is_complete(&key, size) {
            return Verdict::Have;
        }
        match self.0.open(&key) {
            Ok((offset, check)) => Verdict::Accept(ResumePoint { offset: offset.into(), check }),
            Err(worn) => Verdict::Decline(self.failed(worn)),
        }
    }

    fn store(&mut self, _: TransferId, _: u64, data: &[u8]) -> Result<usize, Refusal> {
        self.0.write(data).map_err(|worn| self.failed(worn))?;
        Ok(data.len())
    }

    fn sync(&mut self, _: TransferId, offset: u64, check: u32) -> Option<u64> {
        // Without room in the record nothing more is durable, and 0 says nothing new. What fails here fails again at the next write.
        Some(if self.0.sync(check) == Ok(true) { offset } else { 0 })
    }

    fn commit(&mut self, _: TransferId, _: &Ending<'_>) -> Option<Result<(), Refusal>> {
        Some(self.0.commit().map_err(|worn| self.failed(worn)))
    }

    fn abandon(&mut self, _: TransferId, part: Part) {
        if part == Part::Discard {
            self.0.discard();
        }
    }
}
