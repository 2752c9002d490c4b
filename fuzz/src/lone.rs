//! One engine, with a peer that keeps to no rule and a storage that answers as it likes.
//!
//! What is checked: nothing panics and nothing goes on for ever; what the engine asks of the storage makes sense (offsets follow on,
//! checks are those of the contents, every part is let go of once); what it sends are frames with the right check, and
//! their contents are the source's; every state has a deadline, and with a silent peer the session ends.

use std::collections::{BTreeMap, VecDeque};

use sampan_core::session::Role;
use sampan_core::wire::{
    Abort, Accept, Ack, Answered, Attach, Bye, Code, Crc32, Data, Decline, DigestKind, DigestList, Done, End,
    FileName, Frame, Gaps, Hello, Identity, Kind, Nibble, NodeName, Notice, Offer, Ping, Pong, Scope,
    UncheckedName, Want, Writer, split_check, tag,
};
use sampan_core::{
    Action, Asked, Both, Buffers, Deframed, Description, Directions, Engine, Event, FileType, Framing,
    Incoming, Instant, Limits, Next, Nonce, Outgoing, Part, Receiver, Refusal, ResumePoint, Sender, Session,
    Speaks, Start, Stream, TransferId, WantId,
};

use crate::script::Script;

const OURS: u64 = 0x1111;
const PEERS: [u64; 3] = [0x2222, 0x3333, OURS];
/// Of lengths around what the smallest buffers hold.
const NODES: [&str; 4] = [
    "",
    "board-7",
    "a-node.whose_name-just-does-not-fit-the-smallest-frame56",
    "a-node.whose_name-is-as-long-as-a-name-of-a-node-may-ever-be--64",
];
const DIGESTS: [DigestKind; 3] = [DigestKind::Crc64Nvme, DigestKind::Blake3, DigestKind::Sha256];

pub(crate) fn run(script: &mut Script<'_>) {
    let lengths = [64, 63, 70, 128, 300, 1_100, 5_000];
    let (mut receive, mut transmit) = (vec![0xA5; script.pick(&lengths)], vec![0xA5; script.pick(&lengths)]);
    let buffers = Buffers { receive: &mut receive, transmit: &mut transmit };
    let slots = script.pick(&[1, 2, 3]);
    let (mut incoming, mut outgoing) = (vec![Incoming::FREE; slots], vec![Outgoing::FREE; slots]);
    let choice = script.byte();
    let limits = Limits {
        window: [256, 1, 8 << 20][usize::from(choice % 3)],
        eager: [0, 2 << 20][usize::from(choice / 3 % 2)],
        directions: if choice >= 200 { Directions::OneAtATime } else { Directions::Both },
        sync_bytes: [4_096, 1][usize::from(choice / 6 % 2)],
        checks: DigestList::new(&DIGESTS[..usize::from(choice / 12 % 4)]),
        makes: DigestList::new(&DIGESTS[..usize::from(choice / 48 % 4)]),
        ..Limits::SMALL
    };
    let speaks = if script.flag() { Speaks::Second } else { Speaks::First };
    let opening = (speaks, Nonce::new(OURS), Instant::ZERO);
    match script.byte() % 4 {
        0 => {
            let role = Receiver::new(&mut incoming);
            play(script, Session::new(buffers, &limits, role, opening.0, opening.1, opening.2).unwrap());
        }
        1 => {
            let role = Sender::new(&mut outgoing);
            play(script, Session::new(buffers, &limits, role, opening.0, opening.1, opening.2).unwrap());
        }
        _ => {
            let role = Both { sender: Sender::new(&mut outgoing), receiver: Receiver::new(&mut incoming) };
            play(script, Session::new(buffers, &limits, role, opening.0, opening.1, opening.2).unwrap());
        }
    }
}

/// What only sessions of some roles have.
trait Calls: Engine {
    fn offers(&mut self) {}
    fn wants(&mut self) {}
    fn cancels(&mut self, _: TransferId) {}
    fn refuses(&mut self, _: TransferId) {}
}

