//! What an end keeps when everything else is gone.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use sampan_core::ResumePoint;
use sampan_core::wire::{Crc32, Identity, Nibble};

use crate::dice::Dice;
use crate::storage::Offer;

/// A disk writes so many bytes whole, or not at all.
const SECTOR: usize = 512;

/// A disk that outlives sessions; clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct Disk(Rc<RefCell<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    files: BTreeMap<String, (Identity, Vec<u8>)>,
    parts: BTreeMap<String, PartFile>,
    /// How much of each part has been flushed.
    flushed: BTreeMap<String, usize>,
    power: Power,
    /// How often something was done to it.
    operations: u64,
    /// Puts of a finished file.
    published: u64,
    past: Vec<Past>,
}

/// What has happened to a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Past {
    /// A file was accepted from this offset on.
    Begun(String, u64),
    /// The power went; so much of these parts was durable.
    Cut(BTreeMap<String, u64>),
}

/// Whether a disk, and the end it belongs to, has power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Power {
    #[default]
    On,
    /// It goes in the middle of this operation.
    GoesAt(u64),
    Off,
}

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Done,
    /// It had begun when the power went.
    Torn,
    /// There was no power.
    NotBegun,
}

/// An unfinished file.
#[derive(Clone, Debug)]
pub struct PartFile {
    /// The identity it was offered under.
    pub identity: Identity,
    /// Everything stored, durable or not.
    pub data: Vec<u8>,
    /// What survives a cut.
    pub durable: ResumePoint,
}

impl PartFile {
    /// Of what is offered, with `data` as what is there of it, all of it durable.
    ///
    /// # Panics
    ///
    /// If the identity has more than 16 bytes.
    pub fn of(offer: &Offer, data: Vec<u8>) -> Self {
        let durable = ResumePoint { offset: data.len() as u64, check: Nibble.update(0, &data) };
        let identity = Identity::new(&offer.identity).expect("at most 16 bytes");
        Self { identity, data, durable }
    }
}

impl Disk {
    /// The finished file of that name.
    pub fn file(&self, name: &str) -> Option<Vec<u8>> {
        self.0.borrow().files.get(name).map(|(_, data)| data.clone())
    }

    /// The names of all finished files.
    pub fn names(&self) -> Vec<String> {
        self.0.borrow().files.keys().cloned().collect()
    }

    /// Whether the finished file of that name has that identity.
    pub fn has(&self, name: &str, identity: &Identity) -> bool {
        !identity.is_empty() && self.0.borrow().files.get(name).is_some_and(|(known, _)| known == identity)
    }

    /// How often a file was put into its place.
    pub fn published(&self) -> u64 {
        self.0.borrow().published
    }

    /// The unfinished file of that name.
    pub fn part(&self, name: &str) -> Option<PartFile> {
        self.0.borrow().parts.get(name).cloned()
    }

    /// Replaces the unfinished file of that name; it is as it stands on the disk.
    pub fn put_part(&self, name: &str, part: PartFile) {
        let mut contents = self.0.borrow_mut();
        contents.flushed.insert(name.into(), part.data.len());
        contents.parts.insert(name.into(), part);
    }

    pub(crate) fn with_part<T>(&self, name: &str, change: impl FnOnce(&mut PartFile) -> T) -> Option<T> {
        self.0.borrow_mut().parts.get_mut(name).map(change)
    }

    /// All that was stored of the part survives a cut.
    pub(crate) fn flush(&self, name: &str) {
        let mut contents = self.0.borrow_mut();
        if let Some(length) = contents.parts.get(name).map(|part| part.data.len()) {
            contents.flushed.insert(name.into(), length);
        }
    }

    /// Throws the unfinished file away.
    pub fn discard(&self, name: &str) {
        let mut contents = self.0.borrow_mut();
        contents.parts.remove(name);
        contents.flushed.remove(name);
    }

    /// Puts an unfinished file into its place.
    pub fn publish(&self, name: &str) {
        let mut contents = self.0.borrow_mut();
        if let Some(part) = contents.parts.remove(name) {
            contents.flushed.remove(name);
            contents.published += 1;
            contents.files.insert(name.into(), (part.identity, part.data));
        }
    }

    /// The power goes: what was not durable is lost.
    pub fn cut_power(&self) {
        for part in self.0.borrow_mut().parts.values_mut() {
            part.data.truncate(part.durable.offset as usize);
        }
    }

    /// How often something was done to it: a question to a source, a store, a flush, a record, a file put into its place.
    pub fn operations(&self) -> u64 {
        self.0.borrow().operations
    }

    /// The power will go in the middle of this operation, counted from 0.
    pub fn cut_at(&self, operation: u64) {
        self.0.borrow_mut().power = Power::GoesAt(operation);
    }

    /// The power goes now.
    pub fn switch_off(&self) {
        self.0.borrow_mut().power = Power::Off;
    }

    /// Whether the power is gone.
    pub fn is_off(&self) -> bool {
        self.0.borrow().power == Power::Off
    }

    /// A file is accepted from there on.
    pub(crate) fn begin(&self, name: &str, offset: u64) {
        self.0.borrow_mut().past.push(Past::Begun(name.into(), offset));
    }

    /// What has happened.
    pub fn past(&self) -> Vec<Past> {
        self.0.borrow().past.clone()
    }

    /// Something is done to the disk.
    pub(crate) fn operate(&self) -> Operation {
        let mut contents = self.0.borrow_mut();
        let operation = contents.operations;
        contents.operations += 1;
        match contents.power {
            Power::Off => Operation::NotBegun,
            Power::GoesAt(at) if operation >= at => {
                contents.power = Power::Off;
                Operation::Torn
            }
            _ => Operation::Done,
        }
    }

    /// The power is back: of what was not flushed each sector is there, or lost, or was never written.
    ///
    /// # Panics
    ///
    /// If what was said to be durable is not there.
    pub fn switch_on(&self, dice: &mut Dice) {
        let mut contents = self.0.borrow_mut();
        contents.power = Power::On;
        let Contents { parts, flushed, past, .. } = &mut *contents;
        past.push(Past::Cut(parts.iter().map(|(name, part)| (name.clone(), part.durable.offset)).collect()));
        for (name, part) in parts {
            let safe = flushed.get(name).copied().unwrap_or(0).min(part.data.len());
            tear(&mut part.data, safe, dice);
            flushed.insert(name.clone(), part.data.len());
            let ResumePoint { offset, check } = part.durable;
            let there = part.data.get(..offset as usize).map(|held| Nibble.update(0, held));
            assert_eq!(there, Some(check), "what was durable of {name} is not there");
        }
    }
}

fn tear(data: &mut Vec<u8>, safe: usize, dice: &mut Dice) {
    data.truncate(safe + dice.roll((data.len() - safe) as u64 + 1) as usize);
    let mut from = safe;
    while from < data.len() {
        let to = ((from / SECTOR + 1) * SECTOR).min(data.len());
        match dice.roll(3) {
            0 => {}
            1 => data[from..to].fill(0),
            _ => data[from..to].iter_mut().for_each(|byte| *byte = dice.roll(256) as u8),
        }
        from = to;
    }
}
