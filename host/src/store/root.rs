//! The directory of a store as a capability: no name and no symbolic link leads out of it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use sampan_core::wire::FileName;

/// A directory, and the way to it: should it be replaced by another, that one is taken for new connections.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    dir: Mutex<Arc<Dir>>,
}

/// What is found at the end of a name.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    File(File),
    Directory(Dir),
    /// A link, a device, a pipe: nothing that is ever opened.
    Other,
}

/// Whether missing directories are made on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Make,
    Refuse,
}

impl Root {
    /// The directory at `path`, which is made if it is missing.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        let dir = Mutex::new(Arc::new(open_root(path)?));
        Ok(Self { path: path.to_owned(), dir })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory itself.
    #[cfg(test)]
    pub(super) fn dir(&self) -> Arc<Dir> {
        Arc::clone(&self.dir.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The directory that is at the path now, should it not be the one that was there before.
    pub(super) fn refresh(&self) -> Arc<Dir> {
        let mut dir = self.dir.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_same(&dir, &self.path)
            && let Ok(there) = open_root(&self.path)
        {
            *dir = Arc::new(there);
        }
        Arc::clone(&dir)
    }
}

fn open_root(path: &Path) -> io::Result<Dir> {
    Dir::open_ambient_dir(path, ambient_authority())
}

#[cfg(unix)]
fn is_same(dir: &Dir, path: &Path) -> bool {
    use rustix::fs::{fstat, stat};
    match (fstat(dir), stat(path)) {
        (Ok(ours), Ok(there)) => (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same(_: &Dir, _: &Path) -> bool {
    true
}

/// The directory that holds the last part of `name`, one part after the other and through no link; and the directories that were made
/// for it, each with the one that it is in.
///
/// # Errors
///
/// `NotADirectory` if a part on the way is a file, `FilesystemLoop` if it is a link.
pub(super) fn parent(root: &Dir, name: FileName<'_>, missing: Missing) -> io::Result<(Dir, Vec<Dir>)> {
    let mut at = root.try_clone()?;
    let mut changed = Vec::new();
    let mut parts = name.parts();
    parts.next_back();
    for part in parts {
        let next = match at.open_dir_nofollow(part) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && missing == Missing::Make => {
                match at.create_dir(part) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    _ => {}
                }
                changed.push(at.try_clone()?);
                at.open_dir_nofollow(part)
            }
            next => next,
        };
        at = next?;
    }
    Ok((at, changed))
}

/// Opens what is at `part` of `dir` to read it, without following a link and without waiting for anybody.
pub(super) fn look(dir: &Dir, part: &str) -> io::Result<Found> {
    let metadata = match dir.symlink_metadata(part) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        metadata => metadata?,
    };
    if metadata.is_dir() {
        return dir.open_dir_nofollow(part).map(Found::Directory);
    }
    if !metadata.is_file() {
        return Ok(Found::Other);
    }
    let file = dir.open_with(part, reading())?.into_std();
    Ok(if file.metadata()?.is_file() { Found::File(file) } else { Found::Other })
}

/// The same, through no link on the way either.
pub(super) fn find(root: &Dir, name: FileName<'_>) -> io::Result<Found> {
    match parent(root, name, Missing::Refuse) {
        Ok((dir, _)) => look(&dir, name.last_part()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) => Err(error),
    }
}

fn reading() -> &'static OpenOptions {
    static OPTIONS: std::sync::OnceLock<OpenOptions> = std::sync::OnceLock::new();
    OPTIONS.get_or_init(|| {
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        without_waiting(&mut options);
        options
    })
}

/// Opening a pipe must not wait for its other end.
#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) {
    use cap_std::fs::OpenOptionsExt as _;
    options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32);
}

#[cfg(not(unix))]
fn without_waiting(_: &mut OpenOptions) {}

/// Makes a new file in `dir`, which nothing else has.
pub(super) fn create(dir: &Dir, part: &str, executable: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).follow(FollowSymlinks::No);
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt as _;
        options.mode(if executable { 0o777 } else { 0o666 });
    }
    #[cfg(not(unix))]
    let _ = executable;
    Ok(dir.open_with(part, &options)?.into_std())
}