impl<'b> Calls for Session<'b, Sender<'b>> {
    fn offers(&mut self) {
        let _ = self.offer();
    }
    fn cancels(&mut self, transfer: TransferId) {
        self.cancel(transfer, Code::Cancelled);
    }
}

impl<'b> Calls for Session<'b, Receiver<'b>> {
    fn wants(&mut self) {
        let _ = self.want();
    }
    fn refuses(&mut self, transfer: TransferId) {
        self.refuse(transfer, Code::Cancelled);
    }
}

impl<'b> Calls for Session<'b, Both<'b>> {
    fn offers(&mut self) {
        let _ = self.offer();
    }
    fn wants(&mut self) {
        let _ = self.want();
    }
    fn cancels(&mut self, transfer: TransferId) {
        self.cancel(transfer, Code::Cancelled);
    }
    fn refuses(&mut self, transfer: TransferId) {
        self.refuse(transfer, Code::Cancelled);
    }
}

fn play<'b, R: Role<'b>>(script: &mut Script<'_>, session: Session<'b, R>)
where
    Session<'b, R>: Calls,
{
    let mut stage = Stage::new(session);
    if script.flag() {
        stage.peer.raw(b"\xF5SPN\x01");
    } else {
        stage.peer.open();
    }
    stage.work();
    while !script.is_over() && !stage.closed {
        stage.act(script);
        // Otherwise what comes next is glued to it.
        if !script.flag() {
            stage.work();
        }
    }
    stage.end(script);
}

/// The engine, its peer and its storage.
struct Stage<'b, R> {
    session: Session<'b, R>,
    peer: Peer,
    store: Store,
    manners: Manners,
    now: u64,
    closed: bool,
}

/// How the link and the storage answer.
#[derive(Clone, Copy)]
struct Manners {
    read: usize,
    write: usize,
    /// Offers and wishes: 0 taken, 1 had, 2 declined, 3 resumed.
    offered: u8,
    /// The most that one store takes; 0 is busy.
    store: usize,
    fails: bool,
    late: bool,
    /// The most that one fetch brings.
    fetch: usize,
    /// Length of every source.
    source: u64,
    describe: u8,
    twice: bool,
}

impl Manners {
    const GOOD: Self = Self {
        read: usize::MAX,
        write: usize::MAX,
        offered: 0,
        store: usize::MAX,
        fails: false,
        late: false,
        fetch: usize::MAX,
        source: 500,
        describe: 0,
        twice: true,
    };

    /// What a source says that fails: half of them, that they have nothing now.
    fn unready(self) -> Refusal {
        if self.describe >= 128 { Code::Wait.into() } else { refusal() }
    }
}

fn refusal() -> Refusal {
    Refusal {
        code: Code::Storage,
        words: "the storage refuses, in more words than the smallest of frames has any room for, \u{E9}",
    }
}

/// The byte of a source at an offset.
fn source(transfer: TransferId, offset: u64) -> u8 {
    (offset.wrapping_mul(31) ^ offset >> 5 ^ (u64::from(transfer.0) * 7)) as u8
}

fn source_check(transfer: TransferId, size: u64) -> u32 {
    let bytes: Vec<u8> = (0..size).map(|offset| source(transfer, offset)).collect();
    Nibble.update(0, &bytes)
}

