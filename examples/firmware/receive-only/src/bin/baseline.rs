//! The board and its store without the engine: bytes go from the UART to the flash, and back as they came.

#![no_std]
#![no_main]

use board::{Clock, Flash, Uart, random};
use cortex_m_rt::entry;
use embedded_io::{Read, ReadReady, Write, WriteReady};

#[entry]
fn main() -> ! {
    let (mut uart, mut clock, mut flash) = (Uart::new(), Clock::new(), Flash::new());
    let mut key = [0; Flash::IDENTITY];
    let mut buffer = [0; 16];
    loop {
        if uart.read_ready() != Ok(true) {
            continue;
        }
        let Ok(n) = uart.read(&mut buffer);
        let bytes = buffer.get(..n).unwrap_or_default();
        let check = random() as u32 ^ clock.micros() as u32;
        if bytes.first() == Some(&0) {
            for (to, from) in key.iter_mut().zip(bytes) {
                *to = *from;
            }
            let opened = !flash.is_complete(&key, check) && flash.open(&key).is_ok();
            if !opened {
                flash.discard();
            }
        } else if flash.write(bytes).is_err() || flash.sync(check).is_err() || flash.commit().is_err() {
            flash.discard();
        }
        if uart.write_ready() == Ok(true) {
            let _ = uart.write(bytes);
        }
    }
}
