//! What the link does, to compare with. Port 9 drops what comes (RFC 863) and says a byte for each MiB, port 19 sends without end (RFC 864), and the port of
//! `net-node` takes files that it does not keep and gives one that is not there, `zeros`: between them is what a transfer costs, and between those files and
//! those of `net-node` what the flash does.

#![no_std]
#![no_main]

use board::{Clock, Ethernet, Memory, Network, OVER_TCP, PORT, Random, TCP_BUFFER, TcpLink, TcpMemory, say};
use cortex_m_rt::entry;
use sampan_core::driver::{Turn, nb::turn};
use sampan_core::wire::{Code, DigestKind, FileName, Identity, Offer, Want};
use sampan_core::{
    Description, Ending, FileType, Nonce, Refusal, ResumePoint, Speaks, Start, Storage, Stream, TransferId,
    Verdict,
};
use smoltcp::iface::SocketStorage;
use smoltcp::socket::tcp;

const DROPS: u16 = 9;
const SENDS: u16 = 19;
const MEBIBYTE: usize = 1 << 20;
static TEXT: [u8; 4_096] = [b'x'; 4_096];

#[entry]
fn main() -> ! {
    static mut ETHERNET: Ethernet = Ethernet::OFF;
    static mut SOCKETS: [SocketStorage<'static>; 3] = [SocketStorage::EMPTY; 3];
    static mut DROPPED: TcpMemory = TcpMemory::NEW;
    static mut SENT: TcpMemory = TcpMemory::NEW;
    static mut FILES: TcpMemory = TcpMemory::NEW;
    static mut MEMORY: Memory<TCP_BUFFER> = Memory::NEW;

    let clock = Clock::new();
    let mut random = Random::new();
    let mut network = Network::new(ETHERNET, SOCKETS, random.next());
    let (drops, sends) = (network.add_tcp(DROPPED), network.add_tcp(SENT));
    let files = network.add_tcp(FILES);
    let mut session = MEMORY.session::<Stream>(&OVER_TCP);
    let mut dropped = 0;
    say(format_args!(
        "drops what comes to port {DROPS}, sends from port {SENDS}, keeps nothing of port {PORT}"
    ));
    loop {
        let now = clock.now();
        let mut worked = network.turn(now);

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

        let socket = network.tcp(files);
        if !socket.is_open() && socket.listen(PORT).is_ok() {
            session = session.renewed(Stream::new(), (Speaks::Second, Nonce::new(random.next())), now);
        }
        if socket.may_send() {
            match turn(&mut session, &mut TcpLink(socket), &mut Nothing, now) {
                Ok(Turn::Closed) | Err(nb::Error::Other(_)) => socket.close(),
                Ok(Turn::Worked | Turn::Event(_)) => worked = true,
                Err(nb::Error::WouldBlock) => {}
            }
        }
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

/// Keeps nothing, and has nothing but zeros.
struct Nothing;

const ZEROS: &str = "zeros";

impl Storage for Nothing {
    fn offered(&mut self, _: TransferId, _: &Offer<'_>) -> Verdict {
        Verdict::Accept(ResumePoint::START)
    }

    fn store(&mut self, _: TransferId, _: u64, data: &[u8]) -> Result<usize, Refusal> {
        Ok(data.len())
    }

    fn commit(&mut self, _: TransferId, _: &Ending<'_>) -> Option<Result<(), Refusal>> {
        Some(Ok(()))
    }

    fn wanted(&mut self, _: TransferId, want: &Want<'_>) -> Result<(), Refusal> {
        let is_it = !want.listing && want.name.check().is_ok_and(|name| name.as_str() == ZEROS);
        if is_it { Ok(()) } else { Err(Code::NotFound.into()) }
    }

    fn describe(&mut self, _: TransferId, _: DigestKind) -> Result<Description<'_>, Refusal> {
        Ok(Description {
            name: FileName::new(ZEROS).ok(),
            file_type: FileType::File,
            size: Some(MEBIBYTE as u64),
            modified: None,
            identity: Identity::EMPTY,
            start: Start::Eager,
        })
    }

    fn fetch(&mut self, _: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let left = (MEBIBYTE as u64).saturating_sub(offset) as usize;
        let length = left.min(into.len());
        into[..length].fill(0);
        Ok(length)
    }
}