impl<'b, R: Role<'b>> Stage<'b, R>
where
    Session<'b, R>: Calls,
{
    fn new(session: Session<'b, R>) -> Self {
        Self {
            session,
            peer: Peer::new(),
            store: Store::default(),
            manners: Manners::GOOD,
            now: 1,
            closed: false,
        }
    }

    fn instant(&self) -> Instant {
        Instant::from_micros(self.now)
    }

    /// One thing that the peer, the link, the application or the storage does.
    fn act(&mut self, script: &mut Script<'_>) {
        let op = script.byte();
        if cfg!(feature = "trace") {
            eprintln!("{:>12} op {} of {op}", self.now, op % 32);
        }
        let peer = &mut self.peer;
        match op % 32 {
            0 => peer.raw(script.bytes(usize::from(op / 32) * 9)),
            1 | 2 => {
                let length = usize::from(script.byte() % 64);
                peer.frame(script.bytes(length));
            }
            3 => peer.hello(script),
            4..=6 => peer.offer(script),
            7..=10 => peer.data(script, &self.store),
            11 | 12 => peer.end(script, &self.store),
            13 | 14 => peer.accept(script),
            15 | 16 => peer.ack(script),
            17 => peer.done(script),
            18 => peer.decline(script),
            19 => peer.abort(script),
            20 => peer.ping(script),
            21 => peer.want(script),
            22 => {
                let spans = [0, 1, 1_000, 1_000_000, 14_000_000, 16_000_000, 40_000_000, 400_000_000];
                self.now += script.pick(&spans);
            }
            23 | 24 => self.session.offers(),
            25 => self.session.wants(),
            26 => match op / 32 {
                0 | 1 => {
                    let _ = self.session.notify();
                }
                2 => self.session.attach(NodeName::new(script.pick(&NODES)).unwrap()),
                3 => self.session.close(Code::Closing),
                4 | 5 => self.session.cancels(TransferId(u32::from(script.byte() % 5))),
                _ => self.session.refuses(TransferId(u32::from(script.byte() % 5))),
            },
            27 => self.manners(script),
            28 => self.late(script),
            29 if op / 32 == 7 => self.session.link_lost(self.instant()),
            29 => self.stray(script),
            30 => {
                let _ = self.session.next(self.instant());
                let _ = (self.session.is_idle(), self.session.state(), self.session.longest_name());
            }
            _ => peer.corrupt(script),
        }
    }

    fn manners(&mut self, script: &mut Script<'_>) {
        self.manners = Manners {
            read: script.pick(&[usize::MAX, 1, 7]),
            write: script.pick(&[usize::MAX, 0, 1, 7]),
            offered: script.byte() % 4,
            store: script.pick(&[usize::MAX, 0, 1, 9]),
            fails: script.byte() % 4 == 3,
            late: script.flag(),
            fetch: script.pick(&[usize::MAX, 0, 1, 9]),
            source: script.pick(&[500, 0, 1, 60, 3_000]),
            describe: script.byte(),
            twice: script.flag(),
        };
    }

    /// An answer that was put off, or one that nobody waits for.
    fn late(&mut self, script: &mut Script<'_>) {
        let transfer = TransferId(u32::from(script.byte() % 5));
        let durable = self.store.parts.get(&transfer).map_or(0, |part| part.size);
        if script.flag() {
            self.session.synced(transfer, script.around(durable));
        } else {
            let result = if script.flag() { Err(refusal()) } else { Ok(()) };
            self.store.committed(transfer, result.is_ok());
            self.session.committed(transfer, result);
        }
    }

    /// Answers to what was not asked, or not like this.
    fn stray(&mut self, script: &mut Script<'_>) {
        // While one of these is awaited, an answer is no stray one: the storage would have to know of it.
        if self.session.next(self.instant()) == Next::Storage {
            return;
        }
        match script.byte() % 8 {
            0 => self.session.described(Err(refusal())),
            1 => self.session.asked(Ok(Asked::Listing(None))),
            2 => self.session.fetched(Ok(usize::MAX)),
            3 => self.session.finished(Ok(1)),
            4 => self.session.said(usize::MAX),
            // 0 says at a Transmit that the link is full.
            5 => self.session.transmitted(0),
            6 => self.session.received(0, self.instant()),
            _ => self.session.received(0, Instant::ZERO),
        }
    }

    /// Does what the engine asks until it waits.
    fn work(&mut self) {
        let mut dropped = false;
        for _ in 0..50_000 {
            let now = self.instant();
            let space = self.session.receive_buffer();
            let n = space.len().min(self.peer.input.len()).min(self.manners.read);
            for (to, from) in space.iter_mut().zip(self.peer.input.drain(..n)) {
                *to = from;
            }
            if n > 0 {
                self.session.received(n, now);
            }
            let next = self.session.next(now);
            assert_eq!(self.session.next(now), next, "asked twice, answered differently");
            let manners = self.manners;
            if manners.twice && next == Next::Transmit {
                self.session.lent_again(now);
            }
            let action = self.session.poll(now);
            if cfg!(feature = "trace") {
                eprintln!("{:>12} {action:?}", self.now);
            }
            match action {
                Action::Transmit(bytes) => {
                    assert_eq!(next, Next::Transmit);
                    assert!(!bytes.is_empty());
                    let n = bytes.len().min(manners.write);
                    self.peer.output.extend(&bytes[..n]);
                    self.session.transmitted(n);
                    self.peer.check_output(&self.store);
                }
                Action::Describe { transfer, digest } => {
                    self.store.digests.insert(transfer, digest);
                    self.session.described(describe(transfer, manners));
                }
                Action::Ask { want: WantId(want) } => self.session.asked(match manners.describe % 4 {
                    0 => Ok(Asked::Listing(None)),
                    1 => Err(refusal()),
                    _ => Ok(Asked::File(
                        FileName::new(if want % 2 == 0 { "x" } else { "some/where" }).unwrap(),
                    )),
                }),
                Action::Fetch { transfer, offset, into } => {
                    assert!(!into.is_empty());
                    let n = (into.len() as u64)
                        .min(manners.source.saturating_sub(offset))
                        .min(manners.fetch as u64);
                    for (byte, at) in into.iter_mut().zip(offset..offset + n) {
                        *byte = source(transfer, at);
                    }
                    self.session.fetched(if manners.fails { Err(manners.unready()) } else { Ok(n as usize) });
                }
                Action::Finish { transfer, into } => {
                    assert_eq!(into.len(), self.store.digests[&transfer].len());
                    let n = into.len();
                    into.fill(transfer.0 as u8);
                    self.session.finished(if manners.fails { Err(manners.unready()) } else { Ok(n) });
                }
                Action::Say { into, .. } => {
                    into.fill(b'n');
                    let n = into.len().min(manners.fetch);
                    self.session.said(n);
                }
                Action::Offered(offered) => {
                    // If it is dropped, it is lent again.
                    if !std::mem::replace(&mut dropped, manners.twice) && manners.twice {
                        continue;
                    }
                    dropped = false;
                    let (transfer, offer) = (offered.transfer, offered.offer);
                    assert_eq!(transfer.0, offer.transfer);
                    let from = match manners.offered {
                        3 => ResumePoint { offset: 200, check: source_check(transfer, 200) },
                        _ => ResumePoint::START,
                    };
                    match manners.offered {
                        1 => offered.have(),
                        2 => offered.decline(refusal()),
                        _ => {
                            let size = if offer.directory { Some(0) } else { offer.size };
                            let beyond = size.is_some_and(|size| from.offset > size);
                            self.store.accept(
                                transfer,
                                if offer.restart || beyond { ResumePoint::START } else { from },
                            );
                            offered.accept(from);
                        }
                    }
                    if matches!(manners.offered, 1 | 2) {
                        self.store.parts.remove(&transfer);
                    }
                }
                Action::Wanted(wanted) => match manners.offered {
                    2 => wanted.refuse(refusal()),
                    _ => wanted.serve(),
                },
                Action::Store { transfer, offset, data } => {
                    let n = data.len().min(manners.store);
                    self.store.store(transfer, offset, data, if manners.fails { 0 } else { n });
                    self.session.stored(if manners.fails { Err(refusal()) } else { Ok(n) });
                }
                Action::Sync { transfer, offset, check } => {
                    self.store.sync(transfer, offset, check);
                    if !manners.late {
                        self.session.synced(transfer, offset);
                    }
                }
                Action::Commit { transfer, end } => {
                    self.store.commit(transfer, end.size, end.check);
                    assert_eq!(end.value.len(), end.digest.len());
                    if !manners.late {
                        let result = if manners.fails { Err(Code::Integrity.into()) } else { Ok(()) };
                        self.store.committed(transfer, result.is_ok());
                        self.session.committed(transfer, result);
                    }
                }
                Action::Abandon { transfer, part } => self.store.abandon(transfer, part),
                Action::Event(event) => self.store.heard(event),
                Action::Wait { until } => {
                    let until = until.expect("a state without a deadline");
                    let busy = manners.store == 0;
                    assert!(until > now || busy, "waits for what has been");
                    if self.peer.input.is_empty() || self.session.receive_buffer().is_empty() {
                        return;
                    }
                }
                Action::Closed(_) => {
                    self.closed = true;
                    assert_eq!(self.session.next(now), Next::Closed);
                    return;
                }
            }
        }
        panic!("there is always something to do");
    }

    /// The peer falls silent: whatever the engine is doing ends, and nothing is left behind.
    fn end(mut self, script: &mut Script<'_>) {
        self.manners = Manners { write: if script.flag() { 0 } else { usize::MAX }, ..Manners::GOOD };
        self.work();
        let started = self.now;
        for _ in 0..30 {
            if self.closed {
                break;
            }
            // A full link has to be said again, for it may have become free meanwhile.
            let mut next = self.session.next(self.instant());
            if next == Next::Transmit {
                self.session.transmitted(0);
                next = self.session.next(self.instant());
            }
            let Next::Wait(Some(until)) = next else { panic!("not done, and not waiting: {next:?}") };
            assert!(until > self.instant());
            self.now = until.as_micros();
            self.work();
        }
        assert!(self.closed, "it does not end");
        assert!(self.now - started <= 400_000_000, "it takes too long to end");
        self.store.closed();
        // Nothing changes any more.
        self.session.link_lost(self.instant());
        self.session.received(usize::MAX, self.instant());
        assert_eq!(self.session.next(self.instant()), Next::Closed);
    }
}

