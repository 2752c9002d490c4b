//! A sender and a receiver joined in memory: what one says, the other understands (§14).

mod classic_kit;

use classic_kit::{Busy, Driver, Later, Rig, START, Shelf, Told, buffers};
use sampan_core::classic::{Receiver, Sender};
use sampan_core::wire::Code;
use sampan_core::{By, Engine, Instant, Limits, Refusal, Verdict};

struct Pair {
    sender: Rig<Sender<'static>>,
    receiver: Rig<Receiver<'static>>,
}

impl Pair {
    fn new(sender: Shelf, receiver: Shelf, buffer: usize) -> Self {
        let limits = &Limits::LARGE;
        let one = Sender::new(buffers(buffer, buffer), limits, START).unwrap();
        let other = Receiver::new(buffers(buffer, buffer), limits, START).unwrap();
        Self { sender: Rig::new(one, sender), receiver: Rig::new(other, receiver) }
    }

    /// Moves what is on its way; the sender closes its link as soon as it is closed itself.
    fn carry(&mut self) -> bool {
        let bytes = self.sender.written();
        self.receiver.link.inbox.extend(&bytes);
        let replies = self.receiver.written();
        self.sender.link.inbox.extend(&replies);
        let half = self.sender.told.contains(&Told::EndOfStream) || self.sender.is_closed();
        let news = !bytes.is_empty() || !replies.is_empty();
        let ends = [
            (half && !self.receiver.link.ended).then(|| self.receiver.link.ended = true),
            (self.sender.is_closed() && !self.receiver.link.reset).then(|| self.receiver.link.reset = true),
            (self.receiver.is_closed() && !self.sender.link.ended).then(|| self.sender.link.ended = true),
        ];
        news || ends.iter().any(Option::is_some)
    }

    /// To the end of both.
    fn run(&mut self) -> (Vec<Told>, Vec<Told>) {
        fn round<E: Engine>(rig: &mut Rig<E>) -> Option<Instant> {
            if rig.is_closed() { None } else { rig.run() }
        }
        for _ in 0..1_000_000 {
            let one = round(&mut self.sender);
            let other = round(&mut self.receiver);
            if self.carry() {
                continue;
            }
            let Some(until) = one.into_iter().chain(other).min() else {
                return (self.sender.told.clone(), self.receiver.told.clone());
            };
            self.sender.now = until;
            self.receiver.now = until;
        }
        panic!("they do not end: {:?} {:?}", self.sender.told, self.receiver.told);
    }
}

fn sent() -> Vec<Told> {
    vec![Told::EndOfStream, Told::Sent, Told::Closed(Ok(()))]
}

fn received() -> Vec<Told> {
    vec![Told::Received, Told::Closed(Ok(()))]
}

fn refused(receiving: bool, code: Code, words: &str) -> Vec<Told> {
    let by = if receiving { By::Us } else { By::Peer };
    vec![Told::Failed { receiving, code, words: words.into(), by }, Told::Closed(Ok(()))]
}

#[test]
fn files_of_every_size_arrive() {
    for length in [0, 1, 2, 126, 127, 128, 129, 255, 256, 257, 1_000, 100_000] {
        let contents: Vec<u8> = (0..length).map(|at: u32| (at * 7 % 251) as u8).collect();
        for (buffer, read, write, take) in [
            (128, usize::MAX, usize::MAX, usize::MAX),
            (128, 1, 7, 3),
            (4_096, 100, 1_000, 50),
            (300, 77, 1, 299),
        ] {
            for driver in [Driver::Nb, Driver::Blocking] {
                let mut pair = Pair::new(Shelf::with("dir/a.bin", &contents), Shelf::new(), buffer);
                for link in [&mut pair.sender.link, &mut pair.receiver.link] {
                    (link.read, link.write) = (read, write);
                }
                pair.sender.shelf.give = take;
                pair.receiver.shelf.take = take;
                pair.receiver.shelf.busy = Busy::EveryOther;
                (pair.sender.driver, pair.receiver.driver) = (driver, driver);
                assert_eq!(pair.run(), (sent(), received()), "{length} {buffer}");
                assert_eq!(pair.receiver.shelf.name.as_deref(), Some(&b"a.bin"[..]));
                assert_eq!(pair.receiver.shelf.stored, contents);
            }
        }
    }
}

