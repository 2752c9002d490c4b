//! The TCP/IP stack on the Ethernet.

use core::net::{Ipv4Addr, SocketAddrV4};

use sampan_core::Instant;
use smoltcp::iface::{
    Config, Interface, PollIngressSingleResult, PollResult, SocketHandle, SocketSet, SocketStorage,
};
use smoltcp::socket::{tcp, udp};
use smoltcp::time;
use smoltcp::wire::{EthernetAddress, IpCidr};

use crate::ethernet::{Ethernet, MAC};
use crate::sizes::{TCP_RECEIVE, TCP_TRANSMIT, UDP_RECEIVE, UDP_TRANSMIT};

/// The board's address.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
/// The port that it serves, of TCP and of UDP.
pub const PORT: u16 = 7_000;
const NETWORK: u8 = 24;
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

/// An end of a TCP connection that does not answer for so long is gone.
const SILENCE: time::Duration = time::Duration::from_secs(30);

/// Room for what is on its way in a TCP connection.
#[derive(Debug)]
pub struct TcpMemory {
    receive: [u8; TCP_RECEIVE],
    transmit: [u8; TCP_TRANSMIT],
}

impl TcpMemory {
    /// Nothing yet.
    pub const NEW: Self = Self { receive: [0; TCP_RECEIVE], transmit: [0; TCP_TRANSMIT] };
}

/// Room for datagrams: so many bytes each way, and so many of them.
#[derive(Debug)]
pub struct UdpMemory<const RECEIVE: usize, const TRANSMIT: usize, const COUNT: usize> {
    receive: [u8; RECEIVE],
    transmit: [u8; TRANSMIT],
    received: [udp::PacketMetadata; COUNT],
    to_send: [udp::PacketMetadata; COUNT],
}

/// Room for those of a session.
pub type SessionMemory = UdpMemory<UDP_RECEIVE, UDP_TRANSMIT, 32>;
/// Room for answers to others.
pub type AnswerMemory = UdpMemory<0, 256, 4>;

impl<const RECEIVE: usize, const TRANSMIT: usize, const COUNT: usize> UdpMemory<RECEIVE, TRANSMIT, COUNT> {
    /// Nothing yet.
    pub const NEW: Self = Self {
        receive: [0; RECEIVE],
        transmit: [0; TRANSMIT],
        received: [udp::PacketMetadata::EMPTY; COUNT],
        to_send: [udp::PacketMetadata::EMPTY; COUNT],
    };
}

/// The stack: the controller, the board's address, and the sockets.
pub struct Network {
    ethernet: &'static mut Ethernet,
    interface: Interface,
    sockets: SocketSet<'static>,
}

impl Network {
    /// Switches the Ethernet on.
    pub fn new(
        ethernet: &'static mut Ethernet,
        sockets: &'static mut [SocketStorage<'static>],
        random: u64,
    ) -> Self {
        ethernet.begin();
        let mut config = Config::new(EthernetAddress(MAC).into());
        config.random_seed = random;
        let mut interface = Interface::new(config, ethernet, time::Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            // There is room for two.
            let _ = addresses.push(IpCidr::new(ADDRESS.into(), NETWORK));
        });
        let _ = interface.routes_mut().add_default_ipv4_route(GATEWAY);
        Self { ethernet, interface, sockets: SocketSet::new(sockets) }
    }

    /// One more socket for TCP.
    pub fn add_tcp(&mut self, memory: &'static mut TcpMemory) -> SocketHandle {
        let TcpMemory { receive, transmit } = memory;
        let receive = tcp::SocketBuffer::new(&mut receive[..]);
        let mut socket = tcp::Socket::new(receive, tcp::SocketBuffer::new(&mut transmit[..]));
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(None);
        socket.set_timeout(Some(SILENCE));
        self.sockets.add(socket)
    }

    /// One more socket for UDP.
    pub fn add_udp<const RECEIVE: usize, const TRANSMIT: usize, const COUNT: usize>(
        &mut self,
        memory: &'static mut UdpMemory<RECEIVE, TRANSMIT, COUNT>,
    ) -> SocketHandle {
        let UdpMemory { receive, transmit, received, to_send } = memory;
        let receive = udp::PacketBuffer::new(&mut received[..], &mut receive[..]);
        let transmit = udp::PacketBuffer::new(&mut to_send[..], &mut transmit[..]);
        self.sockets.add(udp::Socket::new(receive, transmit))
    }

    /// A socket for TCP.
    pub fn tcp(&mut self, handle: SocketHandle) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(handle)
    }

    /// A socket for UDP.
    pub fn udp(&mut self, handle: SocketHandle) -> &mut udp::Socket<'static> {
        self.sockets.get_mut(handle)
    }

    /// Dials; whether that could be begun.
    pub fn connect(&mut self, handle: SocketHandle, to: SocketAddrV4, from: u16) -> bool {
        let socket: &mut tcp::Socket<'_> = self.sockets.get_mut(handle);
        socket.connect(self.interface.context(), to, from).is_ok()
    }

    /// Takes one frame, and sends what is ready; whether there was anything to do.
    pub fn turn(&mut self, now: Instant) -> bool {
        let now = instant(now);
        self.interface.poll_maintenance(now);
        let came = self.interface.poll_ingress_single(now, self.ethernet, &mut self.sockets);
        let went = self.interface.poll_egress(now, self.ethernet, &mut self.sockets);
        !matches!(came, PollIngressSingleResult::None) || !matches!(went, PollResult::None)
    }

    /// When it has to have a turn at the latest.
    pub fn deadline(&mut self, now: Instant) -> Option<Instant> {
        let at = self.interface.poll_at(instant(now), &self.sockets)?;
        Some(Instant::from_micros(at.total_micros().try_into().unwrap_or(0)))
    }
}

fn instant(now: Instant) -> time::Instant {
    time::Instant::from_micros(now.as_micros() as i64)
}
