//! What the application asks of a session.

use super::hand::Business;
use super::role::{Receives, Role, Sends};
use super::transitions::SessionState;
use super::{Asking, Farewell, Nonce, NoticeState, Session, Speaks};
use crate::error::{Error, PeerError};
use crate::framing::Framing;
use crate::units::{TransferId, WantId};
use crate::wire::{Code, Crc32, NodeName};

impl<'b, R: Role<'b>, F: Framing, C: Crc32> Session<'b, R, F, C> {
    /// Sends a notice to the peer's user, whose words [`Action::Say`](crate::Action::Say) will ask for; `None` while another one has not been taken
    /// yet, before the session is open, or after [`close`](Self::close) or the peer's BYE.
    pub fn notify(&mut self) -> Option<u32> {
        let open = self.state == SessionState::Open && self.bye == Farewell::NotYet;
        if self.notice != NoticeState::None || !open {
            return None;
        }
        self.number = self.number.wrapping_add(1);
        self.notice = NoticeState::Asked;
        Some(self.number)
    }

    /// Sends a PING of `length` bytes, kind to check, whose answer is told ([`Event::Ponged`](crate::Event::Ponged)): of the least length there is, if
    /// that is longer, and of [`longest_ping`](Self::longest_ping) at most. It is not sent again if the link loses it. `None` while another one has not been
    /// written yet, before the session is open, or after [`close`](Self::close) or the peer's BYE.
    pub fn ping(&mut self, length: usize) -> Option<u32> {
        if self.state != SessionState::Open || self.bye != Farewell::NotYet {
            return None;
        }
        let length = length.min(self.longest_ping());
        self.pings.ask(length)
    }

    /// The longest frame, kind to check, that the peer takes and the transmit buffer holds.
    pub fn longest_ping(&self) -> usize {
        F::fits(self.outbox.len()).min(self.shared.peer.frame)
    }

    /// Says to the peer that this end stays and may be spoken to, and what it is called (§4.6): as soon as the session is open, ahead of
    /// everything else. A later call takes the place of an earlier one; after BYE it does nothing. A name that does not fit the peer's largest
    /// frame, or the transmit buffer, is left out: 55 bytes always fit.
    pub fn attach(&mut self, name: NodeName<'b>) {
        if !self.has_said_bye() {
            self.attach = Some(name);
            self.attaching = Asking::Due;
        }
    }

    /// Starts nothing more, finishes what is under way, and says BYE with `code`: [`Code::Ok`], or why.
    pub fn close(&mut self, code: Code) {
        if self.bye == Farewell::NotYet {
            self.bye = Farewell::Meant(code);
        }
    }

    /// Ends the session at once, whatever is under way, and tells the peer why; [`Error::Ended`] is what it then closes with.
    pub fn abort(&mut self, code: Code) {
        self.fail(Error::Ended(code));
    }

    /// How the next session on this link has to begin, once this one is closed; `None`: as any. A peer that has begun anew has a session with this
    /// end's nonce already, and waits for it to speak (§8.5).
    pub fn successor(&self) -> Option<(Speaks, Nonce)> {
        let restarted = self.error == Some(PeerError::Restarted.into()) && self.is_lossy();
        restarted.then_some((Speaks::First, Nonce(self.opening.nonce)))
    }

    /// Whether no transfer is queued, under way, or to be reported.
    pub fn is_idle(&mut self) -> bool {
        let sending = self.role.sender().is_some_and(|sender| sender.is_active());
        let receiving = self.role.receiver().is_some_and(|receiver| receiver.is_active());
        !sending && !receiving
    }

    /// Where the session stands (§8.1).
    pub fn state(&self) -> SessionState {
        self.state
    }

    /// The largest name the peer takes, in bytes; 0 before the session is open.
    pub fn longest_name(&self) -> usize {
        self.shared.peer.name as usize
    }
}

impl<'b, R: Sends<'b>, F: Framing, C: Crc32> Session<'b, R, F, C> {
    /// Queues a transfer, which [`Action::Describe`](crate::Action::Describe) will ask about; `None` while every slot is taken, or
    /// after [`close`](Self::close) or the peer's BYE.
    pub fn offer(&mut self) -> Option<TransferId> {
        if self.bye != Farewell::NotYet {
            return None;
        }
        self.role.sender()?.queue()
    }

    /// How many bytes of a transfer of this end's the receiver has said that it has; `None` if the transfer is over. Also after the link
    /// was lost: what grows from one link to the next comes further.
    pub fn acknowledged(&mut self, transfer: TransferId) -> Option<u64> {
        self.role.sender()?.acknowledged(transfer.0)
    }

    /// Gives a transfer of this end's up.
    pub fn cancel(&mut self, transfer: TransferId, code: Code) {
        if let Some(sender) = self.role.sender() {
            sender.cancel(transfer.0, code.into());
        }
    }
}

impl<'b, R: Receives<'b>, F: Framing, C: Crc32> Session<'b, R, F, C> {
    /// Asks the peer for a file or a listing, whose name [`Action::Ask`](crate::Action::Ask) will ask for; `None` while every slot is
    /// taken, before the session is open, after [`close`](Self::close), or if the peer answers no WANT.
    pub fn want(&mut self) -> Option<WantId> {
        let peer = &self.shared.peer;
        if self.bye != Farewell::NotYet || self.state != SessionState::Open || !peer.answers_want {
            return None;
        }
        let takes = peer.transfers;
        let want = self.role.receiver()?.want(takes)?;
        self.shared.progress();
        Some(want)
    }

    /// Gives a transfer to this end up; its part is kept.
    pub fn refuse(&mut self, transfer: TransferId, code: Code) {
        let slot = self.role.receiver().and_then(|receiver| receiver.cancel(transfer.0, code.into()));
        if matches!(self.hand.business, Business::Store { .. }) && slot == Some(self.hand.slot) {
            self.hand.business = Business::Spent;
        }
    }
}
