//! What an LM3S6965 or an MPS2 AN385, as QEMU emulates them, needs to move files over Ethernet: the few peripherals, a store in flash, and the links of a
//! TCP/IP stack.

#![no_std]

mod clock;
mod conversation;
mod dialler;
mod ethernet;
mod files;
mod flash;
mod harbour;
mod network;
mod pier;
mod place;
mod random;
mod said;
mod semihosting;
mod settings;
mod sizes;
mod tcp_link;
mod udp_link;
mod work;

pub use clock::Clock;
pub use conversation::{Conversation, Memory, Progress};
pub use dialler::Dialler;
pub use ethernet::{BOARD, Ethernet};
pub use files::{Desk, Files, Who};
pub use flash::File;
pub use harbour::Harbour;
pub use network::{ADDRESS, AnswerMemory, Network, PORT, SessionMemory, TcpMemory};
pub use pier::Pier;
pub use place::{NAME_LEN, PAGE, PLACES};
pub use random::Random;
pub use said::{Shown, say};
pub use settings::Settings;
pub use sizes::{OVER_TCP, OVER_UDP, TCP_BUFFER, UDP_BUFFER};
pub use tcp_link::TcpLink;
pub use work::Work;

use core::ptr::{read_volatile, write_volatile};

use cortex_m_rt::{ExceptionFrame, exception};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::fail(c"panic\n")
}

#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    semihosting::fail(c"fault\n")
}

fn peek(address: u32) -> u32 {
    // SAFETY: callers name registers of the chip, and reading those has no effect on memory.
    unsafe { read_volatile(address as *const u32) }
}

fn poke(address: u32, value: u32) {
    // SAFETY: callers name registers of the chip, and writing those has no effect on memory.
    unsafe { write_volatile(address as *mut u32, value) }
}
