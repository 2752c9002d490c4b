//! The link: frames and text on one UART, neither in the middle of the other.
//!
//! Every frame in COBS ends with a zero, so after one the text may go that waits. It goes before the next frame begins.

use core::future::poll_fn;
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use core::task::{Context, Poll};

use board::uart;
use embassy_sync::waitqueue::AtomicWaker;
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};

use crate::text;

/// Who waits for bytes, and who waits to send frames and text.
static RECEIVES: AtomicWaker = AtomicWaker::new();
static SENDS: AtomicWaker = AtomicWaker::new();
static TALKS: AtomicWaker = AtomicWaker::new();

/// What the UART is sending.
static TURN: AtomicU8 = AtomicU8::new(NOBODYS);
const NOBODYS: u8 = 0;
const FRAME: u8 = 1;
const TEXT: u8 = 2;

/// Whether somebody waits for room.
static FULL: AtomicBool = AtomicBool::new(false);

/// The UART's interrupt routine has run.
pub fn wake() {
    if uart::has_received() {
        RECEIVES.wake();
    }
    if FULL.load(Ordering::Relaxed) {
        FULL.store(false, Ordering::Relaxed);
        wake_sending();
    }
}

/// There is room, text, or an end of something.
pub fn wake_sending() {
    SENDS.wake();
    TALKS.wake();
}

fn turn() -> u8 {
    TURN.load(Ordering::Relaxed)
}

/// Another one may send.
fn pass(turn: u8) {
    TURN.store(turn, Ordering::Relaxed);
    if turn == NOBODYS {
        wake_sending();
    }
}

/// Whether there is room for a byte; if not, the one who waits is woken when there is.
fn has_room() -> bool {
    uart::has_room() || {
        FULL.store(true, Ordering::Relaxed);
        uart::ask_for_room();
        // It may have come just before.
        uart::has_room()
    }
}

/// The half that receives. A read that is dropped has taken nothing.
pub struct Receiving;

/// The half that sends frames. A write that is dropped has sent nothing.
pub struct Sending;

impl ErrorType for Receiving {
    type Error = ErrorKind;
}

impl ErrorType for Sending {
    type Error = ErrorKind;
}

impl Read for Receiving {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|cx| {
            RECEIVES.register(cx.waker());
            let n = into.iter_mut().map_while(|to| uart::take().map(|byte| *to = byte)).count();
            if n == 0 && !into.is_empty() { Poll::Pending } else { Poll::Ready(Ok(n)) }
        })
        .await
    }
}

impl Write for Sending {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|cx| {
            SENDS.register(cx.waker());
            let mut n = 0;
            for byte in bytes {
                let is_ours = turn() == FRAME || turn() == NOBODYS && text::is_empty();
                if !is_ours || !has_room() {
                    break;
                }
                uart::send(*byte);
                pass(if *byte == 0 { NOBODYS } else { FRAME });
                n += 1;
            }
            if n == 0 && !bytes.is_empty() { Poll::Pending } else { Poll::Ready(Ok(n)) }
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// Sends the text that waits, or waits for some.
pub async fn send_text() {
    poll_fn(send_some_text).await;
}

fn send_some_text(cx: &mut Context<'_>) -> Poll<()> {
    TALKS.register(cx.waker());
    while turn() != FRAME && !text::is_empty() {
        if !has_room() {
            return Poll::Pending;
        }
        uart::send(text::next_byte());
        let turn = if text::is_under_way() { TEXT } else { NOBODYS };
        pass(turn);
        if turn == NOBODYS {
            return Poll::Ready(());
        }
    }
    Poll::Pending
}
