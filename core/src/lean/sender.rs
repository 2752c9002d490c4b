//! Sending, one transfer at a time: from what the application offers or the peer wants to DONE (§9).
//!
//! What is lost is sent again from where the peer misses something first; it waits a second for answers at first, and measures no round trips.

use super::framing::Framing;
use super::owed::Owed;
use super::session::{Begun, Farewell, Phase, Session, Todo};
use crate::session::Fault;
use crate::wire::{Answered, CHECK_LEN, Code, Crc32, Kind, Offer, Scope, UncheckedName};

/// The most that a frame has beside its payload: kind, id, offset and check.
const OVERHEAD: u32 = 15;

/// What a session is composed of beside its receiver: `()` for nothing, or a [`Sender`].
pub trait Role {
    /// The sender, if there is one.
    fn sender(&mut self) -> Option<&mut Sender>;
}

impl Role for () {
    fn sender(&mut self) -> Option<&mut Sender> {
        None
    }
}

impl Role for Sender {
    fn sender(&mut self) -> Option<&mut Sender> {
        Some(self)
    }
}

/// Where the transfer stands (§9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum State {
    /// There is none.
    Idle,
    Queued,
    Offered,
    Verifying,
    Sending,
    Ended,
    /// It is over, and the application is to be told.
    Over,
}

/// A frame that is to be sent, beside those of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Owes {
    Nothing,
    /// DECLINE of a WANT with this number.
    Decline(u32, Code),
    /// ABORT of a transfer with this id.
    Abort(u32, Code),
}

/// Whether the two ends take turns (§11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Directions {
    Both,
    OneAtATime,
}

/// The sender of a [`Node`](super::Node).
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Sender {
    state: State,
    begin: Begun,
    /// How it ended.
    outcome: Code,
    owes: Owes,
    pub(super) directions: Directions,
    pub(super) id: u32,
    /// The WANT that it answers, or that is to be decided; 0 if there is none.
    want: u32,
    /// `u32::MAX` as long as it is not known.
    size: u32,
    /// The next byte to send, ...
    offset: u32,
    /// ... where to stop if something is sent again, ...
    until: u32,
    /// ... and where to go on then: everything before has been sent once.
    front: u32,
    /// Everything before has been received.
    received: u32,
    /// DATA may go up to here.
    limit: u32,
    /// Everything before has gone into `check`, its CRC-32.
    summed: u32,
    check: u32,
    /// What the peer says that it has, and the CRC-32 of that.
    prefix: u32,
    prefix_check: u32,
    /// Where the bytes of the source go in the transmit buffer.
    start: usize,
    /// Where it last went back to: once, until the timer runs out.
    back: Option<u32>,
    /// Of the peer's HELLO.
    pub(super) frame: u32,
    pub(super) window: u32,
    pub(super) transfers: u32,
}

/// What the application sends.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Description<'a> {
    /// Its name (§6); for a listing the prefix that was wanted.
    pub name: UncheckedName<'a>,
    /// Bytes in all, if that is known.
    pub size: Option<u32>,
    /// At most 16 bytes: equal ones mean the same contents; empty: cannot be resumed.
    pub identity: &'a [u8],
    /// Whether it is a listing (§12).
    pub contents: Contents,
}

/// What the bytes of a transfer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Contents {
    /// Those of a file.
    File,
    /// Records of what there is (§12).
    Listing,
}

