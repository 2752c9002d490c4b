//! The beginning of a session.

use core::mem::align_of;
use core::{ptr, slice};

use sampan_core::wire::Nibble;
use sampan_core::{self as engine, AnyFraming, Buffers, Cobs, Datagrams, Nonce, Stream};

use crate::bytes::Room;
use crate::lent::{Answer, Lent};
use crate::limits::Limits;
use crate::role;
use crate::session::{Place, Session, instant};
use crate::sizes::SESSION_SIZE;

/// The memory of a session: the caller's, and used by nobody else until the session is over.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Memory {
    /// SAMPAN_SESSION_SIZE bytes at a multiple of SAMPAN_ALIGN.
    pub session: Room,
    /// SAMPAN_INCOMING_SIZE bytes for each transfer that may come to this end at a time, at least one; at a multiple of SAMPAN_ALIGN.
    pub incoming: Room,
    /// SAMPAN_OUTGOING_SIZE bytes for each transfer that may go from this end at a time, at least one; at a multiple of SAMPAN_ALIGN. Not used by a library
    /// that only receives.
    pub outgoing: Room,
    /// What lies beyond gaps, on a link that loses frames: SAMPAN_LIST_SIZE bytes and SAMPAN_GAP_SIZE for each gap, of which 4, 16 or 64 are used; at a
    /// multiple of SAMPAN_ALIGN. May be NULL: then everything from the first loss on comes again, as it does with a library that
    /// was built without the feature `repair`.
    pub gaps: Room,
    /// What the peer lacks, on a link that loses frames: SAMPAN_LIST_SIZE bytes and SAMPAN_REPAIR_SIZE for each range, of which 4, 16 or 64 are used; at a
    /// multiple of SAMPAN_ALIGN. May be NULL: then everything from the first loss on is sent again, as it is by a library that
    /// was built without the feature `repair`.
    pub repairs: Room,
    /// Holds what the link brings. Its length less a few bytes is the largest frame the peer may send; at least 72.
    pub receive: Room,
    /// Holds what goes to the link. Its length bounds the frames that this end sends; at least 72.
    pub transmit: Room,
}

/// How a session begins.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Setup {
    /// One of sampan_framing, as the link is.
    pub framing: u8,
    /// One of sampan_speaks.
    pub speaks: u8,
    /// A number that no earlier session had: anything that differs from one boot to the next.
    pub nonce: u64,
    /// Bounds of this end.
    pub limits: Limits,
}

/// Where a frame begins and ends on a link (§2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Framing {
    /// A byte stream that loses nothing: TCP, a Unix socket, USB.
    Stream = 0,
    /// A byte stream that may lose, damage and inject bytes: a UART.
    Cobs = 1,
    /// Datagrams: what is transmitted is one, and so is what is received.
    Datagrams = 2,
}

/// Who begins to speak on a link (§8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Speaks {
    /// This end: it dialled.
    First = 0,
    /// The peer; this end says nothing until it has.
    Second = 1,
}

/// Why a session has not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// It has begun.
    None = 0,
    /// A part of the memory is NULL or too small.
    TooSmall = 1,
    /// A part of the memory is not at a multiple of SAMPAN_ALIGN.
    Misaligned = 2,
    /// The setup has a number that is none of those named.
    Unknown = 3,
}

/// A session that has begun, or why it has not.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Begun {
    /// The session, in the memory that was lent; NULL if it has not begun.
    pub session: *mut Session,
    /// Why it has not.
    pub fault: Fault,
}

/// A session on a link that has just been opened. There is nothing to be freed when it is over: the memory may be used again.
/// The memory is as it says, nobody else reads or writes it until the session is over, and no part of it overlaps another.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sampan_begin(memory: &Memory, setup: &Setup, now: u64) -> Begun {
    // SAFETY: the caller's promise.
    match unsafe { begin(memory, setup, now) } {
        Ok(session) => Begun { session, fault: Fault::None },
        Err(fault) => Begun { session: ptr::null_mut(), fault },
    }
}

/// # Safety
///
/// As [`sampan_begin`].
unsafe fn begin(memory: &Memory, setup: &Setup, now: u64) -> Result<*mut Session, Fault> {
    let framing = match setup.framing {
        0 => AnyFraming::Stream(Stream::new()),
        1 => AnyFraming::Cobs(Cobs::new()),
        2 => AnyFraming::Datagrams(Datagrams),
        _ => return Err(Fault::Unknown),
    };
    let speaks = match setup.speaks {
        0 => engine::Speaks::First,
        1 => engine::Speaks::Second,
        _ => return Err(Fault::Unknown),
    };
    let place: *mut Place = first(memory.session, SESSION_SIZE)?;
    // SAFETY: they are lent, and looked at nowhere else.
    let (role, receive, transmit) =
        unsafe { (role::role(memory)?, slots(memory.receive, 1, 0)?, slots(memory.transmit, 1, 0)?) };
    // SAFETY: `first` has found it large enough and aligned; nobody else looks at it.
    let limits: &'static engine::Limits = unsafe {
        let limits = &raw mut (*place).limits;
        limits.write(setup.limits.to_engine());
        &*limits
    };
    let inner = engine::Session::with_framing(
        Buffers { receive, transmit },
        limits,
        role,
        (framing, Nibble),
        (speaks, Nonce::new(setup.nonce)),
        instant(now),
    );
    let inner = inner.map_err(|_| Fault::TooSmall)?;
    // SAFETY: as above; the limits lie beside it.
    unsafe {
        let session = &raw mut (*place).session;
        session.write(Session { inner, lent: Lent::Nothing, answer: Answer::None });
        Ok(session)
    }
}

/// Where a value of this type lies in a room of at least so many bytes.
pub(crate) fn first<T>(room: Room, needed: usize) -> Result<*mut T, Fault> {
    if room.bytes.is_null() || room.length < needed {
        return Err(Fault::TooSmall);
    }
    if room.bytes.align_offset(align_of::<T>()) != 0 {
        return Err(Fault::Misaligned);
    }
    Ok(room.bytes.cast())
}

/// As many of these values as there is room for, if each is said to need `size` bytes, which is no less than it does.
///
/// # Safety
///
/// The room is as it says, and nobody else uses it as long as the result is used.
pub(crate) unsafe fn slots<T: Clone>(room: Room, size: usize, value: T) -> Result<&'static mut [T], Fault> {
    let start = first::<T>(room, size)?;
    let count = room.length.checked_div(size).unwrap_or_default();
    for index in 0..count {
        // SAFETY: `count` values fit the room, and it is aligned.
        unsafe { start.add(index).write(value.clone()) };
    }
    // SAFETY: all of them have just been written.
    Ok(unsafe { slice::from_raw_parts_mut(start, count) })
}
