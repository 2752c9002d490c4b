//! A peer whose frames a test writes itself (`docs/protocol.md` §2 to §8), as client and as server.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use sampan_core::wire::{
    Attach, Bye, Code, Crc32 as _, Data, DigestKind, DigestList, End, Frame, Hello, Identity, Kind, Nibble,
    NodeName, Offer, UncheckedName, Want, Writer, tag,
};

use super::{PATIENCE, Raw};

/// What every direction begins with (§2.1).
pub(crate) const PREAMBLE: &[u8] = b"\xF5SPN\x01";

/// A session that is played by hand.
#[derive(Debug)]
pub(crate) struct Framed {
    /// The link, to say what is no frame.
    pub(crate) raw: Raw,
    /// What the peer announced.
    pub(crate) theirs: Hello,
    pub(super) ours: Hello,
    heard: Vec<u8>,
    preamble: bool,
    transfers: u32,
    /// Frames that came before others that were waited for.
    put_by: VecDeque<Vec<u8>>,
}

impl Framed {
    /// A HELLO that takes plenty and knows nothing of the peer.
    pub(crate) fn hello() -> Hello {
        Hello {
            version: 1,
            nonce: 0x0102_0304_0506_0708,
            echo: 0,
            flags: Hello::ANSWERS_WANT,
            frame: 65_536,
            window: 1 << 20,
            eager: 1 << 16,
            transfers: 8,
            gaps: 0,
            name: 1024,
            digests: DigestList::new(&[]),
        }
    }

    /// Dials a server and opens a session.
    #[track_caller]
    pub(crate) fn dial(url: &str) -> Self {
        Self::dial_with(url, Self::hello())
    }

    /// The same with this HELLO.
    #[track_caller]
    pub(crate) fn dial_with(url: &str, hello: Hello) -> Self {
        Self::open(Raw::dial(url), hello)
    }

    /// Speaks first, and opens the session.
    #[track_caller]
    pub(crate) fn open(raw: Raw, hello: Hello) -> Self {
        let mut framed = Self::over(raw, hello);
        framed.say_bytes(PREAMBLE);
        framed.say_hello(&hello);
        framed.hear_hello();
        framed.say_hello(&Hello { echo: framed.theirs.nonce, ..hello });
        framed
    }

    /// Dials a server and stays, as a node of this name.
    #[track_caller]
    pub(crate) fn attach(url: &str, node: &str) -> Self {
        let mut framed = Self::dial(url);
        framed.say_attach(node);
        framed
    }

    /// Stays, as a node of this name.
    #[track_caller]
    pub(crate) fn say_attach(&mut self, node: &str) {
        let name = NodeName::new(node).expect("the name of a node");
        self.say(&Frame::Attach(Attach { name }));
    }

    /// Answers a client that has dialled, and opens the session.
    #[track_caller]
    pub(crate) fn answer(raw: Raw, hello: Hello) -> Self {
        let mut framed = Self::over(raw, hello);
        framed.hear_hello();
        framed.say_bytes(PREAMBLE);
        framed.say_hello(&Hello { echo: framed.theirs.nonce, ..hello });
        let echo = framed.hear(PATIENCE).expect("the second HELLO");
        assert_eq!(echo[0], Kind::Hello.code(), "{echo:?}");
        framed
    }

    /// Nothing has been said yet.
    pub(crate) fn over(raw: Raw, ours: Hello) -> Self {
        Self {
            raw,
            theirs: Self::hello(),
            ours,
            heard: Vec::new(),
            preamble: false,
            transfers: 0,
            put_by: VecDeque::new(),
        }
    }

    /// Waits for the peer's HELLO.
    #[track_caller]
    pub(crate) fn hear_hello(&mut self) {
        let frame = self.hear(PATIENCE).expect("a HELLO");
        let Ok(Frame::Hello(hello)) = Frame::parse(&frame) else { panic!("no HELLO but {frame:02x?}") };
        self.theirs = hello;
    }

    /// An id that was not used before.
    pub(crate) fn next_transfer(&mut self) -> u32 {
        self.transfers += 1;
        self.transfers
    }

