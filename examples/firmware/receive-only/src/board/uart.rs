//! The wire.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};

use crate::{peek, poke};

/// UART 0 at 115,200 baud on the pins that go to the board's USB interface.
///
/// Its hardware holds six bytes. More than that may not arrive while the flash is written, hence the small window in
/// `engine.rs`: the sender waits for an answer after every frame.
#[derive(Debug)]
pub struct Uart {
    sending: bool,
}

impl Uart {
    const BASE: u32 = 0x4000_2000;
    const START_RX: u32 = Self::BASE;
    const START_TX: u32 = Self::BASE + 0x008;
    const RX_READY: u32 = Self::BASE + 0x108;
    const TX_READY: u32 = Self::BASE + 0x11C;
    const ENABLE: u32 = Self::BASE + 0x500;
    const PIN_TX: u32 = Self::BASE + 0x50C;
    const PIN_RX: u32 = Self::BASE + 0x514;
    const RX: u32 = Self::BASE + 0x518;
    const TX: u32 = Self::BASE + 0x51C;
    const BAUD: u32 = Self::BASE + 0x524;
    const GPIO_SET: u32 = 0x5000_0508;
    const GPIO_OUTPUT: u32 = 0x5000_0518;
    const TX_PIN: u32 = 24;
    const RX_PIN: u32 = 25;

    /// Switches it on.
    pub fn new() -> Self {
        // The line idles high, before the UART takes it over too.
        poke(Self::GPIO_SET, 1 << Self::TX_PIN);
        poke(Self::GPIO_OUTPUT, 1 << Self::TX_PIN);
        poke(Self::PIN_TX, Self::TX_PIN);
        poke(Self::PIN_RX, Self::RX_PIN);
        poke(Self::BAUD, 0x01D7_E000);
        poke(Self::ENABLE, 4);
        poke(Self::START_RX, 1);
        poke(Self::START_TX, 1);
        Self { sending: false }
    }
}

impl Default for Uart {
    fn default() -> Self {
        Self::new()
    }
}

impl ErrorType for Uart {
    type Error = Infallible;
}

impl ReadReady for Uart {
    #[inline(never)]
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(peek(Self::RX_READY) != 0)
    }
}

impl Read for Uart {
    #[inline(never)]
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Infallible> {
        let mut n = 0;
        for byte in into {
            while peek(Self::RX_READY) == 0 {
                if n > 0 {
                    return Ok(n);
                }
            }
            poke(Self::RX_READY, 0);
            *byte = peek(Self::RX) as u8;
            n += 1;
        }
        Ok(n)
    }
}

impl WriteReady for Uart {
    #[inline(never)]
    fn write_ready(&mut self) -> Result<bool, Infallible> {
        if self.sending && peek(Self::TX_READY) != 0 {
            poke(Self::TX_READY, 0);
            self.sending = false;
        }
        Ok(!self.sending)
    }
}

impl Write for Uart {
    #[inline(never)]
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let Some(byte) = bytes.first() else { return Ok(0) };
        self.flush()?;
        poke(Self::TX, (*byte).into());
        self.sending = true;
        Ok(1)
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        while !self.write_ready()? {}
        Ok(())
    }
}
