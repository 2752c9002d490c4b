//! Fetching files and directories.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sampan_core::wire::FileName;

use super::asks::Named;
use super::fetching::Fetching;
use super::output::Output;
use super::{ClientOptions, Outcome};
use crate::control::Control;
use crate::failure::{ErrorName, Failure};
use crate::link::Waker;
use crate::reports::Reports;
use crate::store::{Store, StoreOptions};

/// Where what is fetched goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Into this directory, each under the last part of its name.
    Directory(PathBuf),
    /// A single one, here.
    Path(PathBuf),
    /// A single file, to the standard output.
    Output,
}

/// Fetches what has these names; a directory with all that is in it. A lost link is dialled again, and what is here already is not
/// fetched again. A file that exists is replaced when the new one is whole.
///
/// # Errors
///
/// If a name is not valid, the server cannot be reached at first, or at an interruption. What fails for single files is reported, and
/// in the outcome.
pub fn get(
    names: &[String],
    destination: &Destination,
    options: &ClientOptions,
    reports: &Reports,
) -> Result<Outcome, Failure> {
    let mut named = Vec::new();
    for name in names {
        named.push(named_as(name, destination)?);
    }
    let waker = Waker::new().map_err(|error| Failure::new(ErrorName::Other, error.to_string()))?;
    let control = Arc::new(Control::new(waker));
    let (store, output) = match destination {
        Destination::Output => (None, Some(Output::new())),
        Destination::Directory(folder) => (Some(open(folder)?), None),
        Destination::Path(path) => (Some(open(folder_of(path))?), None),
    };
    Fetching::new(named, (store, output), options, reports, control).run()
}

fn open(folder: &Path) -> Result<Store, Failure> {
    Ok(Store::open(folder, StoreOptions::default())?)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    }
}

fn named_as(name: &str, destination: &Destination) -> Result<Named, Failure> {
    let usage = |why: String| Failure::new(ErrorName::Usage, why);
    // A directory may be named with its slash.
    let remote = name.strip_suffix('/').unwrap_or(name);
    let checked = FileName::new(remote)
        .map_err(|error| usage(format!("{name:?} cannot be the name of a file there: {error}")))?;
    let local = match destination {
        Destination::Directory(_) | Destination::Output => checked.last_part().to_owned(),
        Destination::Path(path) => {
            let last = path.file_name().and_then(|last| last.to_str()).unwrap_or_default();
            FileName::new(last)
                .map_err(|error| usage(format!("{path:?} cannot be the name of what is fetched: {error}")))?
                .as_str()
                .to_owned()
        }
    };
    Ok(Named { remote: remote.to_owned(), local })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_paths() {
        let local = |name: &str, destination: Destination| named_as(name, &destination).unwrap().local;
        assert_eq!(local("a/b.txt", Destination::Directory(".".into())), "b.txt");
        assert_eq!(local("a/b/", Destination::Directory("x".into())), "b");
        assert_eq!(local("a/b", Destination::Path("x/y".into())), "y");
        for name in ["", "../x", "/etc/passwd", "a\\b"] {
            let error = named_as(name, &Destination::Output).unwrap_err();
            assert_eq!(error.error, ErrorName::Usage, "{name:?}");
        }
        assert_eq!(folder_of(Path::new("y")), Path::new("."));
        assert_eq!(folder_of(Path::new("x/y")), Path::new("x"));
    }
}
