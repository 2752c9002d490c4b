//! The UDP port (§8.6): whoever shows that it receives what is sent to its address is served, one at a time.

use sampan_core::wire::{CHECK_LEN, Crc32, Hello, Kind, MIN_FRAME, Nibble, Writer, split_check};
use sampan_core::{Action, Datagrams, Engine, Instant, Millis, Nonce, Speaks};
use smoltcp::iface::SocketHandle;
use smoltcp::wire::{IpAddress, IpEndpoint};

use crate::conversation::{Conversation, Progress};
use crate::files::Files;
use crate::network::{Network, PORT};
use crate::random::Random;
use crate::udp_link::{Goodbyes, UdpLink};

/// So long a cookie is made for one address and nonce; it is good for as long again.
const STEP: u64 = 30_000_000;
/// So long it is remembered that a session has ended.
const REMEMBERED: Millis = Millis(30_000);
/// A peer with whom something is under way and who says nothing for so long makes room for another ...
const QUIET: Millis = Millis(3_000);
/// ... and one with whom nothing is, after so long: he has missed a PING.
const IDLE: Millis = Millis(12_000);
/// Answers that are held back for so long are dropped.
const HELD_BACK: Millis = Millis(100);
/// So many datagrams that are for nobody are dropped in one turn.
const DROPPED: usize = 4;

/// The port, and whoever is served.
#[derive(Debug)]
pub struct Harbour {
    socket: SocketHandle,
    answers: Answers,
    conversation: Conversation<Datagrams>,
    /// What the sessions say first, but for nonce and echo.
    hello: Hello,
    key: (u64, u64),
    berth: Berth,
}

/// What is said to those who have no session goes through a socket of its own: one of them may have an address at which nobody is, and the stack holds
/// what goes there back until it has found out.
#[derive(Debug)]
struct Answers {
    socket: SocketHandle,
    /// When it last had nothing to send.
    since: Instant,
}

#[derive(Debug)]
enum Berth {
    Free,
    Taken(Peer),
    /// The session with it is over, since then.
    Left(Peer, Instant),
}

#[derive(Debug)]
struct Peer {
    address: IpEndpoint,
    nonce: u64,
    heard: Instant,
    goodbyes: Goodbyes,
}

/// What matters of a HELLO before a session is begun.
#[derive(Clone, Copy, Debug)]
struct Heard {
    nonce: u64,
    echo: u64,
}

/// What the next datagram is.
#[derive(Clone, Copy, Debug)]
enum Next {
    None,
    /// One for the session.
    Ours,
    /// One that begins a session.
    Begins(IpEndpoint, Heard),
    /// One that is answered with a HELLO that has these numbers.
    Asks(IpEndpoint, Heard),
    /// One that has been said before, when the session ended.
    SaidAgain,
    /// One for nobody.
    Stray,
}

impl Harbour {
    /// Begins to listen.
    pub fn new(
        network: &mut Network,
        [socket, answers]: [SocketHandle; 2],
        mut conversation: Conversation<Datagrams>,
        random: &mut Random,
    ) -> Self {
        // What comes is for the first of them.
        let _ = network.udp(socket).bind(PORT);
        let answers = Answers { socket: answers, since: Instant::ZERO };
        let hello = first_hello(&mut conversation).expect("a session says HELLO");
        Self { socket, answers, conversation, hello, key: (random.next(), random.next()), berth: Berth::Free }
    }

    /// Looks at what has come, and takes a turn with whoever is served.
    pub fn turn(&mut self, network: &mut Network, files: &mut Files<'_>, now: Instant) -> Progress {
        let mut has_come = false;
        for _ in 0..DROPPED {
            match self.next(network, files, now) {
                Next::None => break,
                Next::Ours => {
                    has_come = true;
                    break;
                }
                Next::Begins(address, heard) => {
                    files.left(self.conversation.who);
                    self.conversation.begin((Speaks::Second, Nonce::new(heard.echo)), now);
                    let goodbyes = Goodbyes::default();
                    self.berth = Berth::Taken(Peer { address, nonce: heard.nonce, heard: now, goodbyes });
                    // It is the first frame of the session.
                    has_come = true;
                    break;
                }
                Next::Asks(to, numbers) => self.answers.say(network, to, &said(&self.hello, numbers), now),
                Next::SaidAgain => {
                    if let Berth::Left(Peer { address, goodbyes, .. }, _) = &self.berth {
                        self.answers.say(network, *address, &goodbyes.ours, now);
                    }
                }
                Next::Stray => {}
            }
            // It is done with.
            let _ = network.udp(self.socket).recv();
        }
        let Berth::Taken(peer) = &mut self.berth else {
            return if network.udp(self.socket).can_recv() {
                Progress::Worked
            } else {
                Progress::Waits(None)
            };
        };
        if has_come {
            peer.heard = now;
        }
        let socket = network.udp(self.socket);
        let mut link = UdpLink { socket, peer: peer.address, has_come, goodbyes: &mut peer.goodbyes };
        let progress = self.conversation.turn(&mut link, files, now);
        if let Progress::Ended(_) = progress {
            if let Berth::Taken(peer) = core::mem::replace(&mut self.berth, Berth::Free) {
                self.berth = Berth::Left(peer, now);
            }
            return Progress::Worked;
        }
        progress
    }

