//! Images in flash: the power is cut at every write and erase of an update, and the device always has a whole image.

use sampan_core::driver::{Turn, nb as driver};
use sampan_core::flash::{Image, Images, Layout, LayoutError, OpenError};
use sampan_core::wire::{self, Ack, Code, Kind, Nibble};
use sampan_core::{
    Buffers, Cobs, Ending, Engine, FileType, Framing, Incoming, Instant, Limits, Next, Nonce, Part, Receiver,
    Refusal, Session, Speaks, Storage, Stream, Stretches, TransferId, Verdict,
};
use sampan_tests::flash::{FakeFlash, SECTOR};
use sampan_tests::{
    Chance, Conditions, End, Faults, Heard, MemoryStorage, Offer, Wire, content, session_over,
};

const SLOT: usize = 12 * SECTOR;
const LAYOUT: Layout = Layout {
    journal: SECTOR as u32,
    slots: [4 * SECTOR as u32, (4 * SECTOR + SLOT) as u32],
    slot_len: SLOT as u32,
};
const PAGE: usize = 64;

fn boot<'p>(flash: &FakeFlash, page: &'p mut [u8; PAGE]) -> Images<'p, FakeFlash> {
    Images::open(flash.clone(), LAYOUT, page).unwrap()
}

/// What a boot finds.
fn booted(flash: &FakeFlash) -> Option<Vec<u8>> {
    let mut page = [0; PAGE];
    let mut images = boot(flash, &mut page);
    let image = *images.whole()?;
    assert!(images.holds(&image).unwrap(), "it would start what is not whole");
    Some(contents(&mut images, &image))
}

fn contents(images: &mut Images<'_, FakeFlash>, image: &Image) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut piece = [0; 100];
    loop {
        let n = images.read(image, bytes.len() as u32, &mut piece).unwrap();
        if n == 0 {
            return bytes;
        }
        bytes.extend(&piece[..n]);
    }
}

/// So much of an image has come by now, as the journal says.
fn durable(flash: &FakeFlash) -> Option<u32> {
    boot(flash, &mut [0; PAGE]).begun().map(|begun| begun.offset)
}

/// The slots as the engine meets them, with notes of what it asked.
struct Noting<'p> {
    images: Images<'p, FakeFlash>,
    accepted: Vec<u64>,
    stored: u64,
    busy: u32,
}

impl Storage for Noting<'_> {
    fn offered(&mut self, transfer: TransferId, offer: &wire::Offer<'_>) -> Verdict {
        let verdict = self.images.offered(transfer, offer);
        if let Verdict::AcceptInOrder(from) = verdict {
            self.accepted.push(from.offset);
        }
        verdict
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        let result = self.images.store(transfer, offset, data);
        self.stored += result.unwrap_or(0) as u64;
        self.busy += u32::from(result == Ok(0));
        result
    }

    fn sync(&mut self, transfer: TransferId, offset: u64, check: u32) -> Option<u64> {
        self.images.sync(transfer, offset, check)
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        self.images.commit(transfer, end)
    }

    fn abandon(&mut self, transfer: TransferId, part: Part) {
        self.images.abandon(transfer, part);
    }
}

/// What one session came to.
#[derive(Debug)]
struct Came {
    /// What the sender's side heard.
    heard: Vec<Heard>,
    /// Where the device went on.
    accepted: Vec<u64>,
    stored: u64,
    busy: u32,
    /// Frames of ACK from the device that withheld all credit.
    credit_0: usize,
}

impl Came {
    fn is_sent(&self) -> bool {
        self.heard.contains(&Heard::Sent(TransferId(1)))
    }

    fn had_it(&self) -> bool {
        self.heard.contains(&Heard::HadIt(TransferId(1)))
    }
}

/// One session in which a device with this flash is sent an image, until it is there or the power goes.
fn update(flash: &FakeFlash, image: &Offer, number: u64) -> Came {
    update_over(Stream::new(), Default::default(), flash, image, number)
}

/// The same over a line that loses and damages what passes, in either direction.
fn update_over_a_bad_line(flash: &FakeFlash, image: &Offer, number: u64) -> Came {
    let faults = |seed| {
        let mut faults = Faults::seeded(seed);
        (faults.loss, faults.flip) = (Chance::of(0.1), Chance::of(1e-5));
        faults
    };
    update_over(Cobs::new(), [faults(2 * number), faults(2 * number + 1)], flash, image, number)
}

