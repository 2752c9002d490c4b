//! The engine's state, and what happens to it that no frame brings.

use super::framing::Framing;
use super::owed::{CHECK, CREDIT, FRAME, ID, NAME, NONCE, NONCE_HIGH, Owed, RECEIVED, Reply, SAID, WINDOW};
use super::sender::{Role, Sender};
use super::state::{Begun, Farewell, Gap, Phase, Readiness, Todo};
use super::{Moment, Span};
use crate::error::{Error, LinkError, ResourceError};
use crate::session::transitions::SessionState;
use crate::session::{Buffers, Nonce, Speaks};
use crate::storage::Part;
use crate::units::Instant;
use crate::wire::{Code, Crc32, MIN_FRAME, Nibble};

const HANDSHAKE: Span = Span::seconds(10);
const KEEP_ALIVE: Span = Span::seconds(10);
const SILENCE: Span = Span::seconds(30);
const STALL: Span = Span::seconds(300);
const LINGER: Span = Span::seconds(1);
const SYNC: Span = Span::seconds(1);
/// What is said again comes after this, then after twice as long, up to the second.
const REPEAT: Span = Span::seconds(1);
const LONGEST_REPEAT: Span = Span::seconds(5);

/// An end that only receives.
pub type Receiver<'b, F, C = Nibble> = Session<'b, F, C>;

/// An end that receives and sends.
pub type Node<'b, F, C = Nibble> = Session<'b, F, C, Sender>;

/// A session over one link; see [the module](super). `F` is the framing, `C` computes the check, and `R` is what it has beside its receiver.
// What is narrow comes first: the short loads of small processors reach no further. What begins as zero lies in short runs: longer ones
// would be filled by a function that is larger than all of `new`.
#[derive(Debug)]
#[repr(C)]
pub struct Session<'b, F, C = Nibble, R = ()> {
    pub(super) state: SessionState,
    pub(super) phase: Phase,
    pub(super) todo: Todo,
    pub(super) link: Readiness,
    /// Whether the sink was busy, or the source had nothing, in this round already.
    pub(super) asked: Readiness,
    pub(super) gap: Gap,
    pub(super) begun: Begun,
    pub(super) bye: Farewell,
    /// What becomes of the part, once what it has is durable.
    pub(super) leaving: Part,
    pub(super) owed: Owed,
    pub(super) reply: Reply,
    /// How the last transfer ended.
    pub(super) ended: Code,
    pub(super) framing: F,
    pub(super) crc: C,
    pub(super) now: Moment,
    /// What of the transmit buffer is still to go to the link.
    pub(super) sent: usize,
    pub(super) end: usize,
    /// Bytes of the frame under way, at the start of the receive buffer.
    pub(super) fill: usize,
    pub(super) heard: Moment,
    /// What the link has brought behind it: looked at up to here ...
    pub(super) head: usize,
    /// ... and there up to here.
    pub(super) tail: usize,
    pub(super) receive: &'b mut [u8],
    /// The next field of the frame, and where its fields end.
    pub(super) at: usize,
    pub(super) stop: usize,
    pub(super) spoke: Moment,
    pub(super) size: u32,
    /// When a transfer came further.
    pub(super) progressed: Moment,
    pub(super) unsynced: u32,
    pub(super) untold: u32,
    pub(super) transmit: &'b mut [u8],
    /// What frames say, by the places in their tables (`owed.rs`).
    pub(super) said: [u32; SAID],
    /// Start values of the checks of frames to and from the peer (§3.4).
    pub(super) sending: u32,
    pub(super) receiving: u32,
    pub(super) sync_bytes: u32,
    pub(super) repeated: Moment,
    pub(super) synced: Moment,
    pub(super) patience: Span,
    /// The peer's, 0 before its first HELLO.
    pub(super) peer: u64,
    pub(super) error: Option<Error>,
    pub(super) role: R,
}

/// What a session is to be told of itself.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Setup {
    /// Who begins to speak.
    pub speaks: Speaks,
    /// A number for this session that no earlier one had.
    pub nonce: Nonce,
    /// Bytes of DATA that may be on their way to this end. What exceeds the receive buffer waits in the link, such as a UART's ring, or must be stored at line
    /// rate.
    pub window: u32,
    /// The storage is asked to make durable what it has after so many bytes, or after a second.
    pub sync_bytes: u32,
}

