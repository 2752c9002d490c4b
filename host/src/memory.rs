//! What a session works in: buffers, slots and the limits that go with them.

mod recovery;

use std::io;

use memmap2::MmapMut;
use sampan_core::wire::DigestList;
use sampan_core::{
    AnyFraming, Both, Buffers, Cobs, Datagrams, Error, Framing as _, Incoming, Instant, Limits, Nonce,
    Outgoing, Receiver, Role, Sender, Session, Speaks, Stream,
};

use crate::checks::FastCrc32;
use crate::clock::Clock;
use crate::digests;
use crate::link::{LONGEST_DATAGRAM, Nature, StreamLink};
use recovery::Recovery;

/// A session as hosts have it: in the framing of its link, with the processor's CRC-32.
pub type HostSession<'m, R> = Session<'m, R, AnyFraming, FastCrc32>;

/// The largest frame that a host sends or takes, in bytes.
pub const FRAME: usize = 256 << 10;

/// What the framing needs before a frame.
const PREFIX: usize = 3;

/// The largest frame on a serial line.
const LINE_FRAME: usize = 4096;

/// How many transfers may be open at a time on a serial line.
const LINE_TRANSFERS: usize = 16;

/// The largest window where frames are datagrams.
const DATAGRAM_WINDOW: usize = 4 << 20;

/// How many transfers may be open at a time where frames are datagrams.
const DATAGRAM_TRANSFERS: usize = 64;

/// What a read may bring beyond a frame: the length of the next, so that it is known without another read. More would be read
/// for itself.
const SLACK: usize = PREFIX;

/// How many transfers may be open at a time in each direction.
pub const TRANSFERS: usize = 256;

/// The memory of one session, lent to it for as long as it lives.
#[derive(Debug)]
pub struct Memory {
    limits: Limits,
    receive: MmapMut,
    transmit: MmapMut,
    outgoing: Vec<Outgoing>,
    incoming: Vec<Incoming>,
    framing: AnyFraming,
    recovery: Recovery,
}

impl Memory {
    /// Memory for frames of [`FRAME`] bytes, and limits for a computer.
    ///
    /// # Errors
    ///
    /// If the system has no memory.
    pub fn new() -> io::Result<Self> {
        Self::with_frame(FRAME)
    }

    /// Memory for frames of up to so many bytes, and limits for a computer. What is not used of it is not taken from the system.
    ///
    /// # Errors
    ///
    /// If the system has no memory.
    pub fn with_frame(frame: usize) -> io::Result<Self> {
        let limits = Limits { checks: digests::ALL, makes: digests::ALL, ..Limits::LARGE };
        Ok(Self {
            limits,
            receive: MmapMut::map_anon(stuffed(frame) + SLACK)?,
            transmit: MmapMut::map_anon(stuffed(frame))?,
            outgoing: vec![Outgoing::FREE; TRANSFERS],
            incoming: vec![Incoming::FREE; TRANSFERS],
            framing: AnyFraming::Stream(Stream::new()),
            recovery: Recovery::None,
        })
    }

    /// The same for no more than so many transfers at a time in each direction.
    #[must_use]
    pub fn with_transfers(mut self, transfers: usize) -> Self {
        self.outgoing = vec![Outgoing::FREE; transfers];
        self.incoming = vec![Incoming::FREE; transfers];
        self
    }

    /// Both buffers, for an engine that is not a session, and the limits.
    pub fn buffers(&mut self) -> (Buffers<'_>, &Limits) {
        (Buffers { receive: &mut self.receive, transmit: &mut self.transmit }, &self.limits)
    }

    /// For this link: frames of a packet link are datagrams, and what a serial line carries in a quarter of a second may be under way, in frames that do not take long.
    ///
    /// # Errors
    ///
    /// If the system has no memory.
    pub fn for_link(link: &StreamLink, frame: usize, transfers: usize, limits: Limits) -> io::Result<Self> {
        let rate = match link.nature() {
            Nature::Stream => {
                return Ok(Self::with_frame(frame)?.with_transfers(transfers).with_limits(limits));
            }
            Nature::Line { rate } => rate,
            Nature::Datagrams { holds } => {
                let memory = Self::for_datagrams(frame, holds, limits)?;
                return Ok(memory.with_transfers(transfers.min(DATAGRAM_TRANSFERS)));
            }
        };
        let window = u32::try_from(rate / 4).unwrap_or(u32::MAX).clamp(1 << 10, 64 << 10);
        let memory = Self::with_frame(LINE_FRAME)?.with_transfers(transfers.min(LINE_TRANSFERS));
        let memory = memory.with_limits(Limits { window, eager: 0, ..limits });
        Ok(Self { framing: AnyFraming::Cobs(Cobs::new()), ..memory })
    }

