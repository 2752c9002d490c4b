//! The side that takes a file: the server's (§14.2).

mod lending;

use core::ops::Range;

use super::line::Line;
use super::name::Gathered;
use super::size::{self, Announced};
use super::transitions::{ReceiverEvent, ReceiverState};
use super::{LINGER, MORE, check_buffers, text};
use crate::action::{Answer, Refusal};
use crate::error::{Error, LinkError};
use crate::limits::Limits;
use crate::session::Buffers;
use crate::units::{Instant, Millis};
use crate::wire::{Code, Crc32, Nibble};

/// Silence after the last announced byte that counts as the end of the stream (§14.4).
const QUIET: Millis = Millis(1_000);

const FEWER: Refusal = Refusal { code: Code::Integrity, words: "fewer bytes than announced" };
const MORE_BYTES: Refusal = Refusal { code: Code::TooLarge, words: "more bytes than announced" };
const HERE_ALREADY: Refusal = Refusal { code: Code::Exists, words: "the file is here already" };

/// Takes one file from a client that speaks the classic handshake.
///
/// The storage sees an ordinary offer (without identity, so that it cannot be resumed), stores, and a commit. `C` computes the CRC-32 of
/// the contents.
#[derive(Debug)]
pub struct Receiver<'b, C = Nibble> {
    /// First the name and the size, then the contents.
    buffer: &'b mut [u8],
    line: Line<'b>,
    limits: &'b Limits,
    crc: C,
    state: ReceiverState,
    /// When name and size must be here.
    handshake_at: Instant,
    name: Gathered,
    size: Announced,
    /// Contents in the buffer that the storage is to take.
    held: Range<usize>,
    stored: u64,
    check: u32,
    sink: Sink,
    /// What the storage said to the offer.
    answer: Option<Answer>,
    part: PartState,
    report: Option<Report>,
    notice: Notice,
    /// The number of the newest notice.
    number: u32,
    error: Option<Error>,
}

/// Whether the sink takes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sink {
    Ready,
    Busy,
}

/// What the storage has of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PartState {
    None,
    Open,
    /// It is to be told to throw it away.
    Discarded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Report {
    Received,
    Failed(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notice {
    None,
    Asked,
}

#[cfg(feature = "defmt")]
impl<C> defmt::Format for Receiver<'_, C> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Receiver {{ state: {}, error: {} }}", self.state, self.error);
    }
}

impl<'b> Receiver<'b> {
    /// For a connection that was accepted at `now`, with the built-in CRC-32.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`](crate::ResourceError::BufferTooSmall) if a buffer has less than [`MIN_BUFFER`](super::MIN_BUFFER) bytes.
    pub fn new(buffers: Buffers<'b>, limits: &'b Limits, now: Instant) -> Result<Self, Error> {
        Self::with_crc(buffers, limits, Nibble, now)
    }
}

impl<'b, C: Crc32> Receiver<'b, C> {
    /// For a connection that was accepted at `now`.
    ///
    /// # Errors
    ///
    /// As [`new`](Receiver::new).
    pub fn with_crc(buffers: Buffers<'b>, limits: &'b Limits, crc: C, now: Instant) -> Result<Self, Error> {
        check_buffers(&buffers)?;
        Ok(Self {
            buffer: buffers.receive,
            line: Line::new(buffers.transmit, now),
            limits,
            crc,
            state: ReceiverState::Name,
            handshake_at: now.after(limits.handshake),
            name: Gathered::default(),
            size: Announced::default(),
            held: 0..0,
            stored: 0,
            check: 0,
            sink: Sink::Ready,
            answer: None,
            part: PartState::None,
            report: None,
            notice: Notice::None,
            number: 0,
            error: None,
        })
    }

    /// Where it stands.
    pub fn state(&self) -> ReceiverState {
        self.state
    }

    /// Gives the file up, and says so to the client; too late once the storage was asked to commit.
    pub fn refuse(&mut self, code: Code) {
        if self.state != ReceiverState::Committing {
            self.reject(code.into());
        }
    }

