//! The server that the board is attached to: it is dialled, and dialled again when it is lost.

use core::net::SocketAddrV4;

use sampan_core::wire::{Code, NodeName};
use sampan_core::{Error, Instant, Millis, Nonce, PeerError, Speaks, Stream};
use smoltcp::iface::SocketHandle;

use crate::conversation::{Conversation, Progress};
use crate::files::Files;
use crate::network::Network;
use crate::random::Random;
use crate::said::say;
use crate::tcp_link::{TcpLink, drain};

/// How long a connection may take to be made.
const PATIENCE: Millis = Millis(10_000);
/// Pauses grow from this ...
const SHORTEST: u32 = 500;
/// ... to this.
const LONGEST: u32 = 30_000;
/// Ports that are dialled from.
const PORTS: u16 = 49_152;

/// Dials, attaches, and stays.
#[derive(Debug)]
pub struct Dialler {
    to: SocketAddrV4,
    name: NodeName<'static>,
    socket: SocketHandle,
    conversation: Conversation<Stream>,
    state: State,
    /// The next pause.
    pause: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pausing(Instant),
    /// Until then at the latest.
    Dialling(Instant),
    Connected,
    /// The server does not want it: it is not dialled again.
    Refused,
}

impl Dialler {
    /// Dials as soon as it has a turn.
    pub fn new(
        to: SocketAddrV4,
        name: NodeName<'static>,
        socket: SocketHandle,
        conversation: Conversation<Stream>,
    ) -> Self {
        Self { to, name, socket, conversation, state: State::Pausing(Instant::ZERO), pause: SHORTEST }
    }

    /// Takes a turn with the server.
    pub fn turn(
        &mut self,
        network: &mut Network,
        files: &mut Files<'_>,
        random: &mut Random,
        now: Instant,
    ) -> Progress {
        match self.state {
            State::Pausing(until) if now >= until => self.dial(network, random, now),
            State::Pausing(until) => {
                drain(network.tcp(self.socket));
                return Progress::Waits(Some(until));
            }
            State::Dialling(until) => {
                let socket = network.tcp(self.socket);
                if socket.may_send() {
                    self.conversation.begin((Speaks::First, Nonce::new(random.next())), now);
                    self.conversation.attach(self.name);
                    self.state = State::Connected;
                } else if !socket.is_open() || now >= until {
                    self.lost(network, random, now);
                } else {
                    return Progress::Waits(Some(until));
                }
            }
            State::Connected => return self.stay(network, files, random, now),
            State::Refused => {
                drain(network.tcp(self.socket));
                return Progress::Waits(None);
            }
        }
        Progress::Worked
    }

    fn dial(&mut self, network: &mut Network, random: &mut Random, now: Instant) {
        // What is left of the connection before has had its time.
        network.tcp(self.socket).abort();
        let from = PORTS | random.next() as u16;
        if network.connect(self.socket, self.to, from) {
            self.state = State::Dialling(now.after(PATIENCE));
        } else {
            self.lost(network, random, now);
        }
    }

    fn stay(
        &mut self,
        network: &mut Network,
        files: &mut Files<'_>,
        random: &mut Random,
        now: Instant,
    ) -> Progress {
        let progress = self.conversation.turn(&mut TcpLink(network.tcp(self.socket)), files, now);
        match progress {
            Progress::Opened => {
                say(format_args!("is attached to {}", self.to));
                self.pause = SHORTEST;
            }
            Progress::Ended(Err(Error::Peer(PeerError::Aborted(
                code @ (Code::Exists | Code::NotAllowed),
            )))) => {
                say(format_args!("{} does not take it: {code}", self.to));
                network.tcp(self.socket).close();
                self.state = State::Refused;
            }
            Progress::Ended(_) => {
                say(format_args!("has lost {}", self.to));
                self.lost(network, random, now);
            }
            Progress::Worked | Progress::Waits(_) => return progress,
        }
        Progress::Worked
    }

    /// Pauses before it dials again: twice as long as the last time, and longer by up to a half.
    fn lost(&mut self, network: &mut Network, random: &mut Random, now: Instant) {
        network.tcp(self.socket).close();
        let more = random.next() % u64::from(self.pause / 2);
        self.state = State::Pausing(now.after(Millis(self.pause + more as u32)));
        self.pause = self.pause.saturating_mul(2).min(LONGEST);
    }
}
