//! Which ranges are to be sent again, because the receiver's ACKs name them as gaps (§8.5).

use heapless::VecView;

use super::super::lists::{insert, remove};
use crate::units::Instant;
use crate::wire::{Ack, Gap};

/// A range that a receiver misses.
///
/// The caller lends as many as a sender may remember at a time, over all its transfers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Missing {
    transfer: u32,
    start: u64,
    end: u64,
    /// Up to here it was sent again.
    next: u64,
    /// When it was named first, or last sent again.
    since: Instant,
    /// What had ever been sent of the transfer when it was last sent again.
    frontier: u64,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Verdict {
    /// It may still be on its way.
    Late,
    Lost,
}

/// When something that is missing counts as lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) now: Instant,
    /// Once so many bytes have been received beyond it: none where frames keep their order.
    pub(super) overtaken: u64,
    /// Once so many microseconds have passed since it was named.
    pub(super) allowance: u64,
    /// Once so many microseconds have passed since it was sent again.
    pub(super) span: u64,
}

impl Rules {
    fn keeps_order(&self) -> bool {
        self.overtaken == 0
    }
}

/// What an ACK has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// How far all is known: what is missing below has been named, the rest of it has been received.
    pub(super) known: u64,
    /// From there on there was no room to remember what is missing.
    pub(super) cut: Option<u64>,
    /// Frames that are found lost.
    pub(super) lost: u64,
}

/// One frame that is to be sent again, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) transfer: u32,
    pub(super) offset: u64,
    pub(super) end: u64,
}

/// What a sender remembers of what is missing, in the order of transfers and offsets.
#[derive(Debug)]
pub(super) struct Repairs<'b> {
    list: Option<&'b mut VecView<Missing>>,
}

impl Missing {
    fn of(transfer: u32, gap: Gap, now: Instant) -> Self {
        let Gap { start, .. } = gap;
        Self {
            transfer,
            start,
            end: gap.end(),
            next: start,
            since: now,
            frontier: u64::MAX,
            verdict: Verdict::Late,
        }
    }

    /// What is left of it in this gap.
    fn within(self, gap: Gap) -> Self {
        let (start, end) = (gap.start, gap.end());
        Self { start, end, next: self.next.clamp(start, end), ..self }
    }

    /// What lies before `offset` is no part of it any more.
    fn cut(&mut self, offset: u64) {
        self.start = self.start.max(offset);
        self.next = self.next.max(offset);
    }

    fn is_sent(&self) -> bool {
        self.next == self.end
    }

    /// When it may be sent, or sent once more.
    fn due_at(&self, rules: &Rules) -> Instant {
        match self.verdict {
            _ if self.is_sent() => self.since.after_micros(rules.span),
            Verdict::Late => self.since.after_micros(rules.allowance),
            Verdict::Lost => Instant::ZERO,
        }
    }

    fn due(&self) -> Due {
        let offset = if self.is_sent() { self.start } else { self.next };
        Due { transfer: self.transfer, offset, end: self.end }
    }
}

impl<'b> Repairs<'b> {
    pub(super) fn new(list: Option<&'b mut VecView<Missing>>) -> Self {
        let mut repairs = Self { list };
        if let Some(list) = &mut repairs.list {
            list.clear();
        }
        repairs
    }