    /// For frames that are datagrams, as long as one may be, of which so many bytes may wait to be read.
    ///
    /// # Errors
    ///
    /// If the system has no memory.
    pub fn for_datagrams(frame: usize, holds: usize, limits: Limits) -> io::Result<Self> {
        let frame = frame.min(LONGEST_DATAGRAM);
        let window = u32::try_from(holds.clamp(64 << 10, DATAGRAM_WINDOW)).unwrap_or(u32::MAX);
        let receive = (frame..).find(|length| AnyFraming::largest(*length) == frame).unwrap_or(frame);
        let transmit = (frame..).find(|length| AnyFraming::fits(*length) == frame).unwrap_or(frame);
        Ok(Self {
            limits: Limits { window, eager: 0, ..limits },
            receive: MmapMut::map_anon(receive)?,
            transmit: MmapMut::map_anon(transmit)?,
            outgoing: vec![Outgoing::FREE; DATAGRAM_TRANSFERS],
            incoming: vec![Incoming::FREE; DATAGRAM_TRANSFERS],
            framing: AnyFraming::Datagrams(Datagrams),
            recovery: Recovery::None,
        })
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same, checking and making these digests, the preferred first.
    #[must_use]
    pub fn with_digests(self, kinds: DigestList) -> Self {
        let limits = Limits { checks: kinds, makes: kinds, ..self.limits };
        Self { limits, ..self }
    }

    /// A session that sends.
    ///
    /// # Errors
    ///
    /// See [`Session::with_framing`].
    pub fn sender(&mut self, opening: Opening) -> Result<HostSession<'_, Sender<'_>>, Error> {
        let Self { limits, receive, transmit, outgoing, framing, recovery, .. } = self;
        let role = recovery.sender(framing.link(), outgoing);
        session((receive, transmit), limits, role, *framing, opening)
    }

    /// A session that receives.
    ///
    /// # Errors
    ///
    /// See [`Session::with_framing`].
    pub fn receiver(&mut self, opening: Opening) -> Result<HostSession<'_, Receiver<'_>>, Error> {
        let Self { limits, receive, transmit, incoming, framing, recovery, .. } = self;
        let role = recovery.receiver(framing.link(), incoming);
        session((receive, transmit), limits, role, *framing, opening)
    }

    /// A session that sends and receives.
    ///
    /// # Errors
    ///
    /// See [`Session::with_framing`].
    pub fn both(&mut self, opening: Opening) -> Result<HostSession<'_, Both<'_>>, Error> {
        let Self { limits, receive, transmit, outgoing, incoming, framing, recovery } = self;
        let role = recovery.both(framing.link(), outgoing, incoming);
        session((receive, transmit), limits, role, *framing, opening)
    }
}

/// Bytes that a frame needs in a buffer, whatever the framing.
const fn stuffed(frame: usize) -> usize {
    frame + PREFIX + 2 + frame / 254
}

/// Who speaks first in a session, and its number.
pub(crate) type Begins = (Speaks, Nonce);

/// How a session begins.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// Who begins to speak.
    pub speaks: Speaks,
    /// The session's number.
    pub nonce: Nonce,
    /// When the link began: its deadline counts from then.
    pub since: Instant,
}

impl Opening {
    /// Of a link that was dialled: it goes on with the session that dialling has begun, or begins to speak with a random nonce.
    ///
    /// # Errors
    ///
    /// If the system has no randomness to give.
    pub fn dialled(link: &StreamLink, clock: Clock) -> io::Result<Self> {
        match link.begun() {
            Some(nonce) => Ok(Self { speaks: Speaks::Second, nonce: Nonce::new(nonce), since: clock.now() }),
            None => Self::new(Speaks::First, clock),
        }
    }

    /// Now, with a random nonce.
    ///
    /// # Errors
    ///
    /// If the system has no randomness to give.
    pub fn new(speaks: Speaks, clock: Clock) -> io::Result<Self> {
        Ok(Self { speaks, nonce: Nonce::new(getrandom::u64()?), since: clock.now() })
    }
}

fn session<'m, R: Role<'m>>(
    (receive, transmit): (&'m mut [u8], &'m mut [u8]),
    limits: &'m Limits,
    role: R,
    framing: AnyFraming,
    opening: Opening,
) -> Result<HostSession<'m, R>, Error> {
    let Opening { speaks, nonce, since } = opening;
    let buffers = Buffers { receive, transmit };
    Session::with_framing(buffers, limits, role, (framing, FastCrc32), (speaks, nonce), since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sampan_core::wire::{Hello, Kind};
    use sampan_core::{Action, Engine as _};

    #[test]
    fn a_datagram_is_as_long_as_one_may_be_and_no_longer() {
        let mut memory = Memory::for_datagrams(FRAME, 1 << 30, Limits::LARGE).unwrap();
        assert_eq!(AnyFraming::fits(memory.transmit.len()), LONGEST_DATAGRAM);
        let opening = Opening { speaks: Speaks::First, nonce: Nonce::new(5), since: Instant::ZERO };
        let mut session = memory.both(opening).unwrap();
        let Action::Transmit(said) = session.poll(Instant::ZERO) else { panic!() };
        assert_eq!((said.len(), said[0]), (60, Kind::Hello.code()));
        let hello = Hello::parse(&said[1..56]).unwrap();
        assert_eq!((hello.frame as usize, hello.window, hello.eager), (LONGEST_DATAGRAM, 4 << 20, 0));
    }
}