    /// Sends a notice, whose words [`Action::Say`](crate::Action::Say) will ask for, just before the last reply: at any other time it would cost
    /// the client its connection (§14.2). `None` while another one waits, or if it is too late.
    ///
    /// Nothing tells whether the client reads it, and the older one does not.
    pub fn notify(&mut self) -> Option<u32> {
        let open = self.state.after(ReceiverEvent::Refuse).is_some();
        if !open || self.notice != Notice::None {
            return None;
        }
        self.number = self.number.wrapping_add(1);
        self.notice = Notice::Asked;
        Some(self.number)
    }

    fn step(&mut self, event: ReceiverEvent) -> bool {
        let Some(state) = self.state.after(event) else { return false };
        self.state = state;
        self.line.restart();
        true
    }

    /// The file is not taken: the client and the application are told.
    fn reject(&mut self, refusal: Refusal) {
        if self.step(ReceiverEvent::Refuse) {
            log!(warn, "classic, receives: refused, {}", refusal);
            self.report = Some(Report::Failed(refusal));
            self.discard();
            self.say(refusal);
        }
    }

    /// The link has failed; the client is told if it may still read. What becomes of the file once the storage was asked to commit, only its
    /// answer could say.
    fn fail(&mut self, error: LinkError) {
        let committing = self.state == ReceiverState::Committing;
        if self.step(ReceiverEvent::Refuse) {
            log!(warn, "classic, receives: {}", error);
            self.error = Some(error.into());
            if !committing {
                self.discard();
            }
            match error {
                LinkError::Lost => self.line.clear(),
                _ => self.say(Code::Timeout.into()),
            }
        }
    }

    fn discard(&mut self) {
        self.held = 0..0;
        let accepted = matches!(self.answer.take(), Some(Answer::Accept(..)));
        if accepted || self.part == PartState::Open {
            self.part = PartState::Discarded;
        }
    }

    fn say(&mut self, refusal: Refusal) {
        self.line.put(text::REFUSAL);
        let words = text::words(refusal, self.line.room().len());
        self.line.put(words.as_bytes());
    }

    // Bytes.

    fn spare(&mut self) -> &mut [u8] {
        use ReceiverState as S;
        if self.line.has_ended() {
            return &mut [];
        }
        match self.state {
            S::Name | S::MoreName => self.name.spare(self.buffer),
            S::Size | S::MoreSize => {
                let start = self.name.len();
                self.buffer.get_mut(start..start.saturating_add(self.size.room())).unwrap_or_default()
            }
            S::Receiving if !self.held.is_empty() => &mut [],
            S::Receiving | S::Full | S::Draining => self.buffer,
            _ => &mut [],
        }
    }

    fn take(&mut self, n: usize) {
        use ReceiverState as S;
        let n = n.min(self.spare().len());
        if n == 0 {
            return;
        }
        let taken = match self.state {
            S::Name | S::MoreName => {
                self.step(ReceiverEvent::Bytes);
                self.name.received(self.buffer, n)
            }
            S::Size | S::MoreSize => {
                self.step(ReceiverEvent::Bytes);
                let start = self.name.len();
                self.size.received(self.buffer.get(start..start.saturating_add(n)).unwrap_or_default())
            }
            S::Receiving if n as u64 <= self.missing() => {
                self.held = 0..n;
                self.line.restart();
                Ok(())
            }
            S::Receiving | S::Full => Err(MORE_BYTES),
            _ => Ok(()),
        };
        if let Err(refusal) = taken {
            self.reject(refusal);
        }
    }

    fn missing(&self) -> u64 {
        self.size.value().saturating_sub(self.stored)
    }

    /// The longest name that this end takes, and that leaves room for the size.
    fn longest_name(&self) -> usize {
        self.buffer.len().saturating_sub(size::ROOM).min(self.limits.name.into())
    }

    // Time, and what follows from what is here.

    /// Goes on as far as nobody else is needed.
    fn advance(&mut self) {
        loop {
            let state = self.state;
            self.settle();
            if self.state == state && self.due_at().is_some_and(|deadline| self.line.now() >= deadline) {
                self.expire();
            }
            if self.state == state {
                return;
            }
        }
    }