trait LentAgain {
    fn lent_again(&mut self, now: Instant);
}

impl<E: Engine> LentAgain for E {
    /// What is to be transmitted is lent again by every poll, and perhaps more.
    fn lent_again(&mut self, now: Instant) {
        let Action::Transmit(bytes) = self.poll(now) else { panic!("not what was announced") };
        let length = bytes.len();
        let Action::Transmit(bytes) = self.poll(now) else { panic!("not lent again") };
        assert!(bytes.len() >= length);
    }
}

fn describe(transfer: TransferId, manners: Manners) -> Result<Description<'static>, Refusal> {
    let names =
        ["file", "a/much/longer/name/which/a/small/frame/may/have/no/room/for/I/think", "\u{E9}", "x"];
    let choice = usize::from(manners.describe);
    let directory = choice % 16 == 15;
    if choice % 16 == 14 {
        return Err(manners.unready());
    }
    let _ = transfer;
    Ok(Description {
        name: Some(FileName::new(names[choice % 4]).unwrap()),
        file_type: if directory { FileType::Directory } else { FileType::File },
        size: (choice / 16 % 2 == 0).then_some(manners.source),
        modified: (choice / 32 % 2 == 0).then_some(-1),
        identity: Identity::new(&[1, 2, 3][..choice / 16 % 4]).unwrap(),
        start: if choice >= 128 { Start::AfterAnswer } else { Start::Eager },
    })
}

