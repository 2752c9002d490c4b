//! The side that sends a file: the client's (§14.3).

mod lending;

use super::line::Line;
use super::text::{self, Reply};
use super::transitions::{SenderEvent, SenderState};
use super::{LINGER, MORE, check_buffers, shift, size};
use crate::action::Refusal;
use crate::error::{Error, LinkError};
use crate::limits::Limits;
use crate::session::Buffers;
use crate::storage::{Description, FileType};
use crate::units::{Instant, Millis};
use crate::wire::Code;

/// How long the last reply is awaited after an empty file, for which an older server has none (§14.4).
const EMPTY: Millis = Millis(5_000);

/// The end of the receive buffer that takes what a reply has beyond the rest of it.
const OVERFLOW: usize = 16;

const ONLY_FILES: Refusal = Refusal {
    code: Code::Unsupported,
    words: "the classic handshake carries files only, no directory or listing",
};
const NO_SIZE: Refusal =
    Refusal { code: Code::Unsupported, words: "the classic handshake needs the size beforehand" };
const NAME_TOO_LONG: Refusal =
    Refusal { code: Code::BadName, words: "the name is longer than the transmit buffer" };
const SHORTER: Refusal = Refusal { code: Code::Changed, words: "the source is shorter than it was" };

/// Sends one file to a server that speaks the classic handshake.
///
/// The storage is asked to describe it, as in a session, and it must know its size; `CRC-32` is the digest that it is asked for. The
/// caller must obey [`Event::EndOfStream`](crate::Event::EndOfStream).
#[derive(Debug)]
pub struct Sender<'b> {
    /// What the server says.
    buffer: &'b mut [u8],
    /// How much of it waits to be understood.
    heard: usize,
    line: Line<'b>,
    limits: &'b Limits,
    state: SenderState,
    size: u64,
    fetched: u64,
    report: Option<Report>,
    error: Option<Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Report {
    /// The words are in the buffer.
    Notice,
    Sent,
    Failed(Refusal),
    /// The words are in the buffer.
    Refused,
}

#[cfg(feature = "defmt")]
impl defmt::Format for Sender<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Sender {{ state: {}, error: {} }}", self.state, self.error);
    }
}

impl<'b> Sender<'b> {
    /// For a connection that was made at `now`.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`](crate::ResourceError::BufferTooSmall) if a buffer has less than [`MIN_BUFFER`](super::MIN_BUFFER) bytes.
    pub fn new(buffers: Buffers<'b>, limits: &'b Limits, now: Instant) -> Result<Self, Error> {
        check_buffers(&buffers)?;
        Ok(Self {
            buffer: buffers.receive,
            heard: 0,
            line: Line::new(buffers.transmit, now),
            limits,
            state: SenderState::Describing,
            size: 0,
            fetched: 0,
            report: None,
            error: None,
        })
    }

    /// Where it stands.
    pub fn state(&self) -> SenderState {
        self.state
    }

    /// Gives the file up. The caller must then close the link: the server cannot be told.
    pub fn cancel(&mut self, code: Code) {
        self.give_up(code.into());
    }

    fn step(&mut self, event: SenderEvent) -> bool {
        let Some(state) = self.state.after(event) else { return false };
        self.state = state;
        self.line.restart();
        true
    }

    fn give_up(&mut self, refusal: Refusal) {
        if self.step(SenderEvent::Over) {
            log!(warn, "classic, sends: given up, {}", refusal);
            self.report = Some(Report::Failed(refusal));
            self.line.clear();
        }
    }

    fn fail(&mut self, error: LinkError) {
        if self.step(SenderEvent::Over) {
            log!(warn, "classic, sends: {}", error);
            self.error = Some(error.into());
            self.line.clear();
        }
    }

    // What is sent.

    fn describe(&mut self, description: Result<Description<'_>, Refusal>) {
        let description = match description {
            Ok(description) => description,
            Err(refusal) => return self.give_up(refusal),
        };
        let (FileType::File | FileType::Executable, Some(name)) = (description.file_type, description.name)
        else {
            return self.give_up(ONLY_FILES);
        };
        let Some(size) = description.size else { return self.give_up(NO_SIZE) };
        if name.as_str().len() > self.line.room().len() {
            return self.give_up(NAME_TOO_LONG);
        }
        self.line.put(name.as_str().as_bytes());
        self.size = size;
        self.step(SenderEvent::Described);
    }

    /// How many bytes to read next.
    fn wanted(&mut self) -> usize {
        let missing = self.size.saturating_sub(self.fetched);
        self.line.room().len().min(usize::try_from(missing).unwrap_or(usize::MAX))
    }

    fn fetch(&mut self, fetched: Result<usize, Refusal>) {
        match fetched {
            Ok(0) => self.give_up(SHORTER),
            Ok(n) => {
                let n = n.min(self.wanted());
                self.line.filled(n);
                self.fetched = self.fetched.saturating_add(n as u64);
                self.line.restart();
            }
            Err(refusal) => self.give_up(refusal),
        }
    }

    fn flushed(&mut self) {
        if self.state == SenderState::Flushing && self.line.is_empty() {
            self.step(SenderEvent::Flushed);
        }
    }

    // What is heard.

    fn spare(&mut self) -> &mut [u8] {
        if self.line.has_ended() || matches!(self.state, SenderState::Describing | SenderState::Closed) {
            return &mut [];
        }
        self.buffer.get_mut(self.heard..).unwrap_or_default()
    }

