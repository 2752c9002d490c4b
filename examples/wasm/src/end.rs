//! One end of a link: a session, and what it has lent to the caller.

use core::fmt::Write as _;

use heapless::{String, Vec};
use sampan_core::wire::{Code, FileName, Identity, Nibble};
use sampan_core::{
    Action, AnyFraming, Both, Buffers, Description, Engine as _, Event, FileType, Incoming, Instant, Limits,
    Missing, Nonce, Outgoing, Part, Receiver, ResumePoint, Sender, Session, Speaks, Start, Stretches,
    TransferId,
};

use crate::memory::Once;

/// A frame, its framing, and the next one.
const BUFFER: usize = 4096;
const LONGEST_NAME: usize = 255;
/// Gaps that are remembered, and repairs.
const GAPS: usize = 8;

static LIMITS: Limits = Limits { window: 128 << 10, sync_bytes: 64 << 10, ..Limits::SMALL };

static RECEIVE: Once<[u8; BUFFER]> = Once::new();
static TRANSMIT: Once<[u8; BUFFER]> = Once::new();
static INCOMING: Once<[Incoming; 1]> = Once::new();
static OUTGOING: Once<[Outgoing; 1]> = Once::new();
static STRETCHES: Once<Stretches<GAPS>> = Once::new();
static REPAIRS: Once<Vec<Missing, GAPS>> = Once::new();

type Inner = Session<'static, Both<'static>, AnyFraming, Nibble>;

/// What the caller must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Asked {
    /// Nothing until bytes arrive, or until the instant `offset`.
    Wait = 0,
    /// Write the bytes to the link: `transmitted`.
    Transmit = 1,
    /// Write the file's name to the bytes: `described`.
    Describe = 2,
    /// Read the file at `offset` into the bytes: `fetched`.
    Fetch = 3,
    /// The peer offers a file of the size `offset` whose name, which is hostile, is the bytes: `accepted` or `declined`.
    Offered = 4,
    /// Write the bytes to the file at `offset`: `stored`.
    Store = 5,
    /// Keep what is stored up to `offset`, and `check` beside it: `synced`.
    Sync = 6,
    /// The file, of the size `offset`, is whole and its CRC-32 is `check`: `committed`.
    Commit = 7,
    /// Not answered: the file that was offered is at the peer, which had `offset` bytes of it before.
    Sent = 8,
    /// Not answered: a transfer has failed; the bytes are a word on why.
    Failed = 9,
    /// The session is over; the bytes are a word on why, none if all is well.
    Closed = 10,
}

/// What the last call has lent.
#[derive(Default)]
pub(crate) struct Lent {
    pub(crate) pointer: usize,
    pub(crate) length: usize,
    pub(crate) offset: u64,
    pub(crate) check: u32,
}

impl Lent {
    fn bytes(bytes: &[u8]) -> Self {
        Self { pointer: bytes.as_ptr().expose_provenance(), length: bytes.len(), ..Self::default() }
    }

    fn room(bytes: &mut [u8]) -> Self {
        Self { pointer: bytes.as_mut_ptr().expose_provenance(), length: bytes.len(), ..Self::default() }
    }
}

pub(crate) struct End {
    session: Inner,
    pub(crate) lent: Lent,
    /// The transfer to this end.
    incoming: Option<TransferId>,
    /// What is held there already, once that was said.
    verdict: Option<Result<ResumePoint, Code>>,
    name: [u8; LONGEST_NAME],
    words: String<128>,
}

impl End {
    /// Called once in an instance.
    pub(crate) fn begin(framing: AnyFraming, speaks: Speaks, nonce: u64, now: Instant) -> Self {
        // SAFETY: This is called once, and nothing else uses these.
        let (receive, transmit, incoming, outgoing, stretches, repairs) = unsafe {
            (
                RECEIVE.lend([0; BUFFER]),
                TRANSMIT.lend([0; BUFFER]),
                INCOMING.lend([Incoming::FREE; 1]),
                OUTGOING.lend([Outgoing::FREE; 1]),
                STRETCHES.lend(Stretches::default()),
                REPAIRS.lend(Vec::new()),
            )
        };
        let buffers = Buffers { receive, transmit };
        let role = Both {
            sender: Sender::with_repairs(outgoing, repairs),
            receiver: Receiver::with_gaps(incoming, stretches),
        };
        let opening = (speaks, Nonce::new(nonce));
        let session = Session::with_framing(buffers, &LIMITS, role, (framing, Nibble), opening, now)
            .expect("the buffers hold a frame");
        Self {
            session,
            lent: Lent::default(),
            incoming: None,
            verdict: None,
            name: [0; LONGEST_NAME],
            words: String::new(),
        }
    }

    pub(crate) fn poll(&mut self, now: Instant) -> Asked {
        loop {
            if let Some(asked) = self.step(now) {
                return asked;
            }
        }
    }

