//! What is in a store, as the records of a listing (`docs/protocol.md` §12), read as far as they are sent.

use std::io;
use std::sync::Arc;

use cap_std::fs::{Dir, DirEntry};
use sampan_core::Digest as _;
use sampan_core::wire::{DigestKind, Entry, FileName, UncheckedName, Writer};

use super::file_io::nanoseconds;
use super::root::{self, Found};
use crate::digests::AnyDigest;
use crate::kept::Kept;
use crate::link::Nature;

/// Walks the directories whose names begin with a prefix; holds the names of one directory at a time for each level.
#[derive(Debug)]
pub(super) struct Lister {
    dir: Arc<Dir>,
    /// The directory to begin with, and what is looked for there; none once it was read.
    begin: Option<(String, String)>,
    /// What is still to be listed, the next last.
    levels: Vec<Level>,
    /// Records that were made, and how much of them was read.
    made: Vec<u8>,
    read: usize,
    kept: Kept,
    digest: Option<AnyDigest>,
}

#[derive(Debug)]
struct Level {
    /// With a `/` at its end, or empty.
    folder: String,
    /// Sorted, the first last.
    names: Vec<String>,
}

impl Lister {
    /// For a listing that goes over such a link.
    pub(super) fn new(dir: Arc<Dir>, prefix: Option<FileName<'_>>, link: Nature) -> Self {
        let prefix = prefix.map_or("", |prefix| prefix.as_str());
        let (folder, beginning) = match prefix.rfind('/') {
            Some(slash) => prefix.split_at(slash + 1),
            None => ("", prefix),
        };
        let begin = Some((folder.to_owned(), beginning.to_owned()));
        let mut kept = Kept::default();
        kept.suit(link);
        Self { dir, begin, levels: Vec::new(), made: Vec::new(), read: 0, kept, digest: None }
    }

    /// The digest that its end will bear.
    pub(super) fn digest_as(&mut self, kind: DigestKind) {
        self.digest = Some(AnyDigest::new(kind));
    }

    pub(super) fn digest(&self, into: &mut [u8]) -> usize {
        self.digest.as_ref().map_or(0, |digest| digest.value(into))
    }

    /// Goes on with the records; 0 at their end.
    ///
    /// # Errors
    ///
    /// If `offset` is neither where it stopped nor among what is kept to be read again.
    pub(super) fn read(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        if offset != self.kept.end() {
            let again = || io::Error::new(io::ErrorKind::InvalidInput, "a listing is read once");
            return self.kept.read(offset, into).ok_or_else(again);
        }
        // Not before it is sent: listings that wait for others hold nothing.
        if let Some((folder, beginning)) = self.begin.take() {
            self.enter(folder, &beginning);
        }
        while self.made.len() - self.read < into.len() && self.make() {}
        let made = self.made.get(self.read..).unwrap_or_default();
        let n = made.len().min(into.len());
        into[..n].copy_from_slice(&made[..n]);
        if let Some(digest) = &mut self.digest {
            digest.update(&into[..n]);
        }
        self.read += n;
        self.kept.push(&into[..n]);
        if self.read == self.made.len() {
            self.made.clear();
            self.read = 0;
        }
        Ok(n)
    }

    /// Makes one more record; whether there was anything to look at.
    fn make(&mut self) -> bool {
        let Some(level) = self.levels.last_mut() else { return false };
        let Some(part) = level.names.pop() else {
            self.levels.pop();
            return true;
        };
        let name = format!("{}{part}", level.folder);
        let Ok(checked) = FileName::new(&name) else { return true };
        let Some((size, modified, executable, directory)) = self.look(checked) else { return true };
        let mut record = [0; Entry::MAX_LEN];
        let mut writer = Writer::new(&mut record);
        let name_bytes = UncheckedName::new(name.as_bytes());
        Entry { size, modified, executable, directory, name: name_bytes }.emit(&mut writer);
        let length = writer.len();
        self.made.extend_from_slice(&record[..length]);
        if directory {
            self.enter(name + "/", "");
        }
        true
    }

    fn look(&self, name: FileName<'_>) -> Option<(Option<u64>, Option<i64>, bool, bool)> {
        let (dir, _) = root::parent(&self.dir, name, root::Missing::Refuse).ok()?;
        let metadata = dir.symlink_metadata(name.last_part()).ok()?;
        if !metadata.is_dir() && !metadata.is_file() {
            return None;
        }
        let modified = metadata.modified().ok().map(|time| nanoseconds(time.into_std()));
        let directory = metadata.is_dir();
        let size = (!directory).then(|| metadata.len());
        Some((size, modified, !directory && is_executable(&metadata), directory))
    }

    /// The directory `folder` comes next: what in it begins with `beginning`.
    fn enter(&mut self, folder: String, beginning: &str) {
        let Some(entries) = self.open(&folder).and_then(|dir| dir.entries().ok()) else { return };
        let name = |entry: io::Result<DirEntry>| entry.ok()?.file_name().into_string().ok();
        let mut names: Vec<String> =
            entries.filter_map(name).filter(|name| name.starts_with(beginning)).collect();
        names.sort_unstable_by(|a, b| b.cmp(a));
        self.levels.push(Level { folder, names });
    }

    fn open(&self, folder: &str) -> Option<Dir> {
        let Some(folder) = folder.strip_suffix('/') else { return self.dir.try_clone().ok() };
        match root::find(&self.dir, FileName::new(folder).ok()?) {
            Ok(Found::Directory(dir)) => Some(dir),
            _ => None,
        }
    }
}

#[cfg(unix)]
fn is_executable(metadata: &cap_std::fs::Metadata) -> bool {
    use cap_std::fs::MetadataExt as _;
    metadata.mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &cap_std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::root::Root;
    use std::fs;

    fn list(lister: &mut Lister, room: usize) -> Vec<String> {
        let (mut bytes, mut piece) = (Vec::new(), vec![0; room]);
        loop {
            match lister.read(bytes.len() as u64, &mut piece).unwrap() {
                0 => break,
                n => bytes.extend_from_slice(&piece[..n]),
            }
        }
        let (mut at, mut names) = (0, Vec::new());
        while at < bytes.len() {
            let (entry, length) = Entry::parse(&bytes[at..]).unwrap();
            at += length;
            let slash = if entry.directory { "/" } else { "" };
            names.push(format!("{}{slash}", entry.name));
        }
        names
    }

    #[test]
    fn a_tree_is_listed_in_order_whatever_the_room() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("b/empty")).unwrap();
        for name in ["a", "b/x", "b/y", "ba", ".sampan-0.part", "c\nd"] {
            fs::write(place.path().join(name), b"xy").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("a", place.path().join("link")).unwrap();
        let dir = Root::open(place.path()).unwrap().dir();
        let listed = |prefix: &str, room| {
            list(&mut Lister::new(Arc::clone(&dir), FileName::new(prefix).ok(), Nature::Stream), room)
        };
        for room in [1, 7, 4096] {
            assert_eq!(listed("", room), ["a", "b/", "b/empty/", "b/x", "b/y", "ba"]);
        }
        assert_eq!(listed("b", 100), ["b/", "b/empty/", "b/x", "b/y", "ba"]);
        assert_eq!(listed("b/x", 100), ["b/x"]);
        assert_eq!(listed("none/x", 100), [""; 0]);
    }
}