impl Sender {
    /// A sender without a transfer.
    pub const fn new() -> Self {
        Self {
            state: State::Idle,
            begin: Begun::Anywhere,
            outcome: Code::Ok,
            owes: Owes::Nothing,
            directions: Directions::Both,
            id: 0,
            want: 0,
            size: u32::MAX,
            offset: 0,
            until: 0,
            front: 0,
            received: 0,
            limit: 0,
            summed: 0,
            check: 0,
            prefix: 0,
            prefix_check: 0,
            start: 0,
            back: None,
            frame: 0,
            window: 0,
            transfers: 0,
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.state != State::Idle || self.owes != Owes::Nothing
    }

    /// Whether an offer of the peer's has to wait for ours (§11).
    pub(super) fn goes_first(&self, smaller_nonce: bool) -> bool {
        let waits = match self.state {
            State::Offered => smaller_nonce,
            State::Verifying | State::Sending | State::Ended => true,
            State::Idle | State::Queued | State::Over => false,
        };
        waits && self.directions == Directions::OneAtATime
    }

    /// The transfer is over with this code.
    fn finish(&mut self, outcome: Code) {
        if self.state != State::Idle {
            if self.state != State::Over {
                log!(info, "sends {=u32}: over, {}", self.id, outcome);
            }
            self.state = State::Over;
            self.outcome = outcome;
        }
    }

    /// The session is: its transfer is not known in the next.
    pub(super) fn lost(&mut self) {
        self.owes = Owes::Nothing;
        self.id = 0;
        self.want = 0;
        self.finish(Code::Cancelled);
    }

    fn queue(&mut self) {
        self.id = self.id.wrapping_add(1);
        (self.state, self.begin) = (State::Queued, Begun::Anywhere);
    }

    /// It is offered again, with the same id.
    fn again(&mut self, begin: Begun) {
        log!(info, "sends {=u32}: is offered again, {}", self.id, begin);
        self.state = State::Queued;
        self.begin = begin;
    }

    /// The storage gives it up.
    fn give_up(&mut self, code: Code) {
        self.owes = match self.state {
            State::Queued if self.want != 0 => Owes::Decline(self.want, code),
            State::Queued => Owes::Nothing,
            _ => Owes::Abort(self.id, code),
        };
        self.finish(code);
    }

    /// Everything from here on is sent again.
    fn go_back(&mut self, to: u32) {
        (self.offset, self.until) = (to, self.front);
        if self.state == State::Ended {
            self.state = State::Sending;
        }
    }

    /// The peer has received so much.
    fn acked(&mut self, received: u32, credit: u32) {
        self.received = received;
        self.limit = received.saturating_add(credit);
        if self.offset < received {
            self.offset = if self.until > received { received } else { self.front };
        }
    }

    /// Something is missing at the peer.
    fn missing(&mut self, start: u32, length: u32, beyond: u32) {
        if self.back == Some(start) || start >= self.front {
            return;
        }
        self.back = Some(start);
        log!(debug, "sends {=u32}: back to {=u32}", self.id, start);
        self.go_back(start);
        if beyond > 0 {
            self.until = start.saturating_add(length).min(self.front);
        }
    }

    /// How many bytes may go now, of a frame that holds `full`.
    fn room(&self, full: u32) -> u32 {
        let end = if self.offset < self.until { self.until } else { self.size };
        let left = end.wrapping_sub(self.offset);
        let allowed = self.limit.min(self.received.saturating_add(self.window)).saturating_sub(self.offset);
        let under_way = self.offset.saturating_sub(self.received);
        if allowed < full.min(left) && under_way >= self.window / 2 {
            return 0;
        }
        full.min(left).min(allowed)
    }
}

impl Default for Sender {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Framing, C: Crc32, R: Role> Session<'_, F, C, R> {
    /// A frame that a receiver sends, or a WANT.
    pub(super) fn for_sender(&mut self, kind: Kind) -> Result<(), Fault> {
        if self.role.sender().is_none() {
            return Err(Fault::Unexpected);
        }
        match kind {
            Kind::Want => self.wanted(),
            Kind::Accept => self.accepted(),
            Kind::Ack => self.acked(),
            _ => self.done(),
        }
    }

    fn wanted(&mut self) -> Result<(), Fault> {
        let number = self.varint();
        self.u8();
        self.whole()?;
        let heard_bye = self.bye == Farewell::Heard;
        let Some(sender) = self.role.sender() else { return Ok(()) };
        if heard_bye || number == 0 {
            return Err(Fault::Unexpected);
        }
        if sender.state == State::Idle {
            sender.want = number;
            self.todo = Todo::Wanted;
        } else if sender.want != number {
            sender.owes = Owes::Decline(number, Code::Busy);
            log!(warn, "wish {=u32} of the peer: refused, {}", number, Code::Busy);
        }
        Ok(())
    }