    /// One action of the session's: what it asks of the caller, if that is anything.
    fn step(&mut self, now: Instant) -> Option<Asked> {
        let mut finished = false;
        let asked = match self.session.poll(now) {
            Action::Wait { until } => {
                let until = until.map_or(u64::MAX, Instant::as_micros);
                self.lent = Lent { offset: until, ..Lent::default() };
                Some(Asked::Wait)
            }
            Action::Transmit(bytes) => {
                self.lent = Lent::bytes(bytes);
                Some(Asked::Transmit)
            }
            Action::Describe { .. } => {
                self.lent = Lent::room(&mut self.name);
                Some(Asked::Describe)
            }
            Action::Fetch { offset, into, .. } => {
                self.lent = Lent { offset, ..Lent::room(into) };
                Some(Asked::Fetch)
            }
            Action::Offered(offered) => match self.verdict.take() {
                Some(Ok(from)) => {
                    offered.accept(from);
                    None
                }
                Some(Err(code)) => {
                    offered.decline(code.into());
                    None
                }
                None => {
                    self.incoming = Some(offered.transfer);
                    let size = offered.offer.size.unwrap_or(u64::MAX);
                    // What is no name is not shown to anybody.
                    match offered.offer.name.check() {
                        Ok(name) => {
                            self.lent = Lent { offset: size, ..Lent::bytes(name.as_str().as_bytes()) }
                        }
                        Err(_) => {
                            offered.decline(Code::BadName.into());
                            return None;
                        }
                    }
                    Some(Asked::Offered)
                }
            },
            Action::Store { offset, data, .. } => {
                self.lent = Lent { offset, ..Lent::bytes(data) };
                Some(Asked::Store)
            }
            Action::Sync { offset, check, .. } => {
                self.lent = Lent { offset, check, ..Lent::default() };
                Some(Asked::Sync)
            }
            Action::Commit { end, .. } => {
                self.lent = Lent { offset: end.size, check: end.check, ..Lent::default() };
                Some(Asked::Commit)
            }
            Action::Event(Event::Sent { resumed_from, .. }) => {
                self.lent = Lent { offset: resumed_from, ..Lent::default() };
                Some(Asked::Sent)
            }
            Action::Event(Event::SendFailed(failure) | Event::ReceiveFailed(failure)) => {
                self.words.clear();
                let _ = write!(self.words, "{}", failure.code);
                self.lent = Lent::bytes(self.words.as_bytes());
                Some(Asked::Failed)
            }
            Action::Closed(result) => {
                self.words.clear();
                if let Err(error) = result {
                    let _ = write!(self.words, "{error}");
                }
                self.lent = Lent::bytes(self.words.as_bytes());
                Some(Asked::Closed)
            }
            Action::Wanted(wanted) => {
                wanted.refuse(Code::NotAllowed.into());
                None
            }
            // There is no digest but the CRC-32 of every transfer.
            Action::Finish { .. } => {
                finished = true;
                None
            }
            Action::Abandon { part: Part::Keep | Part::Discard, .. }
            | Action::Event(_)
            | Action::Ask { .. }
            | Action::Say { .. } => None,
        };
        if finished {
            self.session.finished(Ok(0));
        }
        asked
    }

    pub(crate) fn receive_buffer(&mut self) {
        self.lent = Lent::room(self.session.receive_buffer());
    }

    pub(crate) fn received(&mut self, length: usize, now: Instant) {
        self.session.received(length, now);
    }

    pub(crate) fn link_lost(&mut self, now: Instant) {
        self.session.link_lost(now);
    }

    pub(crate) fn offer(&mut self) {
        self.session.offer().expect("there is room for one");
        self.session.close(Code::Ok);
    }

    pub(crate) fn transmitted(&mut self, length: usize) {
        self.session.transmitted(length);
    }

    pub(crate) fn described(&mut self, length: usize, size: u64, identity: u64) {
        let name = self.name.get(..length).and_then(|name| core::str::from_utf8(name).ok());
        let name = name.and_then(|name| FileName::new(name).ok());
        self.session.described(match (name, Identity::new(&identity.to_le_bytes())) {
            (Some(name), Some(identity)) => Ok(Description {
                name: Some(name),
                file_type: FileType::File,
                size: Some(size),
                modified: None,
                identity,
                start: Start::AfterAnswer,
            }),
            _ => Err(Code::BadName.into()),
        });
    }

    pub(crate) fn fetched(&mut self, length: usize) {
        self.session.fetched(Ok(length));
    }

    pub(crate) fn accepted(&mut self, from: ResumePoint) {
        self.verdict = Some(Ok(from));
    }

    pub(crate) fn declined(&mut self, code: Code) {
        self.verdict = Some(Err(code));
    }

    pub(crate) fn synced(&mut self, durable: u64) {
        if let Some(transfer) = self.incoming {
            self.session.synced(transfer, durable);
        }
    }

    pub(crate) fn stored(&mut self, length: usize) {
        self.session.stored(Ok(length));
    }

    pub(crate) fn committed(&mut self) {
        if let Some(transfer) = self.incoming {
            self.session.committed(transfer, Ok(()));
        }
    }
}
