//! What a session asks of its caller.

use sampan_core as engine;
use sampan_core::wire::Offer;

use crate::bytes::{Bytes, Room, Text};
use crate::closed::Closed;
use crate::code::{FileType, file_type_of};
use crate::event::Event;
use crate::session::micros;

/// What the caller must do next. What it points to is valid until the next call with this session.
///
/// An action that lends something is lent again by every poll until it is answered by the function named with it. The others are handed out once.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub enum Action {
    /// Write these bytes to the link; answer with sampan_transmitted, 0 if it takes none now.
    Transmit(Bytes),
    /// Say what the transfer is that is about to be offered; answer with sampan_described, or sampan_refused.
    Describe(Describe),
    /// Say what this wish is; answer with sampan_asked_file, sampan_asked_listing, or sampan_refused.
    Ask(u32),
    /// Read the source; answer with sampan_fetched, 0 at its end, or sampan_refused (SAMPAN_CODE_WAIT if there is nothing now).
    Fetch(Fetch),
    /// The last byte was fetched: say whether the source is still the one described, and give its digest; answer with sampan_finished, or
    /// sampan_refused.
    Finish(Finish),
    /// Give the words of a notice; answer with sampan_said.
    Say(Say),
    /// The peer offers something; answer with sampan_accepted, sampan_accepted_in_order, sampan_had, or sampan_refused.
    Offered(Offered),
    /// The peer wants something; answer with sampan_served, or sampan_refused.
    Wanted(Wanted),
    /// Write bytes to the sink; answer with sampan_stored, 0 if it is busy, or sampan_refused.
    Store(Store),
    /// Make durable what was stored so far. Handed out once; answer with sampan_synced when it is done, now or later.
    Sync(Sync),
    /// Everything has arrived and its CRC-32 is right: compare the digest, flush, put into its final place. Handed out once; answer with
    /// sampan_committed when it is done, now or later.
    Commit(Commit),
    /// This transfer to this end is over without a commit: what was stored may be resumed. Not answered.
    Keep(u32),
    /// This transfer to this end is over without a commit: what was stored is wrong, throw it away. Not answered.
    Discard(u32),
    /// What the application may want to know. Not answered.
    Event(Event),
    /// Nothing to do until bytes arrive, the link takes bytes again, a late answer comes, or this instant.
    Wait(u64),
    /// The session is over; nothing changes any more, and its memory is the caller's again.
    Closed(Closed),
}

/// A transfer that is about to be offered.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Describe {
    /// The transfer.
    pub transfer: u32,
    /// The digest (sampan_digest) that will be asked for at its end.
    pub digest: u8,
}

/// A piece of a source that is to be read.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Fetch {
    /// The transfer.
    pub transfer: u32,
    /// Offset of the first byte.
    pub offset: u64,
    /// Where the bytes go.
    pub into: Room,
}

/// The end of a source.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Finish {
    /// The transfer.
    pub transfer: u32,
    /// Room for exactly the bytes of the digest; none for CRC-32.
    pub into: Room,
}

/// A notice that is about to be sent.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Say {
    /// The notice's number.
    pub number: u32,
    /// Room for UTF-8.
    pub into: Room,
}

/// What the peer offers (§5.1).
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Offered {
    /// The transfer.
    pub transfer: u32,
    /// Where the peer should put it. It is hostile until sampan_name_check has found it right.
    pub name: Text,
    /// What it is.
    pub file_type: FileType,
    /// The digest (sampan_digest) that its end will carry.
    pub digest: u8,
    /// Whether it must be accepted from offset 0.
    pub restart: bool,
    /// The wish that it answers, or 0.
    pub want: u32,
    /// Bytes in all; SAMPAN_UNKNOWN if that is not known.
    pub size: u64,
    /// Nanoseconds since 1970, leap seconds not counted; SAMPAN_UNKNOWN_TIME if that is not known.
    pub modified: i64,
    /// Equal identities of the same name mean the same contents; it cannot be resumed if this has no bytes.
    pub identity: Identity,
}

/// Up to 16 bytes that the source chose.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Identity {
    /// How many there are.
    pub length: u8,
    /// They, and zeros.
    pub bytes: [u8; 16],
}

