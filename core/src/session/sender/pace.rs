//! How long frames are on a link that loses some, how many may be under way, and how long their answers take (§8.5).

use super::repairs::Repairs;
use crate::units::Instant;

/// Payload of a frame at first, and at least.
const FIRST: u64 = 240;
const SHORTEST: u64 = 32;
/// What a frame costs beside its payload, framing included.
const OVERHEAD: u64 = 11;
/// Losses are counted in so many parts; before the first one of them is taken for granted.
const PARTS: u64 = 16;
/// As if one part had been lost in so many bytes, frames are as long as they are to be at first.
const ARRIVED: u64 = FIRST * FIRST / (OVERHEAD * PARTS);
/// More bytes are not remembered.
const MEMORY: u64 = 4 << 20;

#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Bytes that have arrived, and frames that were lost meanwhile; what is long ago counts less.
    arrived: u64,
    lost: u64,
    /// So many bytes may be under way: where answers do not come in time, more would only come in their way.
    most: u64,
    sample: Option<Sample>,
}

/// What was sent once only and is not acknowledged yet: the transfer, the frame, and when.
#[derive(Clone, Copy, Debug)]
struct Sample {
    transfer: u32,
    start: u64,
    end: u64,
    at: Instant,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { arrived: ARRIVED, lost: 1, most: u64::MAX, sample: None }
    }

    /// The longest payload: what is lost with frames of n bytes grows with n, what their overhead costs shrinks with it, and the sum is
    /// least where n^2 is the overhead times the bytes for which one is lost.
    pub(super) fn longest(&self) -> u64 {
        let each = self.arrived.saturating_mul(PARTS).checked_div(self.lost).unwrap_or(u64::MAX);
        OVERHEAD.saturating_mul(each).isqrt().max(SHORTEST)
    }

    /// So many bytes may be under way.
    pub(super) fn most(&self) -> u64 {
        self.most
    }

    /// A frame was sent for the first time.
    pub(super) fn sent(&mut self, transfer: u32, start: u64, end: u64, at: Instant) {
        if self.sample.is_none() {
            self.sample = Some(Sample { transfer, start, end, at });
        }
    }

    /// So many bytes have arrived.
    pub(super) fn arrived(&mut self, bytes: u64) {
        self.most = self.most.saturating_add(bytes);
        self.arrived = self.arrived.saturating_add(bytes);
        if self.arrived > MEMORY {
            self.arrived /= 2;
            self.lost = (self.lost / 2).max(1);
        }
    }

    /// So many frames were lost.
    pub(super) fn lost(&mut self, frames: u64) {
        for _ in 0..frames.min(8) {
            self.arrived = self.arrived.saturating_sub(self.arrived / 8).max(1);
            self.lost = self.lost.saturating_sub(self.lost / 8).saturating_add(PARTS);
        }
    }

    /// Of a transfer everything below `known` is known: when what is measured by was sent, if it has arrived.
    pub(super) fn knows(&mut self, transfer: u32, known: u64, repairs: &Repairs<'_>) -> Option<Instant> {
        let sample = self.sample.filter(|sample| sample.transfer == transfer && sample.end <= known)?;
        self.sample = None;
        (!repairs.touches(transfer, sample.start, sample.end)).then_some(sample.at)
    }

    /// What is sent again tells nothing of the round trip.
    pub(super) fn forget(&mut self, transfer: u32) {
        self.sample = self.sample.filter(|sample| sample.transfer != transfer);
    }

    /// As many bytes may be under way as ever: the path has its own rules (§8.7).
    pub(super) fn goes_on(&mut self) {
        self.most = u64::MAX;
    }

    /// No answer has come in time: one frame at first, and more as answers come.
    pub(super) fn ran_out(&mut self) {
        self.sample = None;
        self.lost(2);
        self.most = self.longest();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long frames are after `frames` of this length each, of which every `nth` is lost.
    fn after(mut pace: Pace, bytes: u64, a_loss_every: u64) -> u64 {
        let mut since = 0;
        let mut passed = 0;
        while passed < bytes {
            let frame = pace.longest();
            passed += frame;
            since += frame;
            if since >= a_loss_every {
                since = 0;
                pace.lost(1);
            } else {
                pace.arrived(frame);
            }
        }
        pace.longest()
    }

    #[test]
    fn frames_are_as_long_as_the_line_lets_them_be() {
        assert_eq!(Pace::new().longest(), 239);
        let noisy = after(Pace::new(), 60_000, 1_000);
        assert!((85..125).contains(&noisy), "{noisy}");
        let fair = after(Pace::new(), 400_000, 10_000);
        assert!((280..380).contains(&fair), "{fair}");
        assert!(after(Pace::new(), 100_000, u64::MAX) > 4_000);
        let mut clean = Pace::new();
        clean.arrived(4 << 20);
        let noise = after(clean, 400_000, 1_000);
        assert!(noise < 125, "{noise}");
    }

    #[test]
    fn a_frame_that_must_be_sent_again_is_shorter() {
        let mut pace = Pace::new();
        for _ in 0..100 {
            pace.ran_out();
        }
        assert_eq!(pace.longest(), SHORTEST);
        assert_eq!(pace.most(), SHORTEST);
    }
}
