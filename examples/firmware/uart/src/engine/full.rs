//! The whole engine.

use sampan_core::driver::{self, Turn};
use sampan_core::session::Role;
use sampan_core::wire::Nibble;
use sampan_core::{
    Both, Buffers, Cobs, Engine, Event, Incoming, Instant, Limits, Next, Outgoing, Sender, Session, Storage,
};

use super::{Happened, Opening, WINDOW};
use crate::{Link, NAME_LEN, SECTOR};

static LIMITS: Limits = Limits { window: WINDOW, name: NAME_LEN as u16, sync_bytes: SECTOR, ..Limits::SMALL };

/// A session that receives.
pub type Receiver<'m> = Session<'m, sampan_core::Receiver<'m>, Cobs>;

/// A session that receives and sends.
pub type Node<'m> = Session<'m, Both<'m>, Cobs>;

/// What a session is made in.
#[derive(Debug)]
pub struct Memory {
    receive: [u8; 600],
    transmit: [u8; 600],
    incoming: [Incoming; 1],
    outgoing: [Outgoing; 1],
}

impl Memory {
    /// Nothing.
    pub const NEW: Self = Self {
        receive: [0; 600],
        transmit: [0; 600],
        incoming: [Incoming::FREE],
        outgoing: [Outgoing::FREE],
    };
}

fn begin<'m, R: Role<'m>>(
    buffers: Buffers<'m>,
    role: R,
    opening: Opening,
    now: Instant,
) -> Session<'m, R, Cobs> {
    let session = Session::with_framing(buffers, &LIMITS, role, (Cobs::new(), Nibble), opening, now);
    session.expect("the buffers are large enough")
}

/// Begins a session that receives.
pub fn receiver(memory: &mut Memory, opening: Opening, now: Instant) -> Receiver<'_> {
    let Memory { receive, transmit, incoming, .. } = memory;
    begin(Buffers { receive, transmit }, sampan_core::Receiver::new(incoming), opening, now)
}

/// Begins a session that receives and sends.
pub fn node(memory: &mut Memory, opening: Opening, now: Instant) -> Node<'_> {
    let Memory { receive, transmit, incoming, outgoing } = memory;
    let role = Both { sender: Sender::new(outgoing), receiver: sampan_core::Receiver::new(incoming) };
    begin(Buffers { receive, transmit }, role, opening, now)
}

/// The session that follows one that is over, if the peer has begun it.
pub fn successor<'m, R: Role<'m>>(session: &Session<'m, R, Cobs>) -> Option<Opening> {
    session.successor()
}

/// Takes a turn of a session.
pub fn turn<'m, R: Role<'m>>(
    session: &mut Session<'m, R, Cobs>,
    link: &mut Link,
    storage: &mut impl Storage,
    now: Instant,
) -> Happened {
    match driver::nb::turn(session, link, storage, now) {
        Ok(Turn::Event(Event::Opened)) => Happened::Met,
        Ok(Turn::Event(Event::Received { .. })) => Happened::Received,
        Ok(Turn::Event(Event::ReceiveFailed(failure))) => Happened::Failed(failure.code),
        Ok(Turn::Event(Event::Sent { .. } | Event::SendFailed(_))) => Happened::Sent,
        Ok(Turn::Worked | Turn::Event(_)) => Happened::Worked,
        Err(nb::Error::WouldBlock) => match session.next(now) {
            Next::Wait(Some(until)) if until > now => Happened::Nothing,
            _ => Happened::Worked,
        },
        Ok(Turn::Closed) | Err(nb::Error::Other(_)) => Happened::Closed,
    }
}
