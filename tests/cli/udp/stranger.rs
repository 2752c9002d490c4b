//! A peer that is played by hand.

use std::net::UdpSocket;
use std::time::Duration;

use sampan_core::wire::{Crc32 as _, DigestList, Hello, Nibble, Writer, tag};

use crate::kit::PATIENCE;

/// How long nothing must come before it counts as nothing.
const QUIET: Duration = Duration::from_millis(150);

/// A socket that says to a server whatever a test likes.
#[derive(Debug)]
pub(super) struct Stranger {
    pub(super) socket: UdpSocket,
}

/// A session that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    pub(super) ours: u64,
    pub(super) theirs: u64,
}

impl Stranger {
    /// To the server at this URL.
    pub(super) fn new(url: &str) -> Self {
        Self::at("127.0.0.1:0", url)
    }

    /// The same from this address.
    pub(super) fn at(address: &str, url: &str) -> Self {
        let socket = UdpSocket::bind(address).expect("a free port");
        socket.connect(url.trim_start_matches("udp://")).expect("an address");
        Self { socket }
    }

    pub(super) fn say(&self, datagram: &[u8]) {
        self.socket.send(datagram).expect("it leaves");
    }

    /// The next datagram, which has to come.
    #[track_caller]
    pub(super) fn hear(&self) -> Vec<u8> {
        self.hear_within(PATIENCE).expect("an answer")
    }

    /// Nothing comes.
    #[track_caller]
    pub(super) fn assert_silence(&self) {
        assert_eq!(self.hear_within(QUIET), None);
    }

    pub(super) fn hear_within(&self, within: Duration) -> Option<Vec<u8>> {
        self.socket.set_read_timeout(Some(within)).expect("an option of every socket");
        let mut datagram = vec![0; 1 << 16];
        let length = self.socket.recv(&mut datagram).ok()?;
        datagram.truncate(length);
        Some(datagram)
    }

    /// What has come so far is of no interest.
    pub(super) fn forget(&self) {
        self.socket.set_nonblocking(true).expect("an option of every socket");
        while self.socket.recv(&mut [0; 100]).is_ok() {}
        self.socket.set_nonblocking(false).expect("an option of every socket");
    }

    /// The nonce of the next datagram, which is a HELLO that answers this one.
    #[track_caller]
    pub(super) fn hear_hello(&self, echo: u64) -> u64 {
        let datagram = self.hear();
        assert_eq!((datagram.len(), datagram[0]), (60, 1), "{datagram:x?}");
        let hello = Hello::parse(&datagram[1..56]).expect("a HELLO");
        assert_eq!(hello.echo, echo);
        hello.nonce
    }

    /// Opens a session.
    #[track_caller]
    pub(super) fn open(&self, ours: u64) -> Numbers {
        self.say(&hello(ours, 0, 60));
        let theirs = self.hear_hello(ours);
        self.say(&hello(ours, theirs, 60));
        assert_eq!(self.hear_hello(ours), theirs);
        Numbers { ours, theirs }
    }
}

/// A HELLO, padded to this length.
pub(super) fn hello(nonce: u64, echo: u64, length: usize) -> Vec<u8> {
    let hello = Hello {
        version: 1,
        nonce,
        echo,
        flags: 0,
        frame: 1200,
        window: 1 << 20,
        eager: 0,
        transfers: 1,
        gaps: 0,
        name: 255,
        digests: DigestList::EMPTY,
    };
    let mut fields = vec![0; length.max(60)];
    let mut w = Writer::new(&mut fields);
    hello.emit(&mut w);
    let written = w.len();
    fields.truncate(written.max(length.saturating_sub(4)));
    sealed(fields, 0)
}

impl Numbers {
    /// A frame of this session: kind and fields.
    pub(super) fn frame(self, content: &[u8]) -> Vec<u8> {
        sealed(content.to_vec(), tag(&mut Nibble, self.ours, self.theirs))
    }

    /// What a frame of the peer's says, without its check, which is right.
    #[track_caller]
    pub(super) fn content(self, frame: &[u8]) -> Vec<u8> {
        let (content, _) = frame.split_at(frame.len() - 4);
        assert_eq!(sealed(content.to_vec(), tag(&mut Nibble, self.theirs, self.ours)), frame);
        content.to_vec()
    }
}

fn sealed(mut content: Vec<u8>, start: u32) -> Vec<u8> {
    let check = Nibble.update(start, &content);
    content.extend(check.to_le_bytes());
    content
}
