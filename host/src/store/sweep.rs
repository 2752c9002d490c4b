//! Throwing away what nobody will go on with.

use std::collections::HashSet;
use std::fs::File;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use cap_std::fs::Dir;

use super::key::{Key, Own};
use super::part::is_at;
use super::root;

/// Longer than anybody needs between two steps.
const MOMENT: Duration = Duration::from_secs(60);

/// The parts that there are, as far as this process knows.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashSet<Key>>);

impl Known {
    fn keys(&self) -> MutexGuard<'_, HashSet<Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, key: Key) {
        self.keys().insert(key);
    }

    /// The part is no more. Takes the others of its name out too: they are of contents that this name will not have again.
    pub(super) fn take_others(&self, key: Key) -> Vec<Key> {
        let mut keys = self.keys();
        keys.remove(&key);
        if !keys.iter().any(|other| other.is_of_same_name(key)) {
            return Vec::new();
        }
        keys.extract_if(|other| other.is_of_same_name(key)).collect()
    }

    pub(super) fn remove(&self, key: Key) {
        self.keys().remove(&key);
    }
}

/// Looks through the store's own files in its directory.
pub(super) fn sweep(dir: &Dir, age: Duration, known: &Known) {
    let Ok(entries) = dir.entries() else { return };
    for entry in entries.flatten() {
        let Ok(called) = entry.file_name().into_string() else { continue };
        match Own::of(&called) {
            None => {}
            Some(Own::Temporary) => remove_unlocked(dir, &called),
            Some(Own::Part(key)) => {
                let recorded = dir.symlink_metadata(key.record()).is_ok();
                if recorded && !is_older(dir, &called, age) {
                    known.add(key);
                } else {
                    remove_part(dir, key);
                }
            }
            Some(Own::Record(key)) => {
                // One of a part that has just been put into its place goes by itself.
                let alone = dir.symlink_metadata(key.part()).is_err() && is_older(dir, &called, MOMENT);
                let _ = alone.then(|| dir.remove_file(&called));
            }
        }
    }
}

/// Throws a part and its record away, unless somebody writes it.
pub(super) fn remove_part(dir: &Dir, key: Key) {
    if let Some(_locked) = lock(dir, &key.part()) {
        let _ = dir.remove_file(key.record());
        let _ = dir.remove_file(key.part());
    }
}

fn remove_unlocked(dir: &Dir, called: &str) {
    if let Some(_locked) = lock(dir, called) {
        let _ = dir.remove_file(called);
    }
}

/// The file of this name, if nobody else has it: until it is closed, no other file takes the name.
fn lock(dir: &Dir, called: &str) -> Option<File> {
    let file = root::open(dir, called).ok()?;
    file.try_lock().ok()?;
    is_at(&file, dir, called).then_some(file)
}

fn is_older(dir: &Dir, called: &str, age: Duration) -> bool {
    let modified = dir.symlink_metadata(called).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| {
        SystemTime::now().duration_since(modified.into_std()).is_ok_and(|since| since > age)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn orphans_go_and_what_can_be_resumed_stays() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let [fresh, old, orphan, locked] = [b"1", b"2", b"3", b"4"].map(|identity| Key::of("a", identity));
        for key in [fresh, old] {
            fs::write(path(&key.part()), b"x").unwrap();
            fs::write(path(&key.record()), b"x").unwrap();
        }
        let week = Duration::from_secs(7 * 24 * 3600);
        let now = SystemTime::now();
        let long_ago = now - 2 * week;
        File::options().write(true).open(path(&old.part())).unwrap().set_modified(long_ago).unwrap();
        fs::write(path(&orphan.part()), b"x").unwrap();
        for (record, modified) in [(Key::of("b", b"").record(), long_ago), (Key::of("c", b"").record(), now)]
        {
            File::create_new(path(&record)).unwrap().set_modified(modified).unwrap();
        }
        fs::write(path(&Key::temporary(1)), b"x").unwrap();
        let held = File::create_new(path(&locked.part())).unwrap();
        held.lock().unwrap();
        fs::write(path(".sampan-mine"), b"x").unwrap();
        let known = Known::default();
        let root = root::Root::open(place.path()).unwrap();
        sweep(&root.dir(), week, &known);
        let mut left: Vec<_> = fs::read_dir(place.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let other = Key::of("c", b"").record();
        let mut expected = vec![fresh.part(), fresh.record(), locked.part(), ".sampan-mine".into(), other];
        expected.sort();
        assert_eq!(left, expected);
        assert_eq!(known.take_others(Key::of("a", b"")), [fresh]);
    }
}
