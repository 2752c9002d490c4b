//! Files whose pieces come in any order, as over links that lose frames.

use super::*;
use crate::digests::AnyDigest;
use sampan_core::Digest as _;

/// The value of a digest of all nine.
fn value(kind: DigestKind) -> Vec<u8> {
    let mut digest = AnyDigest::new(kind);
    digest.update(NUMBERS);
    let mut value = [0; 32];
    let length = digest.value(&mut value);
    value[..length].to_vec()
}

fn store_pieces(sink: &mut StoreSink, pieces: &[(usize, usize)]) {
    for (start, end) in pieces {
        assert_eq!(sink.store(ONE, *start as u64, &NUMBERS[*start..*end]), Ok(end - start));
    }
}

/// Commits all nine under this digest.
fn commit_as(sink: &mut StoreSink, kind: DigestKind) -> Result<(), Refusal> {
    let value = value(kind);
    let end = Ending { size: 9, check: 0, digest: kind, value: &value };
    sink.commit(ONE, &end).unwrap_or_else(|| committed(sink))
}

/// From where it is accepted, once no thread has to do with its part any more.
fn accepted(sink: &mut StoreSink, offer: &Offer<'_>) -> ResumePoint {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        match sink.offered(ONE, offer) {
            Verdict::Accept(from) => return from,
            verdict => assert_eq!(refused(verdict), Some(Code::Busy)),
        }
        assert!(Instant::now() < until, "it stays busy");
        thread::sleep(Duration::from_millis(1));
    }
}

const ORDERS: [&[(usize, usize)]; 5] = [
    &[(5, 7), (7, 9), (0, 5)],
    &[(7, 9), (5, 6), (0, 5), (6, 7)],
    &[(6, 7), (8, 9), (7, 8), (0, 3), (3, 6)],
    &[(8, 9), (0, 5), (6, 8), (5, 6)],
    &[(1, 2), (3, 4), (2, 3), (0, 1), (8, 9), (5, 8), (4, 5)],
];

#[test]
fn each_digest_is_right_whatever_the_order() {
    for kind in DigestKind::ALL {
        for pieces in ORDERS {
            let dir = tempfile::tempdir().unwrap();
            let store = store(dir.path());
            let mut sink = sink(&store, OnConflict::Replace);
            let offer = Offer { digest: kind, ..offer("a") };
            assert_eq!(sink.offered(ONE, &offer), Verdict::Accept(ResumePoint::START));
            store_pieces(&mut sink, pieces);
            assert_eq!(commit_as(&mut sink, kind), Ok(()), "{kind} {pieces:?}");
            assert_eq!(fs::read(dir.path().join("a")).unwrap(), NUMBERS);
            assert_eq!(sink.take(ONE).unwrap().stored, 9);
        }
    }
}

#[test]
fn a_wrong_byte_beyond_a_gap_is_found() {
    for kind in [DigestKind::Crc64Nvme, DigestKind::Blake3, DigestKind::Sha256] {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let mut sink = sink(&store, OnConflict::Replace);
        let _ = sink.offered(ONE, &Offer { digest: kind, ..offer("a") });
        assert_eq!(sink.store(ONE, 5, b"6780"), Ok(4));
        store_pieces(&mut sink, &[(0, 5)]);
        assert_eq!(commit_as(&mut sink, kind).unwrap_err().code, Code::Integrity, "{kind}");
        assert_eq!(entries(dir.path()), [""; 0]);
    }
}

#[test]
fn what_is_not_all_there_is_not_committed() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let mut sink = sink(&store, OnConflict::Replace);
    let _ = sink.offered(ONE, &offer("a"));
    store_pieces(&mut sink, &[(0, 5), (6, 9)]);
    assert_eq!(commit(&mut sink, &CRC64).unwrap_err().code, Code::Integrity);
}

#[test]
fn a_resumed_part_is_compared_though_its_pieces_come_in_any_order() {
    for kind in DigestKind::ALL {
        for pieces in [&[(7, 9), (5, 7)][..], &[(8, 9), (6, 7), (5, 6), (7, 8)]] {
            let dir = tempfile::tempdir().unwrap();
            let store = store(dir.path());
            let offer = Offer { digest: kind, ..offer("a") };
            begin(&store, &offer);
            let mut sink = sink(&store, OnConflict::Replace);
            assert_eq!(accepted(&mut sink, &offer), FIVE);
            store_pieces(&mut sink, pieces);
            assert_eq!(commit_as(&mut sink, kind), Ok(()), "{kind} {pieces:?}");
            assert_eq!(fs::read(dir.path().join("a")).unwrap(), NUMBERS);
        }
    }
}

#[test]
fn what_lay_beyond_a_gap_does_not_outlive_the_link() {
    let dir = tempfile::tempdir().unwrap();
    {
        let store = store(dir.path());
        let mut sink = sink(&store, OnConflict::Replace);
        let _ = sink.offered(ONE, &offer("a"));
        assert_eq!(sink.store(ONE, 7, b"??"), Ok(2));
        store_pieces(&mut sink, &[(0, 5)]);
        assert_eq!(sink.sync(ONE, FIVE.offset, FIVE.check), None);
        sink.abandon(ONE, Part::Keep);
    }
    let store = store(dir.path());
    let mut sink = sink(&store, OnConflict::Replace);
    assert_eq!(sink.offered(ONE, &offer("a")), Verdict::Accept(FIVE));
    assert_eq!(commit(&mut sink, &CRC64).unwrap_err().code, Code::Integrity, "nothing of it is there");
    assert_eq!(accepted(&mut sink, &offer("a")), ResumePoint::START);
    // Without its beginning there is nothing to keep.
    store_pieces(&mut sink, &[(7, 9)]);
    sink.abandon(ONE, Part::Keep);
    assert_eq!(entries(dir.path()), [""; 0]);
}
