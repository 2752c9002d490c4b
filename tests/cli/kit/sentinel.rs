//! Files that nobody may touch.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A tree beside the one that is served, and what it was like.
#[derive(Debug)]
pub(crate) struct Sentinel {
    path: PathBuf,
    before: BTreeMap<PathBuf, Seen>,
}

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    inode: u64,
    mode: u32,
    links: u64,
    modified: (i64, i64),
    contents: Vec<u8>,
}

impl Sentinel {
    /// Words that are in its files and nowhere else.
    pub(crate) const SECRET: &'static str = "nobody outside may read this";

    /// Makes the tree at `path`, which must be missing.
    pub(crate) fn make(path: &Path) -> Self {
        fs::create_dir(path).expect("the sentinel's folder can be made");
        fs::create_dir_all(path.join("dir/sub")).expect("its folders");
        for name in ["secret", "dir/secret", "dir/sub/secret"] {
            fs::write(path.join(name), Self::SECRET).expect("its files");
        }
        Self { path: path.to_owned(), before: look(path) }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Contents, inodes, modes and times are what they were, nothing is gone and nothing is new.
    #[track_caller]
    pub(crate) fn assert_untouched(&self) {
        assert_eq!(look(&self.path), self.before, "files outside the served directory were touched");
    }
}

fn look(path: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut seen = BTreeMap::new();
    let mut left = vec![path.to_owned()];
    while let Some(path) = left.pop() {
        let data = fs::symlink_metadata(&path).expect("it is still there");
        let contents = if data.is_dir() {
            left.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
            Vec::new()
        } else {
            fs::read(&path).expect("a file")
        };
        let modified = (data.mtime(), data.mtime_nsec());
        let (inode, mode, links) = (data.ino(), data.mode(), data.nlink());
        seen.insert(path, Seen { inode, mode, links, modified, contents });
    }
    seen
}
