//! What the tasks say, until it is sent.

use core::cell::RefCell;
use core::fmt::{self, Write};

use board::Log;
use critical_section::Mutex;

use crate::link;

static LOG: Mutex<RefCell<Log>> = Mutex::new(RefCell::new(Log::NEW));

fn with<R>(f: impl FnOnce(&mut Log) -> R) -> R {
    critical_section::with(|cs| f(&mut LOG.borrow_ref_mut(cs)))
}

/// Says a line on the link, when there is room for it.
pub fn say(line: fmt::Arguments<'_>) {
    let _ = with(|log| write!(log, "{line}\r\n\0"));
    link::wake_sending();
}

/// Whether none waits.
pub fn is_empty() -> bool {
    with(|log| log.is_empty())
}

/// The next byte to send.
pub fn next_byte() -> u8 {
    with(Log::next_byte)
}

/// Whether it has begun, and has not ended.
pub fn is_under_way() -> bool {
    with(|log| log.is_under_way())
}

/// The task that sends it.
#[embassy_executor::task]
pub async fn talk() {
    loop {
        link::send_text().await;
    }
}
