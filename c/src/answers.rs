//! The loop of a caller: what the link brings, what is to be done, and what became of it.

use core::ffi::c_char;

use sampan_core::wire::{Code, FileName, Identity};
use sampan_core::{self as engine, Asked, Engine, Refusal, ResumePoint, TransferId, Verdict};

use crate::action::{self, Action, UNKNOWN, UNKNOWN_TIME};
use crate::bytes::{Room, Text, words};
use crate::code::file_type;
use crate::lent::{Answer, Lent};
use crate::session::{Session, instant, micros};

/// What a transfer is, for its offer (§5.1).
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Description {
    /// Its name; empty only for a listing of everything.
    pub name: Text,
    /// What it is: one of sampan_file_type.
    pub file_type: u8,
    /// Whether it may go ahead of the answer: one of sampan_start.
    pub start: u8,
    /// Bytes in all; SAMPAN_UNKNOWN if that is not known.
    pub size: u64,
    /// Nanoseconds since 1970, leap seconds not counted; SAMPAN_UNKNOWN_TIME if that is not known.
    pub modified: i64,
    /// What tells these contents from others of the same name; no bytes if it cannot be resumed.
    pub identity: action::Identity,
}

/// Where bytes from the link go next; no room while a frame that was received waits for the caller.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_receive_buffer(session: &mut Session) -> Room {
    session.inner.receive_buffer().into()
}

/// So many bytes were read into the receive buffer. In datagrams, they are one.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_received(session: &mut Session, length: usize, now: u64) {
    session.inner.received(length, instant(now));
}

/// The link has ended or failed: no more bytes will come, and none will go.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_link_lost(session: &mut Session, now: u64) {
    session.inner.link_lost(instant(now));
}

/// The link takes no more bytes, but may still bring some: to be read until it ends.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_unwritable(session: &mut Session, now: u64) {
    session.inner.unwritable(instant(now));
}

/// When the session must be polled again at the latest, if nothing else happens before; SAMPAN_NEVER once it is over.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_deadline(session: &mut Session) -> u64 {
    micros(session.inner.deadline())
}

/// What the caller must do now.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_poll(session: &mut Session, now: u64) -> Action {
    let Session { inner, lent, answer } = session;
    loop {
        let action = match inner.poll(instant(now)) {
            engine::Action::Offered(offered) => match answer.take_offered(offered.transfer) {
                Some(verdict) => {
                    match verdict {
                        Verdict::Accept(from) => offered.accept(from),
                        Verdict::AcceptInOrder(from) => offered.accept_in_order(from),
                        Verdict::Have => offered.have(),
                        Verdict::Decline(refusal) => offered.decline(refusal),
                    }
                    continue;
                }
                None => engine::Action::Offered(offered),
            },
            engine::Action::Wanted(wanted) => match answer.take_wanted(wanted.transfer) {
                Some(served) => {
                    match served {
                        Ok(()) => wanted.serve(),
                        Err(refusal) => wanted.refuse(refusal),
                    }
                    continue;
                }
                None => engine::Action::Wanted(wanted),
            },
            action => action,
        };
        *lent = Lent::of(&action);
        return action.into();
    }
}

impl Session {
    /// Answers an offer, if one was lent.
    fn decided(&mut self, verdict: Verdict) {
        if let Lent::Offered(transfer) = self.lent {
            self.answer = Answer::Offered(transfer, verdict);
        }
    }

    /// Answers a wish, if one was lent.
    fn served(&mut self, served: Result<(), Refusal>) {
        if let Lent::Wanted(transfer) = self.lent {
            self.answer = Answer::Wanted(transfer, served);
        }
    }

    fn refused(&mut self, refusal: Refusal) {
        match self.lent {
            Lent::Nothing => {}
            Lent::Describe => self.inner.described(Err(refusal)),
            Lent::Ask => self.inner.asked(Err(refusal)),
            Lent::Fetch => self.inner.fetched(Err(refusal)),
            Lent::Finish => self.inner.finished(Err(refusal)),
            Lent::Store => self.inner.stored(Err(refusal)),
            Lent::Offered(_) => self.decided(Verdict::Decline(refusal)),
            Lent::Wanted(_) => self.served(Err(refusal)),
        }
    }
}

/// Answers SAMPAN_ACTION_TRANSMIT: the link took so many bytes; 0 if it takes none until it is ready again.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_transmitted(session: &mut Session, length: usize) {
    session.inner.transmitted(length);
}

/// Answers SAMPAN_ACTION_DESCRIBE.
/// The name is as long as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sampan_described(session: &mut Session, description: &Description) {
    // SAFETY: the caller's promise.
    let name = unsafe { description.name.as_str() };
    session.inner.described(describe(description, name).map_err(Refusal::from));
}

