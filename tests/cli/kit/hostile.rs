//! A server that is played by hand, for clients to meet.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Duration;

use sampan_core::wire::{
    Answered, Bye, Code, Decline, Entry, Frame, Hello, Kind, Offer, UncheckedName, Want, Writer,
};

use super::{Framed, PATIENCE, Raw, until};

/// A port of this computer whose clients a test answers itself.
#[derive(Debug)]
pub(crate) struct HostileServer(TcpListener);

impl HostileServer {
    /// Listens at a free port.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("an option of every socket");
        Self(listener)
    }

    /// Where a client finds it.
    pub(crate) fn url(&self) -> String {
        format!("tcp://{}", self.0.local_addr().expect("a bound socket"))
    }

    /// The next client, before anything was said.
    #[track_caller]
    pub(crate) fn accept(&self) -> Raw {
        self.accept_within(PATIENCE).expect("a client dials")
    }

    /// The same; none if nobody dials in time.
    pub(crate) fn accept_within(&self, within: Duration) -> Option<Raw> {
        let deadline = std::time::Instant::now() + within;
        loop {
            match self.0.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).expect("an option of every socket");
                    return Some(Raw::from(stream));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if std::time::Instant::now() >= deadline {
                        return None;
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => panic!("cannot accept: {error}"),
            }
        }
    }

    /// The next client with its session open.
    #[track_caller]
    pub(crate) fn open(&self) -> Framed {
        self.open_with(Framed::hello())
    }

    /// The same with this HELLO.
    #[track_caller]
    pub(crate) fn open_with(&self, hello: Hello) -> Framed {
        let raw = until("a client", PATIENCE, || self.accept_within(Duration::ZERO));
        Framed::answer(raw, hello)
    }
}

/// What a client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Its number.
    pub(crate) number: u32,
    /// A listing rather than a file.
    pub(crate) listing: bool,
    /// The name or prefix.
    pub(crate) name: String,
}

impl Framed {
    /// The client's next WANT.
    #[track_caller]
    pub(crate) fn expect_want(&mut self) -> Wanted {
        let frame = self.expect(Kind::Want);
        let want = Want::parse(&frame[1..]).expect("a WANT");
        let name = String::from_utf8(want.name.as_bytes().to_vec()).expect("a name that the client made");
        Wanted { number: want.number, listing: want.listing, name }
    }

    /// Refuses a WANT.
    #[track_caller]
    pub(crate) fn say_refusal(&mut self, number: u32, code: Code, words: &str) {
        self.say(&Frame::Decline(Decline { what: Answered::Want, number, code, words }));
    }

    /// Answers a WANT of a listing with these records; whether the client took them.
    #[track_caller]
    pub(crate) fn serve_listing(&mut self, wanted: &Wanted, records: &[u8]) -> bool {
        let transfer = self.next_transfer();
        let name = UncheckedName::new(wanted.name.as_bytes());
        let plain = Self::offer(transfer, "", 0);
        self.say(&Frame::Offer(Offer {
            size: None,
            want: Some(wanted.number),
            listing: true,
            name,
            ..plain
        }));
        if !self.is_taken() {
            return false;
        }
        self.say_data(transfer, records, 0, 4096);
        self.try_say(&Frame::End(Self::end_of(transfer, records))).is_ok()
    }

    /// Whether the client's answer to an OFFER is ACCEPT. What it wants besides is heard again later.
    #[track_caller]
    pub(crate) fn is_taken(&mut self) -> bool {
        let mut others = Vec::new();
        let mut taken = false;
        while let Ok(frame) = self.hear(PATIENCE) {
            match Frame::parse(&frame).expect("a frame") {
                Frame::Accept(accept) => {
                    taken = !accept.have;
                    break;
                }
                Frame::Decline(_) => break,
                Frame::Abort(_) | Frame::Bye(_) => {
                    others.push(frame);
                    break;
                }
                Frame::Want(_) => others.push(frame),
                _ => {}
            }
        }
        self.put_back(others);
        taken
    }

    /// Refuses whatever the client wants, until it leaves.
    pub(crate) fn refuse_all(&mut self, code: Code, words: &str) {
        while let Ok(frame) = self.hear(PATIENCE) {
            match Frame::parse(&frame).expect("a frame") {
                Frame::Want(want) => self.say_refusal(want.number, code, words),
                Frame::Bye(_) => {
                    let _ = self.try_say(&Frame::Bye(Bye { code: Code::Ok, words: "" }));
                    return;
                }
                _ => {}
            }
        }
    }

    /// Answers listings with these records, and says `not found` to files other than `files`, until one of these is asked for; none
    /// if the client says farewell or leaves.
    #[track_caller]
    pub(crate) fn next_file(&mut self, records: &[u8], files: &[&str]) -> Option<Wanted> {
        while let Ok(frame) = self.hear(PATIENCE) {
            match Frame::parse(&frame).expect("a frame") {
                Frame::Want(want) => {
                    let name = String::from_utf8_lossy(want.name.as_bytes()).into_owned();
                    let wanted = Wanted { number: want.number, listing: want.listing, name };
                    if wanted.listing {
                        self.serve_listing(&wanted, records);
                    } else if files.contains(&&*wanted.name) {
                        return Some(wanted);
                    } else {
                        self.say_refusal(wanted.number, Code::NotFound, "");
                    }
                }
                Frame::Bye(_) => {
                    let _ = self.try_say(&Frame::Bye(Bye { code: Code::Ok, words: "" }));
                    return None;
                }
                _ => {}
            }
        }
        None
    }

    /// Goes along with whatever the client says until it leaves: answers listings with nothing, refuses files, says farewell.
    pub(crate) fn see_off(&mut self) {
        while self.next_file(&[], &[]).is_some() {}
    }

    /// The OFFER that answers a WANT rightly.
    pub(crate) fn answer_to<'a>(&mut self, wanted: &'a Wanted, size: u64) -> Offer<'a> {
        Offer { want: Some(wanted.number), ..Self::offer(self.next_transfer(), &wanted.name, size) }
    }
}

/// The record of a file (§12) whose name need not be text.
pub(crate) fn record(name: &[u8], size: u64) -> Vec<u8> {
    entry(&Entry {
        size: Some(size),
        modified: Some(1_700_000_000_000_000_000),
        executable: false,
        directory: false,
        name: UncheckedName::new(name),
    })
}

/// A record (§12).
pub(crate) fn entry(entry: &Entry<'_>) -> Vec<u8> {
    let mut out = [0; Entry::MAX_LEN];
    let mut writer = Writer::new(&mut out);
    entry.emit(&mut writer);
    let length = writer.len();
    out[..length].to_vec()
}
