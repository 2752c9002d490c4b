//! A receiver that remembers gaps (§5.6, §8.5), as its peer sees it: the other end is played by hand, one datagram a frame.

use std::collections::VecDeque;

use sampan_core::wire::{
    Ack, Code, Crc32 as _, Data, DigestKind, DigestList, End, Frame, Hello, Identity, Nibble, Offer,
    UncheckedName, Writer, tag,
};
use sampan_core::{
    Action, Buffers, Datagrams, Engine as _, Incoming, Instant, Limits, Nonce, Receiver, ResumePoint,
    Session, Speaks, Stretches,
};

const OURS: u64 = 5;
const THEIRS: u64 = 9;

/// In what order the sink takes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sink {
    AnyOrder,
    InOrder,
}

/// A session that receives, its sink, and what its peer has to say.
struct Rig {
    session: Session<'static, Receiver<'static>, Datagrams, Nibble>,
    sink: Sink,
    /// The next answers of the sink's: so many bytes, at most.
    takes: VecDeque<usize>,
    file: Vec<u8>,
    stored: Vec<(u64, usize)>,
    synced: Vec<(u64, u32)>,
    commits: Vec<(u64, u32)>,
    said: Vec<Vec<u8>>,
    now: Instant,
}

fn contents() -> Vec<u8> {
    (0..1_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

impl Rig {
    fn new<const N: usize>(sink: Sink) -> Self {
        let buffers = Buffers { receive: vec![0; 600].leak(), transmit: vec![0; 600].leak() };
        let limits = Limits { window: 100_000, sync_bytes: 300, ..Limits::SMALL };
        let limits: &'static Limits = Box::leak(Box::new(limits));
        let stretches: &'static mut Stretches<N> = Box::leak(Box::default());
        let role = Receiver::with_gaps(vec![Incoming::FREE; 2].leak(), stretches);
        let opening = (Speaks::Second, Nonce::new(OURS));
        let session =
            Session::with_framing(buffers, limits, role, (Datagrams, Nibble), opening, Instant::ZERO)
                .unwrap();
        let (takes, stored, synced, commits, said) = Default::default();
        let file = vec![0; 1_000];
        let now = Instant::ZERO;
        let mut rig = Self { session, sink, takes, file, stored, synced, commits, said, now };
        let hello = Hello {
            version: 1,
            nonce: THEIRS,
            echo: 0,
            flags: 0,
            frame: 600,
            window: 0,
            eager: 0,
            transfers: 0,
            gaps: 0,
            name: 0,
            digests: DigestList::new(&[]),
        };
        rig.hear(&[Frame::Hello(hello)]);
        let answer = rig.heard();
        assert!(answer.starts_with("Hello") && answer.contains(&format!(" gaps: {N},")), "{answer}");
        rig.hear(&[Frame::Hello(Hello { echo: OURS, ..hello })]);
        rig
    }

    /// The same with an offer of the file accepted.
    fn begun<const N: usize>(sink: Sink) -> Self {
        let mut rig = Self::new::<N>(sink);
        rig.hear(&[offer(false)]);
        assert_eq!(rig.heard(), "Accept 0");
        rig
    }

    /// Frames come, each when the one before is stored; then there is a pause.
    fn hear(&mut self, frames: &[Frame<'_>]) {
        for frame in frames {
            let mut bytes = [0; 600];
            let mut w = Writer::new(&mut bytes);
            frame.emit(&mut w);
            let length = w.len();
            let start = if let Frame::Hello(_) = frame { 0 } else { tag(&mut Nibble, THEIRS, OURS) };
            let check = Nibble.update(start, &bytes[..length]);
            bytes[length..length + 4].copy_from_slice(&check.to_le_bytes());
            while self.session.receive_buffer().is_empty() {
                assert!(self.act(), "it takes nothing");
            }
            self.session.receive_buffer()[..length + 4].copy_from_slice(&bytes[..length + 4]);
            self.session.received(length + 4, self.now);
        }
        while self.act() {}
    }

    /// DATA of the file, in this order; then there is a pause.
    fn data(&mut self, pieces: &[(usize, usize)]) {
        let file = contents();
        let frames: Vec<_> = pieces
            .iter()
            .map(|(offset, length)| {
                let payload = &file[*offset..offset + length];
                Frame::Data(Data { transfer: 1, offset: *offset as u64, payload })
            })
            .collect();
        self.hear(&frames);
    }

    fn end(&mut self) {
        let check = Nibble.update(0, &contents());
        self.hear(&[Frame::End(End {
            transfer: 1,
            size: 1_000,
            check,
            digest: DigestKind::Crc32,
            value: &[],
        })]);
    }

    /// Does one thing; whether there was one.
    fn act(&mut self) -> bool {
        match self.session.poll(self.now) {
            Action::Transmit(bytes) => {
                self.said.push(bytes.to_vec());
                let n = bytes.len();
                self.session.transmitted(n);
            }
            Action::Offered(offered) => match self.sink {
                Sink::AnyOrder => offered.accept(ResumePoint::START),
                Sink::InOrder => offered.accept_in_order(ResumePoint::START),
            },
            Action::Store { offset, data, .. } => {
                let n = self.takes.pop_front().unwrap_or(usize::MAX).min(data.len());
                let at = offset as usize;
                assert!(self.file[at..at + data.len()].iter().all(|byte| *byte == 0), "stored twice");
                self.file[at..at + n].copy_from_slice(&data[..n]);
                self.stored.push((offset, n));
                self.session.stored(Ok(n));
            }
            Action::Sync { offset, check, .. } => self.synced.push((offset, check)),
            Action::Commit { end, .. } => self.commits.push((end.size, end.check)),
            Action::Wait { .. } => return false,
            Action::Event(_) | Action::Abandon { .. } => {}
            other => panic!("{other:?}"),
        }
        true
    }

    /// What it has said since this was called last.
    fn heard(&mut self) -> String {
        let said: Vec<_> = std::mem::take(&mut self.said).iter().map(|frame| shown(frame)).collect();
        said.join(", ")
    }
}

fn offer(restart: bool) -> Frame<'static> {
    Frame::Offer(Offer {
        transfer: 1,
        size: Some(1_000),
        modified: None,
        executable: false,
        directory: false,
        restart,
        want: None,
        listing: false,
        digest: DigestKind::Crc32,
        identity: Identity::EMPTY,
        name: UncheckedName::new(b"x"),
    })
}

fn shown(frame: &[u8]) -> String {
    match Frame::parse(&frame[..frame.len() - 4]).unwrap() {
        Frame::Ack(Ack { received, durable, credit, gaps, .. }) => {
            assert!(durable <= received);
            let gaps: Vec<_> = gaps
                .iter()
                .map(|gap| format!("{}-{}", gap.start, gap.end()))
                .chain((!gaps.is_empty()).then(|| format!("+{}", gaps.beyond())))
                .collect();
            let busy = if credit == 0 { " busy" } else { "" };
            format!("{received} [{}]{busy}", gaps.join(" "))
        }
        Frame::Accept(accept) => format!("Accept {}", accept.offset),
        Frame::Done(done) => format!("Done {}", done.code),
        other => format!("{other:?}"),
    }
}

#[test]
fn what_lies_beyond_a_gap_is_stored_and_the_gap_is_told() {
    let mut rig = Rig::begun::<4>(Sink::AnyOrder);
    rig.data(&[(0, 100)]);
    assert_eq!(rig.heard(), "100 []");
    rig.data(&[(200, 100)]);
    assert_eq!(rig.heard(), "100 [100-200 +100]");
    rig.data(&[(300, 100), (500, 100)]);
    assert_eq!(rig.heard(), "100 [100-200 400-500 +100]");
    rig.data(&[(100, 100)]);
    assert_eq!(rig.heard(), "400 [400-500 +100]");
    rig.data(&[(350, 400)]);
    assert_eq!(rig.heard(), "600 []");
    assert_eq!(rig.stored, [(0, 100), (200, 100), (300, 100), (500, 100), (100, 100), (400, 100)]);
}

#[test]
fn an_end_says_what_it_lacks_and_all_of_it_is_committed_then() {
    let mut rig = Rig::begun::<4>(Sink::AnyOrder);
    rig.data(&[(0, 500), (600, 100)]);
    rig.heard();
    rig.end();
    assert_eq!(rig.heard(), "500 [500-600 700-1000 +0]");
    rig.data(&[(700, 300)]);
    assert_eq!(rig.heard(), "500 [500-600 +400]");
    rig.end();
    assert_eq!(rig.heard(), "500 [500-600 +400]");
    rig.data(&[(500, 100)]);
    assert_eq!(rig.heard(), "1000 []");
    assert_eq!(rig.commits, []);
    rig.end();
    assert_eq!(rig.commits, [(1_000, Nibble.update(0, &contents()))]);
    assert_eq!(rig.file, contents());
}

#[test]
fn only_the_beginning_is_made_durable() {
    let mut rig = Rig::begun::<4>(Sink::AnyOrder);
    rig.data(&[(400, 300), (700, 300)]);
    assert_eq!(rig.synced, []);
    rig.data(&[(0, 100), (100, 300)]);
    let all = Nibble.update(0, &contents());
    assert_eq!(rig.synced, [(1_000, all)]);
    // The whole was stored, but no more is durable than was synced when it is.
    rig.session.synced(sampan_core::TransferId(1), 400);
    rig.hear(&[]);
    let last = rig.said.last().map(|frame| Frame::parse(&frame[..frame.len() - 4]));
    let Some(Ok(Frame::Ack(ack))) = last else { panic!("{:?}", rig.said) };
    assert_eq!((ack.received, ack.durable), (1_000, 400));
}

#[test]
fn a_sink_may_be_busy_or_take_less() {
    let mut rig = Rig::begun::<4>(Sink::AnyOrder);
    rig.takes = [0, 30, 0, 40].into();
    rig.data(&[(200, 100)]);
    assert_eq!(rig.heard(), "0 [] busy");
    rig.hear(&[]);
    assert_eq!(rig.heard(), "0 [0-200 +30], 0 [0-200 +30] busy");
    rig.hear(&[]);
    assert_eq!(rig.heard(), "0 [0-200 +70], 0 [0-200 +100]");
    assert_eq!(rig.stored, [(200, 0), (200, 30), (230, 0), (230, 40), (270, 30)]);
    rig.takes = [50, 0].into();
    rig.data(&[(100, 300)]);
    rig.hear(&[]);
    rig.data(&[(0, 100), (300, 500), (800, 200)]);
    rig.end();
    assert_eq!(rig.commits.len(), 1);
    assert_eq!(rig.file, contents());
}

#[test]
fn where_frames_come_back_to_back_every_second_is_acknowledged() {
    let mut rig = Rig::begun::<4>(Sink::AnyOrder);
    rig.data(&[(200, 100), (300, 100), (400, 100), (500, 100), (600, 100), (700, 100)]);
    assert_eq!(rig.heard(), "0 [0-200 +100], 0 [0-200 +300], 0 [0-200 +500], 0 [0-200 +600]");
}

#[test]
fn a_sink_that_takes_bytes_in_order_is_given_none_beyond_a_gap() {
    let mut rig = Rig::begun::<4>(Sink::InOrder);
    rig.data(&[(0, 100), (200, 100), (300, 100)]);
    assert_eq!(rig.heard(), "100 [100-1000 +0]");
    rig.data(&[(100, 100), (200, 100), (150, 150)]);
    assert_eq!(rig.heard(), "300 []");
    rig.end();
    assert_eq!(rig.heard(), "300 [300-1000 +0]");
    rig.data(&[(300, 350), (650, 350)]);
    rig.end();
    assert_eq!(rig.stored, [(0, 100), (100, 100), (200, 100), (300, 350), (650, 350)]);
    assert_eq!(rig.file, contents());
}

#[test]
fn what_was_kept_of_an_offer_is_forgotten_with_a_restart() {
    let mut rig = Rig::begun::<2>(Sink::AnyOrder);
    rig.data(&[(100, 100), (300, 100)]);
    rig.heard();
    rig.hear(&[offer(true)]);
    rig.file.fill(0);
    assert_eq!(rig.heard(), "Accept 0");
    rig.data(&[(100, 100), (500, 100)]);
    assert_eq!(rig.heard(), "0 [0-100 +100], 0 [0-100 200-500 +100]");
    rig.data(&[(700, 100)]);
    assert_eq!(rig.heard(), "0 [0-100 200-500 600-1000 +0]", "there is no room for more");
    rig.data(&[(0, 100), (200, 300), (600, 400)]);
    rig.end();
    assert_eq!(rig.file, contents());
    assert_eq!(rig.commits.len(), 1);
    rig.session.committed(sampan_core::TransferId(1), Ok(()));
    rig.heard();
    rig.hear(&[]);
    assert_eq!(rig.heard(), format!("Done {}", Code::Ok));
}