fn describe<'a>(from: &Description, name: Option<&'a str>) -> Result<engine::Description<'a>, Code> {
    let file_type = file_type(from.file_type).ok_or(Code::Unsupported)?;
    let name = match name {
        Some("") if file_type == engine::FileType::Listing => None,
        Some(name) => Some(FileName::new(name).map_err(|_| Code::BadName)?),
        None => return Err(Code::BadName),
    };
    let identity = from.identity.bytes.get(..usize::from(from.identity.length)).and_then(Identity::new);
    Ok(engine::Description {
        name,
        file_type,
        size: Some(from.size).filter(|size| *size != UNKNOWN),
        modified: Some(from.modified).filter(|time| *time != UNKNOWN_TIME),
        identity: identity.unwrap_or(Identity::EMPTY),
        start: if from.start == 1 { engine::Start::Eager } else { engine::Start::AfterAnswer },
    })
}

/// Answers SAMPAN_ACTION_ASK: a file of this name.
/// The name is as long as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sampan_asked_file(session: &mut Session, name: Text) {
    // SAFETY: the caller's promise.
    let name = unsafe { name.as_str() }.and_then(|name| FileName::new(name).ok());
    session.inner.asked(name.map(Asked::File).ok_or(Code::BadName.into()));
}

/// Answers SAMPAN_ACTION_ASK: a listing of what begins with this, or of everything if it is empty.
/// The prefix is as long as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sampan_asked_listing(session: &mut Session, prefix: Text) {
    // SAFETY: the caller's promise.
    let asked = match unsafe { prefix.as_str() } {
        Some("") => Ok(Asked::Listing(None)),
        Some(prefix) => {
            FileName::new(prefix).map(|prefix| Asked::Listing(Some(prefix))).map_err(|_| Code::BadName)
        }
        None => Err(Code::BadName),
    };
    session.inner.asked(asked.map_err(Refusal::from));
}

/// Answers SAMPAN_ACTION_FETCH: so many bytes were read; 0 at the source's end.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_fetched(session: &mut Session, length: usize) {
    session.inner.fetched(Ok(length));
}

/// Answers SAMPAN_ACTION_FINISH: the digest has so many bytes; 0 if none was asked for.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_finished(session: &mut Session, length: usize) {
    session.inner.finished(Ok(length));
}

/// Answers SAMPAN_ACTION_SAY: the words have so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_said(session: &mut Session, length: usize) {
    session.inner.said(length);
}

/// Answers SAMPAN_ACTION_OFFERED: takes it, from what this end's part holds already: its first `offset` bytes, whose CRC-32 is `check`; 0 and 0 if nothing.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_accepted(session: &mut Session, offset: u64, check: u32) {
    session.decided(Verdict::Accept(ResumePoint { offset, check }));
}

/// Answers SAMPAN_ACTION_OFFERED: takes it likewise, for a sink that takes bytes only one after the other.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_accepted_in_order(session: &mut Session, offset: u64, check: u32) {
    session.decided(Verdict::AcceptInOrder(ResumePoint { offset, check }));
}

/// Answers SAMPAN_ACTION_OFFERED: this end has it all.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_had(session: &mut Session) {
    session.decided(Verdict::Have);
}

/// Answers SAMPAN_ACTION_WANTED: it will be sent.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_served(session: &mut Session) {
    session.served(Ok(()));
}

/// Answers SAMPAN_ACTION_STORE: the sink took so many bytes; 0 if it is busy.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_stored(session: &mut Session, length: usize) {
    session.inner.stored(Ok(length));
}

/// Answers SAMPAN_ACTION_SYNC: everything of the transfer below `durable` survives a power cut.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_synced(session: &mut Session, transfer: u32, durable: u64) {
    session.inner.synced(TransferId(transfer), durable);
}

/// Answers SAMPAN_ACTION_COMMIT: it is in place if the code is SAMPAN_CODE_OK, else not, for this reason. The words may be NULL.
/// The words end with a zero, and stay as they are until the session is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sampan_committed(
    session: &mut Session,
    transfer: u32,
    code: u8,
    why: *const c_char,
) {
    let result = match Code::from_code(code) {
        Code::Ok => Ok(()),
        // SAFETY: the caller's promise.
        code => Err(Refusal { code, words: unsafe { words(why) } }),
    };
    session.inner.committed(TransferId(transfer), result);
}

/// Refuses what the last poll lent, if it can be refused. `SAMPAN_CODE_WAIT` makes it be asked for again later. The words may be NULL.
/// The words end with a zero, and stay as they are until the session is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sampan_refused(session: &mut Session, code: u8, why: *const c_char) {
    // SAFETY: the caller's promise.
    let words = unsafe { words(why) };
    session.refused(Refusal { code: Code::from_refusal(code), words });
}
