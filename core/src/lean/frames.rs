//! From a received frame to what it does (§3, §8.3, §8.5, §10).

use super::framing::{Framing, Piece};
use super::owed::{CHECK, ECHO, ECHO_HIGH, ID, RECEIVED, REPLYING};
use super::owed::{Owed, Reply};
use super::sender::Role;
use super::session::Session;
use super::state::{Begun, Farewell, Gap, Phase, Todo};
use crate::error::{LinkError, PeerError};
use crate::limits::Directions;
use crate::session::Fault;
use crate::session::transitions::SessionState;
use crate::storage::Part;
use crate::wire::{
    CHECK_LEN, Code, Crc32, Hello, Kind, MIN_FRAME, Malformed, Offer, Scope, is_skippable, tag,
};

/// The check of whatever ends with its own check.
const CHECKED: u32 = 0x2144_DF1C;

/// The first fields of an OFFER; `u32::MAX` is a size that is unknown, or too large.
pub(super) struct Heading {
    pub(super) id: u32,
    pub(super) flags: u8,
    pub(super) size: u32,
    pub(super) digest: u8,
}

impl<F: Framing, C: Crc32, R: Role> Session<'_, F, C, R> {
    /// Takes bytes of the link's up to the end of a frame; whether one has ended.
    pub(super) fn take(&mut self) -> bool {
        let max = Self::largest(self.receive.len());
        while self.head < self.tail {
            let byte = self.receive.get(self.head).copied().unwrap_or_default();
            self.head = self.head.wrapping_add(1);
            let piece = self.framing.take(byte, max);
            if let Piece::Byte(byte) | Piece::LastByte(byte) = piece {
                // What is too long loses its end, and so its check.
                if self.fill < max {
                    if let Some(place) = self.receive.get_mut(self.fill) {
                        *place = byte;
                    }
                    self.fill = self.fill.wrapping_add(1);
                }
            }
            match piece {
                Piece::Nothing | Piece::Byte(_) => continue,
                Piece::LastByte(_) | Piece::End => self.frame(),
                Piece::Noise => {}
                Piece::Broken(error) => self.fail(error.into(), Code::Protocol),
            }
            if !self.holds_frame() {
                self.fill = 0;
            }
            return true;
        }
        self.head = self.fill;
        self.tail = self.fill;
        false
    }

    /// Whether the frame is still needed.
    pub(super) fn holds_frame(&self) -> bool {
        matches!(self.todo, Todo::Offer | Todo::Store | Todo::Wanted)
    }

    /// Checks the frame and does what it says, as far as that needs nobody else.
    #[inline(never)]
    fn frame(&mut self) {
        self.at = 1;
        self.stop = self.fill.wrapping_sub(CHECK_LEN);
        let frame = self.receive.get(..self.fill).unwrap_or_default();
        let Some(&code) = frame.first() else { return };
        let hello = code == Kind::Hello as u8;
        let start = if hello { 0 } else { self.receiving };
        let right = self.crc.update(start, frame) == CHECKED && self.fill > CHECK_LEN;
        if F::LOSSY {
            if !right || !(hello || self.peer != 0) {
                log!(debug, "dropped: {=usize} bytes, damaged or of another session", self.fill);
                return;
            }
            if !hello {
                self.heard = self.now;
                if self.state == SessionState::Opening {
                    return self.opened();
                }
            }
        } else if !right && (hello || self.is_open()) {
            return self.fail(LinkError::Corrupt.into(), Code::Integrity);
        }
        let Some(kind) = Kind::from_code(code) else {
            if !is_skippable(code) {
                self.fail(PeerError::UnknownKind(code).into(), Code::Protocol);
            } else {
                log!(debug, "dropped: a frame of unknown kind {=u8:#x}", code);
            }
            return;
        };
        let result = if hello || self.is_open() { self.dispatch(kind) } else { Err(Fault::Unexpected) };
        let Err(fault) = result else { return };
        let error = fault.of(kind).into();
        match fault {
            // What came before it, or its answer, was lost: one of the two comes again.
            Fault::Unexpected if F::LOSSY => log!(debug, "dropped: {}, which is not expected", kind),
            Fault::Restarted | Fault::Aborted(_) => self.end(error),
            _ => self.fail(error, Code::Protocol),
        }
    }

    fn dispatch(&mut self, kind: Kind) -> Result<(), Fault> {
        match kind {
            Kind::Hello => self.greeted(),
            Kind::Offer => self.offered(),
            Kind::Data => self.data(),
            Kind::End => self.ended(),
            Kind::Ping | Kind::Notice => {
                self.said[REPLYING] = self.varint();
                self.whole()?;
                self.owed.add(Owed::PONG);
                if self.phase == Phase::Receiving {
                    self.owed.add(Owed::ACK);
                }
                Ok(())
            }
            Kind::Abort => {
                let (scope, id, code) = (self.u8(), self.varint(), Code::from_refusal(self.u8()));
                self.whole()?;
                if scope == Scope::Session as u8 {
                    return Err(Fault::Aborted(code));
                }
                if scope == Scope::Sending as u8 && id == self.said[ID] && self.phase == Phase::Receiving {
                    let wrong = matches!(code, Code::Changed | Code::Integrity);
                    self.leave(if wrong { Part::Discard } else { Part::Keep }, code);
                }
                self.aborted(scope, id, code);
                Ok(())
            }
            Kind::Bye => {
                if self.phase == Phase::Receiving {
                    self.leave(Part::Keep, Code::Cancelled);
                }
                self.bye = Farewell::Heard;
                log!(debug, "session {=u64:#x}: the peer says goodbye", self.nonce());
                Ok(())
            }
            Kind::Decline => self.declined(),
            Kind::Pong | Kind::Attach => Ok(()),
            Kind::Want | Kind::Accept | Kind::Ack | Kind::Done => self.for_sender(kind),
        }
    }

    fn greeted(&mut self) -> Result<(), Fault> {
        let (version, nonce, echo, flags) = (self.u8(), self.u64(), self.u64(), self.u8());
        let frame = self.varint();
        let (window, _eager, transfers) = (self.varint(), self.varint(), self.varint());
        let (_gaps, _name) = (self.varint(), self.varint());
        let digests = self.u8();
        if version == 0 || nonce == 0 || frame < MIN_FRAME as u32 || digests > 4 {
            return Err(Fault::Malformed(Malformed::Value));
        }
        self.at = self.at.wrapping_add(digests.into());
        self.whole()?;
        if nonce == self.nonce() {
            return Ok(());
        }
        let echoed = echo == self.nonce();
        let another = self.peer != 0 && self.peer != nonce;
        if another && !F::LOSSY {
            return Err(Fault::Restarted);
        }
        (self.said[ECHO], self.said[ECHO_HIGH]) = (nonce as u32, (nonce >> 32) as u32);
        // The peer's may have been said before it had ours.
        let unseen = if F::LOSSY { flags & Hello::OPEN == 0 } else { !echoed };
        if another || unseen || !self.is_open() {
            self.owed.add(Owed::HELLO);
        }
        // One of another session may come late: only an echo says that it does not.
        if self.is_open() && !(another && echoed) {
            return Ok(());
        }
        // What the peer has begun anew begins here too, under the nonce that it has echoed (§8.5).
        self.leave(Part::Keep, Code::Unknown);
        self.said[ID] = 0;
        if let Some(sender) = self.role.sender() {
            if another {
                sender.lost();
            }
            (sender.frame, sender.window, sender.transfers) = (frame, window, transfers);
            if flags & Hello::ONE_DIRECTION != 0 {
                sender.directions = Directions::OneAtATime;
            }
        }
        self.peer = nonce;
        let ours = self.nonce();
        self.sending = tag(&mut self.crc, ours, nonce);
        self.receiving = tag(&mut self.crc, nonce, ours);
        if echoed {
            self.opened();
        }
        Ok(())
    }

    #[inline(never)]
    fn opened(&mut self) {
        self.state = SessionState::Open;
        log!(info, "session {=u64:#x} is open with {=u64:#x}", self.nonce(), self.peer);
        self.heard = self.now;
        self.progress();
    }

    /// A frame for a transfer that is over, or never was.
    fn not_here(&mut self, id: u32) -> Result<(), Fault> {
        if id > self.said[ID] {
            return Err(Fault::Unexpected);
        }
        if F::LOSSY {
            let code = if id == self.said[ID] { self.ended } else { Code::Unknown };
            self.reply(Reply::Done, id, code);
        }
        Ok(())
    }

    /// What an OFFER says before the identity.
    pub(super) fn heading(&mut self) -> Heading {
        let (id, flags) = (self.varint(), self.u8());
        let size = if flags & Offer::SIZE != 0 { self.varint() } else { u32::MAX };
        for flag in [Offer::MODIFIED, Offer::WANTED] {
            if flags & flag != 0 {
                self.varint();
            }
        }
        Heading { id, flags, size, digest: self.u8() }
    }

    fn offered(&mut self) -> Result<(), Fault> {
        let Heading { id, flags, size, digest } = self.heading();
        let restart = flags & Offer::RESTART != 0;
        self.whole()?;
        if self.bye == Farewell::Heard && !restart {
            return Err(Fault::Unexpected);
        }
        let again = id == self.said[ID];
        match self.phase {
            Phase::Idle => {
                let dealt_with = self.ended != Code::Wait && !(restart && self.ended == Code::Integrity);
                if F::LOSSY && again && dealt_with {
                    return self.not_here(id);
                }
                if !F::LOSSY && !restart && id <= self.said[ID] {
                    return Err(Fault::Unexpected);
                }
            }
            _ if !again => {
                log!(warn, "receives {=u32}: refused, {}", id, Code::Busy);
                self.reply(Reply::Decline, id, Code::Busy);
                return Ok(());
            }
            Phase::Receiving if restart && !(F::LOSSY && self.begun == Begun::AtStart) => {}
            Phase::Receiving if F::LOSSY => {
                self.owed.add(Owed::ACCEPT);
                return Ok(());
            }
            _ => return Err(Fault::Unexpected),
        }
        let smaller = self.nonce() < self.peer;
        if self.role.sender().is_some_and(|sender| sender.goes_first(smaller)) {
            log!(warn, "receives {=u32}: refused, {}", id, Code::Wait);
            self.reply(Reply::Decline, id, Code::Wait);
            return Ok(());
        }
        self.phase = Phase::Idle;
        self.said[ID] = id;
        self.begun = if restart { Begun::AtStart } else { Begun::Anywhere };
        self.progress();
        self.size = size;
        self.todo = Todo::Offer;
        log!(info, "receives {=u32}: offered {=u32}, restart: {=bool}", id, size, restart);
        if flags & Offer::SIZE != 0 && size == u32::MAX {
            self.decline(Code::TooLarge);
        } else if digest != 0 || flags & Offer::WANTED != 0 {
            self.decline(Code::Unsupported);
        }
        Ok(())
    }

    fn data(&mut self) -> Result<(), Fault> {
        let (id, offset) = (self.varint(), self.varint());
        let length = self.stop.wrapping_sub(self.at);
        if self.at >= self.stop {
            return Err(Fault::Malformed(Malformed::Truncated));
        }
        if id != self.said[ID] || self.phase == Phase::Idle {
            return self.not_here(id);
        }
        if self.phase == Phase::Committing {
            return Err(Fault::Unexpected);
        }
        if offset > self.size || length as u32 > self.size.wrapping_sub(offset) {
            self.finish(Reply::Abort, Code::TooLarge, Part::Discard);
            return Ok(());
        }
        let Some(skip) = self.said[RECEIVED].checked_sub(offset) else {
            return self.missing(self.gap);
        };
        self.at = self.at.saturating_add(skip as usize);
        if self.at < self.stop {
            self.todo = Todo::Store;
        } else if F::LOSSY {
            self.owed.add(Owed::ACK);
        }
        Ok(())
    }

    /// Something before what has come was lost; it is told once, and each time END comes.
    fn missing(&mut self, told: Gap) -> Result<(), Fault> {
        if !F::LOSSY {
            return Err(Fault::Unexpected);
        }
        if told == Gap::None {
            self.gap = Gap::Told;
            log!(debug, "receives {=u32}: lacks what follows {=u32}", self.said[ID], self.said[RECEIVED]);
            self.owed.add(Owed::ACK);
        }
        Ok(())
    }

    fn ended(&mut self) -> Result<(), Fault> {
        let (transfer, size, check, digest) = (self.varint(), self.varint(), self.u32(), self.u8());
        self.whole()?;
        if transfer != self.said[ID] || self.phase == Phase::Idle {
            return self.not_here(transfer);
        }
        if digest != 0 || self.phase == Phase::Committing {
            return Err(Fault::Unexpected);
        }
        let received = self.said[RECEIVED];
        if F::LOSSY && size > received && size <= self.size {
            return self.missing(Gap::None);
        }
        let known = self.size != u32::MAX;
        if size != received || check != self.said[CHECK] || (known && received != self.size) {
            self.finish(Reply::Done, Code::Integrity, Part::Discard);
            return Ok(());
        }
        self.phase = Phase::Committing;
        self.todo = Todo::Commit;
        self.progress();
        Ok(())
    }
}