fn update_over<F: Framing + Copy>(
    framing: F,
    [faults, faults_back]: [Faults; 2],
    flash: &FakeFlash,
    image: &Offer,
    number: u64,
) -> Came {
    let wire = Wire::new(Conditions { delay: 1_000, ..Conditions::default() }, 0);
    let (link, mut link_device) = wire.ends();
    wire.channel(0).faults = faults;
    wire.channel(1).faults = faults_back;
    wire.channel(1).tape = Some(Vec::new());
    let engine = session_over(framing, Limits::LARGE, (200, 200, 1), (Speaks::First, 2 * number), 0);
    let mut sender = End { engine, storage: MemoryStorage::default(), link, heard: Vec::new(), finish: None };
    sender.send(image.clone().patient());
    sender.engine.close(Code::Ok);

    let limits = Limits { window: 300, sync_bytes: 700, ..Limits::SMALL };
    let (mut receive, mut transmit, mut slots) = ([0; 150], [0; 64], [Incoming::FREE]);
    let mut page = [0; PAGE];
    let buffers = Buffers { receive: &mut receive, transmit: &mut transmit };
    let mut stretches = Stretches::<4>::new();
    let receiver = Receiver::with_gaps(&mut slots, &mut stretches);
    let opening = (Speaks::Second, Nonce::new(2 * number + 1));
    let mut device =
        Session::with_framing(buffers, &limits, receiver, (framing, Nibble), opening, Instant::ZERO).unwrap();
    let mut noting = Noting { images: boot(flash, &mut page), accepted: Vec::new(), stored: 0, busy: 0 };
    let mut is_done = false;
    while sender.finish.is_none() || !is_done {
        let now = wire.now();
        let mut worked = sender.work(now);
        while !is_done {
            match driver::turn(&mut device, &mut link_device, &mut noting, Instant::from_micros(now)) {
                Ok(Turn::Worked | Turn::Event(_)) => worked = true,
                Ok(Turn::Closed) | Err(nb::Error::Other(_)) => is_done = true,
                Err(nb::Error::WouldBlock) => break,
            }
            is_done |= !flash.is_on();
        }
        if sender.finish.is_some() || is_done {
            wire.close();
        }
        if !worked {
            let due = match device.next(Instant::from_micros(now)) {
                _ if is_done => None,
                Next::Wait(until) => until.map(Instant::as_micros),
                _ => Some(now),
            };
            let Some(at) = [wire.next_arrival(), sender.deadline(now), due].into_iter().flatten().min()
            else {
                continue;
            };
            wire.advance(at.max(now + 1));
            assert!(now < 300_000_000, "not done in time: {:?}", sender.heard);
        }
    }
    let credit_0 = acks(wire.channel(1).tape.as_deref().unwrap()).filter(|ack| ack.credit == 0).count();
    let Noting { accepted, stored, busy, .. } = noting;
    Came { heard: sender.heard, accepted, stored, busy, credit_0 }
}

/// The ACKs among the frames of a stream.
fn acks(tape: &[u8]) -> impl Iterator<Item = Ack<'_>> {
    let mut rest = tape.get(5..).unwrap_or_default();
    let frames = std::iter::from_fn(move || {
        let length = u32::from_le_bytes([*rest.first()?, *rest.get(1)?, *rest.get(2)?, 0]) as usize;
        let frame = rest.get(3..3 + length)?;
        rest = &rest[3 + length..];
        Some(frame)
    });
    frames
        .filter(|frame| frame[0] == Kind::Ack.code())
        .map(|frame| Ack::parse(&frame[1..frame.len() - 4]).unwrap())
}

fn image(seed: u64, length: usize) -> Offer {
    Offer::file("image.bin", content(seed, length))
}

const LENGTH: usize = 5_000;

/// A flash with an image in it.
fn delivered(image: &Offer) -> FakeFlash {
    let flash = FakeFlash::new(28);
    assert!(update(&flash, image, 1).is_sent());
    flash
}

#[test]
fn an_image_is_whole_and_the_next_one_takes_its_place() {
    let flash = FakeFlash::new(28);
    assert_eq!(booted(&flash), None);
    for (number, length) in [1, 511, 512, 513, LENGTH, SLOT].into_iter().enumerate() {
        let new = image(number as u64, length);
        let came = update(&flash, &new, number as u64 + 1);
        assert!(came.is_sent(), "{length}: {:?}", came.heard);
        assert_eq!((&*came.accepted, came.stored), (&[0][..], length as u64));
        assert_eq!(booted(&flash).as_ref(), Some(&new.data), "{length}");
        assert_eq!(durable(&flash), None);
        // Before each sector is erased the peer is told to wait.
        let sectors = length.div_ceil(SECTOR);
        assert_eq!((came.busy as usize, came.credit_0), (sectors, sectors), "{length}");
        assert!(update(&flash, &new, 100).had_it());
    }
}

