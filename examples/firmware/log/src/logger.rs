//! The log: frames of defmt's in a file of the computer's.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering};

use defmt::{Encoder, global_logger, timestamp};

use crate::semihosting::{End, File, end};

/// Milliseconds, of a time that goes on when nothing else is to be done.
static NOW: AtomicU32 = AtomicU32::new(0);

timestamp!("{=u32:ms}", NOW.load(Ordering::Relaxed));

pub(crate) fn set_time(millis: u32) {
    NOW.store(millis, Ordering::Relaxed);
}

struct State {
    encoder: Encoder,
    file: Option<File>,
}

struct Place(UnsafeCell<State>);

// SAFETY: There is one thread, without interrupts, and no frame begins within another.
unsafe impl Sync for Place {}

static PLACE: Place = Place(UnsafeCell::new(State { encoder: Encoder::new(), file: None }));

impl State {
    fn with(work: impl FnOnce(&mut Encoder, &File)) {
        // SAFETY: As above; what works on it does not log.
        let state = unsafe { &mut *PLACE.0.get() };
        let file = state.file.get_or_insert_with(|| File::new(c"log.defmt"));
        work(&mut state.encoder, file);
    }
}

#[global_logger]
struct Logger;

// SAFETY: There is one thread, without interrupts, so that frames come one after the other.
unsafe impl defmt::Logger for Logger {
    fn acquire() {
        State::with(|encoder, file| encoder.start_frame(|bytes| file.write(bytes)));
    }

    unsafe fn flush() {}

    unsafe fn release() {
        State::with(|encoder, file| encoder.end_frame(|bytes| file.write(bytes)));
    }

    unsafe fn write(bytes: &[u8]) {
        State::with(|encoder, file| encoder.write(bytes, |bytes| file.write(bytes)));
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    defmt::error!("panic: {}", defmt::Display2Format(info));
    end(End::Badly)
}