/// What the peer wants.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Wanted {
    /// The id that the transfer will have if it is served.
    pub transfer: u32,
    /// Whether a listing of what begins with the name is wanted (of everything, if that is empty), and not a file.
    pub listing: bool,
    /// The name. It is hostile until sampan_name_check has found it right.
    pub name: Text,
}

/// Bytes for a sink.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Store {
    /// The transfer.
    pub transfer: u32,
    /// Offset of the first byte.
    pub offset: u64,
    /// The bytes.
    pub data: Bytes,
}

/// What is to be made durable.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sync {
    /// The transfer.
    pub transfer: u32,
    /// How much has been stored without a gap.
    pub offset: u64,
    /// CRC-32 of these bytes, to be kept beside the offset.
    pub check: u32,
}

/// What is to be put into its place (§5.7).
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Commit {
    /// The transfer.
    pub transfer: u32,
    /// Bytes in all.
    pub size: u64,
    /// CRC-32 of the contents; the engine has found it right.
    pub check: u32,
    /// Which digest (sampan_digest) the value is.
    pub digest: u8,
    /// The digest; empty for CRC-32.
    pub value: Bytes,
}

/// A size that is not known.
pub const UNKNOWN: u64 = u64::MAX;

/// A time that is not known.
pub const UNKNOWN_TIME: i64 = i64::MIN;

impl From<engine::Action<'_>> for Action {
    fn from(action: engine::Action<'_>) -> Self {
        match action {
            engine::Action::Transmit(bytes) => Self::Transmit(bytes.into()),
            engine::Action::Describe { transfer, digest } => {
                Self::Describe(Describe { transfer: transfer.0, digest: digest.code() })
            }
            engine::Action::Ask { want } => Self::Ask(want.0),
            engine::Action::Fetch { transfer, offset, into } => {
                Self::Fetch(Fetch { transfer: transfer.0, offset, into: into.into() })
            }
            engine::Action::Finish { transfer, into } => {
                Self::Finish(Finish { transfer: transfer.0, into: into.into() })
            }
            engine::Action::Say { number, into } => Self::Say(Say { number, into: into.into() }),
            engine::Action::Offered(offered) => Self::Offered((&offered.offer).into()),
            engine::Action::Wanted(wanted) => Self::Wanted(Wanted {
                transfer: wanted.transfer.0,
                listing: wanted.want.listing,
                name: wanted.want.name.as_bytes().into(),
            }),
            engine::Action::Store { transfer, offset, data } => {
                Self::Store(Store { transfer: transfer.0, offset, data: data.into() })
            }
            engine::Action::Sync { transfer, offset, check } => {
                Self::Sync(Sync { transfer: transfer.0, offset, check })
            }
            engine::Action::Commit { transfer, end } => Self::Commit(Commit {
                transfer: transfer.0,
                size: end.size,
                check: end.check,
                digest: end.digest.code(),
                value: end.value.into(),
            }),
            engine::Action::Abandon { transfer, part: engine::Part::Keep } => Self::Keep(transfer.0),
            engine::Action::Abandon { transfer, part: engine::Part::Discard } => Self::Discard(transfer.0),
            engine::Action::Event(event) => Self::Event(event.into()),
            engine::Action::Wait { until } => Self::Wait(micros(until)),
            engine::Action::Closed(result) => Self::Closed(result.into()),
        }
    }
}

impl From<&Offer<'_>> for Offered {
    fn from(offer: &Offer<'_>) -> Self {
        let mut identity = Identity { length: 0, bytes: [0; 16] };
        for (to, from) in identity.bytes.iter_mut().zip(offer.identity.as_bytes()) {
            *to = *from;
            identity.length = identity.length.saturating_add(1);
        }
        Self {
            transfer: offer.transfer,
            name: offer.name.as_bytes().into(),
            file_type: file_type_of(offer.directory, offer.listing, offer.executable),
            digest: offer.digest.code(),
            restart: offer.restart,
            want: offer.want.unwrap_or(0),
            size: offer.size.unwrap_or(UNKNOWN),
            modified: offer.modified.unwrap_or(UNKNOWN_TIME),
            identity,
        }
    }
}
