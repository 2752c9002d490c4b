//! The other end, played by hand: frame by frame, right or wrong.

use embedded_io::{Read, ReadReady, Write};
use sampan_core::wire::{
    Crc32, DigestKind, DigestList, Frame, Hello, Identity, Kind, Nibble, Offer, UncheckedName, Writer, tag,
};

use crate::channel::Carries;
use crate::link::{Conditions, SimLink, Wire};
use crate::pair::{End, session_over};
use crate::setup::{Laid, NodeOver};
use crate::storage::MemoryStorage;
use sampan_core::{Deframed, Limits, Place, Speaks, Stream};

const NODE: u64 = 11;
const PUPPET: u64 = 22;

/// An end whose frames a test writes itself, joined to a session over a connection.
pub type Puppet = PuppetOver<Stream>;

/// The same in any framing.
#[derive(Debug)]
pub struct PuppetOver<F> {
    /// The session under test; the puppet has dialled it.
    pub node: End<NodeOver<F>>,
    wire: Wire,
    link: SimLink,
    voice: F,
    ear: F,
    heard: Vec<u8>,
}

impl<F: Laid> PuppetOver<F> {
    /// A link without delay to a listening session; nothing has been said yet.
    pub fn new(limits: Limits, memory: (usize, usize, usize)) -> Self {
        let conditions = Conditions { carries: F::CARRIES, delay: 0, ..Conditions::default() };
        let wire = Wire::new(conditions, 0);
        let (link, other) = wire.ends();
        let engine = session_over(F::lay(), limits, memory, (Speaks::Second, NODE), 0);
        let node =
            End { engine, storage: MemoryStorage::default(), link: other, heard: Vec::new(), finish: None };
        Self { node, wire, link, voice: F::lay(), ear: F::lay(), heard: Vec::new() }
    }

    /// The same, with the session open.
    pub fn opened(limits: Limits, memory: (usize, usize, usize)) -> Self {
        Self::opened_with(limits, memory, Self::hello().transfers)
    }

    /// The same, and the puppet takes so many transfers at a time.
    pub fn opened_with(limits: Limits, memory: (usize, usize, usize), transfers: u32) -> Self {
        let mut puppet = Self::new(limits, memory);
        puppet.open();
        puppet.say_hello(&Hello { transfers, ..Self::hello() });
        puppet.say_hello(&Hello { transfers, echo: NODE, ..Self::hello() });
        let kinds = puppet.listen_kinds();
        assert!(!kinds.is_empty() && kinds.iter().all(|kind| *kind == Kind::Hello), "{kinds:?}");
        puppet
    }

    /// Says what each direction begins with, if anything.
    pub fn open(&mut self) {
        let mut out = [0; 16];
        let length = self.voice.open(&mut out);
        self.say_bytes(&out[..length]);
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

    /// Sends a frame whose check is that of another session.
    pub fn say_strange(&mut self, frame: &Frame<'_>) {
        let mut out = [0xA5; 4096];
        let mut writer = Writer::new(&mut out);
        frame.emit(&mut writer);
        let length = writer.len();
        self.say_checked(&out[..length], tag(&mut Nibble, PUPPET + 1, NODE));
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

    /// These frames as they go over the link, one behind the other.
    pub fn laid_together(&mut self, frames: &[&Frame<'_>]) -> Vec<u8> {
        let mut all = Vec::new();
        for frame in frames {
            let mut out = [0xA5; 4096];
            let mut writer = Writer::new(&mut out);
            frame.emit(&mut writer);
            let length = writer.len();
            all.extend(self.laid(&out[..length], tag(&mut Nibble, PUPPET, NODE)));
        }
        all
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
        let bytes = self.laid(content, start);
        self.say_bytes(&bytes);
    }

    fn laid(&mut self, content: &[u8], start: u32) -> Vec<u8> {
        let check = Nibble.update(start, content);
        let length = content.len() + 4;
        let mut out = vec![0; F::HEAD];
        out.extend_from_slice(content);
        out.extend_from_slice(&check.to_le_bytes());
        out.resize(F::HEAD + length + F::TAIL + length / 200, 0);
        let sent = self.voice.wrap(&mut out, length, Place::First);
        out[sent].to_vec()
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
        let mut frames = Vec::new();
        while self.link.read_ready().unwrap_or(false) {
            match self.link.read(&mut buffer) {
                Ok(n) if n > 0 => self.heard.extend_from_slice(&buffer[..n]),
                _ => break,
            }
            if F::CARRIES == Carries::Datagrams {
                self.divide(&mut frames);
            }
        }
        self.divide(&mut frames);
        frames
    }

    fn divide(&mut self, frames: &mut Vec<Vec<u8>>) {
        while !self.heard.is_empty() {
            let used = match self.ear.next(&mut self.heard, 1 << 20) {
                Deframed::Frame { start, end, used } => {
                    frames.push(self.heard[start..end - 4].to_vec());
                    used
                }
                Deframed::Skip { length } | Deframed::Noise { length } => length,
                Deframed::Incomplete { .. } => return,
                Deframed::Broken(error) => panic!("the session says what is no frame: {error}"),
            };
            self.heard.drain(..used);
        }
    }

    /// The kinds of what the session has said since the last time.
    pub fn listen_kinds(&mut self) -> Vec<Kind> {
        self.listen().iter().filter_map(|frame| Kind::from_code(frame[0])).collect()
    }
}