    fn accepted(&mut self) -> Result<(), Fault> {
        let (id, have, offset, check, credit) =
            (self.varint(), self.u8(), self.varint(), self.u32(), self.varint());
        self.whole()?;
        self.progress();
        let Some(sender) = self.role.sender() else { return Ok(()) };
        if id > sender.id {
            return Err(Fault::Unexpected);
        }
        match sender.state {
            _ if id < sender.id => {}
            State::Offered if have != 0 => sender.finish(Code::Ok),
            State::Offered if offset <= sender.size => {
                (sender.prefix, sender.prefix_check) = (offset, check);
                log!(info, "sends {=u32}: accepted from {=u32}", id, offset);
                (sender.received, sender.limit) = (offset, offset.saturating_add(credit));
                sender.state = if offset == 0 { State::Sending } else { State::Verifying };
                (sender.offset, sender.until, sender.front, sender.back) = (offset, offset, offset, None);
            }
            State::Sending | State::Ended
                if F::LOSSY && offset >= sender.received && offset <= sender.front =>
            {
                sender.acked(offset, credit);
            }
            State::Idle | State::Over => {}
            _ => return Err(Fault::Unexpected),
        }
        Ok(())
    }

    fn acked(&mut self) -> Result<(), Fault> {
        let (id, received, _durable, credit, gaps) =
            (self.varint(), self.varint(), self.varint(), self.varint(), self.varint());
        let (mut skip, mut length, mut beyond) = (0, 0, 0);
        if gaps > 0 {
            (skip, length) = (self.varint(), self.varint());
            // That of the last gap; with more than one there is something beyond the first.
            beyond = if gaps > 1 { 1 } else { self.varint() };
        }
        self.whole()?;
        let Some(sender) = self.role.sender() else { return Ok(()) };
        if id != sender.id || !matches!(sender.state, State::Sending | State::Ended) {
            if id > sender.id {
                return Err(Fault::Unexpected);
            }
            if F::LOSSY && matches!(sender.state, State::Idle | State::Over) {
                sender.owes = Owes::Abort(id, Code::Cancelled);
            }
            return Ok(());
        }
        if received > sender.front {
            return Err(Fault::Unexpected);
        }
        if received >= sender.received {
            let further = received > sender.received || sender.limit == sender.received;
            sender.acked(received, credit);
            if gaps > 0 {
                sender.missing(received.saturating_add(skip), length, beyond);
            }
            if further {
                self.progress();
            }
        }
        Ok(())
    }

    fn done(&mut self) -> Result<(), Fault> {
        let (id, code) = (self.varint(), Code::from_code(self.u8()));
        self.whole()?;
        self.progress();
        let Some(sender) = self.role.sender() else { return Ok(()) };
        if id > sender.id {
            return Err(Fault::Unexpected);
        }
        let awaited = match sender.state {
            State::Ended => true,
            State::Offered | State::Sending => F::LOSSY,
            _ => false,
        };
        if id < sender.id || matches!(sender.state, State::Idle | State::Over) {
            return Ok(());
        }
        if !awaited {
            return Err(Fault::Unexpected);
        }
        match code {
            Code::Integrity if sender.begin == Begun::Anywhere => sender.again(Begun::AtStart),
            Code::Unknown if F::LOSSY => sender.again(sender.begin),
            Code::Unknown if sender.begin == Begun::Anywhere => sender.again(Begun::AtStart),
            code => sender.finish(code),
        }
        Ok(())
    }

    /// DECLINE.
    pub(super) fn declined(&mut self) -> Result<(), Fault> {
        let (what, id, code) = (self.u8(), self.varint(), Code::from_refusal(self.u8()));
        self.whole()?;
        let Some(sender) = self.role.sender() else { return Ok(()) };
        if what == Answered::Offer as u8
            && id == sender.id
            && !matches!(sender.state, State::Idle | State::Over)
        {
            if code == Code::Wait && sender.directions == Directions::OneAtATime {
                sender.again(sender.begin);
            } else {
                sender.finish(code);
                self.progress();
            }
        }
        Ok(())
    }

    /// ABORT of a transfer that this end sends.
    pub(super) fn aborted(&mut self, scope: u8, id: u32, code: Code) {
        if let Some(sender) = self.role.sender()
            && scope == Scope::Receiving as u8
            && id == sender.id
        {
            sender.finish(code);
        }
    }

    /// What the sender does before a further frame is looked at; whether there is anything.
    pub(super) fn settle(&mut self) -> bool {
        let Some(sender) = self.role.sender() else { return false };
        if sender.owes != Owes::Nothing {
            self.refuse_or_abort();
        } else if sender.state == State::Over {
            self.todo = Todo::Tell;
        } else {
            return false;
        }
        true
    }

