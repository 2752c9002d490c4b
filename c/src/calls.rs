//! What the application asks of a session.

use sampan_core::TransferId;
use sampan_core::session::transitions::SessionState;
use sampan_core::wire::{Code, Crc32, Nibble, NodeName, UncheckedName};

use crate::bytes::{Bytes, Text};
use crate::session::{Session, State};

/// Queues a transfer, which SAMPAN_ACTION_DESCRIBE will ask about, and gives its id; 0 while there is no memory for another one, or after goodbye.
/// A library that only receives does not have it.
#[cfg(feature = "send")]
#[unsafe(no_mangle)]
pub extern "C" fn sampan_offer(session: &mut Session) -> u32 {
    session.inner.offer().map_or(0, |transfer| transfer.0)
}

/// Asks the peer for a file or a listing, whose name SAMPAN_ACTION_ASK will ask for, and gives the number of the wish; 0 while there is no
/// memory for another one, before the session is open, after goodbye, or if the peer has nothing to give.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_want(session: &mut Session) -> u32 {
    session.inner.want().map_or(0, |want| want.0)
}

/// Sends a notice to the peer's user, whose words SAMPAN_ACTION_SAY will ask for, and gives its number; 0 while another one has not been taken
/// yet, before the session is open, or after goodbye.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_notify(session: &mut Session) -> u32 {
    session.inner.notify().unwrap_or(0)
}

/// Sends a ping of this length, as far as a frame can have it, and gives its number, with which SAMPAN_EVENT_PONGED tells of the answer; 0 while another one
/// has not been written yet, before the session is open, or after goodbye.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_ping(session: &mut Session, length: usize) -> u32 {
    session.inner.ping(length).unwrap_or(0)
}

/// Says to the peer that this end stays and may be spoken to, and what it is called (§4.6): up to 64 letters, digits, `.`, `_` and `-`, or nothing. Whether
/// the name is right.
/// The name is as long as it says, and stays as it is until the session is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sampan_attach(session: &mut Session, name: Text) -> bool {
    // SAFETY: the caller's promise.
    let Some(name) = unsafe { name.as_str() }.and_then(|name| NodeName::new(name).ok()) else { return false };
    session.inner.attach(name);
    true
}

/// Starts nothing more, finishes what is under way, and says goodbye with this code: SAMPAN_CODE_OK, or why.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_close(session: &mut Session, code: u8) {
    session.inner.close(Code::from_code(code));
}

/// Ends the session at once, whatever is under way, and tells the peer why.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_abort(session: &mut Session, code: u8) {
    session.inner.abort(Code::from_refusal(code));
}

/// Gives a transfer of this end's up. A library that only receives does not have it.
#[cfg(feature = "send")]
#[unsafe(no_mangle)]
pub extern "C" fn sampan_cancel_sending(session: &mut Session, transfer: u32, code: u8) {
    session.inner.cancel(TransferId(transfer), Code::from_refusal(code));
}

/// Gives a transfer to this end up; its part is kept.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_cancel_receiving(session: &mut Session, transfer: u32, code: u8) {
    session.inner.refuse(TransferId(transfer), Code::from_refusal(code));
}

/// Whether no transfer is queued, under way, or to be reported.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_is_idle(session: &mut Session) -> bool {
    session.inner.is_idle()
}

/// Where the session stands.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_session_state(session: &Session) -> State {
    match session.inner.state() {
        SessionState::Opening => State::Opening,
        SessionState::Open => State::Open,
        SessionState::Ending => State::Ending,
        SessionState::Closed => State::Closed,
    }
}

/// How many bytes of a transfer of this end's the receiver has said that it has; 0 if the transfer is over. A library that only
/// receives does not have it.
#[cfg(feature = "send")]
#[unsafe(no_mangle)]
pub extern "C" fn sampan_acknowledged(session: &mut Session, transfer: u32) -> u64 {
    session.inner.acknowledged(TransferId(transfer)).unwrap_or(0)
}

/// The largest name the peer takes, in bytes; 0 before the session is open.
#[unsafe(no_mangle)]
pub extern "C" fn sampan_longest_name(session: &Session) -> usize {
    session.inner.longest_name()
}

/// Whether a name of the peer's is right (§6): a relative path that leads out of no directory. What a file system makes of it is another question.
/// The name is as long as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sampan_name_check(name: Text) -> bool {
    // SAFETY: the caller's promise.
    UncheckedName::new(unsafe { name.get() }).check().is_ok()
}

/// The CRC-32, as zlib has it, of what `crc` stands for followed by these bytes; 0 stands for nothing yet.
/// There are as many bytes as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sampan_crc32(crc: u32, data: Bytes) -> u32 {
    // SAFETY: the caller's promise.
    Nibble.update(crc, unsafe { data.get() })
}
