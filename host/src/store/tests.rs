//! A store as its connections use it, without any connection.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use sampan_core::wire::{Code, DigestKind, Identity, Offer, UncheckedName};
use sampan_core::{Completion, Ending, Part, Refusal, ResumePoint, Storage, TransferId, Verdict};

mod gaps;

use super::key::Key;
use super::*;
use crate::link::Waker;

const ONE: TransferId = TransferId(1);
const NUMBERS: &[u8] = b"123456789";
const CRC64: [u8; 8] = 0xAE8B_1486_0A79_9888_u64.to_le_bytes();
/// CRC-32 of the first five.
const FIVE: ResumePoint = ResumePoint { offset: 5, check: 0xCBF5_3A1C };

fn store(path: &Path) -> Store {
    Store::open(path, StoreOptions::default()).unwrap()
}

fn sink(store: &Store, on_conflict: OnConflict) -> StoreSink {
    store.sink(Accepts::Anything, on_conflict, &Arc::new(Control::new(Waker::new().unwrap())))
}

fn offer(name: &'static str) -> Offer<'static> {
    Offer {
        transfer: 1,
        size: Some(9),
        modified: Some(1_000_000_007),
        executable: false,
        directory: false,
        restart: false,
        want: None,
        listing: false,
        digest: DigestKind::Crc64Nvme,
        identity: Identity::new(b"one").unwrap(),
        name: UncheckedName::new(name.as_bytes()),
    }
}

fn ending(value: &[u8]) -> Ending<'_> {
    Ending { size: 9, check: 0, digest: DigestKind::Crc64Nvme, value }
}

/// What comes of a commit.
fn commit(sink: &mut StoreSink, value: &[u8]) -> Result<(), Refusal> {
    sink.commit(ONE, &ending(value)).unwrap_or_else(|| committed(sink))
}

fn committed(sink: &mut StoreSink) -> Result<(), Refusal> {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(Completion::Committed { result, .. }) = sink.completed() {
            return result;
        }
        assert!(Instant::now() < until, "no answer");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Offers, stores and commits all of it.
fn receive(sink: &mut StoreSink, offer: &Offer<'_>, contents: &[u8]) -> Result<(), Refusal> {
    assert_eq!(sink.offered(ONE, offer), Verdict::Accept(ResumePoint::START));
    assert_eq!(sink.store(ONE, 0, contents), Ok(contents.len()));
    let mut digest = crate::digests::AnyDigest::new(DigestKind::Crc64Nvme);
    sampan_core::Digest::update(&mut digest, contents);
    let mut value = [0; 8];
    sampan_core::Digest::value(&digest, &mut value);
    commit(sink, &value)
}

/// Stores the first five bytes and loses the link.
fn begin(store: &Store, offer: &Offer<'_>) {
    let mut sink = sink(store, OnConflict::Replace);
    assert_eq!(sink.offered(ONE, offer), Verdict::Accept(ResumePoint::START));
    assert_eq!(sink.store(ONE, 0, &NUMBERS[..5]), Ok(5));
    assert_eq!(sink.sync(ONE, FIVE.offset, FIVE.check), None);
    sink.abandon(ONE, Part::Keep);
}

fn entries(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn refused(verdict: Verdict) -> Option<Code> {
    match verdict {
        Verdict::Decline(refusal) => Some(refusal.code),
        _ => None,
    }
}

#[test]
fn a_file_appears_when_it_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a"), b"old").unwrap();
    let store = store(dir.path());
    let mut sink = sink(&store, OnConflict::Replace);
    assert_eq!(sink.offered(ONE, &offer("a")), Verdict::Accept(ResumePoint::START));
    assert_eq!(sink.store(ONE, 0, &NUMBERS[..5]), Ok(5));
    assert_eq!(sink.store(ONE, 5, &NUMBERS[5..]), Ok(4));
    assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"old");
    assert_eq!(commit(&mut sink, &CRC64), Ok(()));
    assert_eq!(fs::read(dir.path().join("a")).unwrap(), NUMBERS);
    assert_eq!(entries(dir.path()), ["a"]);
    let receipt = sink.take(ONE).unwrap();
    assert_eq!(receipt.digest.as_deref(), Some("crc64:ae8b14860a799888"));
    let modified = fs::metadata(dir.path().join("a")).unwrap().modified().unwrap();
    assert_eq!(modified, UNIX_EPOCH + Duration::from_nanos(1_000_000_007));
}

