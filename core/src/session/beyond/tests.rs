//! Every way in which a frame may lie over what is there; and random ones, against a model.

use super::*;
use crate::action::{Answer, ResumePoint, Takes};
use crate::framing::Reliability;
use crate::limits::Limits;
use crate::session::hand::Begin;
use crate::units::Instant;
use crate::wire::{Crc32 as _, DigestKind, Identity, Nibble, Offer, UncheckedName};
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

const ID: u32 = 7;

/// The contents of a file.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 7 + (n >> 8) * 3) as u8).collect()
}

fn offer(transfer: u32, size: Option<u64>) -> Offer<'static> {
    Offer {
        transfer,
        size,
        modified: None,
        executable: false,
        directory: false,
        restart: false,
        want: None,
        listing: false,
        digest: DigestKind::Crc32,
        identity: Identity::EMPTY,
        name: UncheckedName::new(b"x"),
    }
}

/// Transfers of one file each, to slots with memory for `N` gaps.
struct Rig<const N: usize> {
    all: Stretches<N>,
    slots: Slots<'static, Incoming>,
    file: Vec<u8>,
    limits: &'static Limits,
}

impl<const N: usize> Rig<N> {
    fn new(size: usize) -> Self {
        let limits = Limits { window: 1 << 20, ..Limits::SMALL };
        let limits = std::boxed::Box::leak(std::boxed::Box::new(limits));
        let slots = Slots::new(vec![Incoming::FREE; 2].leak());
        let mut rig = Self { all: Stretches::new(), slots, file: content(size), limits };
        rig.begin(ID);
        rig
    }

    fn begin(&mut self, id: u32) -> usize {
        let size = self.file.len() as u64;
        let (slot, incoming) = self.slots.free().unwrap();
        assert!(incoming.offer(&offer(id, Some(size))));
        let answer = Answer::Accept(ResumePoint::START, Takes::AnyOrder);
        incoming.decided(answer, Begin::Anywhere, Instant::ZERO);
        incoming.emit(&mut Writer::new(&mut [0; 64]), 0, None);
        slot
    }

    fn slot(&self) -> &Incoming {
        &self.slots[0]
    }

    fn place_in(&mut self, slot: usize, offset: usize, length: usize) -> Option<Piece> {
        let payload = &self.file[offset..offset + length];
        let data = Data { transfer: self.slots[slot].id, offset: offset as u64, payload };
        self.all.place(&mut self.slots, slot, &data, self.limits.window)
    }

    /// What of a frame is asked of the sink: offset and length.
    fn place(&mut self, offset: usize, length: usize) -> Option<(u64, usize)> {
        let piece = self.place_in(0, offset, length)?;
        Some((self.slot().received + u64::from(piece.ahead), piece.length))
    }

    /// A frame comes, and the sink takes at most so many bytes at a time, and none any more after so many times: how many it took.
    fn take_in(&mut self, slot: usize, offset: usize, length: usize, (most, times): (usize, usize)) -> usize {
        let Some(piece) = self.place_in(slot, offset, length) else { return 0 };
        assert_eq!(piece.skip as u64, self.slots[slot].received + u64::from(piece.ahead) - offset as u64);
        let shared = Shared::new(self.limits, Reliability::Lossy, Instant::ZERO);
        let wanted = &self.file[offset + piece.skip..][..piece.length];
        let whole = Nibble.update(piece.before, wanted);
        let (mut at, mut ahead) = (0, piece.ahead);
        for _ in 0..times {
            let n = most.min(wanted.len() - at);
            let is_all = at + n == wanted.len();
            let incoming = &mut self.slots[slot];
            let before = if ahead > 0 { self.all.check(incoming, ahead) } else { incoming.check };
            let check = if is_all { whole } else { Nibble.update(before, &wanted[at..at + n]) };
            let kept = if ahead > 0 {
                self.all.keep(incoming, ahead, n, check, &shared)
            } else {
                incoming.stored(n, check, &shared);
                self.all.join(incoming);
                Kept::Yes
            };
            at += n;
            if is_all || kept == Kept::No {
                break;
            }
            if ahead > 0 {
                ahead += n as u32;
            }
        }
        at
    }

    fn take(&mut self, offset: usize, length: usize) -> usize {
        self.take_in(0, offset, length, (usize::MAX, 1))
    }