/// What the engine may assume of a storage, and the other way round.
#[derive(Default)]
struct Store {
    parts: BTreeMap<TransferId, PartState>,
    digests: BTreeMap<TransferId, DigestKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PartState {
    size: u64,
    check: u32,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Storing,
    Committing,
    Committed,
    CommitFailed,
}

impl Store {
    fn accept(&mut self, transfer: TransferId, from: ResumePoint) {
        let part = PartState { size: from.offset, check: from.check, phase: Phase::Storing };
        self.parts.insert(transfer, part);
    }

    fn part(&mut self, transfer: TransferId) -> &mut PartState {
        self.parts.get_mut(&transfer).expect("a transfer that was not accepted, or is over")
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8], taken: usize) {
        let part = self.part(transfer);
        assert_eq!((part.phase, part.size), (Phase::Storing, offset), "what is stored does not follow on");
        assert!(!data.is_empty());
        part.check = Nibble.update(part.check, &data[..taken]);
        part.size += taken as u64;
    }

    fn sync(&mut self, transfer: TransferId, offset: u64, check: u32) {
        let part = self.part(transfer);
        assert_eq!((part.phase, part.size, part.check), (Phase::Storing, offset, check));
    }

    fn commit(&mut self, transfer: TransferId, size: u64, check: u32) {
        let part = self.part(transfer);
        assert_eq!((part.phase, part.size, part.check), (Phase::Storing, size, check));
        part.phase = Phase::Committing;
    }