#[test]
fn a_wrong_digest_leaves_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a"), b"old").unwrap();
    let store = store(dir.path());
    let mut sink = sink(&store, OnConflict::Replace);
    let _ = sink.offered(ONE, &offer("a"));
    assert_eq!(sink.store(ONE, 0, b"123456780"), Ok(9));
    assert_eq!(commit(&mut sink, &CRC64).unwrap_err().code, Code::Integrity);
    assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"old");
    assert_eq!(entries(dir.path()), ["a"]);
}

#[test]
fn what_was_begun_goes_on_in_another_process() {
    let dir = tempfile::tempdir().unwrap();
    begin(&store(dir.path()), &offer("d/a"));
    // The store of the first process is gone; the second opens its own.
    let store = store(dir.path());
    let mut sink = sink(&store, OnConflict::Replace);
    assert_eq!(sink.offered(ONE, &offer("d/a")), Verdict::Accept(FIVE));
    assert_eq!(sink.store(ONE, 5, &NUMBERS[5..]), Ok(4));
    assert_eq!(commit(&mut sink, &CRC64), Ok(()));
    assert_eq!(fs::read(dir.path().join("d/a")).unwrap(), NUMBERS);
    assert_eq!(entries(dir.path()), ["d"]);
    assert_eq!(sink.take(ONE).unwrap().resumed_from, 5);
}

#[test]
fn a_part_that_rotted_is_found_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    begin(&store(dir.path()), &offer("a"));
    let part = entries(dir.path()).into_iter().find(|name| name.ends_with(".part")).unwrap();
    fs::write(dir.path().join(part), b"12x45").unwrap();
    let store = store(dir.path());
    let mut sink = sink(&store, OnConflict::Replace);
    assert_eq!(sink.offered(ONE, &offer("a")), Verdict::Accept(FIVE));
    assert_eq!(sink.store(ONE, 5, &NUMBERS[5..]), Ok(4));
    assert_eq!(commit(&mut sink, &CRC64).unwrap_err().code, Code::Integrity);
    drop(sink);
    assert_eq!(entries(dir.path()), [""; 0]);
}

#[test]
fn other_contents_and_restarts_begin_from_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    begin(&store, &offer("a"));
    let mut sink = sink(&store, OnConflict::Replace);
    let restart = Offer { restart: true, ..offer("a") };
    assert_eq!(sink.offered(ONE, &offer("a")), Verdict::Accept(FIVE));
    assert_eq!(sink.offered(ONE, &restart), Verdict::Accept(ResumePoint::START));
    sink.abandon(ONE, Part::Keep);
    let other = Offer { identity: Identity::new(b"two").unwrap(), ..offer("a") };
    assert_eq!(receive(&mut sink, &other, NUMBERS), Ok(()));
    // The part of the contents that the name no longer has is gone too.
    assert_eq!(entries(dir.path()), ["a"]);
}

#[test]
fn what_is_here_is_not_sent_again_until_it_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let mut sink = sink(&store, OnConflict::Replace);
    assert_eq!(receive(&mut sink, &offer("a"), NUMBERS), Ok(()));
    let left = Key::of("a", b"one").record();
    fs::write(dir.path().join(&left), b"left by a crash").unwrap();
    let remembers = sink.offered(ONE, &offer("a")) == Verdict::Have;
    assert_eq!(remembers, !dir.path().join(left).exists());
    let restart = Offer { restart: true, ..offer("a") };
    assert_eq!(sink.offered(ONE, &restart), Verdict::Accept(ResumePoint::START));
    fs::write(dir.path().join("a"), NUMBERS).unwrap();
    assert_eq!(sink.offered(ONE, &offer("a")), Verdict::Accept(ResumePoint::START));
    assert!(remembers || cfg!(not(target_os = "linux")));
}