    /// What is there: the beginning, and the stretches.
    fn there(&self) -> (u64, Vec<(u64, u64)>) {
        let incoming = self.slot();
        assert_eq!(incoming.check, Nibble.update(0, &self.file[..incoming.received as usize]));
        let stretches: Vec<_> = of(&self.all, ID).map(|stretch| (stretch.start, stretch.end)).collect();
        let mut end = incoming.received;
        for stretch in of(&self.all, ID) {
            assert!(stretch.start > end && stretch.end > stretch.start, "{:?}", self.all);
            end = stretch.end;
            let bytes = &self.file[stretch.start as usize..end as usize];
            assert_eq!(stretch.check, Nibble.update(0, bytes), "{stretch:?}");
        }
        (incoming.received, stretches)
    }

    /// The ACK that is owed, in a frame of so many bytes; empty if none is.
    fn ack(&mut self, room: usize) -> String {
        if !self.slot().owes_frame() {
            return String::new();
        }
        let mut out = vec![0; room];
        let mut w = Writer::new(&mut out);
        let all: &dyn Beyond = &self.all;
        self.slots[0].emit(&mut w, 1000, Some(all));
        assert!(!w.is_full());
        let length = w.len();
        let ack = Ack::parse(&out[1..length]).unwrap();
        let gaps: Vec<_> = ack.gaps.iter().map(|gap| format!("{}..{}", gap.start, gap.end())).collect();
        format!("{} [{}] +{}", ack.received, gaps.join(" "), ack.gaps.beyond())
    }
}

/// With 100..110, 200..210 and the first 50 bytes of 300.
fn rig<const N: usize>() -> Rig<N> {
    let mut rig = Rig::new(300);
    assert_eq!(rig.take(0, 50), 50);
    assert_eq!(rig.take(200, 10), 10);
    assert_eq!(rig.take(100, 10), 10);
    assert_eq!(rig.there(), (50, vec![(100, 110), (200, 210)]));
    rig.ack(64);
    rig
}

#[test]
fn of_each_frame_the_first_missing_piece_is_stored() {
    let frames = [
        // Offset and length of a frame, what of it is stored, and what is there then.
        ((0, 50), None, (50, vec![(100, 110), (200, 210)])),
        ((100, 10), None, (50, vec![(100, 110), (200, 210)])),
        ((102, 5), None, (50, vec![(100, 110), (200, 210)])),
        ((50, 10), Some((50, 10)), (60, vec![(100, 110), (200, 210)])),
        ((40, 20), Some((50, 10)), (60, vec![(100, 110), (200, 210)])),
        ((50, 50), Some((50, 50)), (110, vec![(200, 210)])),
        ((50, 55), Some((50, 50)), (110, vec![(200, 210)])),
        ((40, 90), Some((50, 50)), (110, vec![(200, 210)])),
        ((0, 300), Some((50, 50)), (110, vec![(200, 210)])),
        ((60, 10), Some((60, 10)), (50, vec![(60, 70), (100, 110), (200, 210)])),
        ((60, 40), Some((60, 40)), (50, vec![(60, 110), (200, 210)])),
        ((60, 45), Some((60, 40)), (50, vec![(60, 110), (200, 210)])),
        ((60, 90), Some((60, 40)), (50, vec![(60, 110), (200, 210)])),
        ((105, 10), Some((110, 5)), (50, vec![(100, 115), (200, 210)])),
        ((110, 5), Some((110, 5)), (50, vec![(100, 115), (200, 210)])),
        ((110, 90), Some((110, 90)), (50, vec![(100, 210)])),
        ((105, 100), Some((110, 90)), (50, vec![(100, 210)])),
        ((100, 200), Some((110, 90)), (50, vec![(100, 210)])),
        ((150, 10), Some((150, 10)), (50, vec![(100, 110), (150, 160), (200, 210)])),
        ((150, 50), Some((150, 50)), (50, vec![(100, 110), (150, 210)])),
        ((205, 10), Some((210, 5)), (50, vec![(100, 110), (200, 215)])),
        ((210, 90), Some((210, 90)), (50, vec![(100, 110), (200, 300)])),
        ((290, 10), Some((290, 10)), (50, vec![(100, 110), (200, 210), (290, 300)])),
    ];
    for ((offset, length), stored, there) in frames {
        let mut rig = rig::<4>();
        assert_eq!(rig.place(offset, length), stored, "{offset} {length}");
        assert_eq!(rig.take(offset, length), stored.map_or(0, |(_, length)| length));
        assert_eq!(rig.there(), there, "{offset} {length}");
    }
}