    /// What the sender does next, where nothing else is to be done; whether there is anything.
    pub(super) fn send(&mut self) -> bool {
        let receiving = self.phase != Phase::Idle;
        let full = self.full();
        let Some(sender) = self.role.sender() else { return false };
        let waits = receiving && sender.directions == Directions::OneAtATime;
        match sender.state {
            State::Queued if sender.transfers == 0 => sender.give_up(Code::NotAllowed),
            State::Queued if !waits => self.todo = Todo::Describe,
            State::Verifying => self.todo = Todo::Fetch,
            State::Sending if sender.offset == sender.size => self.emit_end(),
            State::Sending if sender.room(full) > 0 => self.todo = Todo::Fetch,
            _ => return false,
        }
        true
    }

    /// The most payload that a frame to the peer has.
    fn full(&mut self) -> u32 {
        let space = self.transmit.len().saturating_sub(F::HEAD).saturating_sub(F::TAIL).min(F::LONGEST);
        let Some(sender) = self.role.sender() else { return 0 };
        let whole = (space as u32).min(sender.frame).saturating_sub(OVERHEAD);
        // One frame goes while another is answered.
        whole.min((sender.window / 2).max(32))
    }

    fn refuse_or_abort(&mut self) {
        let Some(sender) = self.role.sender() else { return };
        let owes = core::mem::replace(&mut sender.owes, Owes::Nothing);
        let (kind, first, number, code) = match owes {
            Owes::Nothing => return,
            Owes::Decline(number, code) => (Kind::Decline, Answered::Want as u8, number, code),
            Owes::Abort(id, code) => (Kind::Abort, Scope::Sending as u8, id, code),
        };
        self.begin(kind);
        self.put_u8(first);
        self.put(number);
        self.put_u8(code as u8);
        self.seal(self.sending);
    }

    fn begin(&mut self, kind: Kind) {
        self.end = F::HEAD;
        self.put_u8(kind as u8);
    }

    fn emit_end(&mut self) {
        let Some(sender) = self.role.sender() else { return };
        sender.state = State::Ended;
        let (id, size, check) = (sender.id, sender.size, sender.check);
        self.begin(Kind::End);
        self.put(id);
        self.put(size);
        self.put_u32(check);
        self.put_u8(0);
        self.seal(self.sending);
    }

    /// The timer has run out (§8.5).
    pub(super) fn repeat(&mut self) {
        let Some(sender) = self.role.sender() else { return };
        sender.back = None;
        match sender.state {
            State::Offered => sender.again(sender.begin),
            State::Ended => sender.state = State::Sending,
            State::Sending if sender.front > sender.received => sender.go_back(sender.received),
            State::Sending => self.owed.add(Owed::PING),
            _ => {}
        }
    }

    /// Queues a transfer, about which the application is asked next; `None` if there is one already.
    pub fn offer(&mut self) -> Option<u32> {
        let sender = self.role.sender().filter(|sender| sender.state == State::Idle)?;
        sender.want = 0;
        sender.queue();
        Some(sender.id)
    }

    /// Agrees to send what is wanted.
    pub fn serve(&mut self) {
        if self.todo == Todo::Wanted
            && let Some(sender) = self.role.sender()
        {
            sender.queue();
            log!(info, "wish {=u32} of the peer: sends {=u32}", sender.want, sender.id);
            self.decided();
        }
    }

    /// Refuses what is wanted.
    pub fn refuse(&mut self, code: Code) {
        if self.todo == Todo::Wanted
            && let Some(sender) = self.role.sender()
        {
            sender.owes = Owes::Decline(sender.want, code);
            log!(warn, "wish {=u32} of the peer: refused, {}", sender.want, code);
            sender.want = 0;
            self.decided();
        }
    }

