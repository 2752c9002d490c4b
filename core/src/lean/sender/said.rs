//! What a sender says: OFFER, DATA and END, and what it asks the application for them (§9).

use super::{Contents, Description, Owes, Role, State};
use crate::lean::framing::Framing;
use crate::lean::owed::Owed;
use crate::lean::session::Session;
use crate::lean::state::{Begun, Phase, Readiness, Todo};
use crate::limits::Directions;
use crate::wire::{Answered, CHECK_LEN, Code, Crc32, Kind, Offer, Scope};

/// The most that a frame has beside its payload: kind, id, offset and check.
const OVERHEAD: u32 = 15;

impl<F: Framing, C: Crc32, R: Role> Session<'_, F, C, R> {
    /// What the sender does before a further frame is looked at; whether there is anything.
    pub(in crate::lean) fn settle(&mut self) -> bool {
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
    pub(in crate::lean) fn send(&mut self) -> bool {
        let receiving = self.phase != Phase::Idle;
        let full = self.full();
        let Some(sender) = self.role.sender().filter(|_| self.asked == Readiness::Ready) else {
            return false;
        };
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
    pub(in crate::lean) fn repeat(&mut self) {
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
        if let Some(sender) = self.role.sender().filter(|_| self.todo == Todo::Wanted) {
            sender.queue();
            log!(info, "wish {=u32} of the peer: sends {=u32}", sender.want, sender.id);
            self.decided();
        }
    }

    /// Refuses what is wanted.
    pub fn refuse(&mut self, code: Code) {
        if let Some(sender) = self.role.sender().filter(|_| self.todo == Todo::Wanted) {
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
    /// With a code it is given up; with [`Code::Wait`] it is asked again in the next round.
    pub fn described(&mut self, description: Result<Description<'_>, Code>) {
        let largest = F::HEAD.saturating_add(F::LONGEST).min(self.transmit.len().saturating_sub(F::TAIL));
        let Some(sender) = self.role.sender().filter(|_| self.todo == Todo::Describe) else { return };
        self.todo = Todo::Nothing;
        let Description { name, size, identity, contents } = match description {
            Ok(description) => description,
            Err(Code::Wait) => {
                self.asked = Readiness::Busy;
                return;
            }
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
    pub(in crate::lean) fn fetching(&mut self) -> (u32, &mut [u8]) {
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
    /// With a code the transfer is given up; with [`Code::Wait`] the source is asked again in the next round.
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
            Err(Code::Wait) => {
                self.asked = Readiness::Busy;
                return;
            }
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
    pub(in crate::lean) fn told(&mut self) -> Result<(), Code> {
        let Some(sender) = self.role.sender() else { return Ok(()) };
        sender.state = State::Idle;
        sender.want = 0;
        if sender.outcome == Code::Ok { Ok(()) } else { Err(sender.outcome) }
    }
}