#[test]
fn both_are_kept_unless_they_are_equal() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.txt"), b"mine").unwrap();
    let store = store(dir.path());
    let mut sink = sink(&store, OnConflict::Keep);
    for _ in 0..2 {
        assert_eq!(receive(&mut sink, &offer("a.txt"), NUMBERS), Ok(()));
        assert_eq!(sink.take(ONE).unwrap().stored_as.as_deref(), Some("a (1).txt"));
    }
    assert_eq!(entries(dir.path()), ["a (1).txt", "a.txt"]);
    let other = Offer { identity: Identity::EMPTY, ..offer("a.txt") };
    assert_eq!(receive(&mut sink, &other, b"987654321"), Ok(()));
    assert_eq!(entries(dir.path()), ["a (1).txt", "a (2).txt", "a.txt"]);
}

#[test]
fn a_taken_name_is_refused_where_that_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let mut sink = sink(&store, OnConflict::Refuse);
    fs::write(dir.path().join("a"), b"shorter").unwrap();
    assert_eq!(refused(sink.offered(ONE, &offer("a"))), Some(Code::Exists));
    fs::write(dir.path().join("a"), b"different").unwrap();
    assert_eq!(receive(&mut sink, &offer("a"), NUMBERS).unwrap_err().code, Code::Exists);
    fs::write(dir.path().join("a"), NUMBERS).unwrap();
    assert_eq!(receive(&mut sink, &offer("a"), NUMBERS), Ok(()));
    drop(sink);
    assert_eq!(entries(dir.path()), ["a"]);
}

#[test]
fn one_writer_of_a_name_and_contents() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (store(dir.path()), store(dir.path()));
    let mut first = sink(&ours, OnConflict::Replace);
    assert_eq!(first.offered(ONE, &offer("a")), Verdict::Accept(ResumePoint::START));
    // In this process, and in another.
    for store in [&ours, &theirs] {
        let mut second = sink(store, OnConflict::Replace);
        assert_eq!(refused(second.offered(ONE, &offer("a"))), Some(Code::Busy));
        let other = Offer { identity: Identity::new(b"two").unwrap(), ..offer("a") };
        assert_eq!(second.offered(ONE, &other), Verdict::Accept(ResumePoint::START));
    }
    assert_eq!(first.store(ONE, 0, NUMBERS), Ok(9));
    assert_eq!(commit(&mut first, &CRC64), Ok(()));
}

#[test]
fn names_that_are_not_taken_leave_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("d")).unwrap();
    let options = StoreOptions { names: Names::Portable, max_file_size: Some(9), ..StoreOptions::default() };
    let store = Store::open(dir.path(), options).unwrap();
    let mut sink = sink(&store, OnConflict::Replace);
    for name in ["", "..", "../a", "/a", "a\\b", ".sampan-x", "a\nb", "CON", "a:b"] {
        assert_eq!(refused(sink.offered(ONE, &offer(name))), Some(Code::BadName), "{name:?}");
    }
    assert_eq!(refused(sink.offered(ONE, &offer("d"))), Some(Code::Exists));
    let large = Offer { size: Some(10), ..offer("a") };
    assert_eq!(refused(sink.offered(ONE, &large)), Some(Code::TooLarge));
    let unsized_file = Offer { size: None, ..offer("a") };
    assert_eq!(sink.offered(ONE, &unsized_file), Verdict::Accept(ResumePoint::START));
    assert_eq!(sink.store(ONE, 0, b"1234567890").unwrap_err().code, Code::TooLarge);
    let endless = Offer { size: Some(1 << 62), ..offer("a") };
    let mut other = self::sink(&self::store(dir.path()), OnConflict::Replace);
    assert_eq!(refused(other.offered(ONE, &endless)), Some(Code::NoSpace));
    assert_eq!(entries(dir.path()), ["d"]);
}

