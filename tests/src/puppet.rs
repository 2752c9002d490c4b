//! The other end, played by hand: frame by frame, right or wrong.

use embedded_io::{Read, ReadReady, Write};
use sampan_core::wire::{
    Crc32, DigestKind, DigestList, Frame, Hello, Identity, Kind, Nibble, Offer, UncheckedName, Writer, tag,
};

use crate::link::{Conditions, SimLink, Wire};
use crate::pair::{End, session};
use crate::setup::Node;
use crate::storage::MemoryStorage;
use sampan_core::{Limits, Speaks};

const NODE: u64 = 11;
const PUPPET: u64 = 22;

/// An end whose frames a test writes itself, joined to a session.
#[derive(Debug)]
pub struct Puppet {
    /// The session under test; the puppet has dialled it.
    pub node: End<Node>,
    wire: Wire,
    link: SimLink,
    heard: Vec<u8>,
}

impl Puppet {
    /// A link without delay to a listening session; nothing has been said yet.
    pub fn new(limits: Limits, memory: (usize, usize, usize)) -> Self {
        let wire = Wire::new(Conditions { delay: 0, ..Conditions::default() }, 0);
        let (link, other) = wire.ends();
        let engine = session(limits, memory, (Speaks::Second, NODE), 0);
        let node =
            End { engine, storage: MemoryStorage::default(), link: other, heard: Vec::new(), finish: None };
        Self { node, wire, link, heard: Vec::new() }
    }

    /// The same, with the session open.
    pub fn opened(limits: Limits, memory: (usize, usize, usize)) -> Self {
        Self::opened_with(limits, memory, Self::hello().transfers)
    }

    /// The same, and the puppet takes so many transfers at a time.
    pub fn opened_with(limits: Limits, memory: (usize, usize, usize), transfers: u32) -> Self {
        let mut puppet = Self::new(limits, memory);
        puppet.say_bytes(b"\xF5SPN\x01");
        puppet.say_hello(&Hello { transfers, ..Self::hello() });
        puppet.say_hello(&Hello { transfers, echo: NODE, ..Self::hello() });
        assert_eq!(puppet.listen_kinds(), [Kind::Hello]);
        puppet
    }

    /// A HELLO that knows nothing of the peer.
    pub fn hello() -> Hello {
        Hello {
            version: 1,
            nonce: PUPPET,
            echo: 0,
            flags: Hello::ANSWERS_WANT,
            frame: 4096,
            window: 1 << 20,
            eager: 1 << 16,
            transfers: 8,
            gaps: 0,
            name: 1024,
            digests: DigestList::new(&[]),
        }
    }

    /// An OFFER of a file called `name`, which cannot be resumed.
    pub fn offer(transfer: u32, size: u64) -> Offer<'static> {
        Offer {
            transfer,
            size: Some(size),
            modified: None,
            executable: false,
            directory: false,
            restart: false,
            want: None,
            listing: false,
            digest: DigestKind::Crc32,
            identity: Identity::EMPTY,
            name: UncheckedName::new(b"name"),
        }
    }

    /// Sends bytes as they are, and lets the session work.
    pub fn say_bytes(&mut self, bytes: &[u8]) {
        if self.link.write(bytes).is_ok() {
            self.node.work(self.wire.now());
        }
    }

    /// Sends a frame of these bytes, kind first, with the right length and check.
    pub fn say_raw(&mut self, content: &[u8]) {
        let start = tag(&mut Nibble, PUPPET, NODE);
        self.say_checked(content, start);
    }

    /// Sends a frame.
    pub fn say(&mut self, frame: &Frame<'_>) {
        let mut out = [0xA5; 4096];
        let mut writer = Writer::new(&mut out);
        frame.emit(&mut writer);
        let length = writer.len();
        self.say_raw(&out[..length]);
    }

    /// Sends a HELLO.
    pub fn say_hello(&mut self, hello: &Hello) {
        let mut out = [0xA5; 64];
        let mut writer = Writer::new(&mut out);
        hello.emit(&mut writer);
        let length = writer.len();
        self.say_checked(&out[..length], 0);
    }

    fn say_checked(&mut self, content: &[u8], start: u32) {
        let check = Nibble.update(start, content);
        let mut bytes = (content.len() as u32 + 4).to_le_bytes()[..3].to_vec();
        bytes.extend_from_slice(content);
        bytes.extend_from_slice(&check.to_le_bytes());
        self.say_bytes(&bytes);
    }

    /// From now on the link takes nothing from the session.
    pub fn close_ears(&mut self) {
        self.node.link.wire_mut().conditions.capacity = 0;
    }

    /// The link takes everything again.
    pub fn open_ears(&mut self) {
        self.node.link.wire_mut().conditions.capacity = usize::MAX;
    }

    /// Lets time pass, in microseconds.
    pub fn pass(&mut self, micros: u64) {
        self.wire.advance(self.wire.now() + micros);
        self.node.work(self.wire.now());
    }

    /// What the session has said since the last time: frames without length and check.
    pub fn listen(&mut self) -> Vec<Vec<u8>> {
        let mut buffer = [0; 4096];
        while self.link.read_ready().unwrap_or(false) {
            match self.link.read(&mut buffer) {
                Ok(n) if n > 0 => self.heard.extend_from_slice(&buffer[..n]),
                _ => break,
            }
        }
        if self.heard.starts_with(b"\xF5SPN\x01") {
            self.heard.drain(..5);
        }
        let mut frames = Vec::new();
        while let [a, b, c, rest @ ..] = self.heard.as_slice() {
            let length = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
            if rest.len() < length {
                break;
            }
            frames.push(rest[..length - 4].to_vec());
            self.heard.drain(..3 + length);
        }
        frames
    }

    /// The kinds of what the session has said since the last time.
    pub fn listen_kinds(&mut self) -> Vec<Kind> {
        self.listen().iter().filter_map(|frame| Kind::from_code(frame[0])).collect()
    }
}