#[test]
fn a_slot_is_erased_once_for_an_image_and_the_journal_wears_evenly() {
    let flash = delivered(&image(1, SLOT));
    for number in 2..=40 {
        assert!(update(&flash, &image(number, SLOT), number).is_sent());
    }
    let erases = flash.erases();
    assert!(erases[4..28].iter().all(|count| *count == 20), "{erases:?}");
    assert!(erases[1].abs_diff(erases[2]) <= 1, "{erases:?}");
    assert!(erases[0] == 0 && erases[3] == 0, "something was written beside the layout: {erases:?}");
}

#[test]
fn what_is_too_large_or_no_file_is_declined() {
    let old = image(1, LENGTH);
    let flash = delivered(&old);
    for offer in [image(2, SLOT + 1), Offer { file_type: FileType::Directory, ..image(3, 0) }] {
        let came = update(&flash, &offer, 2);
        assert!(came.accepted.is_empty() && !came.is_sent(), "{:?}", came.heard);
    }
    let came = update(&flash, &image(4, SLOT + 1).unsized_(), 3);
    assert!(!came.is_sent() && came.stored > 0 && came.stored <= SLOT as u64, "{:?}", came.heard);
    assert_eq!(booted(&flash), Some(old.data));
}

/// Cuts the power at the n-th operation of an update from `old` to `new`; `None` if it has fewer.
fn cut(before: &FakeFlash, old: &Offer, new: &Offer, n: u64) -> Option<FakeFlash> {
    let flash = before.fork();
    flash.cut_at(n, n + 1);
    let came = update(&flash, new, 2);
    if flash.is_on() {
        assert!(came.is_sent());
        return None;
    }
    flash.switch_on();
    assert_whole(&flash, old, new);
    Some(flash)
}

fn assert_whole(flash: &FakeFlash, old: &Offer, new: &Offer) {
    let image = booted(flash).expect("no image to boot");
    assert!(image == old.data || image == new.data, "an image that was never sent");
}

/// What is left of the update; where it went on.
fn go_on(flash: &FakeFlash, new: &Offer) -> u64 {
    let had = booted(flash).as_ref() == Some(&new.data);
    let from = durable(flash).unwrap_or(0);
    let came = update(flash, new, 3);
    assert_eq!(booted(flash).as_ref(), Some(&new.data));
    if had {
        assert!(came.had_it());
        return new.data.len() as u64;
    }
    assert!(came.is_sent(), "{:?}", came.heard);
    assert_eq!((&*came.accepted, came.stored), (&[from.into()][..], new.data.len() as u64 - u64::from(from)));
    from.into()
}

#[test]
fn the_power_is_cut_at_every_operation_of_an_update() {
    let (old, new) = (image(1, LENGTH), image(2, LENGTH));
    let before = delivered(&old);
    let mut reached = 0;
    let mut cuts = 0;
    while let Some(flash) = cut(&before, &old, &new, cuts) {
        let from = go_on(&flash, &new);
        // What was durable once stays so: at most a sector and what came since the last sync are sent again.
        assert!(from >= reached, "at operation {cuts} it fell from {reached} to {from}");
        reached = from;
        cuts += 1;
    }
    assert_eq!(reached as usize, LENGTH / SECTOR * SECTOR, "the last cut is in the record that commits");
    assert!(cuts > (LENGTH / PAGE + LENGTH / SECTOR) as u64, "only {cuts} operations");
}

#[test]
fn the_power_is_cut_again_while_the_update_goes_on() {
    let (old, new) = (image(1, LENGTH), image(2, LENGTH));
    let before = delivered(&old);
    for first in (0..).step_by(7) {
        let Some(flash) = cut(&before, &old, &new, first) else { break };
        for second in (0..).step_by(5) {
            let flash = flash.fork();
            flash.cut_at(second, first * 100 + second);
            update(&flash, &new, 4);
            if flash.is_on() {
                break;
            }
            flash.switch_on();
            assert_whole(&flash, &old, &new);
            go_on(&flash, &new);
        }
    }
}

#[test]
fn the_power_is_cut_again_and_again() {
    let (old, new) = (image(1, LENGTH), image(2, LENGTH));
    for seed in 1..30 {
        let flash = delivered(&old);
        let mut sessions = 0;
        loop {
            flash.cut_at(3 + (seed * 7 + sessions * 11) % 23, seed * 1_000 + sessions);
            update(&flash, &new, 5 + sessions);
            if flash.is_on() {
                break;
            }
            flash.switch_on();
            assert_whole(&flash, &old, &new);
            sessions += 1;
            assert!(sessions < 200, "it comes no further");
        }
        assert_eq!(booted(&flash).as_ref(), Some(&new.data));
    }
}