    fn committed(&mut self, transfer: TransferId, well: bool) {
        if let Some(part) = self.parts.get_mut(&transfer).filter(|part| part.phase == Phase::Committing) {
            part.phase = if well { Phase::Committed } else { Phase::CommitFailed };
        }
    }

    fn abandon(&mut self, transfer: TransferId, _: Part) {
        // An offer that nobody has answered when the session ends is let go of too.
        if let Some(part) = self.parts.remove(&transfer) {
            assert!(!matches!(part.phase, Phase::Committing | Phase::Committed), "{part:?}");
        }
    }

    fn heard(&mut self, event: Event<'_>) {
        if let Event::Received { transfer } = event
            && let Some(part) = self.parts.get(&transfer)
        {
            assert_eq!(part.phase, Phase::Committed);
        }
    }

    fn closed(&self) {
        for (transfer, part) in &self.parts {
            assert!(
                matches!(part.phase, Phase::Committing | Phase::Committed),
                "{transfer} is left behind: {part:?}"
            );
        }
    }
}

/// The other end of the link.
struct Peer {
    /// Bytes on their way to the engine.
    input: VecDeque<u8>,
    /// What the engine sent, as far as it is no whole frame yet.
    output: Vec<u8>,
    stream: Stream,
    /// That of its last HELLO, and all that it ever had.
    nonce: u64,
    nonces: Vec<u64>,
    next_id: u32,
    /// How far the engine's transfers are.
    sent: BTreeMap<TransferId, u64>,
}

impl Peer {
    fn new() -> Self {
        let (input, output, nonces, sent) = Default::default();
        Self { input, output, stream: Stream::new(), nonce: PEERS[0], nonces, next_id: 1, sent }
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.input.extend(bytes);
    }

    /// A frame of any content, with the right check.
    fn frame(&mut self, content: &[u8]) {
        let start = match content.first().copied().and_then(Kind::from_code) {
            Some(Kind::Hello) => 0,
            _ => tag(&mut Nibble, self.nonce, OURS),
        };
        if let Ok(Frame::Hello(hello)) = Frame::parse(content) {
            self.nonces.push(hello.nonce);
            if hello.nonce != OURS {
                self.nonce = hello.nonce;
            }
        }
        let check = Nibble.update(start, content);
        self.input.extend(&(content.len() as u32 + 4).to_le_bytes()[..3]);
        self.input.extend(content);
        self.input.extend(check.to_le_bytes());
    }

    fn emit(&mut self, frame: &Frame<'_>) {
        let mut out = [0; 1_024];
        let mut writer = Writer::new(&mut out);
        frame.emit(&mut writer);
        let length = writer.len();
        self.frame(&out[..length]);
    }

    /// A HELLO that opens the session.
    fn open(&mut self) {
        self.raw(b"\xF5SPN\x01");
        self.emit(&Frame::Hello(Hello {
            version: 1,
            nonce: self.nonce,
            echo: OURS,
            flags: Hello::ANSWERS_WANT,
            frame: 200,
            window: 1_000,
            eager: 100,
            transfers: 3,
            gaps: 0,
            name: 60,
            digests: DigestList::new(&DIGESTS),
        }));
    }

