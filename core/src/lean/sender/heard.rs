//! What a receiver says to a sender, and what is wanted of it (§9.1, §8.5).

use super::{Owes, Role, State};
use crate::lean::framing::Framing;
use crate::lean::session::Session;
use crate::lean::state::{Begun, Farewell, Todo};
use crate::limits::Directions;
use crate::session::Fault;
use crate::wire::{Answered, Code, Crc32, Kind, Scope};

impl<F: Framing, C: Crc32, R: Role> Session<'_, F, C, R> {
    /// A frame that a receiver sends, or a WANT.
    pub(in crate::lean) fn for_sender(&mut self, kind: Kind) -> Result<(), Fault> {
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
            // Of an offer before, or of a peer that does not begin at the start though it must (§5.1).
            State::Offered if sender.begin == Begun::AtStart && offset > 0 => return Err(Fault::Unexpected),
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
    pub(in crate::lean) fn declined(&mut self) -> Result<(), Fault> {
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
    pub(in crate::lean) fn aborted(&mut self, scope: u8, id: u32, code: Code) {
        let ours = self.role.sender().filter(|sender| scope == Scope::Receiving as u8 && id == sender.id);
        if let Some(sender) = ours {
            sender.finish(code);
        }
    }
}
