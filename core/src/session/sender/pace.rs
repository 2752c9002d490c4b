//! How long frames are on a link that loses some, how many may be under way, and how long their answers take (§8.5).

use super::super::shared::Shared;
use crate::units::Instant;

/// Payload of a frame at first, and at least.
const FIRST: usize = 240;
const SHORTEST: usize = 32;
/// After so many that arrived a frame may be twice as long.
const GROWS_AFTER: u8 = 32;

#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// The longest payload.
    longest: usize,
    /// How many have arrived since that was changed.
    arrived: u8,
    /// So many bytes may be under way: where answers do not come in time, more would only come in their way.
    most: u64,
    /// What was sent once only and is not acknowledged yet: the transfer, the end of the frame, and when.
    sample: Option<(u32, u64, Instant)>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { longest: FIRST, arrived: 0, most: u64::MAX, sample: None }
    }

    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// So many bytes may be under way.
    pub(super) fn most(&self) -> u64 {
        self.most
    }

    /// A frame was sent for the first time.
    pub(super) fn sent(&mut self, transfer: u32, end: u64, now: Instant) {
        if self.sample.is_none() {
            self.sample = Some((transfer, end, now));
        }
    }

    /// The receiver has a transfer up to there, `more` bytes further than before.
    pub(super) fn arrived(&mut self, transfer: u32, received: u64, more: u64, shared: &mut Shared<'_>) {
        self.most = self.most.saturating_add(more);
        if let Some((_, _, sent)) = self.sample.filter(|(id, end, _)| *id == transfer && *end <= received) {
            self.sample = None;
            shared.repeats.measured(sent, shared.now);
        }
        self.arrived = self.arrived.saturating_add(1);
        if self.arrived >= GROWS_AFTER {
            self.arrived = 0;
            self.longest = self.longest.saturating_mul(2);
        }
    }

    /// No answer has come in time: one frame at first, and more as answers come.
    pub(super) fn ran_out(&mut self) {
        self.lost();
        self.most = self.longest as u64;
    }

    /// Something was lost: what is sent again tells nothing of the round trip.
    pub(super) fn lost(&mut self) {
        self.sample = None;
        self.arrived = 0;
        self.longest = (self.longest / 2).max(SHORTEST);
    }
}