#[test]
fn directories_are_made_after_what_is_in_them_and_keep_their_times() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let mut sink = sink(&store, OnConflict::Replace);
    let folder = Offer { transfer: 2, directory: true, size: None, ..offer("d/e") };
    assert_eq!(sink.offered(ONE, &offer("d/e/a")), Verdict::Accept(ResumePoint::START));
    assert_eq!(sink.store(ONE, 0, NUMBERS), Ok(9));
    assert_eq!(sink.offered(TransferId(2), &folder), Verdict::Accept(ResumePoint::START));
    assert_eq!(sink.commit(ONE, &ending(&CRC64)), None);
    let nothing = Ending { size: 0, check: 0, digest: DigestKind::Crc64Nvme, value: &[0; 8] };
    assert_eq!(sink.commit(TransferId(2), &nothing), None);
    let ended = sink.finish(Duration::from_secs(20));
    assert!(ended.len() == 2 && ended.iter().all(|(_, result)| result.is_ok()));
    let modified = fs::metadata(dir.path().join("d/e")).unwrap().modified().unwrap();
    assert_eq!(modified, UNIX_EPOCH + Duration::from_nanos(1_000_000_007));
}

#[test]
fn only_what_was_wanted_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let control = Arc::new(Control::new(Waker::new().unwrap()));
    let mut sink = store.sink(Accepts::Wanted, OnConflict::Replace, &control);
    let name = |name| sampan_core::wire::FileName::new(name).unwrap();
    sink.want(sampan_core::WantId(1), name("there/a"), name("here"));
    for wrong in [
        offer("there/a"),
        Offer { want: Some(2), ..offer("there/a") },
        Offer { want: Some(1), ..offer("here") },
    ] {
        assert_eq!(refused(sink.offered(ONE, &wrong)), Some(Code::NotAllowed));
    }
    let right = Offer { want: Some(1), ..offer("there/a") };
    assert_eq!(receive(&mut sink, &right, NUMBERS), Ok(()));
    assert_eq!(entries(dir.path()), ["here"]);
}

#[test]
fn what_was_wanted_under_another_name_is_something_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let wanting = || {
        let control = Arc::new(Control::new(Waker::new().unwrap()));
        let mut sink = store.sink(Accepts::Wanted, OnConflict::Replace, &control);
        let name = |name| sampan_core::wire::FileName::new(name).unwrap();
        for (want, remote) in [(1, "a"), (2, "b"), (3, "here")] {
            sink.want(sampan_core::WantId(want), name(remote), name("here"));
        }
        sink
    };
    // The sender says the same of all of them.
    let [a, b, here] =
        [(1, "a"), (2, "b"), (3, "here")].map(|(want, name)| Offer { want: Some(want), ..offer(name) });
    let begun = |offer: &Offer<'_>| {
        let mut sink = wanting();
        let verdict = sink.offered(ONE, offer);
        if verdict == Verdict::Accept(ResumePoint::START) {
            assert_eq!(sink.store(ONE, 0, &NUMBERS[..5]), Ok(5));
            sink.sync(ONE, FIVE.offset, FIVE.check);
        }
        sink.abandon(ONE, Part::Keep);
        verdict
    };
    for offer in [&a, &b, &here] {
        assert_eq!(begun(offer), Verdict::Accept(ResumePoint::START));
    }
    for offer in [&a, &b, &here] {
        assert_eq!(begun(offer), Verdict::Accept(FIVE));
    }
    let mut sink = wanting();
    assert_eq!(sink.offered(ONE, &Offer { restart: true, ..a }), Verdict::Accept(ResumePoint::START));
    sink.abandon(ONE, Part::Discard);
    assert_eq!(receive(&mut sink, &a, NUMBERS), Ok(()));
    let remembers = sink.offered(ONE, &a) == Verdict::Have;
    assert!(remembers || cfg!(not(target_os = "linux")));
    sink.abandon(ONE, Part::Discard);
    for offer in [&b, &here] {
        assert_eq!(sink.offered(ONE, offer), Verdict::Accept(ResumePoint::START));
        sink.abandon(ONE, Part::Discard);
    }
    assert_eq!(entries(dir.path()), ["here"]);
}
