//! A board that attaches to a server, hears a notice, is pushed a firmware, and gives it back.
//!
//! ```text
//! cargo run -p sampan-examples --example attached_device
//!
//!   device ── two rings ── cable ── TCP ── server ── its user
//! ```
//!
//! What a firmware would have is the `no_std` crate whose root is `attached_device/device.rs`. Here are the board around it and the cable,
//! which stands for UART and modem; `attached_device/user.rs` is the other end.

#[path = "attached_device/user.rs"]
mod user;

use std::error::Error;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use device::{Device, Files, Memory, SLOT_LEN, SLOTS, Uart};
use heapless::spsc::{Consumer, Producer, Queue};
use sampan::link::Url;
use sampan::server::{Server, ServerOptions};
use sampan::store::{Store, StoreOptions};
use sampan_core::Event;
use sampan_core::driver::Turn;
use sampan_core::wire::NodeName;

const NODE: &str = "board-7";
const FIRMWARE: &str = "firmware.bin";
/// A board would sleep until an interrupt.
const NAP: Duration = Duration::from_micros(100);

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let image: Vec<u8> = (0..200_u32 << 10).map(|n| (n.wrapping_mul(0x9E37_79B1) >> 24) as u8).collect();
    let store = Store::open(&folder.path().join("server"), StoreOptions::default())?;
    let listen = vec!["tcp://127.0.0.1:0".parse()?];
    let (server, heard) = Server::start(store, ServerOptions { listen, ..ServerOptions::default() })?;
    let Some(Url::Tcp { host, port }) = server.urls().first() else { return Err("it is not at TCP".into()) };
    let socket = TcpStream::connect((host.as_str(), *port))?;
    socket.set_nodelay(true)?;

    let (mut down, mut up) = (Queue::<u8, 1024>::new(), Queue::<u8, 1024>::new());
    let ((to_board, rx), (tx, from_board)) = (down.split(), up.split());
    let (carrier, switched_off) = (AtomicBool::new(true), AtomicBool::new(false));
    let (mut flash, mut memory) = (vec![[0; SLOT_LEN]; SLOTS], Memory::NEW);
    let files = Files::new(flash.as_mut_slice().try_into()?);
    let uart = Uart { rx, tx, carrier: &carrier };
    let random = RandomState::new().hash_one("link 1");
    let device = Device::attach(NodeName::new(NODE)?, uart, files, &mut memory, random, 0)?;

    let (visited, board) = thread::scope(|scope| {
        scope.spawn(|| downstream(&socket, to_board, &carrier));
        scope.spawn(|| upstream(&socket, from_board, &carrier));
        let board = scope.spawn(|| superloop(device, &carrier, &switched_off));
        let visited = user::visit(&server, &heard, &image, folder.path());
        switched_off.store(true, Ordering::Relaxed);
        (visited, board.join())
    });
    visited?;
    let files = board.map_err(|_| "the board panicked")??;
    if files.contents(FIRMWARE) != Some(&image) {
        return Err("something else is in the flash".into());
    }
    Ok(())
}

/// The board, from reset until it is switched off.
fn superloop<'d>(
    mut device: Device<'d>,
    carrier: &AtomicBool,
    switched_off: &AtomicBool,
) -> Result<Files<'d>, sampan_core::Error> {
    let reset = Instant::now();
    let ended = loop {
        if switched_off.load(Ordering::Relaxed) {
            device.leave();
        }
        match device.turn(reset.elapsed().as_millis() as u64) {
            Ok(Turn::Event(Event::Notice(words))) => println!("{NODE}: is told {words:?}"),
            Ok(Turn::Event(Event::Received { .. })) => println!("{NODE}: has received a file"),
            Ok(Turn::Worked | Turn::Event(_)) => {}
            Ok(Turn::Closed) => break Ok(()),
            Err(nb::Error::WouldBlock) => thread::sleep(NAP),
            Err(nb::Error::Other(error)) => break Err(error),
        }
    };
    carrier.store(false, Ordering::Release);
    ended.map(|()| device.into_files())
}

/// From the socket to the board, until either end hangs up. A ring that is full holds the line back.
fn downstream(mut socket: &TcpStream, mut ring: Producer<'_, u8>, carrier: &AtomicBool) {
    let mut came = [0; 256];
    while let Ok(n @ 1..) = socket.read(&mut came) {
        for byte in &came[..n] {
            while carrier.load(Ordering::Acquire) && ring.enqueue(*byte).is_err() {
                thread::sleep(NAP);
            }
        }
    }
    carrier.store(false, Ordering::Release);
}

/// From the board to the socket, until either end hangs up.
fn upstream(mut socket: &TcpStream, mut ring: Consumer<'_, u8>, carrier: &AtomicBool) {
    while carrier.load(Ordering::Acquire) || ring.ready() {
        let goes: Vec<u8> = std::iter::from_fn(|| ring.dequeue()).collect();
        if socket.write_all(&goes).is_err() {
            break;
        }
        if goes.is_empty() {
            thread::sleep(NAP);
        }
    }
    carrier.store(false, Ordering::Release);
    let _ = socket.shutdown(Shutdown::Both);
}

#[test]
fn the_board_has_what_was_pushed_and_gives_it_back() {
    main().unwrap();
}
