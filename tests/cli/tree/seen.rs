//! What a tree is like.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use sampan_core::wire::{Crc32 as _, Nibble};

/// Everything below a folder, by its name on the wire.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) nodes: BTreeMap<String, Node>,
}

/// Whether folders themselves are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directories {
    /// With their times.
    Dated,
    /// That they are there.
    Present,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) directory: bool,
    pub(super) size: u64,
    pub(super) check: u32,
    pub(super) modified: (i64, i64),
    pub(super) executable: bool,
    /// Not compared.
    pub(super) inode: u64,
}

impl Seen {
    /// Everything below `root`, and `root` itself as the empty name.
    #[track_caller]
    pub(super) fn at(root: &Path) -> Self {
        let mut nodes = BTreeMap::new();
        let mut left = vec![root.to_owned()];
        while let Some(path) = left.pop() {
            let data =
                fs::symlink_metadata(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let name = path.strip_prefix(root).expect("below").to_str().expect("UTF-8").to_owned();
            let directory = data.is_dir();
            let (mut size, mut check) = (0, 0);
            if directory {
                left.extend(
                    fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()),
                );
            } else {
                assert!(data.is_file(), "{name:?} is neither a file nor a folder");
                let contents = fs::read(&path).expect("a file");
                (size, check) = (contents.len() as u64, Nibble.update(0, &contents));
            }
            let modified = (data.mtime(), data.mtime_nsec());
            let executable = !directory && data.mode() & 0o100 != 0;
            nodes.insert(name, Node { directory, size, check, modified, executable, inode: data.ino() });
        }
        Self { nodes }
    }

    /// What a client can see of what a server stores in `root`.
    #[track_caller]
    pub(super) fn served(root: &Path) -> Self {
        let mut seen = Self::at(root);
        seen.nodes
            .retain(|name, _| !name.is_empty() && !name.split('/').any(|part| part.starts_with(".sampan")));
        seen
    }

    /// Bytes of all contents.
    pub(super) fn bytes(&self) -> u64 {
        self.nodes.values().map(|node| node.size).sum()
    }

    /// Without the tree's root itself.
    pub(super) fn below(mut self) -> Self {
        self.nodes.remove("");
        self
    }

    /// Without what has this name, or is below it.
    pub(super) fn without(mut self, name: &str) -> Self {
        let below = format!("{name}/");
        self.nodes.retain(|have, _| have != name && !have.starts_with(&below));
        self
    }

    /// The other tree is the same: names, contents, times, executable bits.
    #[track_caller]
    pub(super) fn assert_same(&self, other: &Self, directories: Directories) {
        let missing: Vec<_> = self.nodes.keys().filter(|name| !other.nodes.contains_key(*name)).collect();
        let more: Vec<_> = other.nodes.keys().filter(|name| !self.nodes.contains_key(*name)).collect();
        assert!(missing.is_empty() && more.is_empty(), "missing: {missing:?}; too many: {more:?}");
        let mut different = Vec::new();
        for (name, node) in &self.nodes {
            let there = &other.nodes[name];
            let undated = node.directory && directories == Directories::Present;
            let modified = if undated { there.modified } else { node.modified };
            if (Node { inode: there.inode, modified, ..node.clone() }) != *there {
                different.push((name, node, there));
            }
        }
        let shown = &different[..different.len().min(5)];
        assert!(different.is_empty(), "{} differ, among them {shown:#?}", different.len());
    }

    /// Every file of the other tree is the very one that is here.
    #[track_caller]
    pub(super) fn assert_untouched(&self, other: &Self) {
        for (name, node) in &self.nodes {
            assert_eq!(Some(node), other.nodes.get(name), "{name:?} was written again");
        }
    }
}

#[test]
fn a_tree_that_is_copied_as_it_is_looks_the_same_and_one_that_differs_does_not() {
    let place = crate::kit::Place::new();
    let (tree, copy) = (place.path().join("tree"), place.path().join("copy"));
    super::grow(&tree, 7, 300);
    let status = std::process::Command::new("cp").arg("-a").args([&tree, &copy]).status().expect("cp");
    assert!(status.success());
    let (here, there) = (Seen::at(&tree), Seen::at(&copy));
    here.assert_same(&there, Directories::Dated);
    assert_eq!(here.nodes.values().filter(|node| !node.directory).count(), 300);
    assert!(here.nodes.keys().any(|name| name.len() == 995), "no long path");
    let differs = |change: fn(&mut Node)| {
        let mut there = there.clone();
        there.nodes.values_mut().for_each(change);
        std::panic::catch_unwind(|| here.assert_same(&there, Directories::Dated)).is_err()
    };
    assert!(differs(|node| node.check ^= 1));
    assert!(differs(|node| node.modified.1 ^= 1));
    assert!(differs(|node| node.executable ^= true));
    assert!(!differs(|node| node.inode ^= 1));
}
