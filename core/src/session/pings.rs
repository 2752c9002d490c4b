//! PINGs that the application asks for, as long as it likes (§4.2).

use crate::wire::{CHECK_LEN, Writer};

/// Their numbers have this bit; those of NOTICEs have not.
const OURS: u32 = 1 << 31;
/// Kind, number and check of one without padding.
const SHORTEST: usize = 6 + CHECK_LEN;
const PADDING: [u8; 64] = [0; 64];

#[derive(Debug)]
pub(super) struct Pings {
    /// The newest; 0 if there was none.
    last: u32,
    /// How long the newest is to be, if it has not been written yet.
    length: Option<usize>,
}

impl Pings {
    pub(super) const NONE: Self = Self { last: 0, length: None };

    /// Asks for one of `length` bytes, kind to check, or the shortest if that is longer; its number, or `None` while another one waits.
    pub(super) fn ask(&mut self, length: usize) -> Option<u32> {
        if self.length.is_some() {
            return None;
        }
        self.last = self.last.wrapping_add(1) | OURS;
        self.length = Some(length.max(SHORTEST));
        Some(self.last)
    }

    /// The one that is to be written, if there is room for it.
    pub(super) fn due(&mut self, room: usize) -> Option<(u32, usize)> {
        let length = self.length.filter(|length| *length <= room)?;
        self.length = None;
        Some((self.last, length))
    }

    /// Whether this is the number of one of them.
    pub(super) fn is_one(&self, number: u32) -> bool {
        number & self.last & OURS != 0
    }
}

/// Fills what is left of a frame.
pub(super) fn pad(w: &mut Writer<'_>) {
    loop {
        let left = w.room();
        match PADDING.get(..left.min(PADDING.len())) {
            Some([]) | None => return,
            Some(padding) => w.bytes(padding),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_after_the_other_each_with_a_number_that_no_notice_has() {
        let mut pings = Pings::NONE;
        assert!(!pings.is_one(1) && !pings.is_one(OURS | 1));
        assert_eq!(pings.ask(0), Some(OURS | 1));
        assert_eq!((pings.ask(0), pings.due(SHORTEST - 1)), (None, None));
        assert_eq!((pings.due(SHORTEST), pings.due(SHORTEST)), (Some((OURS | 1, SHORTEST)), None));
        assert_eq!(pings.ask(1000), Some(OURS | 2));
        assert!(pings.is_one(OURS | 2) && !pings.is_one(2));
        pings.last = u32::MAX;
        assert_eq!(pings.due(1000), Some((u32::MAX, 1000)));
        assert_eq!(pings.ask(0), Some(OURS));
    }

    #[test]
    fn a_frame_is_filled_to_its_end() {
        for length in [0, 1, 63, 64, 65, 1000] {
            let mut frame = std::vec![1; length];
            let mut w = Writer::new(&mut frame);
            pad(&mut w);
            assert_eq!(w.len(), length);
            assert!(frame.iter().all(|byte| *byte == 0));
        }
    }
}
