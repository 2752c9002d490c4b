//! Where control sockets are, if nobody says so.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// What the names of control sockets end with.
const SUFFIX: &str = ".control";

/// The path of this process's control socket; its directory is made if it is missing.
///
/// It is `$XDG_RUNTIME_DIR/sampan/PID.control`, or below the directory for temporary files where there is no such variable.
///
/// # Errors
///
/// If the directory cannot be made, or is not this user's own.
pub fn default_path() -> io::Result<PathBuf> {
    let directory = directory();
    match fs::DirBuilder::new().mode(0o700).create(&directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => check(&directory)?,
    }
    Ok(directory.join(format!("{}{SUFFIX}", std::process::id())))
}

/// The control sockets of this user's servers; those that servers have left behind among them.
///
/// # Errors
///
/// If the directory cannot be read, or is not this user's own; one that is missing is empty.
pub fn running() -> io::Result<Vec<PathBuf>> {
    let directory = directory();
    let entries = match fs::read_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    check(&directory)?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.to_str().is_some_and(|path| path.ends_with(SUFFIX)) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn directory() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
        Some(runtime) if runtime.is_absolute() => runtime.join("sampan"),
        _ => std::env::temp_dir().join(format!("sampan-{}", rustix::process::geteuid().as_raw())),
    }
}

/// Nobody else may put anything there.
fn check(directory: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(directory)?;
    let mine = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
    if mine && found.mode() & 0o077 == 0 {
        return Ok(());
    }
    let what = format!("{} is not a directory of this user's alone (mode 700)", directory.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn only_a_directory_of_ones_own_will_do() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("sampan");
        fs::DirBuilder::new().mode(0o700).create(&directory).unwrap();
        assert!(check(&directory).is_ok());
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(check(&directory).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(check(&file).is_err());
        std::os::unix::fs::symlink(&directory, place.path().join("link")).unwrap();
        assert!(check(&place.path().join("link")).is_err());
    }
}