    /// The memory that was lent.
    pub(super) fn release(self) -> Option<&'b mut VecView<Missing>> {
        self.list
    }

    /// Whether it has any memory.
    pub(super) fn remembers(&self) -> bool {
        self.list.as_ref().is_some_and(|list| list.capacity() > 0)
    }

    fn all(&self) -> &[Missing] {
        self.list.as_deref().map_or(&[], |list| list.as_slice())
    }

    fn of(&self, transfer: u32) -> &[Missing] {
        let all = self.all();
        let from = all.partition_point(|missing| missing.transfer < transfer);
        let rest = all.get(from..).unwrap_or_default();
        let length = rest.partition_point(|missing| missing.transfer == transfer);
        rest.get(..length).unwrap_or_default()
    }

    /// Bytes of a transfer that were sent again and have not arrived.
    pub(super) fn under_way(&self, transfer: u32) -> u64 {
        self.of(transfer)
            .iter()
            .map(|missing| missing.next.saturating_sub(missing.start))
            .fold(0, u64::saturating_add)
    }

    /// Bytes of a transfer that are missing.
    pub(super) fn missing(&self, transfer: u32) -> u64 {
        self.of(transfer)
            .iter()
            .map(|missing| missing.end.saturating_sub(missing.start))
            .fold(0, u64::saturating_add)
    }

    /// Whether something of this range is missing.
    pub(super) fn touches(&self, transfer: u32, start: u64, end: u64) -> bool {
        self.of(transfer).iter().any(|missing| missing.start < end && start < missing.end)
    }

    /// What is to be sent again now, the first first.
    pub(super) fn due(&self, rules: &Rules) -> Option<Due> {
        let first = self.all().iter().find(|missing| missing.due_at(rules) <= rules.now)?;
        Some(first.due())
    }

    /// When that changes without an ACK.
    pub(super) fn due_at(&self, rules: &Rules) -> Option<Instant> {
        self.all().iter().map(|missing| missing.due_at(rules)).filter(|at| *at > rules.now).min()
    }

    /// Whether something of a transfer is to be sent again now.
    pub(super) fn is_due(&self, transfer: u32, rules: &Rules) -> bool {
        self.of(transfer).iter().any(|missing| missing.due_at(rules) <= rules.now)
    }

    /// A frame was sent again; of the transfer everything below `frontier` was ever sent.
    pub(super) fn sent(&mut self, due: Due, frontier: u64, now: Instant) {
        let Some(list) = &mut self.list else { return };
        let found = list.iter_mut().find(|missing| {
            missing.transfer == due.transfer && (missing.start..missing.end).contains(&due.offset)
        });
        if let Some(missing) = found {
            missing.next = due.end.min(missing.end);
            missing.since = now;
            missing.frontier = frontier;
            missing.verdict = Verdict::Lost;
        }
    }

    /// Nothing that was sent has arrived in time: all of a transfer that is missing is to be sent again.
    pub(super) fn ran_out(&mut self, transfer: u32) {
        let Some(list) = &mut self.list else { return };
        for missing in list.iter_mut().filter(|missing| missing.transfer == transfer) {
            missing.next = missing.start;
            missing.verdict = Verdict::Lost;
        }
    }

    /// Nothing of a transfer is to be sent again.
    pub(super) fn forget(&mut self, transfer: u32) {
        if let Some(list) = &mut self.list {
            list.retain(|missing| missing.transfer != transfer);
        }
    }

    /// Takes the gaps of an ACK but for one at the end beyond which nothing is kept; of the transfer everything below `summed` was ever sent.
    pub(super) fn named(&mut self, ack: &Ack<'_>, summed: u64, rules: &Rules) -> Told {
        let transfer = ack.transfer;
        let beyond = ack.gaps.beyond();
        let end = match ack.gaps.iter().last() {
            None => ack.received,
            Some(tail) if beyond == 0 => tail.start,
            Some(last) => last.end().saturating_add(beyond),
        };
        let end = end.min(summed).max(ack.received);
        let mut told = Told { known: end, cut: None, lost: 0 };
        let Some(list) = &mut self.list else { return told };
        let mut at = list.partition_point(|missing| missing.transfer < transfer);
        received(list, transfer, at, ack.received);
        let mut gaps = ack.gaps.iter().take_while(|gap| gap.end() <= end).peekable();
        while let Some(gap) = gaps.next().filter(|gap| told.cut.is_none_or(|cut| gap.start < cut)) {
            // What lies between the gap and there has been received.
            let until = gaps.peek().map_or(end, |next| next.start);
            received(list, transfer, at, gap.start);
            let old = list
                .get(at)
                .copied()
                .filter(|missing| missing.transfer == transfer && missing.start < gap.end());
            let mut piece = old.map_or(Missing::of(transfer, gap, rules.now), |old| old.within(gap));
            let lost = piece.judge(old, until, end, rules);
            let place = list.get_mut(at).filter(|_| old.is_some_and(|old| old.end <= until));
            if let Some(place) = place {
                *place = piece;
            } else {
                if list.is_full() {
                    // The first are of more use than the last. What comes after those that are remembered is not known.
                    told.cut = Some(give_up_last(list, transfer, at).unwrap_or(gap.start));
                }
                if told.cut == Some(gap.start) || !insert(list, at, piece) {
                    break;
                }
            }
            told.lost = told.lost.saturating_add(lost);
            at = at.saturating_add(1);
            received(list, transfer, at, until);
        }
        if let Some(cut) = told.cut {
            list.retain(|missing| missing.transfer != transfer || missing.start < cut);
        }
        told
    }
}

impl Missing {
    /// Says whether it is lost, or lost again: `old` is what was known of it, the receiver has everything from its end to `until` and
    /// something up to `end`. How many losses that is.
    fn judge(&mut self, old: Option<Self>, until: u64, end: u64, rules: &Rules) -> u64 {
        if self.verdict == Verdict::Late {
            let is_lost = end.saturating_sub(self.end) >= rules.overtaken;
            if is_lost {
                self.verdict = Verdict::Lost;
            }
            return is_lost.into();
        }
        // Something has come that was sent after it was sent again.
        let later = end > self.frontier && end.saturating_sub(self.frontier) > rules.overtaken;
        let rest = old.is_some_and(|old| self.end < old.next && self.end < until);
        let is_lost = self.next > self.start && (later || (rest && rules.keeps_order()));
        if is_lost {
            self.next = self.start;
        }
        is_lost.into()
    }
}

