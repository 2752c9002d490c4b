//! What the link does without a protocol of ours, to compare with: port 9 drops what comes (RFC 863) and says a byte for each MiB, port 19 sends without end
//! (RFC 864).

#![no_std]
#![no_main]

use board::{Clock, Ethernet, Network, Random, TcpMemory, say};
use cortex_m_rt::entry;
use smoltcp::iface::SocketStorage;
use smoltcp::socket::tcp;

const DROPS: u16 = 9;
const SENDS: u16 = 19;
const MEBIBYTE: usize = 1 << 20;
static TEXT: [u8; 4_096] = [b'x'; 4_096];

#[entry]
fn main() -> ! {
    static mut ETHERNET: Ethernet = Ethernet::OFF;
    static mut SOCKETS: [SocketStorage<'static>; 2] = [SocketStorage::EMPTY; 2];
    static mut DROPPED: TcpMemory = TcpMemory::NEW;
    static mut SENT: TcpMemory = TcpMemory::NEW;

    let clock = Clock::new();
    let mut network = Network::new(ETHERNET, SOCKETS, Random::new().next());
    let (drops, sends) = (network.add_tcp(DROPPED), network.add_tcp(SENT));
    let mut dropped = 0;
    say(format_args!("drops what comes to port {DROPS}, and sends from port {SENDS}"));
    loop {
        let worked = network.turn(clock.now());
        let socket = network.tcp(drops);
        if !socket.is_open() {
            dropped = 0;
            let _ = socket.listen(DROPS);
        }
        if let Ok(n) = socket.recv(|bytes| (bytes.len(), bytes.len())) {
            dropped += n;
        }
        if dropped >= MEBIBYTE && socket.can_send() {
            dropped -= MEBIBYTE;
            let _ = socket.send_slice(b".");
        }
        close_after_the_other_end(socket);
        let socket = network.tcp(sends);
        if !socket.is_open() {
            let _ = socket.listen(SENDS);
        }
        let _ = socket.send_slice(&TEXT);
        close_after_the_other_end(socket);
        if !worked {
            clock.sleep();
        }
    }
}

fn close_after_the_other_end(socket: &mut tcp::Socket<'_>) {
    if socket.state() == tcp::State::CloseWait {
        socket.close();
    }
}
