//! The deadlines of a session (§13).

use super::role::Role;
use super::shared::Shared;
use super::transitions::SessionState;
use super::{Asking, Contact, Farewell, NoticeState, Session};
use crate::error::LinkError;
use crate::framing::{Framing, Reliability};
use crate::units::{Instant, Millis};
use crate::wire::Crc32;

/// How long an ABORT may wait for the link.
const LINGER: Millis = Millis(1_000);

/// An open session's end that has sent nothing for so long sends PING: whoever takes long to receive a frame, or has much to send, hears
/// that the other is there.
const KEEP_ALIVE: Millis = Millis(10_000);

impl Shared<'_> {
    fn ends_at(&self, state: SessionState) -> Instant {
        self.since.after(match state {
            SessionState::Opening => self.limits.handshake,
            SessionState::Open => self.limits.silence,
            SessionState::Ending | SessionState::Closed => LINGER,
        })
    }

    fn pings_at(&self) -> Instant {
        self.spoke.after(KEEP_ALIVE.min(self.limits.silence.half()))
    }

    /// Whether a PING is due.
    pub(super) fn owes_ping(&self) -> bool {
        self.now >= self.pings_at()
    }
}

impl<'b, R: Role<'b>, F: Framing, C: Crc32> Session<'b, R, F, C> {
    fn is_late(&self) -> bool {
        self.shared.now >= self.shared.ends_at(self.state)
    }

    fn stalls_at(&self) -> Instant {
        self.shared.progressed.after(self.shared.limits.stall)
    }

    /// Whether the peer must bring something further.
    fn expects(&mut self) -> bool {
        !self.is_idle() || self.has_said_bye() || self.notice != NoticeState::None || self.may_be_forgotten()
    }

    /// What has become too late.
    pub(super) fn expire(&mut self) {
        match self.state {
            SessionState::Opening if self.is_late() => self.fail(LinkError::Handshake.into()),
            SessionState::Opening => self.repeat_what_is_lost(),
            SessionState::Open => self.expire_open(),
            SessionState::Ending | SessionState::Closed => {}
        }
    }

    fn expire_open(&mut self) {
        if !self.expects() {
            self.shared.progress();
        }
        if self.is_late() {
            self.fail(LinkError::Silent.into());
        } else if self.shared.now >= self.stalls_at() {
            self.fail(LinkError::Stalled.into());
        } else {
            self.repeat_what_is_lost();
        }
    }

    /// Whether something was said that awaits an answer, on a link that may have lost either (§8.5).
    fn awaits(&mut self) -> bool {
        if !self.is_lossy() {
            return false;
        }
        match self.state {
            SessionState::Opening => self.greeting.is_awaiting(),
            SessionState::Open => {
                self.may_be_forgotten()
                    || self.notice == NoticeState::Sent
                    || (self.has_said_bye() && !self.has_heard_bye())
                    || self.role.receiver().is_some_and(|receiver| receiver.awaits())
                    || self.role.sender().is_some_and(|sender| sender.awaits())
            }
            SessionState::Ending | SessionState::Closed => false,
        }
    }

    /// Whether the peer may still wait for the HELLO with its nonce, and keep nothing before (§8.6).
    fn may_be_forgotten(&self) -> bool {
        self.framing.link() == Reliability::Datagrams && self.contact == Contact::Hello
    }

    /// Says again what awaits an answer for too long.
    fn repeat_what_is_lost(&mut self) {
        if !self.awaits() {
            self.shared.repeats.advanced(self.shared.now);
            return;
        }
        // What has not left yet cannot have been lost.
        if self.shared.now < self.shared.repeats.due_at() || !self.outbox.is_empty() {
            return;
        }
        self.shared.repeats.ran_out(self.shared.now);
        log!(debug, "no answer: said again");
        if self.state == SessionState::Opening {
            self.greeting.repeat();
            return;
        }
        if self.may_be_forgotten() {
            self.greeting.repeat();
            self.asking = Asking::Due;
        }
        if self.notice == NoticeState::Sent {
            self.notice = NoticeState::Asked;
        }
        if let Farewell::Said(code) = self.bye {
            self.bye = Farewell::Meant(code);
        }
        if let Some(receiver) = self.role.receiver() {
            receiver.repeat();
        }
        let now = self.shared.now;
        if self.role.sender().is_some_and(|sender| sender.repeat(now)) {
            self.asking = Asking::Due;
        }
    }

    /// Whether the link has had its time to take the ABORT.
    pub(super) fn has_lingered(&self) -> bool {
        self.state == SessionState::Ending && self.is_late()
    }

    /// The one place that says when the engine must be called again.
    pub(super) fn due_at(&mut self) -> Instant {
        let end = self.shared.ends_at(self.state);
        let repeat = if self.awaits() && self.outbox.is_empty() { self.shared.repeats.due_at() } else { end };
        if self.state != SessionState::Open {
            return end.min(repeat);
        }
        let stall = if self.expects() { self.stalls_at() } else { end };
        let wake = self.role.sender().and_then(|sender| sender.wakes_at(&self.shared)).unwrap_or(end);
        let sync = self.role.receiver().and_then(|receiver| receiver.deadline(&self.shared)).unwrap_or(end);
        // A PING that is due and has found no room goes with whatever makes room for it.
        let ping = if self.shared.owes_ping() { end } else { self.shared.pings_at() };
        end.min(stall).min(sync).min(ping).min(repeat).min(wake)
    }
}