#[test]
fn without_room_only_what_continues_something_is_stored() {
    for (frame, stored) in [
        ((60, 10), None),
        ((150, 10), None),
        ((250, 10), None),
        ((50, 5), Some((50, 5))),
        ((60, 40), Some((60, 40))),
        ((110, 5), Some((110, 5))),
        ((150, 60), Some((150, 50))),
        ((210, 5), Some((210, 5))),
    ] {
        let mut rig = rig::<2>();
        assert_eq!(rig.place(frame.0, frame.1), stored, "{frame:?}");
        rig.take(frame.0, frame.1);
        rig.there();
    }
}

#[test]
fn what_was_stored_in_part_and_has_no_room_is_forgotten() {
    let mut rig = rig::<2>();
    // All of it would close the gap, half of it begins a stretch.
    assert_eq!(rig.take_in(0, 150, 50, (25, 2)), 25);
    assert_eq!(rig.there(), (50, vec![(100, 110), (200, 210)]));
    assert_eq!(rig.take_in(0, 110, 90, (25, 2)), 50);
    assert_eq!(rig.there(), (50, vec![(100, 160), (200, 210)]));
}

#[test]
fn each_gap_is_told_at_once_and_once() {
    let mut rig = Rig::<2>::new(300);
    assert_eq!(rig.take(0, 10), 10);
    assert_eq!(rig.ack(64), "");
    rig.take(20, 10);
    assert_eq!(rig.ack(64), "10 [10..20] +10");
    rig.take(30, 10);
    assert_eq!(rig.ack(64), "", "it goes on");
    rig.take(60, 10);
    assert_eq!(rig.ack(64), "10 [10..20 40..60] +10");
    // There is no room for another one.
    rig.take(80, 10);
    assert_eq!(rig.ack(64), "10 [10..20 40..60 70..300] +0");
    rig.take(90, 10);
    assert_eq!(rig.ack(64), "", "it was told");
    rig.take(10, 10);
    assert_eq!(rig.ack(64), "40 [40..60] +10");
    rig.take(25, 5);
    assert_eq!(rig.ack(64), "40 [40..60] +10", "it is there already");
    rig.take(45, 5);
    assert_eq!(rig.ack(64), "40 [40..45 50..60] +10");
}

#[test]
fn an_ack_names_the_first_gaps_that_fit() {
    let mut rig = Rig::<40>::new(3_000);
    for n in 1..40 {
        rig.take(n * 70, 10);
    }
    assert!(rig.ack(200).ends_with(" 2670..2730] +10"));
    for (room, count) in [(12, 2), (13, 2), (14, 3), (15, 3), (16, 4), (34, 13)] {
        rig.slots[0].owe_ack();
        let ack = rig.ack(room);
        assert_eq!(ack.matches("..").count(), count, "{room}: {ack}");
        assert!(ack.starts_with("0 [0..70 80..140"), "{ack}");
        assert!(ack.ends_with("] +10"), "{ack}");
    }
}

#[test]
fn an_end_names_what_is_missing_up_to_it() {
    let mut rig = Rig::<2>::new(300);
    rig.take(0, 100);
    rig.ack(64);
    rig.all.ends(&mut rig.slots[0], 300);
    assert_eq!(rig.ack(64), "100 [100..300] +0");
    rig.take(200, 50);
    assert_eq!(rig.ack(64), "100 [100..200] +50");
    rig.all.ends(&mut rig.slots[0], 300);
    assert_eq!(rig.ack(64), "100 [100..200 250..300] +0");
    rig.take(250, 50);
    rig.all.ends(&mut rig.slots[0], 300);
    assert_eq!(rig.ack(64), "100 [100..200] +100");
    rig.take(100, 100);
    assert_eq!(rig.there(), (300, vec![]));
    assert_eq!(rig.ack(64), "300 [] +0");
}

