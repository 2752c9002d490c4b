//! Numbers of the protocol (`docs/protocol.md` §5.1, §7).

use sampan_core as core_engine;
use sampan_core::wire::{self, DigestKind, DigestList};

/// Why something is refused or ended (§7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// Done.
    Ok = 0,
    /// None of the below.
    Other = 1,
    /// Policy.
    NotAllowed = 2,
    /// The name is not valid here.
    BadName = 3,
    /// The name is taken and must not be replaced.
    Exists = 4,
    /// Larger than allowed, or more bytes than announced.
    TooLarge = 5,
    /// No space.
    NoSpace = 6,
    /// Try again later.
    Busy = 7,
    /// Not found.
    NotFound = 8,
    /// Reading or writing failed.
    Storage = 9,
    /// Size, check or digest differs; the part has been thrown away.
    Integrity = 10,
    /// The source changed while it was sent.
    Changed = 11,
    /// Somebody stopped it.
    Cancelled = 12,
    /// No such transfer here; offer it again.
    Unknown = 13,
    /// The other direction goes first; offer it again. As an answer of this end's: there is nothing now, ask again.
    Wait = 14,
    /// The peer broke a rule of the protocol.
    Protocol = 15,
    /// A deadline passed.
    Timeout = 16,
    /// This end is shutting down.
    Closing = 17,
    /// A kind of file or digest that this end does not take.
    Unsupported = 18,
}

const _: () = {
    assert!(wire::Code::ALL.len() == 19);
    assert!(Code::Unsupported as u8 == wire::Code::Unsupported.code());
    assert!(Code::Wait as u8 == wire::Code::Wait.code());
    assert!(Code::Storage as u8 == wire::Code::Storage.code());
};

/// A digest of a whole file (§7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Digest {
    /// None beyond the CRC-32 that the engine always makes and checks.
    Crc32 = 0,
    /// CRC-64/NVME, 8 bytes, little-endian.
    Crc64Nvme = 1,
    /// BLAKE3, 32 bytes.
    Blake3 = 2,
    /// SHA-256, 32 bytes.
    Sha256 = 3,
}

const _: () = {
    assert!(DigestKind::ALL.len() == 4);
    assert!(Digest::Crc64Nvme as u8 == DigestKind::Crc64Nvme.code());
    assert!(Digest::Blake3 as u8 == DigestKind::Blake3.code());
    assert!(Digest::Sha256 as u8 == DigestKind::Sha256.code());
};

/// What is transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FileType {
    /// A file.
    File = 0,
    /// A file that may be executed.
    Executable = 1,
    /// A directory: a name without contents.
    Directory = 2,
    /// Records of what there is (§12).
    Listing = 3,
}

/// Whether DATA may go ahead of the receiver's answer (§9.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Start {
    /// Not before the answer: for a transfer that was begun on an earlier link, so that nothing is sent twice.
    AfterAnswer = 0,
    /// As far as the peer allows: saves a round trip.
    Eager = 1,
}

/// The digests up to the first zero.
pub(crate) fn digests(codes: [u8; 4]) -> DigestList {
    let kinds = codes.into_iter().map_while(|code| DigestKind::from_code(code).filter(|_| code != 0));
    kinds.fold(DigestList::EMPTY, DigestList::with)
}

pub(crate) fn file_type(number: u8) -> Option<core_engine::FileType> {
    Some(match number {
        0 => core_engine::FileType::File,
        1 => core_engine::FileType::Executable,
        2 => core_engine::FileType::Directory,
        3 => core_engine::FileType::Listing,
        _ => return None,
    })
}

pub(crate) const fn file_type_of(directory: bool, listing: bool, executable: bool) -> FileType {
    match (directory, listing, executable) {
        (true, _, _) => FileType::Directory,
        (_, true, _) => FileType::Listing,
        (_, _, true) => FileType::Executable,
        _ => FileType::File,
    }
}