    fn next(&self, network: &mut Network, files: &Files<'_>, now: Instant) -> Next {
        let Ok((datagram, about)) = network.udp(self.socket).peek() else { return Next::None };
        let (from, hello) = (about.endpoint, heard(datagram));
        let is_same =
            |peer: &Peer| peer.address == from && hello.is_none_or(|hello| hello.nonce == peer.nonce);
        let is_open = match &self.berth {
            Berth::Taken(peer) if is_same(peer) => return Next::Ours,
            Berth::Left(peer, since) if is_same(peer) && now < since.after(REMEMBERED) => {
                let theirs = &peer.goodbyes.theirs[..];
                let is_known = !theirs.is_empty() && theirs == datagram && !peer.goodbyes.ours.is_empty();
                return if is_known { Next::SaidAgain } else { Next::Stray };
            }
            // Another session from the same address: the one before is over there.
            Berth::Taken(peer) if peer.address == from => true,
            Berth::Taken(peer) => {
                let patience = if files.is_busy(self.conversation.who) { QUIET } else { IDLE };
                now >= peer.heard.after(patience)
            }
            Berth::Free | Berth::Left(..) => true,
        };
        match hello {
            Some(hello) if is_open && self.is_good(from, hello, now) => Next::Begins(from, hello),
            Some(Heard { nonce, .. }) if is_open => {
                let cookie = self.cookie(from, nonce, now.as_micros() / STEP);
                Next::Asks(from, Heard { nonce: cookie, echo: nonce })
            }
            _ => Next::Stray,
        }
    }

    /// Whether the HELLO bears a cookie that this end has, or could have, given to it not long ago.
    fn is_good(&self, from: IpEndpoint, Heard { nonce, echo }: Heard, now: Instant) -> bool {
        let step = now.as_micros() / STEP;
        let steps = [Some(step), step.checked_sub(1)];
        steps.into_iter().flatten().any(|step| self.cookie(from, nonce, step) == echo)
    }

    /// The number of a session with this peer, of which nothing is kept.
    fn cookie(&self, from: IpEndpoint, nonce: u64, step: u64) -> u64 {
        use core::hash::Hasher;
        #[expect(deprecated, reason = "its only other home is std")]
        let mut hasher = core::hash::SipHasher::new_with_keys(self.key.0, self.key.1);
        let IpAddress::Ipv4(address) = from.addr;
        hasher.write(&address.octets());
        hasher.write_u16(from.port);
        hasher.write_u64(nonce);
        hasher.write_u64(step);
        hasher.finish().max(1)
    }
}

impl Answers {
    /// Says it, if there is room.
    fn say(&mut self, network: &mut Network, to: IpEndpoint, answer: &[u8], now: Instant) {
        let socket = network.udp(self.socket);
        if socket.send_queue() == 0 {
            self.since = now;
        } else if now >= self.since.after(HELD_BACK) {
            socket.close();
        }
        if !socket.is_open() {
            let _ = socket.bind(PORT);
            self.since = now;
        }
        let _ = socket.send_slice(answer, to);
    }
}

/// What the sessions of this memory say first.
fn first_hello(conversation: &mut Conversation<Datagrams>) -> Option<Hello> {
    match conversation.session()?.poll(Instant::ZERO) {
        Action::Transmit([_, fields @ ..]) => Hello::parse(fields.get(..fields.len() - CHECK_LEN)?).ok(),
        _ => None,
    }
}

/// A HELLO with these numbers, of the length that an answer may have.
fn said(hello: &Hello, Heard { nonce, echo }: Heard) -> [u8; MIN_FRAME] {
    let mut frame = [0; MIN_FRAME];
    let (fields, check) = frame.split_at_mut(MIN_FRAME - CHECK_LEN);
    Hello { nonce, echo, ..*hello }.emit(&mut Writer::new(fields));
    check.copy_from_slice(&Nibble.update(0, fields).to_le_bytes());
    frame
}

/// The HELLO that a datagram is, if it is one that may be answered.
fn heard(datagram: &[u8]) -> Option<Heard> {
    if datagram.len() < MIN_FRAME || *datagram.first()? != Kind::Hello.code() {
        return None;
    }
    let (content, check) = split_check(datagram)?;
    let is_right = Nibble.update(0, content) == check;
    let Hello { nonce, echo, .. } = Hello::parse(content.get(1..).filter(|_| is_right)?).ok()?;
    Some(Heard { nonce, echo })
}