#[test]
fn a_file_takes_two_windows_of_50_ms() {
    let mut pair = Pair::new(Shelf::with("a", b"x"), Shelf::new(), 128);
    pair.run();
    assert_eq!(pair.sender.elapsed(), 100);
}

#[test]
fn refusals_arrive_with_their_words() {
    let full = Refusal { code: Code::NoSpace, words: "the disk is full" };
    let changes: [fn(&mut Shelf, Refusal); 3] = [
        |shelf, refusal| shelf.verdict = Verdict::Decline(refusal),
        |shelf, refusal| shelf.store_error = Some(refusal),
        |shelf, refusal| shelf.commit = Err(refusal),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        for driver in [Driver::Nb, Driver::Blocking] {
            for capacity in [100, usize::MAX] {
                let mut pair = Pair::new(Shelf::with("a", &[7; 1_000]), Shelf::new(), 128);
                change(&mut pair.receiver.shelf, full);
                pair.sender.driver = driver;
                pair.receiver.driver = driver;
                pair.sender.link.capacity = capacity;
                let (mut one, other) = pair.run();
                one.retain(|told| *told != Told::EndOfStream);
                assert_eq!(one, refused(false, Code::Other, "the disk is full"), "{index}");
                assert_eq!(other, refused(true, Code::NoSpace, "the disk is full"));
                assert_eq!(pair.receiver.shelf.committed, 0);
            }
        }
    }
    let mut pair = Pair::new(Shelf::with("a/.sampa", b"x"), Shelf::new(), 128);
    assert_eq!(pair.run(), (sent(), received()));
}

#[test]
fn a_source_that_changes_is_published_nowhere() {
    for length in [1, 100, 1_000] {
        for finish in [Ok(()), Err(Code::Changed.into())] {
            let mut pair = Pair::new(Shelf::with("a", &vec![7; length]), Shelf::new(), 128);
            pair.sender.shelf.finish = finish;
            if finish.is_ok() {
                pair.sender.shelf.source_size = Some(length as u64 + 1);
            }
            let (one, other) = pair.run();
            assert!(matches!(
                one[..],
                [Told::Failed { code: Code::Changed, by: By::Us, .. }, Told::Closed(Ok(()))]
            ));
            assert_eq!(other, refused(true, Code::Integrity, "fewer bytes than announced"));
            assert_eq!((pair.receiver.shelf.committed, pair.receiver.shelf.abandoned), (0, 1));
        }
    }
}

#[test]
fn a_notice_arrives_before_the_last_reply() {
    for later in [Later::AtOnce, Later::Delayed] {
        let mut pair = Pair::new(Shelf::with("a", b"x"), Shelf::new(), 256);
        pair.receiver.shelf.words = "the tide turns at four";
        pair.receiver.shelf.commit_later = later;
        assert_eq!(pair.receiver.engine.notify(), Some(1));
        let (one, other) = pair.run();
        let notice = Told::Notice("the tide turns at four".into());
        assert_eq!(one, [Told::EndOfStream, notice, Told::Sent, Told::Closed(Ok(()))]);
        assert_eq!(other, received());
    }
}

#[test]
fn a_sender_that_is_cancelled_leaves_nothing() {
    let mut pair = Pair::new(Shelf::with("a", &[7; 1_000]), Shelf::new(), 128);
    pair.sender.link.capacity = 300;
    while pair.receiver.shelf.stored.is_empty() {
        pair.sender.run();
        pair.receiver.run();
        pair.carry();
        pair.sender.wait(10);
        pair.receiver.wait(10);
    }
    pair.sender.engine.cancel(Code::Cancelled);
    let (one, other) = pair.run();
    assert!(matches!(one[0], Told::Failed { code: Code::Cancelled, by: By::Us, .. }));
    assert_eq!(other, refused(true, Code::Integrity, "fewer bytes than announced"));
}
