//! Folders that go with the test.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::Sentinel;

/// A temporary folder with one to serve, `root`, beside one that nobody may touch.
#[derive(Debug)]
pub(crate) struct Place {
    folder: TempDir,
    /// What nobody may touch.
    pub(crate) sentinel: Sentinel,
}

impl Place {
    /// With an empty `root`.
    pub(crate) fn new() -> Self {
        Self::inside(&std::env::temp_dir())
    }

    /// The same, below `parent`.
    pub(crate) fn inside(parent: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("sampan-test-").tempdir_in(parent).expect("a folder");
        fs::create_dir(folder.path().join("root")).expect("the folder to serve");
        let sentinel = Sentinel::make(&folder.path().join("outside"));
        Self { folder, sentinel }
    }

    /// The whole of it.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder to serve.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// Writes a file beside the served folder, for clients; folders are made.
    pub(crate) fn write(&self, name: &str, contents: &[u8]) -> PathBuf {
        write(&self.folder.path().join(name), contents)
    }

    /// Writes a file into the served folder; folders are made.
    pub(crate) fn serve(&self, name: &str, contents: &[u8]) -> PathBuf {
        write(&self.root().join(name), contents)
    }

    /// What is in the served folder under this name, if it is there.
    pub(crate) fn stored(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.root().join(name)).ok()
    }

    /// Everything below the served folder, hidden or not, with `/` after folders, in order.
    pub(crate) fn entries(&self) -> Vec<String> {
        entries(&self.root())
    }

    /// The same, without what `serve` keeps for itself: names of parts that begin with `.sampan`.
    pub(crate) fn visible(&self) -> Vec<String> {
        self.entries().into_iter().filter(|name| !is_reserved(name)).collect()
    }

    /// What is left of unfinished files below the served folder.
    pub(crate) fn parts(&self) -> Vec<String> {
        self.reserved()
    }

    /// What `serve` keeps for itself below the served folder.
    pub(crate) fn reserved(&self) -> Vec<String> {
        self.entries().into_iter().filter(|name| is_reserved(name)).collect()
    }
}

fn write(path: &Path, contents: &[u8]) -> PathBuf {
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders can be made");
    fs::write(path, contents).expect("a file can be written");
    path.to_owned()
}

fn is_reserved(name: &str) -> bool {
    name.split('/').any(|part| part.starts_with(".sampan"))
}

/// Everything below `folder`, hidden or not, with `/` after folders, in order; what vanishes meanwhile is left out.
pub(crate) fn entries(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(below) = left.pop() {
        for entry in fs::read_dir(&below).into_iter().flatten().flatten() {
            let path = entry.path();
            let mut name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                name.push('/');
                left.push(path);
            }
            found.push(name);
        }
    }
    found.sort();
    found
}
