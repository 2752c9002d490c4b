//! The deadlines of a session (§13).

use crate::limits::Limits;
use crate::units::{Instant, Millis};

/// How long an ABORT may wait for the link.
const LINGER: Millis = Millis(1_000);

#[derive(Clone, Copy, Debug)]
pub(super) struct Timers {
    handshake_at: Instant,
    /// When something valid was last heard.
    heard: Instant,
    ping: PingState,
    lingers_until: Instant,
    silence: Millis,
    stall: Millis,
}

/// Whether the peer was asked for a sign of life since it was last heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PingState {
    Unasked,
    Asked,
}

impl Timers {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            handshake_at: now.after(limits.handshake),
            heard: now,
            ping: PingState::Unasked,
            lingers_until: now,
            silence: limits.silence,
            stall: limits.stall,
        }
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.ping = PingState::Unasked;
    }

    pub(super) fn handshake_at(&self) -> Instant {
        self.handshake_at
    }

    pub(super) fn handshake_over(&self, now: Instant) -> bool {
        now >= self.handshake_at
    }

    /// When a PING is due, or, once it was sent, when the silence budget is spent.
    pub(super) fn silence_at(&self) -> Instant {
        self.heard.after(match self.ping {
            PingState::Unasked => self.silence.half(),
            PingState::Asked => self.silence,
        })
    }

    pub(super) fn silent(&self, now: Instant) -> bool {
        now >= self.heard.after(self.silence)
    }

    /// Whether a PING is due now; it counts as sent then.
    pub(super) fn takes_ping(&mut self, now: Instant) -> bool {
        let due = self.ping == PingState::Unasked && now >= self.silence_at();
        if due {
            self.ping = PingState::Asked;
        }
        due
    }

    pub(super) fn stalls_at(&self, progressed: Instant) -> Instant {
        progressed.after(self.stall)
    }

    pub(super) fn stalled(&self, progressed: Instant, now: Instant) -> bool {
        now >= self.stalls_at(progressed)
    }

    pub(super) fn linger(&mut self, now: Instant) {
        self.lingers_until = now.after(LINGER);
    }

    pub(super) fn lingers_until(&self) -> Instant {
        self.lingers_until
    }

    pub(super) fn lingered(&self, now: Instant) -> bool {
        now >= self.lingers_until
    }
}
