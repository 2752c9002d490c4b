//! A board whose files can be listed, fetched and put over Ethernet: it serves a TCP port and a UDP port, and stays attached to a server.
//!
//! ```text
//!   loop {
//!       the network:     at most one frame in, and what is ready out
//!       TCP, UDP,
//!       the server:      at most one read and one action each
//!       other work:      ten times a second
//!       sleep, if there is nothing to do
//!   }
//! ```
//!
//! None of these waits for anything.

#![no_std]
#![no_main]

use core::fmt::Write as _;

use board::{
    ADDRESS, AnswerMemory, Clock, Conversation, Dialler, Ethernet, Files, Harbour, Memory, Network, OVER_TCP,
    OVER_UDP, PAGE, PLACES, PORT, Pier, Progress, Random, SessionMemory, Settings, TCP_BUFFER, TcpMemory,
    UDP_BUFFER, Who, Work, say,
};
use cortex_m_rt::entry;
use heapless::String;
use sampan_core::wire::NodeName;
use sampan_core::{Instant, Millis};
use smoltcp::iface::SocketStorage;

/// What is due sooner is not slept for.
const NAP: Millis = Millis(1);

#[entry]
fn main() -> ! {
    static mut ETHERNET: Ethernet = Ethernet::OFF;
    static mut SOCKETS: [SocketStorage<'static>; 5] = [SocketStorage::EMPTY; 5];
    static mut FIRST: TcpMemory = TcpMemory::NEW;
    static mut SECOND: TcpMemory = TcpMemory::NEW;
    static mut DIALLED: TcpMemory = TcpMemory::NEW;
    static mut ONE: SessionMemory = SessionMemory::NEW;
    static mut ANSWERS: AnswerMemory = AnswerMemory::NEW;
    static mut TCP: Memory<TCP_BUFFER> = Memory::NEW;
    static mut UDP: Memory<UDP_BUFFER> = Memory::NEW;
    static mut ATTACHED: Memory<TCP_BUFFER> = Memory::NEW;
    static mut PAGES: [[u8; PAGE]; PLACES] = [[0; PAGE]; PLACES];
    static mut NAME: String<{ NodeName::MAX_LEN }> = String::new();

    let clock = Clock::new();
    let mut random = Random::new();
    let settings = Settings::read();
    let mut files = Files::open(PAGES);
    let mut network = Network::new(ETHERNET, SOCKETS, random.next());
    let sockets = [network.add_tcp(FIRST), network.add_tcp(SECOND)];
    let mut pier = Pier::new(sockets, Conversation::new(TCP, &OVER_TCP, Who::Tcp));
    let sockets = [network.add_udp(ONE), network.add_udp(ANSWERS)];
    let mut harbour =
        Harbour::new(&mut network, sockets, Conversation::new(UDP, &OVER_UDP, Who::Udp), &mut random);
    let _ = NAME.write_str(&settings.name);
    let mut dialler = settings.dial.map(|to| {
        let conversation = Conversation::new(ATTACHED, &OVER_TCP, Who::Server);
        Dialler::new(to, NodeName::new(NAME).unwrap_or_default(), network.add_tcp(DIALLED), conversation)
    });
    let mut due = clock.now();
    let mut work = Work::new(clock.now());
    say(format_args!("serves {ADDRESS}:{PORT} over TCP and UDP, and has {} files", files.count()));
    loop {
        let now = clock.now();
        let worked = now >= due && network.turn(now);
        if worked {
            due = now.after(settings.pace);
        }
        let progress = [
            pier.turn(&mut network, &mut files, &mut random, now),
            harbour.turn(&mut network, &mut files, now),
            dialler.as_mut().map_or(Progress::Waits(None), |dialler| {
                dialler.turn(&mut network, &mut files, &mut random, now)
            }),
        ];
        work.waited(now, clock.now());
        if progress.contains(&Progress::Opened) {
            let Work { longest_turn, latest, .. } = work;
            say(format_args!("longest turn {longest_turn} us, other work late by at most {latest} us"));
        }
        work.go_on(clock.now());
        let soon = now.after(NAP);
        let may_sleep =
            |progress: &Progress| matches!(progress, Progress::Waits(until) if is_later(*until, soon));
        if !worked && progress.iter().all(may_sleep) && is_later(network.deadline(now), soon) {
            clock.sleep();
        }
    }
}

fn is_later(until: Option<Instant>, soon: Instant) -> bool {
    until.is_none_or(|until| until > soon)
}
