//! What may happen to bytes on a lossy link; all of it follows from a seed.

use std::collections::BTreeSet;

/// Faults of one direction.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// The chance that a bit of a byte is turned, in 2^-32 a byte.
    pub flip: u32,
    /// Frames that are lost, counted from 0 by the delimiters of COBS (§2.2).
    pub lost: BTreeSet<u64>,
    /// Put in before this frame.
    pub junk: Option<(u64, Vec<u8>)>,
    state: u64,
    /// The frame that is passing, and whether a byte of it has.
    frame: u64,
    within: bool,
}

impl Faults {
    /// Bits are turned with this chance a byte, by this seed.
    pub fn flips(chance: f64, seed: u64) -> Self {
        Self { flip: (chance * 2_f64.powi(32)) as u32, state: seed | 1, ..Self::default() }
    }

    /// These frames are lost.
    pub fn loses(frames: impl IntoIterator<Item = u64>) -> Self {
        Self { lost: frames.into_iter().collect(), ..Self::default() }
    }

    /// Something else is said before this frame.
    pub fn says(before: u64, junk: &[u8]) -> Self {
        Self { junk: Some((before, junk.to_vec())), ..Self::default() }
    }

    /// How many frames have passed.
    pub fn passed(&self) -> u64 {
        self.frame
    }

    fn random(&mut self) -> u64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.state >> 32
    }

    /// What arrives of these bytes.
    pub(crate) fn apply(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut arrives = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            if !self.within && self.junk.as_ref().is_some_and(|(before, _)| *before == self.frame) {
                arrives.extend(self.junk.take().map(|(_, junk)| junk).unwrap_or_default());
            }
            if !self.lost.contains(&self.frame) {
                let turned = self.flip > 0 && self.random() < self.flip.into();
                let bit = if turned { 1 << (self.random() % 8) } else { 0 };
                arrives.push(byte ^ bit);
            }
            let ends = byte == 0 && self.within;
            self.within = byte != 0;
            self.frame += u64::from(ends);
        }
        arrives
    }
}