#[cfg(feature = "defmt")]
impl<F, C, R> defmt::Format for Session<'_, F, C, R> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Session {{ nonce: {=u64:#x}, state: {}, error: {} }}",
            self.nonce(),
            self.state,
            self.error
        );
    }
}

impl<F, C, R> Session<'_, F, C, R> {
    pub(super) fn nonce(&self) -> u64 {
        u64::from(self.said[NONCE]) | u64::from(self.said[NONCE_HIGH]) << 32
    }
}

impl<'b, F: Framing, C: Crc32, R: Role> Session<'b, F, C, R> {
    /// A session on a link that has just been opened, at `now`.
    ///
    /// # Errors
    ///
    /// [`ResourceError::BufferTooSmall`] if the receive buffer has less than 61 bytes, or the transmit buffer less than 64.
    pub fn new(
        buffers: Buffers<'b>,
        setup: &Setup,
        (framing, crc, role): (F, C, R),
        now: Instant,
    ) -> Result<Self, Error> {
        let Buffers { receive, transmit } = buffers;
        if receive.len() <= MIN_FRAME || transmit.len() < MIN_FRAME + 4 {
            return Err(Error::Resource(ResourceError::BufferTooSmall { needed: MIN_FRAME + 4 }));
        }
        let now = Moment::of(now);
        let nonce = setup.nonce.number();
        let frame = Self::largest(receive.len()) as u32;
        let mut said = [0; SAID];
        (said[NONCE], said[NONCE_HIGH]) = (nonce as u32, (nonce >> 32) as u32);
        // An OFFER has at most so many bytes beside the name.
        (said[FRAME], said[NAME]) = (frame, frame.wrapping_sub(54));
        (said[WINDOW], said[CREDIT]) = (setup.window, setup.window);
        Ok(Self {
            state: SessionState::Opening,
            phase: Phase::Idle,
            todo: Todo::Nothing,
            owed: if setup.speaks == Speaks::First { Owed::HELLO } else { Owed::NOTHING },
            reply: Reply::Done,
            ended: Code::Unknown,
            link: Readiness::Ready,
            asked: Readiness::Ready,
            gap: Gap::None,
            begun: Begun::Anywhere,
            bye: Farewell::NotYet,
            leaving: Part::Keep,
            framing,
            crc,
            now,
            heard: now,
            spoke: now,
            progressed: now,
            repeated: now,
            synced: now,
            patience: REPEAT,
            transmit,
            sent: 0,
            end: 0,
            receive,
            said,
            fill: 0,
            head: 0,
            tail: 0,
            at: 0,
            stop: 0,
            sync_bytes: setup.sync_bytes,
            size: 0,
            unsynced: 0,
            untold: 0,
            sending: 0,
            receiving: 0,
            error: None,
            peer: 0,
            role,
        })
    }

    /// The largest frame that a receive buffer of `length` bytes holds: one byte of the link's comes behind it.
    pub(super) fn largest(length: usize) -> usize {
        length.wrapping_sub(1)
    }

    /// Whether the storage is asked to decide on an offer.
    pub(super) fn is_offered(&self) -> bool {
        self.todo == Todo::Offer
    }

    /// Whether the storage is asked to decide on a WANT.
    pub(super) fn is_wanted(&self) -> bool {
        self.todo == Todo::Wanted
    }

    /// Whether the end of what was sent is to be told.
    pub(super) fn is_to_tell(&self) -> bool {
        self.todo == Todo::Tell
    }

    /// The id of the newest transfer to this end.
    pub(super) fn incoming(&self) -> u32 {
        self.said[ID]
    }

    /// The id of the newest transfer of this end's.
    pub(super) fn outgoing(&mut self) -> u32 {
        self.role.sender().map_or(0, |sender| sender.id)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state == SessionState::Closed
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == SessionState::Open
    }

    /// Whether no transfer is under way.
    pub(super) fn is_idle(&mut self) -> bool {
        self.phase == Phase::Idle && !self.role.sender().is_some_and(|sender| sender.is_busy())
    }

    /// A transfer has come further, or something else that resets what is said again.
    pub(super) fn progress(&mut self) {
        self.progressed = self.now;
        self.repeated = self.now;
        self.patience = REPEAT;
    }

    /// Ends the session.
    #[inline(never)]
    pub(super) fn end(&mut self, error: Error) {
        if matches!(self.state, SessionState::Ending | SessionState::Closed) {
            return;
        }
        self.state = SessionState::Ending;
        log!(warn, "session {=u64:#x} ends: {}", self.nonce(), error);
        self.error = Some(error);
        self.heard = self.now;
        self.leave(Part::Keep, Code::Unknown);
        if let Some(sender) = self.role.sender() {
            sender.lost();
        }
        self.owed = Owed::NOTHING;
    }