    /// Keeps what fits of `n` bytes.
    fn hear(&mut self, n: usize) {
        let most = self.buffer.len().saturating_sub(OVERFLOW);
        self.heard = self.heard.saturating_add(n.min(self.spare().len())).min(most);
    }

    fn text(&self) -> &[u8] {
        self.buffer.get(..self.heard).unwrap_or_default()
    }

    fn forget(&mut self, n: usize) {
        shift::to_start(self.buffer, n.min(self.heard)..self.heard);
        self.heard = self.heard.saturating_sub(n);
    }

    /// What the server is expected to say now.
    fn expected(&self) -> &'static [u8] {
        match self.state {
            SenderState::Name | SenderState::NameReply => text::NAME_OK,
            SenderState::Size | SenderState::SizeReply => text::SIZE_OK,
            _ => text::FINISHED,
        }
    }

    /// Reads the next reply off what was heard (§14.3).
    fn listen(&mut self) {
        use SenderState as S;
        let blank = self.text().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.forget(blank);
        let expected = self.expected();
        let reply = Reply::of(self.text(), expected);
        if reply == Reply::Refusal && self.step(SenderEvent::Refusal) {
            log!(warn, "classic, sends: refused");
            self.line.clear();
            return;
        }
        match self.state {
            S::Name | S::NameReply | S::Size | S::SizeReply if self.line.is_empty() => {}
            S::Ending | S::LastReply => {}
            S::Sending | S::Finishing | S::Flushing | S::Listening if reply != Reply::Bracket => {
                return self.heard = 0;
            }
            _ => return,
        }
        match reply {
            Reply::Expected => {
                self.forget(expected.len());
                if !self.text().starts_with(b"[") {
                    self.heard = 0;
                }
                self.acked();
            }
            Reply::Other if self.is_notice() => self.acked(),
            Reply::Bracket | Reply::Other => {
                self.step(SenderEvent::Text);
            }
            Reply::Nothing | Reply::Refusal => {}
        }
    }

    /// Whether a notice and the last reply have come whole.
    fn is_notice(&self) -> bool {
        matches!(self.state, SenderState::Ending | SenderState::LastReply)
            && self.text().ends_with(text::FINISHED)
            && text::words_of_notice(self.text()).is_some()
    }

    fn acked(&mut self) {
        use SenderState as S;
        let state = self.state;
        self.step(SenderEvent::Acked);
        match state {
            S::Name | S::NameReply => {
                let length = size::emit(self.size, self.line.room());
                self.line.filled(length);
            }
            S::Ending | S::LastReply => {
                let notice = text::words_of_notice(self.text()).is_some();
                log!(info, "classic, sends: stored");
                self.report = Some(if notice { Report::Notice } else { Report::Sent });
            }
            _ => {}
        }
    }

    fn lose(&mut self) {
        if self.step(SenderEvent::Lose) {
            self.line.outward_lost();
        } else {
            self.line.lost();
        }
    }

    // Time, and what follows from what is here.

    /// Goes on as far as nobody else is needed.
    fn advance(&mut self) {
        loop {
            let state = self.state;
            self.listen();
            if self.state == state {
                self.settle();
            }
            if self.state == state && self.due_at().is_some_and(|deadline| self.line.now() >= deadline) {
                self.expire();
            }
            if self.state == state {
                return;
            }
        }
    }

    fn settle(&mut self) {
        use SenderState as S;
        let ended = self.line.has_ended();
        match self.state {
            S::Name | S::NameReply | S::Size | S::SizeReply | S::Listening if ended => {
                self.fail(LinkError::Lost);
            }
            S::Ending if ended && self.size > 0 => self.fail(LinkError::Lost),
            S::Ending | S::LastReply | S::Refused if ended => self.expire(),
            S::Sending if self.fetched == self.size => {
                self.step(SenderEvent::AllFetched);
            }
            _ => {}
        }
    }

    /// What happens at the [`due_at`](Self::due_at), or before it if there is nothing more to wait for (§14.4).
    fn expire(&mut self) {
        use SenderState as S;
        match self.state {
            S::Describing | S::Name | S::Size => self.fail(LinkError::Handshake),
            S::NameReply | S::SizeReply => {
                self.heard = 0;
                self.acked();
            }
            S::Ending if self.size > 0 => self.fail(LinkError::Silent),
            S::Ending | S::LastReply => self.acked(),
            S::Sending | S::Finishing | S::Flushing | S::Closing => self.fail(LinkError::Silent),
            S::Refused => {
                self.step(SenderEvent::Over);
                self.report = Some(Report::Refused);
            }
            S::Listening => self.fail(LinkError::Lost),
            S::Closed => {}
        }
    }

    /// The one place that says when the engine must be called again (§14.4).
    fn due_at(&mut self) -> Option<Instant> {
        use SenderState as S;
        let since = self.line.since();
        Some(match self.state {
            S::Describing | S::Name | S::Size => since.after(self.limits.handshake),
            S::NameReply | S::SizeReply | S::LastReply | S::Refused => since.after(MORE),
            S::Ending if self.size == 0 => since.after(EMPTY.min(self.limits.silence)),
            S::Sending | S::Finishing | S::Flushing | S::Closing | S::Ending => {
                since.after(self.limits.silence)
            }
            S::Listening => since.after(LINGER),
            S::Closed => return None,
        })
    }
}
