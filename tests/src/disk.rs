//! What a receiver keeps when everything else is gone.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use sampan_core::ResumePoint;
use sampan_core::wire::Identity;

/// A disk that outlives sessions; clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct Disk(Rc<RefCell<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    files: BTreeMap<String, (Identity, Vec<u8>)>,
    parts: BTreeMap<String, PartFile>,
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

    /// The unfinished file of that name.
    pub fn part(&self, name: &str) -> Option<PartFile> {
        self.0.borrow().parts.get(name).cloned()
    }

    /// Replaces the unfinished file of that name.
    pub fn put_part(&self, name: &str, part: PartFile) {
        self.0.borrow_mut().parts.insert(name.into(), part);
    }

    pub(crate) fn with_part<T>(&self, name: &str, change: impl FnOnce(&mut PartFile) -> T) -> Option<T> {
        self.0.borrow_mut().parts.get_mut(name).map(change)
    }

    /// Throws the unfinished file away.
    pub fn discard(&self, name: &str) {
        self.0.borrow_mut().parts.remove(name);
    }

    /// Puts an unfinished file into its place.
    pub fn publish(&self, name: &str) {
        let mut contents = self.0.borrow_mut();
        if let Some(part) = contents.parts.remove(name) {
            contents.files.insert(name.into(), (part.identity, part.data));
        }
    }

    /// The power goes: what was not durable is lost.
    pub fn cut_power(&self) {
        for part in self.0.borrow_mut().parts.values_mut() {
            part.data.truncate(part.durable.offset as usize);
        }
    }
}