#[test]
fn an_end_before_what_was_received_is_wrong() {
    let mut rig = Rig::<2>::new(300);
    rig.take(200, 50);
    rig.all.ends(&mut rig.slots[0], 249);
    assert_eq!(rig.slot().state, ReceiveState::Over);
}

#[test]
fn no_more_is_taken_than_the_credit_reaches() {
    let mut rig = Rig::<2>::new(300);
    rig.limits = std::boxed::Box::leak(std::boxed::Box::new(Limits { window: 100, ..Limits::SMALL }));
    assert_eq!(rig.place(50, 51), None);
    assert_eq!(rig.place(50, 50), Some((50, 50)));
    rig.take(0, 10);
    assert_eq!(rig.place(50, 60), Some((50, 60)));
}

#[test]
fn what_is_over_makes_room_and_others_keep_theirs() {
    let mut rig = Rig::<2>::new(300);
    let second = rig.begin(ID + 1);
    assert_eq!(rig.take(100, 10), 10);
    assert_eq!(rig.take_in(second, 50, 10, (10, 1)), 10);
    assert_eq!(rig.take_in(second, 70, 10, (10, 1)), 0, "the first has the other place");
    assert_eq!(rig.there(), (0, vec![(100, 110)]));
    rig.slots[0].fail(crate::wire::Code::Cancelled.into(), crate::session::incoming::Owes::KEEP);
    assert_eq!(rig.take_in(second, 70, 10, (10, 1)), 10);
    assert!(of(&rig.all, ID).next().is_none());
    rig.all.forget(ID + 1);
    assert!(rig.all.is_empty());
}

#[test]
fn a_second_frame_is_told_of_where_frames_are_datagrams() {
    let limits = Limits { window: 1 << 20, ..Limits::SMALL };
    for (link, told) in [(Reliability::Lossy, 0), (Reliability::Datagrams, 5)] {
        let shared = Shared::new(&limits, link, Instant::ZERO);
        let mut rig = Rig::<2>::new(300);
        let mut acks = 0;
        for _ in 0..10 {
            rig.slots[0].stored(10, 0, &shared);
            acks += usize::from(!rig.ack(64).is_empty());
        }
        assert_eq!(acks, told, "{link:?}");
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

/// Frames of a file in any order, some of them twice, into a sink that takes what it likes: until all of it is there.
fn any_order<const N: usize>(seed: u64) {
    let mut random = Random(seed);
    let length = 1 + random.below(2_000);
    let mut rig = Rig::<N>::new(length);
    let mut model = vec![false; length];
    for step in 0.. {
        assert!(step < 200_000, "seed {seed}: it comes to no end");
        if model.iter().all(|there| *there) {
            break;
        }
        let offset = match random.below(4) {
            0 => rig.slot().received as usize,
            _ => random.below(length),
        };
        if offset == length {
            break;
        }
        let size = 1 + random.below(120.min(length - offset));
        let (most, times) = (1 + random.below(80), random.below(4));
        let (before, _) = rig.there();
        let placed = rig.place(offset, size).map(|(start, length)| start as usize..start as usize + length);
        if let Some(piece) = &placed {
            assert!(!model[piece.clone()].contains(&true), "seed {seed}: {piece:?} is there already");
            assert_eq!(Some(piece.start), (offset..offset + size).find(|at| !model[*at]), "seed {seed}");
        }
        let n = rig.take_in(0, offset, size, (most, times));
        let (received, stretches) = rig.there();
        assert!(received >= before);
        let mut there = vec![false; length];
        there[..received as usize].fill(true);
        stretches.iter().for_each(|(start, end)| there[*start as usize..*end as usize].fill(true));
        if let Some(piece) = placed {
            model[piece.start..piece.start + n].fill(true);
        }
        if model != there {
            // Bytes that found no room were stored and forgotten; nothing else was.
            assert!(rig.all.is_full(), "seed {seed}");
            assert!(model.iter().zip(&there).all(|(model, there)| *model || !there), "seed {seed}");
            model = there;
        }
    }
    assert_eq!(rig.there(), (length as u64, vec![]), "seed {seed}");
}

#[test]
fn pieces_in_any_order_become_the_file() {
    for seed in 0..300 {
        any_order::<1>(seed);
        any_order::<4>(seed);
        any_order::<64>(seed);
    }
}
