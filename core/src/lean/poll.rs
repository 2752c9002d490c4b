//! What is asked of the caller next, and what it answers.

use super::frames::Heading;
use super::framing::Framing;
use super::owed::{CHECK, CREDIT, DURABLE, ID, Owed, RECEIVED, Reply};
use super::sender::{Contents, Role};
use super::session::Session;
use super::state::{Begun, Farewell, Gap, Phase, Readiness, Todo};
use super::{Moment, SECOND};
use crate::error::{Error, LinkError};
use crate::session::transitions::SessionState;
use crate::storage::{FileType, Part};
use crate::units::Instant;
use crate::wire::{Code, Crc32, UncheckedName};

/// What the caller must do next, from [`Session::poll`]. What lends something is lent again by every poll until it is answered; the rest is handed out
/// once.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub enum Ask<'a> {
    /// Write these bytes to the link; answer with [`transmitted`](Session::transmitted).
    Transmit(&'a [u8]),
    /// The peer offers something: answer with [`accept`](Session::accept), [`have`](Session::have) or [`decline`](Session::decline).
    Offered(Offer<'a>),
    /// Write bytes to the sink, at the end of what was stored before; answer with [`stored`](Session::stored).
    Store {
        /// Offset of the first byte.
        offset: u32,
        /// The bytes.
        data: &'a [u8],
    },
    /// Make durable what was stored; answer with [`synced`](Session::synced), now or later.
    Sync {
        /// How much has been stored.
        offset: u32,
        /// CRC-32 of it: to be kept beside the offset (§5.3).
        check: u32,
    },
    /// Everything has arrived and its CRC-32 is right: put it into its final place. Answer with [`committed`](Session::committed), now or later.
    Commit {
        /// Bytes in all.
        size: u32,
        /// CRC-32 of them.
        check: u32,
    },
    /// The transfer is over without a commit. Not answered.
    Abandon(Part),
    /// The peer wants something: answer with [`serve`](Session::serve) or [`refuse`](Session::refuse).
    Wanted(Wish<'a>),
    /// Say what is sent; answer with [`described`](Session::described).
    Describe,
    /// Read the source at `offset` into the buffer; answer with [`fetched`](Session::fetched), 0 at its end. May be asked for the same bytes again.
    Fetch {
        /// Offset of the first byte.
        offset: u32,
        /// Where the bytes go.
        into: &'a mut [u8],
    },
    /// What was sent is at the receiver, verified and durable; or why it is not. Handed out once, not answered.
    Sent(Result<(), Code>),
    /// Nothing to do until bytes arrive, the link takes bytes again, a late answer comes, or a quarter of a second has passed.
    Wait,
    /// The session is over; nothing changes any more.
    Closed(Result<(), Error>),
}

/// What the peer offers (§5.1).
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Offer<'a> {
    /// Bytes in all, if that is known.
    pub size: Option<u32>,
    /// Equal identities mean the same contents; empty: cannot be resumed.
    pub identity: &'a [u8],
    /// Where the peer should put it, not checked yet (§6).
    pub name: UncheckedName<'a>,
    pub(super) flags: u8,
}

impl Offer<'_> {
    /// Whether it must begin at offset 0: what there is of it is wrong.
    pub fn restarts(&self) -> bool {
        self.flags & crate::wire::Offer::RESTART != 0
    }

    /// What it is.
    pub fn file_type(&self) -> FileType {
        let has = |flag| self.flags & flag != 0;
        if has(crate::wire::Offer::DIRECTORY) {
            FileType::Directory
        } else if has(crate::wire::Offer::LISTING) {
            FileType::Listing
        } else if has(crate::wire::Offer::EXECUTABLE) {
            FileType::Executable
        } else {
            FileType::File
        }
    }
}

/// What the peer wants (§5.2).
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Wish<'a> {
    /// A name, or for a listing the prefix; not checked yet (§6).
    pub name: UncheckedName<'a>,
    /// What the bytes are to be.
    pub contents: Contents,
}

