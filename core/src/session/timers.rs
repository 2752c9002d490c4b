//! The deadlines of a session (§13).

use super::{NoticeState, Session};
use super::role::Role;
use super::transitions::SessionState;
use crate::error::LinkError;
use crate::framing::Framing;
use crate::limits::Limits;
use crate::units::{Instant, Millis};
use crate::wire::Crc32;

/// How long an ABORT may wait for the link.
const LINGER: Millis = Millis(1_000);

/// What the deadline of the session's state counts from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timers {
    /// When the state began or, once the session is open, when something valid was last heard.
    since: Instant,
    ping: PingState,
}

/// Whether the peer was asked for a sign of life since it was last heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PingState {
    Unasked,
    Due,
    Asked,
}

impl Timers {
    /// A state begins, or the peer was heard in an open session.
    pub(super) fn begin(now: Instant) -> Self {
        Self { since: now, ping: PingState::Unasked }
    }

    /// Whether a PING is due; it counts as sent then.
    pub(super) fn takes_ping(&mut self) -> bool {
        let due = self.ping == PingState::Due;
        if due {
            self.ping = PingState::Asked;
        }
        due
    }

    fn ends_at(&self, state: SessionState, limits: &Limits) -> Instant {
        self.since.after(match (state, self.ping) {
            (SessionState::Opening, _) => limits.handshake,
            (SessionState::Open, PingState::Unasked) => limits.silence.half(),
            (SessionState::Open, _) => limits.silence,
            (SessionState::Ending | SessionState::Closed, _) => LINGER,
        })
    }
}

impl<'b, R: Role<'b>, F: Framing, C: Crc32> Session<'b, R, F, C> {
    fn is_late(&self) -> bool {
        self.shared.now >= self.timers.ends_at(self.state, self.shared.limits)
    }

    fn stalls_at(&self) -> Instant {
        self.shared.progressed.after(self.shared.limits.stall)
    }

    /// Whether the peer must bring something further.
    fn expects(&mut self) -> bool {
        !self.is_idle() || self.has_said_bye() || self.notice != NoticeState::None
    }

    /// What has become too late.
    pub(super) fn expire(&mut self) {
        match self.state {
            SessionState::Opening if self.is_late() => self.fail(LinkError::Handshake.into()),
            SessionState::Open => self.expire_open(),
            SessionState::Opening | SessionState::Ending | SessionState::Closed => {}
        }
    }

    fn expire_open(&mut self) {
        if !self.expects() {
            self.shared.progress();
        }
        if self.is_late() && self.timers.ping == PingState::Unasked {
            self.timers.ping = PingState::Due;
        }
        if self.timers.ping != PingState::Unasked && self.is_late() {
            self.fail(LinkError::Silent.into());
        } else if self.shared.now >= self.stalls_at() {
            self.fail(LinkError::Stalled.into());
        }
    }

    /// Whether the link has had its time to take the ABORT.
    pub(super) fn has_lingered(&self) -> bool {
        self.state == SessionState::Ending && self.is_late()
    }

    /// The one place that says when the engine must be called again.
    pub(super) fn due_at(&mut self) -> Instant {
        let end = self.timers.ends_at(self.state, self.shared.limits);
        if self.state != SessionState::Open {
            return end;
        }
        let stall = if self.expects() { self.stalls_at() } else { end };
        let sync = self.role.receiver().and_then(|receiver| receiver.deadline(&self.shared)).unwrap_or(end);
        end.min(stall).min(sync)
    }
}