/// Gives up the last range of a transfer, behind the one at `at`: where it began.
fn give_up_last(list: &mut VecView<Missing>, transfer: u32, at: usize) -> Option<u64> {
    let last = list.partition_point(|missing| missing.transfer <= transfer).checked_sub(1)?;
    if last <= at {
        return None;
    }
    remove(list, last).map(|missing| missing.start)
}

/// Everything of a transfer between the range at `at` and `offset` has been received.
fn received(list: &mut VecView<Missing>, transfer: u32, at: usize, offset: u64) {
    while let Some(missing) = list.get_mut(at).filter(|missing| missing.transfer == transfer) {
        if missing.end > offset {
            missing.cut(offset);
            return;
        }
        let _ = remove(list, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Gaps;
    use heapless::Vec;

    const LINE: Rules = Rules { now: Instant::ZERO, overtaken: 0, allowance: 0, span: 1_000 };

    fn at(rules: Rules, micros: u64) -> Rules {
        Rules { now: Instant::from_micros(micros), ..rules }
    }

    fn named(
        repairs: &mut Repairs<'_>,
        received: u64,
        gaps: &[(u64, u64)],
        beyond: u64,
        rules: &Rules,
    ) -> (u64, u64) {
        let gaps: std::vec::Vec<Gap> =
            gaps.iter().map(|&(start, end)| Gap { start, length: end - start }).collect();
        let gaps = Gaps::new(&gaps, beyond);
        let ack = Ack { transfer: 1, received, durable: 0, credit: 0, gaps };
        let told = repairs.named(&ack, 1_000, rules);
        (told.cut.unwrap_or(told.known), told.lost)
    }

    fn due(repairs: &Repairs<'_>, rules: &Rules) -> Option<(u64, u64)> {
        repairs.due(rules).map(|due| (due.offset, due.end))
    }

    fn send(repairs: &mut Repairs<'_>, offset: u64, end: u64, frontier: u64, rules: &Rules) {
        repairs.sent(Due { transfer: 1, offset, end }, frontier, rules.now);
    }

    #[test]
    fn what_is_missing_is_sent_again_once_and_frame_by_frame() {
        let mut memory: Vec<Missing, 4> = Vec::new();
        let mut repairs = Repairs::new(Some(&mut memory));
        assert_eq!(named(&mut repairs, 100, &[(100, 300), (400, 450)], 50, &LINE), (500, 2));
        assert_eq!((repairs.missing(1), repairs.under_way(1)), (250, 0));
        assert_eq!(due(&repairs, &LINE), Some((100, 300)));
        send(&mut repairs, 100, 200, 600, &LINE);
        assert_eq!(due(&repairs, &LINE), Some((200, 300)));
        send(&mut repairs, 200, 300, 600, &LINE);
        assert_eq!(due(&repairs, &LINE), Some((400, 450)));
        send(&mut repairs, 400, 450, 600, &LINE);
        assert_eq!((due(&repairs, &LINE), repairs.under_way(1)), (None, 250));
        // ACKs that were under way meanwhile name it still.
        assert_eq!(named(&mut repairs, 100, &[(100, 300), (400, 450)], 150, &at(LINE, 500)), (600, 0));
        assert_eq!(due(&repairs, &at(LINE, 500)), None);
        assert_eq!(named(&mut repairs, 300, &[(400, 450)], 150, &at(LINE, 600)), (600, 0));
        assert_eq!(repairs.due_at(&at(LINE, 600)), Some(Instant::from_micros(1_000)));
        assert_eq!(due(&repairs, &at(LINE, 1_000)), Some((400, 450)));
        assert_eq!(named(&mut repairs, 600, &[], 0, &LINE), (600, 0));
        assert_eq!((repairs.missing(1), due(&repairs, &at(LINE, 9_000))), (0, None));
    }

    #[test]
    fn on_a_line_what_comes_later_says_that_it_is_lost_again() {
        let mut memory: Vec<Missing, 4> = Vec::new();
        let mut repairs = Repairs::new(Some(&mut memory));
        assert_eq!(named(&mut repairs, 0, &[(0, 300)], 100, &LINE), (400, 1));
        for start in [0, 100, 200] {
            send(&mut repairs, start, start + 100, 500, &LINE);
        }
        // The second of three has arrived: the first is lost, the third may still come.
        assert_eq!(named(&mut repairs, 0, &[(0, 100), (200, 300)], 100, &LINE), (400, 1));
        assert_eq!(due(&repairs, &LINE), Some((0, 100)));
        send(&mut repairs, 0, 100, 600, &LINE);
        assert_eq!(due(&repairs, &LINE), None);
        // What was sent for the first time after the third has arrived, and it has not.
        assert_eq!(named(&mut repairs, 0, &[(0, 100), (200, 300)], 250, &LINE), (550, 1));
        assert_eq!(due(&repairs, &LINE), Some((200, 300)));
    }

    #[test]
    fn a_datagram_that_is_overtaken_is_not_lost_yet() {
        let rules = Rules { overtaken: 300, allowance: 250, ..LINE };
        let mut memory: Vec<Missing, 4> = Vec::new();
        let mut repairs = Repairs::new(Some(&mut memory));
        assert_eq!(named(&mut repairs, 0, &[(0, 100)], 100, &rules), (200, 0));
        assert_eq!(due(&repairs, &rules), None);
        assert_eq!(repairs.due_at(&rules), Some(Instant::from_micros(250)));
        assert_eq!(due(&repairs, &at(rules, 250)), Some((0, 100)));
        assert_eq!(named(&mut repairs, 0, &[(0, 100)], 300, &rules), (400, 1));
        assert_eq!(due(&repairs, &rules), Some((0, 100)));
        send(&mut repairs, 0, 100, 500, &rules);
        assert_eq!(named(&mut repairs, 0, &[(0, 100)], 700, &rules), (800, 0));
        assert_eq!(named(&mut repairs, 0, &[(0, 100)], 701, &rules), (801, 1));
        assert_eq!(due(&repairs, &rules), Some((0, 100)));
        // An ACK that was overtaken says less than is known.
        assert_eq!(named(&mut repairs, 0, &[(0, 100), (801, 802)], 8, &rules), (810, 0));
        assert_eq!(named(&mut repairs, 0, &[(0, 100)], 500, &rules), (600, 0));
        assert_eq!(repairs.missing(1), 101);
    }

    #[test]
    fn what_cannot_be_remembered_is_not_known() {
        let mut memory: Vec<Missing, 2> = Vec::new();
        let mut repairs = Repairs::new(Some(&mut memory));
        assert_eq!(named(&mut repairs, 0, &[(0, 10), (20, 30), (40, 50)], 50, &LINE), (40, 2));
        assert_eq!(repairs.missing(1), 20);
        assert_eq!(named(&mut repairs, 10, &[(20, 30), (40, 50)], 50, &LINE), (100, 1));
        // One of them becomes two.
        assert_eq!(named(&mut repairs, 10, &[(20, 22), (25, 30), (40, 50)], 50, &LINE).0, 40);
        assert_eq!(repairs.missing(1), 7);
        assert_eq!(named(&mut repairs, 10, &[(20, 22), (25, 30), (40, 50)], 50, &LINE), (40, 0));
        repairs.forget(1);
        assert_eq!(repairs.missing(1), 0);
        assert!(!Repairs::new(None).remembers());
    }

    /// A sender and a receiver of a hundred bytes, whose frames and ACKs are lost at random.
    #[test]
    fn whatever_is_lost_what_is_known_and_what_is_missing_agree() {
        let mut state = 7_u64;
        let mut random = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..300 {
            let mut memory: Vec<Missing, 3> = Vec::new();
            let mut repairs = Repairs::new(Some(&mut memory));
            let mut there = [false; 1_000];
            let (mut sent, mut known, mut rounds) = (0_usize, 0_u64, 0_u64);
            while there.contains(&false) {
                rounds += 1;
                assert!(rounds < 20_000, "it comes to no end");
                let rules = at(LINE, rounds * 100);
                let (from, to) = match repairs.due(&rules) {
                    Some(due) => (due.offset as usize, (due.end as usize).min(due.offset as usize + 7)),
                    None if sent < 1_000 => (sent, (sent + 7).min(1_000)),
                    None => {
                        // The timer.
                        repairs.ran_out(1);
                        sent = known as usize;
                        continue;
                    }
                };
                if from == sent {
                    sent = to;
                } else {
                    send(&mut repairs, from as u64, to as u64, 1_000, &rules);
                }
                if random(10) > 2 {
                    there[from..to].fill(true);
                }
                if random(10) > 6 {
                    continue;
                }
                let received = there.iter().take_while(|there| **there).count();
                let mut gaps = std::vec::Vec::new();
                let mut end = received;
                while let Some(next) = there[end..].iter().position(|there| *there).map(|n| end + n) {
                    gaps.push((end as u64, next as u64));
                    end = next + there[next..].iter().take_while(|there| **there).count();
                }
                let beyond = gaps.last().map_or(0, |last| end as u64 - last.1);
                known = named(&mut repairs, received as u64, &gaps, beyond, &rules).0;
                sent = sent.max(known as usize);
                let lacks = there[..known as usize].iter().filter(|there| !**there).count() as u64;
                assert_eq!(repairs.missing(1), lacks, "below {known}");
            }
        }
    }
}