    fn hello(&mut self, script: &mut Script<'_>) {
        self.emit(&Frame::Hello(Hello {
            version: 1 + script.byte() % 2,
            nonce: script.pick(&PEERS),
            echo: script.pick(&[OURS, 0, 7]),
            flags: script.byte() % 4,
            frame: script.pick(&[60, 61, 70, 200, 1_024, 5_000, u32::MAX]),
            window: script.pick(&[1_000, 0, 1, 100, u32::MAX]),
            eager: script.pick(&[0, 1, 100, u32::MAX]),
            transfers: script.pick(&[1, 0, 2, u32::MAX]),
            gaps: script.byte().into(),
            name: script.pick(&[60, 0, 5, 1_024, u32::MAX]),
            digests: DigestList::new(&DIGESTS[..usize::from(script.byte() % 4)]),
        }));
    }

    fn id(&mut self, script: &mut Script<'_>) -> u32 {
        match script.byte() {
            choice @ 0..=200 => 1 + u32::from(choice % 4),
            _ => script.number() as u32,
        }
    }

    fn offer(&mut self, script: &mut Script<'_>) {
        let transfer = script.around(self.next_id.into()) as u32;
        self.next_id = transfer.saturating_add(1);
        let flags = script.byte();
        let directory = flags % 32 == 31;
        let identity = script.pick(&[&[][..], &[1], &[2; 16]]);
        self.emit(&Frame::Offer(Offer {
            transfer,
            size: if directory || flags % 4 != 3 { None } else { Some(script.number()) },
            modified: (flags % 8 == 7).then_some(script.number() as i64),
            executable: flags % 16 == 5,
            directory,
            restart: flags >= 192,
            want: (flags % 16 == 9).then_some(u32::from(flags / 64)),
            listing: flags % 16 == 11,
            digest: if flags % 8 == 6 { DigestKind::Blake3 } else { DigestKind::Crc32 },
            identity: Identity::new(identity).unwrap(),
            name: UncheckedName::new(script.pick(&[&b"x"[..], b"", b"../x", b"\xFF", b"a/longer/name"])),
        }));
    }

    fn data(&mut self, script: &mut Script<'_>, store: &Store) {
        let transfer = self.id(script);
        let received = store.parts.get(&TransferId(transfer)).map_or(0, |part| part.size);
        let offset = script.around(received);
        let length = script.pick(&[40, 0, 1, 55, 110, 180]);
        let payload: Vec<u8> =
            (0..length).map(|n| source(TransferId(transfer), offset.wrapping_add(n))).collect();
        self.emit(&Frame::Data(Data { transfer, offset, payload: &payload }));
    }

    fn end(&mut self, script: &mut Script<'_>, store: &Store) {
        let transfer = self.id(script);
        let part = store.parts.get(&TransferId(transfer));
        let (size, check) = part.map_or((0, 0), |part| (part.size, part.check));
        let digest = if script.byte() >= 240 { DigestKind::Blake3 } else { DigestKind::Crc32 };
        self.emit(&Frame::End(End {
            transfer,
            size: script.around(size),
            check: script.around(check.into()) as u32,
            digest,
            value: &[3; 32][..digest.len()],
        }));
    }

    fn accept(&mut self, script: &mut Script<'_>) {
        let transfer = self.id(script);
        let have = script.byte() >= 230;
        let offset = if have { 0 } else { script.number() };
        let check = if offset == 0 { 0 } else { source_check(TransferId(transfer), offset % 5_000) };
        let check = if offset == 0 { 0 } else { script.around(check.into()) as u32 };
        let credit = if have { 0 } else { script.pick(&[500, 0, 1, 100, u32::MAX]) };
        self.emit(&Frame::Accept(Accept { transfer, have, offset, check, credit }));
    }

    fn ack(&mut self, script: &mut Script<'_>) {
        let transfer = self.id(script);
        let sent = self.sent.get(&TransferId(transfer)).copied().unwrap_or(0);
        let received = script.around(sent);
        let durable = script.around(received).min(received);
        let credit = script.pick(&[500, 0, 1, 100, u32::MAX]);
        self.emit(&Frame::Ack(Ack { transfer, received, durable, credit, gaps: Gaps::NONE }));
    }

    fn code(script: &mut Script<'_>) -> Code {
        Code::from_code(script.byte() % 20)
    }

    fn done(&mut self, script: &mut Script<'_>) {
        let (transfer, code) = (self.id(script), Self::code(script));
        self.emit(&Frame::Done(Done { transfer, code, words: "words" }));
    }

