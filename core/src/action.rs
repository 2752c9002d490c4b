//! What an engine asks of its caller, and what it has to say.

#[cfg(feature = "defmt")]
mod formats;

use crate::error::Error;
use crate::storage::Part;
use crate::units::{Instant, TransferId, WantId};
use crate::wire::{Code, DigestKind, NodeName, Offer, Want};

/// What the caller must do next, from [`Engine::poll`](crate::Engine::poll).
///
/// An action that lends something is lent again by every poll until it is answered by the method of [`Engine`](crate::Engine)
/// that bears its past participle. The others are handed out once.
#[derive(Debug)]
#[must_use = "an action that is not done is lent again by the next poll"]
pub enum Action<'a> {
    /// Write these bytes to the link; answer with `transmitted(n)`, 0 if it takes none now.
    Transmit(&'a [u8]),
    /// Say what the transfer is; answer with `described`, the refusal `wait` if that is not known yet.
    Describe {
        /// The transfer that is about to be offered.
        transfer: TransferId,
        /// The digest that will be asked for at its end.
        digest: DigestKind,
    },
    /// Say the name that is wanted; answer with `asked`.
    Ask {
        /// The WANT that is about to be sent.
        want: WantId,
    },
    /// Read the source at `offset` into the buffer; answer with `fetched(n)`, 0 at its end, the refusal `wait` if there is nothing now.
    Fetch {
        /// The transfer.
        transfer: TransferId,
        /// Offset of the first byte.
        offset: u64,
        /// Where the bytes go: straight into the frame that is being built.
        into: &'a mut [u8],
    },
    /// The last byte was fetched: say whether the source is still the one described, and give its digest; answer with
    /// `finished(n)`, the refusal `wait` if that is not known yet.
    Finish {
        /// The transfer.
        transfer: TransferId,
        /// Room for exactly the bytes of the digest that `Describe` named; none for CRC-32.
        into: &'a mut [u8],
    },
    /// Give the words of a notice; answer with `said(n)`.
    Say {
        /// The notice's number.
        number: u32,
        /// Room for UTF-8.
        into: &'a mut [u8],
    },
    /// The peer offers something: accept or decline it.
    Offered(Offered<'a>),
    /// The peer wants something: agree to send it or refuse.
    Wanted(Wanted<'a>),
    /// Write bytes to the sink; answer with `stored(n)`, 0 if it is busy.
    Store {
        /// The transfer.
        transfer: TransferId,
        /// Offset of the first byte: the end of what was stored before, unless the transfer was accepted in any order by a session that remembers gaps
        /// ([`Receiver::with_gaps`](crate::Receiver::with_gaps)) on a link that loses frames. There it may be beyond it; no byte is stored twice.
        offset: u64,
        /// The bytes, lent from the receive buffer.
        data: &'a [u8],
    },
    /// Make durable what was stored so far. Handed out once; answer with `synced` when it is done, now or later.
    Sync {
        /// The transfer.
        transfer: TransferId,
        /// How much has been stored without a gap.
        offset: u64,
        /// CRC-32 of these `offset` bytes: the prefix check to keep beside the offset (§5.3).
        check: u32,
    },
    /// Everything has arrived and its CRC-32 is right: compare the digest, flush, put into its final place. Handed out
    /// once; answer with `committed` when it is done, now or later, alone or together with others.
    Commit {
        /// The transfer.
        transfer: TransferId,
        /// How long it is and what its digest should be.
        end: Ending<'a>,
    },
    /// The transfer is over without a commit: let go of its part. Handed out once, not answered.
    Abandon {
        /// The transfer.
        transfer: TransferId,
        /// What to do with what has been stored.
        part: Part,
    },
    /// What the application may want to know. Handed out once, not answered.
    Event(Event<'a>),
    /// Nothing to do until bytes arrive (`receive_buffer`, `received`), the link takes bytes again, a late answer comes, or
    /// this instant.
    Wait {
        /// When to poll again at the latest; every state but the last has such an instant.
        until: Option<Instant>,
    },
    /// The session is over; nothing changes any more.
    Closed(Result<(), Error>),
}

/// What an END says of a transfer (§5.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ending<'a> {
    /// Bytes in all.
    pub size: u64,
    /// CRC-32 of the contents; the engine has found it right.
    pub check: u32,
    /// Which digest `value` is.
    pub digest: DigestKind,
    /// The digest, as long as §7.2 says; empty for CRC-32.
    pub value: &'a [u8],
}

/// What the application may want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Event<'a> {
    /// The session is open: both ends know each other's limits.
    Opened,
    /// The receiver has it, verified and durable.
    Sent {
        /// The transfer.
        transfer: TransferId,
        /// Whether anything had to be sent.
        how: Sent,
        /// How much the receiver had already when it accepted, in bytes (§5.3).
        resumed_from: u64,
    },
    /// A transfer of this end's ended without success.
    SendFailed(Failure<'a>),
    /// A transfer was received, verified and committed.
    Received {
        /// The transfer.
        transfer: TransferId,
    },
    /// A transfer to this end ended without success.
    ReceiveFailed(Failure<'a>),
    /// The peer does not send what was wanted.
    WantFailed {
        /// The WANT.
        want: WantId,
        /// Why.
        code: Code,
        /// The peer's words; escape them before they are shown.
        words: &'a str,
    },
    /// Text from the peer's user; escape it before it is shown.
    Notice(&'a str),
    /// The peer stays, to be spoken to, under this name; empty if it has none of its own (§4.6). An application that does not want that ends the
    /// session ([`Session::abort`](crate::Session::abort)) with [`Code::NotAllowed`], or with [`Code::Exists`] once another node has come under
    /// the name. A session without a sender has nothing for a node, and does not tell.
    Attached(NodeName<'a>),
    /// Bytes that came between frames, on a link where that may be (§2.2): a boot log, a shell. Escape them before they are shown.
    Noise(&'a [u8]),
    /// The peer has taken a notice.
    NoticeTaken {
        /// The notice's number.
        number: u32,
    },
    /// The peer has answered a ping ([`Session::ping`](crate::Session::ping)), and on a reliable link all before it.
    Ponged {
        /// The ping's number.
        number: u32,
    },
    /// The peer will start no further transfer.
    Bye {
        /// Why.
        code: Code,
    },
    /// Everything is on the link: close its sending side, and go on reading (§14).
    EndOfStream,
}

/// How a transfer came to its good end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Sent {
    /// The receiver answered DONE.
    Stored,
    /// The receiver had it all already.
    HadIt,
}

/// How a transfer failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Failure<'a> {
    /// The transfer.
    pub transfer: TransferId,
    /// Why.
    pub code: Code,
    /// The words that came with it; escape them before they are shown if they are the peer's.
    pub words: &'a str,
    /// Who ended it.
    pub by: By,
}

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum By {
    /// This end.
    Us,
    /// The other end.
    Peer,
}

/// An offer that must be answered exactly once, by one of its methods; if it is dropped, the next poll lends it again.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Offered<'a> {
    /// What is offered. Its name has not been checked yet.
    pub offer: Offer<'a>,
    /// The transfer's id.
    pub transfer: TransferId,
    pub(crate) answer: &'a mut Option<Answer>,
}

impl Offered<'_> {
    /// Takes it, from what this end's part holds already ([`ResumePoint::START`] for nothing).
    pub fn accept(self, from: ResumePoint) {
        *self.answer = Some(Answer::Accept(from, Takes::AnyOrder));
    }

    /// Takes it likewise, for a sink that takes bytes only one after the other: what comes beyond a gap is dropped, and sent again.
    pub fn accept_in_order(self, from: ResumePoint) {
        *self.answer = Some(Answer::Accept(from, Takes::InOrder));
    }

    /// Says that this end has it all (§5.3).
    pub fn have(self) {
        *self.answer = Some(Answer::Have);
    }

    /// Declines it.
    pub fn decline(self, refusal: Refusal) {
        *self.answer = Some(Answer::Refuse(refusal));
    }
}

/// A wish that must be answered exactly once, by one of its methods; if it is dropped, the next poll lends it again.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Wanted<'a> {
    /// What is wanted. Its name has not been checked yet.
    pub want: Want<'a>,
    /// The id that the transfer will have if it is served.
    pub transfer: TransferId,
    pub(crate) answer: &'a mut Option<Answer>,
}

impl Wanted<'_> {
    /// Agrees to send it, under the id `transfer`.
    pub fn serve(self) {
        *self.answer = Some(Answer::Accept(ResumePoint::START, Takes::AnyOrder));
    }

    /// Refuses.
    pub fn refuse(self, refusal: Refusal) {
        *self.answer = Some(Answer::Refuse(refusal));
    }
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Answer {
    Accept(ResumePoint, Takes),
    Have,
    Refuse(Refusal),
}

/// In what order a sink takes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Takes {
    AnyOrder,
    InOrder,
}

/// What a receiver's part holds: its first `offset` bytes, whose CRC-32 is `check` (§5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ResumePoint {
    /// Bytes that are durable.
    pub offset: u64,
    /// CRC-32 of these bytes.
    pub check: u32,
}

impl ResumePoint {
    /// Nothing yet.
    pub const START: Self = Self { offset: 0, check: 0 };
}

/// Why something is refused or ended, for the peer and for its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Refusal {
    /// The code (§7.1).
    pub code: Code,
    /// Words for people; they are cut to what a frame holds.
    pub words: &'static str,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { code, words: "" }
    }
}

/// What kind of action [`Engine::poll`](crate::Engine::poll) will lend next. For drivers, which must decide before they borrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Next {
    /// [`Action::Transmit`].
    Transmit,
    /// An action for the storage.
    Storage,
    /// [`Action::Event`].
    Event,
    /// [`Action::Wait`], until this instant.
    Wait(Option<Instant>),
    /// [`Action::Closed`].
    Closed,
}