/// What [`Session::poll`] comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Transmit,
    Ask,
    Wait,
    Closed,
}

impl<F: Framing, C: Crc32, R: Role> Session<'_, F, C, R> {
    /// What the caller must do now.
    pub fn poll(&mut self, now: Instant) -> Ask<'_> {
        match self.advance(now) {
            Next::Transmit => Ask::Transmit(self.transmit.get(self.sent..self.end).unwrap_or_default()),
            Next::Ask => self.ask(),
            Next::Wait => {
                self.link = Readiness::Ready;
                self.asked = Readiness::Ready;
                Ask::Wait
            }
            Next::Closed => Ask::Closed(self.error.map_or(Ok(()), Err)),
        }
    }

    /// Goes on to where the caller is needed.
    pub(super) fn advance(&mut self, now: Instant) -> Next {
        self.now = Moment::of(now);
        loop {
            let idle = self.sent >= self.end;
            if !idle && self.link == Readiness::Ready {
                return Next::Transmit;
            }
            if idle && self.owed != Owed::NOTHING {
                self.emit();
                continue;
            }
            if self.todo != Todo::Nothing {
                if self.asked == Readiness::Ready {
                    return Next::Ask;
                }
            } else if idle {
                match self.state {
                    SessionState::Closed => return Next::Closed,
                    SessionState::Ending => {
                        self.state = SessionState::Closed;
                        continue;
                    }
                    SessionState::Opening | SessionState::Open => {
                        if self.settle() || self.take() || self.closing() || (self.is_open() && self.send()) {
                            continue;
                        }
                    }
                }
            }
            if !self.expire() {
                return Next::Wait;
            }
        }
    }

    /// No further frame is there: what is said then.
    fn closing(&mut self) -> bool {
        if F::LOSSY && self.untold > 0 && self.phase == Phase::Receiving {
            self.owed.add(Owed::ACK);
            return true;
        }
        let ends = self.bye == Farewell::Heard && self.is_idle();
        if ends {
            self.state = SessionState::Ending;
            log!(info, "session {=u64:#x} ends: both have said goodbye", self.nonce());
            self.heard = self.now;
            self.owed.add(Owed::BYE);
        }
        ends
    }

    pub(super) fn ask(&mut self) -> Ask<'_> {
        let (offset, check) = (self.said[RECEIVED], self.said[CHECK]);
        let todo = self.todo;
        if !self.holds_frame() {
            let leaves = todo == Todo::Sync && self.phase == Phase::Idle;
            self.todo = if leaves { Todo::Abandon } else { Todo::Nothing };
        }
        match todo {
            Todo::Offer => {
                self.at = 1;
                let Heading { flags, size, .. } = self.heading();
                let length = usize::from(self.u8());
                let (identity, name) = self.rest().split_at_checked(length).unwrap_or_default();
                let size = if size == u32::MAX { None } else { Some(size) };
                Ask::Offered(Offer { size, identity, name: UncheckedName::new(name), flags })
            }
            Todo::Store => Ask::Store { offset, data: self.rest() },
            Todo::Sync => {
                self.unsynced = 0;
                Ask::Sync { offset, check }
            }
            Todo::Commit => Ask::Commit { size: offset, check },
            Todo::Wanted => {
                self.at = 1;
                self.varint();
                let contents = if self.u8() == 0 { Contents::File } else { Contents::Listing };
                Ask::Wanted(Wish { name: UncheckedName::new(self.rest()), contents })
            }
            Todo::Describe => {
                self.todo = todo;
                Ask::Describe
            }
            Todo::Fetch => {
                self.todo = todo;
                let (offset, into) = self.fetching();
                Ask::Fetch { offset, into }
            }
            Todo::Tell => Ask::Sent(self.told()),
            Todo::Nothing | Todo::Abandon => Ask::Abandon(self.leaving),
        }
    }

    /// Where bytes from the link go next; empty while frames wait for the storage or the link.
    #[inline(never)]
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        self.receive.get_mut(self.tail..).unwrap_or_default()
    }

    /// `n` bytes were read into [`receive_buffer`](Self::receive_buffer).
    pub fn received(&mut self, n: usize, now: Instant) {
        self.tail = self.tail.wrapping_add(n).min(self.receive.len());
        if !F::LOSSY && self.is_open() {
            self.heard = Moment::of(now);
        }
    }

    /// The link has ended or failed.
    pub fn link_lost(&mut self) {
        self.end(LinkError::Lost.into());
        self.cut();
    }

    /// The link took `n` bytes; 0 if it takes none until it is ready again.
    pub fn transmitted(&mut self, n: usize) {
        if n == 0 {
            self.link = Readiness::Busy;
        }
        self.sent = self.sent.wrapping_add(n);
    }

    /// Takes the offer, from what this end's part holds already: so many bytes, whose CRC-32 is `check`.
    pub fn accept(&mut self, offset: u32, check: u32) {
        if self.todo != Todo::Offer {
            return;
        }
        // What is to begin at its start begins there, whatever the storage has.
        let (offset, check) = if self.begun == Begun::AtStart { (0, 0) } else { (offset, check) };
        if offset > self.size {
            return self.decline(Code::Storage);
        }
        self.decided();
        self.phase = Phase::Receiving;
        log!(info, "receives {=u32}: from {=u32}", self.said[ID], offset);
        (self.said[RECEIVED], self.said[DURABLE], self.said[CHECK]) = (offset, offset, check);
        (self.unsynced, self.untold) = (0, 0);
        self.gap = Gap::None;
        self.owed.add(Owed::ACCEPT);
    }

    /// Says of the offer that this end has it all (§5.3).
    pub fn have(&mut self) {
        self.decided();
        self.ended = Code::Ok;
        log!(info, "receives {=u32}: is here already", self.said[ID]);
        self.reply(Reply::Have, self.said[ID], Code::Ok);
    }

    /// Declines the offer.
    pub fn decline(&mut self, code: Code) {
        self.decided();
        self.ended = code;
        log!(warn, "receives {=u32}: declined, {}", self.said[ID], code);
        self.reply(Reply::Decline, self.said[ID], code);
    }

    pub(super) fn decided(&mut self) {
        self.todo = Todo::Nothing;
        self.fill = 0;
    }

    /// The sink took `n` bytes; 0 if it is busy.
    ///
    /// # Errors
    ///
    /// With a code the transfer is given up.
    pub fn stored(&mut self, n: Result<usize, Code>) {
        match n {
            _ if self.todo != Todo::Store => {}
            Ok(0) => {
                self.asked = Readiness::Busy;
                if self.said[CREDIT] > 0 {
                    self.said[CREDIT] = 0;
                    self.owed.add(Owed::ACK);
                }
            }
            Ok(n) => self.took(n),
            Err(code) => {
                self.fill = 0;
                self.finish(Reply::Abort, code, Part::Keep);
            }
        }
    }

    /// Everything below `durable` survives a power cut.
    pub fn synced(&mut self, durable: u32) {
        if durable > self.said[DURABLE] && durable <= self.said[RECEIVED] && self.phase == Phase::Receiving {
            self.said[DURABLE] = durable;
            self.owed.add(Owed::ACK);
        }
    }

    /// It is in its final place, or could not be put there.
    pub fn committed(&mut self, result: Result<(), Code>) {
        if self.phase != Phase::Committing {
            return;
        }
        self.ended = result.err().unwrap_or(Code::Ok);
        log!(info, "receives {=u32}: committed, {}", self.said[ID], self.ended);
        if result.is_err() {
            self.leaving = if self.ended == Code::Integrity { Part::Discard } else { Part::Keep };
            self.todo = Todo::Abandon;
        }
        self.phase = Phase::Idle;
        self.reply(Reply::Done, self.said[ID], self.ended);
    }

    /// When [`poll`](Self::poll) must be called again at the latest after it has said [`Ask::Wait`] at `now`.
    pub fn deadline(now: Instant) -> Instant {
        now.after_micros(SECOND / 4)
    }
}