    fn decline(&mut self, script: &mut Script<'_>) {
        let what = if script.flag() { Answered::Want } else { Answered::Offer };
        let (number, code) = (self.id(script), Self::code(script));
        self.emit(&Frame::Decline(Decline { what, number, code, words: "" }));
    }

    fn abort(&mut self, script: &mut Script<'_>) {
        let scope = script.pick(&[Scope::Sending, Scope::Receiving, Scope::Receiving, Scope::Session]);
        let transfer = if scope == Scope::Session { 0 } else { self.id(script) };
        self.emit(&Frame::Abort(Abort { scope, transfer, code: Self::code(script), words: "\u{1B}[2J" }));
    }

    fn ping(&mut self, script: &mut Script<'_>) {
        let number = u32::from(script.byte());
        match script.byte() % 4 {
            0 => self.emit(&Frame::Ping(Ping { number })),
            1 => self.emit(&Frame::Pong(Pong { number: number % 4 })),
            2 if number >= 128 => {
                let name = NodeName::new(NODES[number as usize % NODES.len()]).unwrap();
                self.emit(&Frame::Attach(Attach { name }));
            }
            2 => self.emit(&Frame::Notice(Notice { number, words: "hello" })),
            _ => self.emit(&Frame::Bye(Bye { code: Self::code(script), words: "" })),
        }
    }

    fn want(&mut self, script: &mut Script<'_>) {
        let (number, listing) = (self.id(script), script.flag());
        let name = UncheckedName::new(script.pick(&[&b"x"[..], b"", b".."]));
        self.emit(&Frame::Want(Want { number, listing, name }));
    }

    /// A bit of what is under way flips.
    fn corrupt(&mut self, script: &mut Script<'_>) {
        let at = usize::from(script.byte());
        if let Some(byte) = self.input.get_mut(at) {
            *byte ^= 1 << (script.byte() % 8);
        }
    }

    /// Whatever the engine sends is a frame with the right check, and its contents are those of the source.
    fn check_output(&mut self, store: &Store) {
        loop {
            let mut sent = self.output.clone();
            match self.stream.next(&mut sent, 1 << 24) {
                Deframed::Incomplete { .. } => return,
                Deframed::Skip { length } | Deframed::Noise { length } => drop(self.output.drain(..length)),
                Deframed::Broken(error) => panic!("the engine sends no frames: {error}"),
                Deframed::Frame { start, end, used } => {
                    let (content, check) = split_check(&sent[start..end]).expect("a check");
                    let frame = Frame::parse(content).expect("a valid frame");
                    let starts = match frame {
                        Frame::Hello(_) => vec![0],
                        _ => self.nonces.iter().map(|nonce| tag(&mut Nibble, OURS, *nonce)).collect(),
                    };
                    assert!(
                        starts.into_iter().any(|start| Nibble.update(start, content) == check),
                        "a wrong check"
                    );
                    self.hear(&frame, store);
                    self.output.drain(..used);
                }
            }
        }
    }

    fn hear(&mut self, frame: &Frame<'_>, store: &Store) {
        match frame {
            Frame::Data(data) => {
                let transfer = TransferId(data.transfer);
                let right =
                    data.payload.iter().zip(data.offset..).all(|(byte, at)| *byte == source(transfer, at));
                assert!(right, "not what the source has at {}", data.offset);
                self.sent.insert(transfer, data.offset + data.payload.len() as u64);
            }
            Frame::End(end) => {
                assert_eq!(end.check, source_check(TransferId(end.transfer), end.size));
                assert_eq!(Some(&end.digest), store.digests.get(&TransferId(end.transfer)));
                assert!(end.value.iter().all(|byte| *byte == end.transfer as u8));
            }
            Frame::Done(done) if done.code == Code::Ok => {
                let part = store.parts.get(&TransferId(done.transfer));
                assert_eq!(part.map(|part| part.phase), Some(Phase::Committed), "DONE without a commit");
            }
            _ => {}
        }
    }
}