    /// An OFFER of a file with this name and size, which cannot be resumed and has no digest but the check.
    pub(crate) fn offer(transfer: u32, name: &str, size: u64) -> Offer<'_> {
        Self::offer_bytes(transfer, name.as_bytes(), size)
    }

    /// The same, and the name need not be text.
    pub(crate) fn offer_bytes(transfer: u32, name: &[u8], size: u64) -> Offer<'_> {
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
            name: UncheckedName::new(name),
        }
    }

    /// The END of a transfer of these contents.
    pub(crate) fn end_of(transfer: u32, contents: &[u8]) -> End<'static> {
        let check = Nibble.update(0, contents);
        End { transfer, size: contents.len() as u64, check, digest: DigestKind::Crc32, value: &[] }
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub(crate) fn say_bytes(&mut self, bytes: &[u8]) {
        self.raw.write(bytes);
    }

    /// A frame of this content, kind first, as it goes over the link: length before, check behind.
    pub(crate) fn sealed(&self, content: &[u8]) -> Vec<u8> {
        wrap(content, tag(&mut Nibble, self.ours.nonce, self.theirs.nonce))
    }

    /// Sends a frame of this content, kind first.
    #[track_caller]
    pub(crate) fn say_raw(&mut self, content: &[u8]) {
        let bytes = self.sealed(content);
        self.say_bytes(&bytes);
    }

    /// Sends a frame.
    #[track_caller]
    pub(crate) fn say(&mut self, frame: &Frame<'_>) {
        self.try_say(frame).expect("the peer reads");
    }

    /// Sends a frame to a peer that may have closed.
    pub(crate) fn try_say(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        let bytes = self.sealed(&content(frame));
        self.raw.try_write(&bytes)
    }

    /// Sends a HELLO.
    #[track_caller]
    pub(crate) fn say_hello(&mut self, hello: &Hello) {
        self.say_bytes(&wrap(&content(&Frame::Hello(*hello)), 0));
    }

    /// Sends all of a file by frames of at most so many bytes of payload, from `offset` on.
    pub(crate) fn say_data(&mut self, transfer: u32, contents: &[u8], offset: usize, payload: usize) {
        for (n, payload) in
            contents[offset..].chunks(payload).enumerate().map(|(n, piece)| (n * payload, piece))
        {
            self.say(&Frame::Data(Data { transfer, offset: (offset + n) as u64, payload }));
        }
    }

    /// Offers and sends a small file in one go, without waiting for an answer.
    #[track_caller]
    pub(crate) fn say_file(&mut self, transfer: u32, name: &str, contents: &[u8]) {
        self.say(&Frame::Offer(Self::offer(transfer, name, contents.len() as u64)));
        self.say_data(transfer, contents, 0, 4096);
        self.say(&Frame::End(Self::end_of(transfer, contents)));
    }

    /// Asks for a file.
    #[track_caller]
    pub(crate) fn say_want(&mut self, number: u32, name: &str) {
        self.say(&Frame::Want(Want { number, listing: false, name: UncheckedName::new(name.as_bytes()) }));
    }

    /// Asks for a listing.
    #[track_caller]
    pub(crate) fn say_list(&mut self, number: u32, prefix: &str) {
        self.say(&Frame::Want(Want { number, listing: true, name: UncheckedName::new(prefix.as_bytes()) }));
    }

    /// Says farewell.
    #[track_caller]
    pub(crate) fn say_bye(&mut self) {
        self.say(&Frame::Bye(Bye { code: Code::Ok, words: "" }));
    }

    /// The next frame without length and check, which is verified; `UnexpectedEof` if the link was closed in order,
    /// `TimedOut` if none comes in time.
    pub(crate) fn hear(&mut self, within: Duration) -> io::Result<Vec<u8>> {
        if let Some(frame) = self.put_by.pop_front() {
            return Ok(frame);
        }
        let deadline = Instant::now() + within;
        loop {
            if let Some(frame) = self.take_frame() {
                return Ok(frame);
            }
            let mut buffer = [0; 65_536];
            let left = deadline.saturating_duration_since(Instant::now());
            match self.raw.try_read(&mut buffer, left)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                n => self.heard.extend_from_slice(&buffer[..n]),
            }
        }
    }

    /// Has these frames heard again, before any other.
    pub(crate) fn put_back(&mut self, frames: Vec<Vec<u8>>) {
        for frame in frames.into_iter().rev() {
            self.put_by.push_front(frame);
        }
    }

    fn take_frame(&mut self) -> Option<Vec<u8>> {
        if !self.preamble && self.heard.len() >= PREAMBLE.len() {
            let preamble: Vec<u8> = self.heard.drain(..PREAMBLE.len()).collect();
            assert_eq!(preamble, PREAMBLE, "the peer does not speak the protocol: {preamble:?}");
            self.preamble = true;
        }
        let [a, b, c, rest @ ..] = self.heard.as_slice() else { return None };
        let length = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
        if !self.preamble || rest.len() < length {
            return None;
        }
        let frame = rest[..length].to_vec();
        self.heard.drain(..3 + length);
        let (content, check) = sampan_core::wire::split_check(&frame).expect("at least a check");
        let start = match Kind::from_code(content[0]) {
            Some(Kind::Hello) => 0,
            _ => tag(&mut Nibble, self.theirs.nonce, self.ours.nonce),
        };
        assert_eq!(Nibble.update(start, content), check, "the peer's check is wrong: {content:02x?}");
        Some(content.to_vec())
    }
}

/// An ACK without gaps of what is not durable yet.
pub(crate) fn ack(transfer: u32, received: u64, credit: u32) -> Frame<'static> {
    let gaps = sampan_core::wire::Gaps::NONE;
    Frame::Ack(sampan_core::wire::Ack { transfer, received, durable: 0, credit, gaps })
}

/// Kind and fields of a frame.
pub(crate) fn content(frame: &Frame<'_>) -> Vec<u8> {
    let mut out = vec![0; 1 << 21];
    let mut writer = Writer::new(&mut out);
    frame.emit(&mut writer);
    assert!(!writer.is_full(), "a frame that is larger than any buffer here");
    let length = writer.len();
    out.truncate(length);
    out
}

/// Length, content, and the check that begins with `start`.
pub(crate) fn wrap(content: &[u8], start: u32) -> Vec<u8> {
    let check = Nibble.update(start, content);
    let mut bytes = (content.len() as u32 + 4).to_le_bytes()[..3].to_vec();
    bytes.extend_from_slice(content);
    bytes.extend_from_slice(&check.to_le_bytes());
    bytes
}
