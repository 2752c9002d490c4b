//! The TCP port: whoever dials is served, one after the other.

use sampan_core::{Instant, Millis, Nonce, Speaks, Stream};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp;

use crate::conversation::{Conversation, Progress};
use crate::files::Files;
use crate::network::{Network, PORT};
use crate::random::Random;
use crate::tcp_link::{TcpLink, drain};

/// How long a connection may take to close.
const LINGER: Millis = Millis(5_000);
/// How long it may take to be made, once somebody has begun to.
const PATIENCE: Millis = Millis(3_000);

/// Two sockets that listen in turn: while one is served the other takes whoever comes next, who waits. Further ones are refused.
#[derive(Debug)]
pub struct Pier {
    berths: [Berth; 2],
    conversation: Conversation<Stream>,
}

#[derive(Debug)]
struct Berth {
    socket: SocketHandle,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It listens, or somebody has come who waits.
    Open,
    /// Somebody has begun to make a connection: until then at the latest.
    Opening(Instant),
    Served,
    /// Until then at the latest.
    Closing(Instant),
}

impl Pier {
    /// Begins to listen.
    pub fn new(sockets: [SocketHandle; 2], conversation: Conversation<Stream>) -> Self {
        Self { berths: sockets.map(|socket| Berth { socket, state: State::Open }), conversation }
    }

    /// Takes a turn with whoever is served.
    pub fn turn(
        &mut self,
        network: &mut Network,
        files: &mut Files<'_>,
        random: &mut Random,
        now: Instant,
    ) -> Progress {
        for berth in &mut self.berths {
            berth.tidy(network, now);
        }
        if let Some(berth) = self.berths.iter_mut().find(|berth| berth.state == State::Served) {
            let socket = network.tcp(berth.socket);
            let progress = self.conversation.turn(&mut TcpLink(socket), files, now);
            if let Progress::Ended(_) = progress {
                socket.close();
                berth.state = State::Closing(now.after(LINGER));
                return Progress::Worked;
            }
            return progress;
        }
        let waits = self.berths.iter_mut().find(|berth| {
            let socket = network.tcp(berth.socket);
            berth.state == State::Open && socket.may_send()
        });
        let Some(berth) = waits else { return Progress::Waits(None) };
        berth.state = State::Served;
        self.conversation.begin((Speaks::Second, Nonce::new(random.next())), now);
        Progress::Worked
    }
}

impl Berth {
    /// Lets go of a connection that is over, and listens again.
    fn tidy(&mut self, network: &mut Network, now: Instant) {
        let socket = network.tcp(self.socket);
        let is_half_made = socket.state() == tcp::State::SynReceived;
        match self.state {
            State::Closing(until) => {
                drain(socket);
                if now >= until {
                    socket.abort();
                }
            }
            State::Opening(until) if is_half_made => {
                if now >= until {
                    socket.abort();
                }
            }
            State::Opening(_) => self.state = State::Open,
            // Whoever waited has gone.
            State::Open if socket.state() == tcp::State::CloseWait => socket.abort(),
            State::Open if is_half_made => self.state = State::Opening(now.after(PATIENCE)),
            State::Open | State::Served => {}
        }
        if self.state != State::Served && !socket.is_open() && socket.listen(PORT).is_ok() {
            self.state = State::Open;
        }
    }
}
