//! A session with one of those whom the board speaks with, and the next one in the same memory.

use embedded_io::{Read, ReadReady, Write, WriteReady};
use sampan_core::driver::{Turn, nb::turn};
use sampan_core::wire::{Nibble, NodeName};
use sampan_core::{
    Both, Buffers, Engine, Error, Event, Framing, Incoming, Instant, Limits, Next, Nonce, Outgoing, Receiver,
    Sender, Session, Speaks,
};

use crate::files::{Files, Who};
use crate::said::{Shown, say};

/// The memory of a session: two buffers of `N` bytes, and room for one transfer each way.
#[derive(Debug)]
pub struct Memory<const N: usize> {
    receive: [u8; N],
    transmit: [u8; N],
    incoming: [Incoming; 1],
    outgoing: [Outgoing; 1],
}

impl<const N: usize> Memory<N> {
    /// Memory that no session has used yet.
    pub const NEW: Self =
        Self { receive: [0; N], transmit: [0; N], incoming: [Incoming::FREE], outgoing: [Outgoing::FREE] };

    /// A session in this memory, on a link that is not there yet: the first is the one after it.
    pub fn session<F: Framing + Default>(
        &'static mut self,
        limits: &'static Limits,
    ) -> Session<'static, Both<'static>, F> {
        let Self { receive, transmit, incoming, outgoing } = self;
        let session = Session::with_framing(
            Buffers { receive, transmit },
            limits,
            Both { sender: Sender::new(outgoing), receiver: Receiver::new(incoming) },
            (F::default(), Nibble),
            (Speaks::First, Nonce::new(1)),
            Instant::ZERO,
        );
        session.expect("the buffers are large enough")
    }
}

/// What came of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There may be more to do.
    Worked,
    /// The session is open.
    Opened,
    /// There is nothing to do before something comes, or this time has come.
    Waits(Option<Instant>),
    /// The session is over.
    Ended(Result<(), Error>),
}

/// The session, or the one that was last.
#[derive(Debug)]
pub struct Conversation<F> {
    /// Always there, but while it is renewed.
    session: Option<Session<'static, Both<'static>, F>>,
    /// With whom.
    pub who: Who,
}

impl<F: Framing + Default> Conversation<F> {
    /// The memory for its sessions, of which none has begun.
    pub fn new<const N: usize>(memory: &'static mut Memory<N>, limits: &'static Limits, who: Who) -> Self {
        Self { session: Some(memory.session(limits)), who }
    }

    /// Begins the next session, in place of the one before.
    pub fn begin(&mut self, opening: (Speaks, Nonce), now: Instant) {
        self.session = self.session.take().map(|session| session.renewed(F::default(), opening, now));
    }

    /// Says to the other end that the board stays.
    pub fn attach(&mut self, name: NodeName<'static>) {
        if let Some(session) = &mut self.session {
            session.attach(name);
        }
    }

    /// The session.
    pub(crate) fn session(&mut self) -> Option<&mut Session<'static, Both<'static>, F>> {
        self.session.as_mut()
    }

    /// Takes one turn, which is at most one read and one action.
    pub fn turn<L>(&mut self, link: &mut L, files: &mut Files<'_>, now: Instant) -> Progress
    where
        L: Read + Write + ReadReady + WriteReady,
    {
        let who = self.who;
        let Some(session) = &mut self.session else { return Progress::Ended(Ok(())) };
        match turn(session, link, &mut files.desk(who), now) {
            Ok(Turn::Event(Event::Opened)) => return Progress::Opened,
            Ok(Turn::Event(Event::Received { .. })) => {
                if let Some((name, size)) = files.came(who) {
                    say(format_args!("has {}, {size} bytes", Shown(name)));
                }
            }
            Ok(Turn::Event(Event::ReceiveFailed(failure))) => {
                say(format_args!("a file has not come: {}", failure.code));
            }
            Ok(Turn::Event(Event::Sent { .. } | Event::SendFailed(_))) => files.sent(who),
            Ok(Turn::Event(Event::Notice(words))) => say(format_args!("is told: {}", Shown(words))),
            Ok(Turn::Worked | Turn::Event(_)) => {}
            Err(nb::Error::WouldBlock) => {
                if let Next::Wait(until) = session.next(now) {
                    return Progress::Waits(until);
                }
            }
            Ok(Turn::Closed) => return self.ended(Ok(()), files),
            Err(nb::Error::Other(error)) => return self.ended(Err(error), files),
        }
        Progress::Worked
    }

    fn ended(&self, how: Result<(), Error>, files: &mut Files<'_>) -> Progress {
        files.left(self.who);
        Progress::Ended(how)
    }
}