    fn settle(&mut self) {
        use ReceiverState as S;
        let ended = self.line.has_ended();
        match self.state {
            S::Name | S::MoreName | S::Size if ended => self.fail(LinkError::Lost),
            S::MoreSize if ended => self.expire(),
            S::Deciding => {
                if let Some(answer) = self.answer.take() {
                    self.decided(answer);
                }
            }
            S::Receiving if !self.held.is_empty() => {}
            S::Receiving if self.missing() == 0 => {
                self.step(ReceiverEvent::AllBytes);
            }
            S::Receiving if ended => self.reject(FEWER),
            S::Full if ended => self.expire(),
            S::Finishing if self.line.is_done() => self.expire(),
            S::Refusing if self.line.is_done() => {
                let over = ended || self.error.is_some();
                self.step(if over { ReceiverEvent::Over } else { ReceiverEvent::Drain });
            }
            S::Draining if ended => self.expire(),
            _ => {}
        }
    }

    fn decided(&mut self, answer: Answer) {
        match answer {
            Answer::Accept(..) => {
                self.part = PartState::Open;
                self.step(ReceiverEvent::Accept);
                log!(info, "classic, receives: accepted");
                self.line.put(text::SIZE_OK);
            }
            Answer::Have => self.reject(HERE_ALREADY),
            Answer::Refuse(refusal) => self.reject(refusal),
        }
    }

    /// The storage has committed, or not.
    fn done(&mut self, result: Result<(), Refusal>) {
        match (result, self.notice) {
            (Err(refusal), _) => return self.reject(refusal),
            (Ok(()), Notice::None) => {
                self.step(ReceiverEvent::Committed);
                self.line.put(text::FINISHED);
            }
            (Ok(()), Notice::Asked) => {
                self.step(ReceiverEvent::Notice);
                self.line.put(text::NOTICE);
            }
        }
        log!(info, "classic, receives: stored");
        self.report = Some(Report::Received);
    }

    /// The notice has `n` bytes of words.
    fn told(&mut self, n: usize) {
        let n = n.min(self.room_for_words());
        if self.step(ReceiverEvent::Said) {
            self.line.filled(n);
            self.line.put(b"\n");
            self.line.put(text::FINISHED);
        }
    }

    fn room_for_words(&mut self) -> usize {
        self.line.room().len().saturating_sub(text::FINISHED.len().saturating_add(1)).min(text::MAX_WORDS)
    }

    /// What happens at the [`due_at`](Self::due_at), or before it if there is nothing more to wait for (§14.4).
    fn expire(&mut self) {
        use ReceiverState as S;
        let late = self.line.now() >= self.handshake_at;
        match self.state {
            S::Name | S::Size => self.fail(LinkError::Handshake),
            S::MoreName | S::MoreSize if late => self.fail(LinkError::Handshake),
            S::MoreName => match self.name.check(self.buffer, self.longest_name()) {
                Ok(()) => {
                    self.step(ReceiverEvent::NameEnds);
                    self.line.put(text::NAME_OK);
                }
                Err(refusal) => self.reject(refusal),
            },
            S::MoreSize => {
                self.step(ReceiverEvent::SizeEnds);
            }
            S::Receiving if self.held.is_empty() => self.fail(LinkError::Silent),
            S::Deciding | S::Receiving | S::Complete | S::Committing => self.fail(LinkError::Stalled),
            S::Full => {
                self.step(ReceiverEvent::StreamEnds);
            }
            S::Saying => self.told(0),
            S::Finishing | S::Refusing | S::Draining => {
                self.step(ReceiverEvent::Over);
            }
            S::Closed => {}
        }
    }

    /// The one place that says when the engine must be called again (§14.4).
    fn due_at(&mut self) -> Option<Instant> {
        use ReceiverState as S;
        let since = self.line.since();
        Some(match self.state {
            S::Name | S::Size => self.handshake_at,
            S::MoreName | S::MoreSize => since.after(MORE).min(self.handshake_at),
            S::Receiving if self.held.is_empty() => since.after(self.limits.silence),
            S::Deciding | S::Receiving | S::Complete | S::Committing => since.after(self.limits.stall),
            S::Full => since.after(QUIET),
            S::Saying | S::Finishing | S::Refusing | S::Draining => since.after(LINGER),
            S::Closed => return None,
        })
    }
}
