//! The files of the attached device, as an engine asks for them.

use device::{Files, SLOT_LEN, SLOTS};
use sampan_core::wire::{Code, DigestKind, Entry, Identity, Offer, UncheckedName, Want};
use sampan_core::{Completion, Ending, Part, Storage, TransferId, Verdict};

const ID: TransferId = TransferId(1);

fn flash() -> Vec<[u8; SLOT_LEN]> {
    vec![[0; SLOT_LEN]; SLOTS]
}

fn files(flash: &mut [[u8; SLOT_LEN]]) -> Files<'_> {
    Files::new(flash.try_into().unwrap())
}

fn offer<'n>(name: &'n str, identity: &[u8]) -> Offer<'n> {
    Offer {
        transfer: ID.0,
        size: None,
        modified: None,
        executable: false,
        directory: false,
        restart: false,
        want: None,
        listing: false,
        digest: DigestKind::Crc32,
        identity: Identity::new(identity).unwrap(),
        name: UncheckedName::new(name.as_bytes()),
    }
}

fn end(size: usize) -> Ending<'static> {
    Ending { size: size as u64, check: 0, digest: DigestKind::Crc32, value: &[] }
}

/// Receives it, but for its being published.
fn receive(files: &mut Files<'_>, name: &str, contents: &[u8]) {
    let accepted = matches!(files.offered(ID, &offer(name, contents)), Verdict::Accept(_));
    assert!(accepted, "{name}");
    for (index, piece) in contents.chunks(5).enumerate() {
        assert_eq!(files.store(ID, index as u64 * 5, piece), Ok(piece.len()));
    }
    assert_eq!(files.commit(ID, &end(contents.len())), None);
}

fn want<'n>(listing: bool, name: &'n str) -> Want<'n> {
    Want { number: 1, listing, name: UncheckedName::new(name.as_bytes()) }
}

/// What is wanted, read in pieces of this length.
fn read(files: &mut Files<'_>, length: usize) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let mut piece = vec![0xAA; length];
        let n = files.fetch(ID, all.len() as u64, &mut piece).unwrap();
        // The same bytes may be asked for again.
        let mut again = vec![0x55; length];
        assert_eq!((files.fetch(ID, all.len() as u64, &mut again), &again[..n]), (Ok(n), &piece[..n]));
        if n == 0 {
            return all;
        }
        all.extend_from_slice(&piece[..n]);
    }
}

const COMMITTED: Option<Completion> = Some(Completion::Committed { transfer: ID, result: Ok(()) });

#[test]
fn a_listing_is_the_same_in_pieces_of_any_length() {
    let mut flash = flash();
    for length in 1..40 {
        let mut files = files(&mut flash);
        for (name, contents) in [("log.txt", &b"all quiet"[..]), ("logo", b"*")] {
            receive(&mut files, name, contents);
            assert_eq!(files.completed(), COMMITTED);
        }
        assert_eq!(files.wanted(ID, &want(true, "lo")), Ok(()));
        let listing = read(&mut files, length);
        let (first, n) = Entry::parse(&listing).unwrap();
        let (second, m) = Entry::parse(&listing[n..]).unwrap();
        assert_eq!((first.name.as_bytes(), first.size), (&b"log.txt"[..], Some(9)));
        assert_eq!((second.name.as_bytes(), second.size), (&b"logo"[..], Some(1)));
        assert_eq!(n + m, listing.len());
    }
}

#[test]
fn a_listing_has_what_begins_with_its_prefix() {
    let mut flash = flash();
    let mut files = files(&mut flash);
    receive(&mut files, "log.txt", b"all quiet");
    assert_eq!(files.completed(), COMMITTED);
    assert_eq!(files.wanted(ID, &want(true, "x")), Ok(()));
    assert_eq!(read(&mut files, 64), b"");
}

#[test]
fn what_is_being_sent_is_replaced_only_afterwards() {
    let mut flash = flash();
    let mut files = files(&mut flash);
    receive(&mut files, "image", b"the old one");
    assert_eq!(files.completed(), COMMITTED);
    assert_eq!(files.wanted(ID, &want(false, "image")), Ok(()));
    assert_eq!(files.wanted(TransferId(2), &want(false, "image")).unwrap_err().code, Code::Busy);
    receive(&mut files, "image", b"the new one!");
    assert_eq!(files.completed(), None);
    assert_eq!(read(&mut files, 4), b"the old one");
    files.sent();
    assert_eq!(files.completed(), COMMITTED);
    assert_eq!(files.completed(), None);
    assert_eq!(files.contents("image"), Some(&b"the new one!"[..]));
    assert_eq!(files.offered(ID, &offer("image", b"the new one!")), Verdict::Have);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut flash = flash();
    let mut files = files(&mut flash);
    let decline = |verdict| match verdict {
        Verdict::Decline(refusal) => refusal.code,
        verdict => panic!("{verdict:?}"),
    };
    for name in ["", "../image", "a/b", &"n".repeat(49)] {
        assert_eq!(decline(files.offered(ID, &offer(name, b""))), Code::BadName, "{name:?}");
    }
    let size = Some(SLOT_LEN as u64 + 1);
    assert_eq!(decline(files.offered(ID, &Offer { size, ..offer("a", b"") })), Code::TooLarge);
    assert_eq!(decline(files.offered(ID, &Offer { directory: true, ..offer("a", b"") })), Code::Unsupported);
    assert!(matches!(files.offered(ID, &offer("a", b"")), Verdict::Accept(_)));
    assert_eq!(files.store(ID, SLOT_LEN as u64, b"x").unwrap_err().code, Code::TooLarge);
    files.abandon(ID, Part::Keep);
    assert_eq!(files.store(ID, 0, b"x").unwrap_err().code, Code::Storage);
    for name in ["a", "b", "c"] {
        receive(&mut files, name, b"");
        assert_eq!(files.completed(), COMMITTED);
    }
    assert_eq!(decline(files.offered(ID, &offer("d", b""))), Code::NoSpace);
    assert_eq!(files.wanted(ID, &want(false, "d")).unwrap_err().code, Code::NotFound);
}