    /// Ends the session, and tells the peer if it can hear that.
    #[inline(never)]
    pub(super) fn fail(&mut self, error: Error, code: Code) {
        let greeted = self.peer != 0 && !self.owed.has(Owed::HELLO);
        self.end(error);
        if greeted {
            self.reply(Reply::End, 0, code);
        }
    }

    /// The transfer is over without a commit.
    #[inline(never)]
    pub(super) fn leave(&mut self, part: Part, code: Code) {
        self.ended = code;
        if self.phase == Phase::Receiving {
            log!(
                warn,
                "receives {=u32}: over at {=u32}, {}, {}",
                self.said[ID],
                self.said[RECEIVED],
                code,
                part
            );
            self.leaving = part;
            self.todo = if part == Part::Keep && self.unsynced > 0 { Todo::Sync } else { Todo::Abandon };
        }
        self.phase = Phase::Idle;
    }

    /// It is over, and the peer is told.
    #[inline(never)]
    pub(super) fn finish(&mut self, reply: Reply, code: Code, part: Part) {
        self.leave(part, code);
        self.reply(reply, self.said[ID], code);
    }

    /// The sink has taken `n` bytes.
    #[inline(never)]
    pub(super) fn took(&mut self, n: usize) {
        let rest = self.receive.get(self.at..self.stop).unwrap_or_default();
        let bytes = rest.get(..n).unwrap_or(rest);
        self.said[CHECK] = self.crc.update(self.said[CHECK], bytes);
        let added = bytes.len() as u32;
        if self.unsynced == 0 {
            self.synced = self.now;
        }
        self.at = self.at.wrapping_add(added as usize);
        self.said[RECEIVED] = self.said[RECEIVED].wrapping_add(added);
        self.unsynced = self.unsynced.wrapping_add(added);
        self.untold = self.untold.wrapping_add(added);
        self.progress();
        self.gap = Gap::None;
        if self.said[CREDIT] == 0 || self.untold >= self.said[WINDOW] / 2 {
            self.said[CREDIT] = self.said[WINDOW];
            self.owed.add(Owed::ACK);
        }
        if self.at >= self.stop {
            self.fill = 0;
            self.todo = Todo::Nothing;
            self.sync_if(self.unsynced >= self.sync_bytes);
        }
    }

    fn sync_if(&mut self, due: bool) {
        if due && self.phase == Phase::Receiving && self.unsynced > 0 && self.todo == Todo::Nothing {
            self.todo = Todo::Sync;
        }
    }

    /// What has become too late; whether that makes anything to do.
    pub(super) fn expire(&mut self) -> bool {
        let now = self.now;
        if self.is_idle() {
            self.progressed = now;
        }
        let span = match self.state {
            SessionState::Opening => HANDSHAKE,
            SessionState::Open => SILENCE,
            SessionState::Ending | SessionState::Closed => LINGER,
        };
        if self.heard.is_past(span, now) {
            match self.state {
                SessionState::Opening => self.end(LinkError::Handshake.into()),
                SessionState::Open => self.end(LinkError::Silent.into()),
                SessionState::Ending | SessionState::Closed => self.cut(),
            }
            return true;
        }
        if self.progressed.is_past(STALL, now) {
            self.fail(LinkError::Stalled.into(), Code::Timeout);
            return true;
        }
        if self.is_open() && self.spoke.is_past(KEEP_ALIVE, now) {
            self.owed.add(Owed::PING);
        }
        self.sync_if(self.synced.is_past(SYNC, now));
        if F::LOSSY && self.repeated.is_past(self.patience, now) {
            self.repeated = now;
            self.patience = Span(self.patience.0.wrapping_mul(2).min(LONGEST_REPEAT.0));
            if self.is_open() {
                self.repeat();
            }
            if self.phase == Phase::Receiving {
                self.owed.add(Owed::ACK);
            } else if self.state == SessionState::Opening && self.end > 0 {
                self.owed.add(Owed::HELLO);
            }
        }
        self.todo == Todo::Sync || (self.sent >= self.end && self.owed != Owed::NOTHING)
    }

    /// Nothing more goes to the link.
    pub(super) fn cut(&mut self) {
        self.owed = Owed::NOTHING;
        self.end = self.sent;
    }
}