#[test]
fn the_power_is_cut_again_and_again_on_a_bad_line() {
    let (old, new) = (image(1, LENGTH), image(2, LENGTH));
    let before = delivered(&old);
    let mut went_on = 0;
    for seed in 1..60 {
        let flash = before.fork();
        let mut sessions = 0;
        loop {
            flash.cut_at(5 + (seed * 7 + sessions * 11) % 40, seed * 1_000 + sessions);
            let came = update_over_a_bad_line(&flash, &new, seed * 1_000 + sessions);
            went_on += u32::from(came.accepted.iter().any(|from| *from > 0));
            if flash.is_on() && (came.is_sent() || came.had_it()) {
                break;
            }
            // Without power, or without a session: every HELLO that would have opened it was lost.
            flash.switch_on();
            assert_whole(&flash, &old, &new);
            sessions += 1;
            assert!(sessions < 200, "it comes no further");
        }
        assert_eq!(booted(&flash).as_ref(), Some(&new.data));
    }
    assert!(went_on > 50, "{went_on}");
}

#[test]
fn another_image_begins_anew_and_what_was_there_of_the_first_is_forgotten() {
    let (old, one, other) = (image(1, LENGTH), image(2, LENGTH), image(3, LENGTH));
    let before = delivered(&old);
    let half = cut(&before, &old, &one, 60).unwrap();
    assert!(durable(&half).unwrap() > 0);
    for n in 0.. {
        let flash = half.fork();
        flash.cut_at(n, n);
        update(&flash, &other, 3);
        if flash.is_on() {
            break;
        }
        flash.switch_on();
        assert_eq!(
            booted(&flash).as_ref().is_some_and(|image| *image == old.data),
            booted(&flash).as_ref() != Some(&other.data)
        );
        // Whichever is sent now, it is what arrives.
        let came = update(&flash, &one, 4);
        assert!(came.is_sent(), "{n}: {:?}", came.heard);
        assert_eq!(booted(&flash).as_ref(), Some(&one.data));
    }
}

#[test]
fn what_has_changed_under_its_identity_is_sent_anew() {
    let (old, one) = (image(1, LENGTH), image(2, LENGTH));
    let other = Offer { data: content(3, LENGTH), ..one.clone() };
    let flash = cut(&delivered(&old), &old, &one, 60).unwrap();
    let from = durable(&flash).unwrap();
    let came = update(&flash, &other, 3);
    assert_eq!(came.accepted, [from.into(), 0]);
    assert_eq!(booted(&flash), Some(other.data));
}

#[test]
fn a_part_that_has_rotted_is_not_resumed_and_an_image_that_has_is_known() {
    let (old, new) = (image(1, LENGTH), image(2, LENGTH));
    let flash = cut(&delivered(&old), &old, &new, 60).unwrap();
    let [a, b] = LAYOUT.slots;
    assert!(durable(&flash).unwrap() > 700);
    flash.damage(b as usize + 700);
    assert_eq!(durable(&flash), None);
    assert_eq!(update(&flash, &new, 3).accepted, [0]);
    assert_eq!(booted(&flash), Some(new.data));
    let mut page = [0; PAGE];
    let mut images = boot(&flash, &mut page);
    let image = *images.whole().unwrap();
    assert_eq!(images.holds(&image), Ok(true));
    flash.damage(b as usize + 4_999);
    assert_eq!(images.holds(&image), Ok(false));
    flash.damage(b as usize + 4_999);
    flash.damage(a as usize);
    assert_eq!(images.holds(&image), Ok(true));
}

#[test]
fn a_layout_must_suit_the_flash() {
    let sector = SECTOR as u32;
    let [a, b] = LAYOUT.slots;
    for (layout, page, expected) in [
        (Layout { journal: 8, ..LAYOUT }, PAGE, LayoutError::NotWholeSectors),
        (Layout { slot_len: SLOT as u32 - 1, ..LAYOUT }, PAGE, LayoutError::NotWholeSectors),
        (Layout { slots: [a, b + sector], ..LAYOUT }, PAGE, LayoutError::BeyondTheEnd),
        (Layout { slots: [b, b], ..LAYOUT }, PAGE, LayoutError::Overlap),
        (Layout { journal: a - sector, ..LAYOUT }, PAGE, LayoutError::Overlap),
        (LAYOUT, 0, LayoutError::Page),
        (LAYOUT, 12, LayoutError::Page),
        (LAYOUT, 24, LayoutError::Page),
    ] {
        let mut page = vec![0; page];
        let opened = Images::open(FakeFlash::new(28), layout, &mut page);
        assert_eq!(opened.err(), Some(OpenError::Layout(expected)), "{layout:?}");
    }
}