    /// Says what is sent.
    ///
    /// # Errors
    ///
    /// With a code it is given up.
    pub fn described(&mut self, description: Result<Description<'_>, Code>) {
        let largest = F::HEAD.saturating_add(F::LONGEST).min(self.transmit.len().saturating_sub(F::TAIL));
        let Some(sender) = self.role.sender().filter(|_| self.todo == Todo::Describe) else { return };
        self.todo = Todo::Nothing;
        let Description { name, size, identity, contents } = match description {
            Ok(description) => description,
            Err(code) => return sender.give_up(code),
        };
        let (id, want) = (sender.id, sender.want);
        let largest = largest.min(F::HEAD.saturating_add(sender.frame as usize));
        (sender.size, sender.summed, sender.check) = (size.unwrap_or(u32::MAX), 0, 0);
        let mut flags = if size.is_some() { Offer::SIZE } else { 0 };
        for (has, flag) in [
            (sender.begin == Begun::AtStart, Offer::RESTART),
            (want != 0, Offer::WANTED),
            (contents == Contents::Listing, Offer::LISTING),
        ] {
            flags |= if has { flag } else { 0 };
        }
        self.begin(Kind::Offer);
        self.put(id);
        self.put_u8(flags);
        if let Some(size) = size {
            self.put(size);
        }
        if want != 0 {
            self.put(want);
        }
        self.put_u8(0);
        self.put_u8(identity.len() as u8);
        for byte in identity.iter().chain(name.as_bytes()) {
            self.put_u8(*byte);
        }
        let fits = self.end.saturating_add(CHECK_LEN) <= largest;
        let Some(sender) = self.role.sender() else { return };
        if !fits || identity.len() > 16 {
            self.end = self.sent;
            return sender.give_up(Code::BadName);
        }
        sender.state = State::Offered;
        log!(info, "sends {=u32}: offered {=u32}", id, sender.size);
        self.seal(self.sending);
        self.repeated = self.now;
    }

    /// Where the source is read, and where the bytes go; DATA is begun in the transmit buffer.
    pub(super) fn fetching(&mut self) -> (u32, &mut [u8]) {
        let (offset, length) = self.fetch();
        let start = self.role.sender().map_or(0, |sender| sender.start);
        let into = self.transmit.get_mut(start..).unwrap_or_default();
        let length = length.min(into.len());
        (offset, into.get_mut(..length).unwrap_or_default())
    }

    fn fetch(&mut self) -> (u32, usize) {
        let full = self.full();
        let Some(sender) = self.role.sender() else { return (0, 0) };
        if sender.state == State::Verifying {
            sender.start = 0;
            return (sender.summed, sender.prefix.saturating_sub(sender.summed) as usize);
        }
        let (id, offset, room) = (sender.id, sender.offset, sender.room(full));
        self.begin(Kind::Data);
        self.put(id);
        self.put(offset);
        let start = core::mem::replace(&mut self.end, self.sent);
        if let Some(sender) = self.role.sender() {
            sender.start = start;
        }
        (offset, room as usize)
    }

    /// So many bytes were read; 0 at the source's end.
    ///
    /// # Errors
    ///
    /// With a code the transfer is given up.
    pub fn fetched(&mut self, n: Result<usize, Code>) {
        if self.todo != Todo::Fetch {
            return;
        }
        self.todo = Todo::Nothing;
        let Some(sender) = self.role.sender() else { return };
        let start = sender.start;
        let verifying = sender.state == State::Verifying;
        let from = if verifying { sender.summed } else { sender.offset };
        let bytes = match n {
            Ok(n) => self.transmit.get(start..start.saturating_add(n)).unwrap_or_default(),
            Err(code) => return sender.give_up(code),
        };
        let length = bytes.len() as u32;
        // What is sent again has been counted already.
        let counted = sender.summed.saturating_sub(from) as usize;
        if let Some(more) = bytes.get(counted..) {
            sender.check = self.crc.update(sender.check, more);
            sender.summed = sender.summed.max(from.saturating_add(length));
        }
        if verifying {
            if sender.summed == sender.prefix && sender.check == sender.prefix_check {
                sender.state = State::Sending;
                log!(info, "sends {=u32}: goes on from {=u32}", sender.id, sender.prefix);
            } else if length == 0 || sender.summed == sender.prefix {
                sender.again(Begun::AtStart);
            }
            return;
        }
        if length == 0 {
            if sender.size == u32::MAX {
                sender.size = from;
            } else {
                sender.give_up(Code::Changed);
            }
            return;
        }
        sender.offset = from.saturating_add(length);
        sender.front = sender.front.max(sender.offset);
        if sender.offset >= sender.until {
            sender.offset = sender.front;
        }
        self.end = start.saturating_add(bytes.len());
        self.seal(self.sending);
    }

    /// How the transfer has ended; asked once.
    pub(super) fn told(&mut self) -> Result<(), Code> {
        let Some(sender) = self.role.sender() else { return Ok(()) };
        sender.state = State::Idle;
        sender.want = 0;
        if sender.outcome == Code::Ok { Ok(()) } else { Err(sender.outcome) }
    }
}