/// Opens a file in `dir` to read and write it.
pub(super) fn open(dir: &Dir, part: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).follow(FollowSymlinks::No);
    without_waiting(&mut options);
    let file = dir.open_with(part, &options)?.into_std();
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Puts `from` in `dir` at `to` in `into`, only if nothing is there.
///
/// # Errors
///
/// `AlreadyExists` if something is.
#[cfg(target_os = "linux")]
pub(super) fn rename_new(dir: &Dir, from: &str, into: &Dir, to: &str) -> io::Result<()> {
    use rustix::fs::{RenameFlags, renameat_with};
    match renameat_with(dir, from, into, to, RenameFlags::NOREPLACE) {
        // This file system cannot do it.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => link_new(dir, from, into, to),
        result => Ok(result?),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn rename_new(dir: &Dir, from: &str, into: &Dir, to: &str) -> io::Result<()> {
    link_new(dir, from, into, to)
}

fn link_new(dir: &Dir, from: &str, into: &Dir, to: &str) -> io::Result<()> {
    dir.hard_link(from, into, to)?;
    dir.remove_file(from)
}

/// A directory as a file, to flush it, to give it a time, or to ask what it is.
#[cfg(unix)]
pub(super) fn as_file(dir: &Dir) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, openat};
    // The descriptor of a `Dir` is good for looking names up only.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(File::from(openat(dir, ".", flags, Mode::empty())?))
}

#[cfg(not(unix))]
pub(super) fn as_file(dir: &Dir) -> io::Result<File> {
    Ok(dir.try_clone()?.into_std_file())
}

/// Flushes a directory: what was put into it stays there.
pub(super) fn flush(dir: &Dir) -> io::Result<()> {
    if cfg!(unix) { as_file(dir)?.sync_all() } else { Ok(()) }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn name(name: &str) -> FileName<'_> {
        FileName::new(name).unwrap()
    }

    #[test]
    fn no_link_is_followed() {
        let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(outside.path().join("secret"), b"x").unwrap();
        fs::create_dir(dir.path().join("real")).unwrap();
        fs::write(dir.path().join("real/file"), b"y").unwrap();
        symlink(outside.path(), dir.path().join("away")).unwrap();
        symlink("real", dir.path().join("within")).unwrap();
        symlink("real/file", dir.path().join("link")).unwrap();
        let root = Root::open(dir.path()).unwrap().dir();
        assert!(matches!(find(&root, name("real/file")).unwrap(), Found::File(_)));
        assert!(matches!(find(&root, name("real")).unwrap(), Found::Directory(_)));
        assert!(matches!(find(&root, name("none/file")).unwrap(), Found::Nothing));
        assert!(matches!(find(&root, name("link")).unwrap(), Found::Other));
        for through in ["away/secret", "within/file", "away/new", "within/new"] {
            assert!(find(&root, name(through)).is_err(), "{through}");
            assert!(parent(&root, name(through), Missing::Make).is_err(), "{through}");
        }
        assert!(create(&root, "link", false).is_err());
        assert!(open(&root, "link").is_err());
    }

    #[test]
    fn directories_are_made_on_the_way() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap().dir();
        assert!(parent(&root, name("a/b/c"), Missing::Refuse).is_err());
        let (_, changed) = parent(&root, name("a/b/c"), Missing::Make).unwrap();
        assert_eq!(changed.len(), 2);
        assert!(dir.path().join("a/b").is_dir());
        assert_eq!(parent(&root, name("a/b/c"), Missing::Make).unwrap().1.len(), 0);
    }

    #[test]
    fn a_pipe_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap().dir();
        rustix::fs::mkfifoat(&*root, "pipe", rustix::fs::Mode::RUSR).unwrap();
        assert!(matches!(find(&root, name("pipe")).unwrap(), Found::Other));
    }

    #[test]
    fn what_is_there_is_not_replaced_by_something_new() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap().dir();
        fs::write(dir.path().join("new"), b"new").unwrap();
        rename_new(&root, "new", &root, "name").unwrap();
        fs::write(dir.path().join("new"), b"newer").unwrap();
        let error = rename_new(&root, "new", &root, "name").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(dir.path().join("name")).unwrap(), b"new");
    }

    #[test]
    fn another_directory_at_the_path_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root");
        let root = Root::open(&path).unwrap();
        fs::remove_dir(&path).unwrap();
        assert!(root.refresh().entries().unwrap().next().is_none());
        fs::create_dir(&path).unwrap();
        fs::write(path.join("file"), b"x").unwrap();
        assert!(matches!(find(&root.refresh(), name("file")).unwrap(), Found::File(_)));
    }
}
