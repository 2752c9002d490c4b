//! What is to be sent, under which names: found out before the first byte goes.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use sampan_core::wire::FileName;

use crate::failure::{ErrorName, Failure};
use crate::file_error::{Doing, FileError};
use crate::source::{Item, ItemKind};

/// The name of what comes from the standard input, if it is given none.
const STDIN: &str = "stdin";

/// What is to be sent.
#[derive(Debug, Default)]
pub struct Plan {
    /// In this order; a directory after what is in it, so that it keeps its time.
    pub items: Vec<Item>,
    /// What was found and cannot go.
    pub left_out: Vec<LeftOut>,
    /// What was named and cannot go.
    pub failed: Vec<(String, Failure)>,
}

/// Something in a directory that is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it is.
    pub path: PathBuf,
    /// Why it cannot go.
    pub why: String,
}

impl Plan {
    /// Looks at everything that `paths` name: files, directories with all that is in them (`DIR` under its last name, `DIR/.` without), and `-`
    /// for the standard input. `name` is what a single one is called instead.
    ///
    /// # Errors
    ///
    /// [`ErrorName::Usage`] if two would have the same name; if there is but one, whatever is wrong with it.
    pub fn new(paths: &[PathBuf], name: Option<&str>) -> Result<Self, Failure> {
        let mut plan = Self::default();
        let mut names = HashSet::new();
        for path in paths {
            match plan.add(path, name) {
                Ok(Some(top)) if !names.insert(top.clone()) => {
                    return Err(Failure::new(
                        ErrorName::Usage,
                        format!("two of them would be called {top:?}"),
                    )
                    .with_advice("send them one by one, with --name"));
                }
                Ok(_) => {}
                Err(failure) if paths.len() == 1 => return Err(failure),
                Err(failure) => plan.failed.push((path.display().to_string(), failure)),
            }
        }
        Ok(plan)
    }

    /// How many bytes that is, as far as it is known.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.items.iter().filter_map(|item| item.size).sum()
    }

    /// Adds what `path` names, and says what it is called at the other end, if it is one thing.
    fn add(&mut self, path: &Path, name: Option<&str>) -> Result<Option<String>, Failure> {
        if path == Path::new("-") {
            let name = checked(path, name.unwrap_or(STDIN))?;
            let item = Item { path: path.to_owned(), name: name.clone(), kind: ItemKind::Pipe, size: None };
            self.items.push(item);
            return Ok(Some(name));
        }
        let metadata = fs::metadata(path).map_err(|cause| FileError::new(Doing::Open, path, cause))?;
        let last = match name {
            Some(name) => Some(checked(path, name)?),
            None if metadata.is_dir() && is_contents(path) => None,
            None => path.file_name().map(|last| last_name(path, last)).transpose()?,
        };
        match last {
            _ if metadata.is_dir() => {
                self.walk(path, last.as_deref());
                Ok(last)
            }
            Some(name) if metadata.is_file() => {
                let size = Some(metadata.len());
                let kind = ItemKind::Named;
                self.items.push(Item { path: path.to_owned(), name: name.clone(), kind, size });
                Ok(Some(name))
            }
            _ => {
                let cause = std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a regular file");
                Err(FileError::new(Doing::Open, path, cause).into())
            }
        }
    }

    /// Adds everything in the directory at `path`, then the directory itself under the name `top`.
    fn walk(&mut self, path: &Path, top: Option<&str>) {
        enum Step {
            Enter(PathBuf, String),
            Leave(PathBuf, String),
        }
        let mut steps = vec![Step::Enter(path.to_owned(), top.unwrap_or_default().to_owned())];
        while let Some(step) = steps.pop() {
            let (path, name) = match step {
                Step::Enter(path, name) => (path, name),
                Step::Leave(path, name) => {
                    self.items.push(Item { path, name, kind: ItemKind::Directory, size: None });
                    continue;
                }
            };
            let mut entries: Vec<_> = match fs::read_dir(&path) {
                Ok(entries) => entries.flatten().collect(),
                Err(error) => {
                    self.leave_out(path, format!("cannot be read: {error}"));
                    continue;
                }
            };
            if !name.is_empty() {
                steps.push(Step::Leave(path, name.clone()));
            }
            // Files first, in order; then directories, the first last.
            entries.sort_unstable_by_key(|entry| entry.file_name());
            let mut folders = Vec::new();
            for entry in entries {
                let path = entry.path();
                match under(&name, &entry.file_name()) {
                    Err(why) => self.leave_out(path, why),
                    Ok(name) => match entry.metadata() {
                        Err(error) => self.leave_out(path, format!("cannot be looked at: {error}")),
                        Ok(metadata) if metadata.is_dir() => folders.push(Step::Enter(path, name)),
                        Ok(metadata) if metadata.is_file() => {
                            let size = Some(metadata.len());
                            self.items.push(Item { path, name, kind: ItemKind::Found, size });
                        }
                        Ok(metadata) if metadata.is_symlink() => {
                            self.leave_out(path, "it is a link, and links are not sent".into());
                        }
                        Ok(_) => self.leave_out(path, "it is neither a file nor a directory".into()),
                    },
                }
            }
            steps.extend(folders.into_iter().rev());
        }
    }

    fn leave_out(&mut self, path: PathBuf, why: String) {
        self.left_out.push(LeftOut { path, why });
    }
}

/// Whether a directory is named for what is in it.
fn is_contents(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    text == b"." || text.ends_with(b"/.") || path.file_name().is_none()
}

fn last_name(path: &Path, last: &OsStr) -> Result<String, Failure> {
    let not_utf8 = || bad_name(path, "its name is not UTF-8");
    checked(path, last.to_str().ok_or_else(not_utf8)?)
}

fn checked(path: &Path, name: &str) -> Result<String, Failure> {
    match FileName::new(name) {
        Ok(name) => Ok(name.as_str().to_owned()),
        Err(error) => Err(bad_name(path, &error.to_string())),
    }
}

fn bad_name(path: &Path, why: &str) -> Failure {
    Failure::new(ErrorName::LocalFile, format!("cannot send {path:?}: {why}"))
        .with_advice("rename it, or send it under another name with --name")
}

/// The name of what is called `last` in the directory `folder`.
fn under(folder: &str, last: &OsStr) -> Result<String, String> {
    let last = last.to_str().ok_or("its name is not UTF-8")?;
    let name = if folder.is_empty() { last.to_owned() } else { format!("{folder}/{last}") };
    FileName::new(&name).map_err(|error| error.to_string())?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(plan: &Plan) -> Vec<&str> {
        plan.items.iter().map(|item| &*item.name).collect()
    }

    #[test]
    fn a_tree_is_planned_with_directories_after_their_contents() {
        let place = tempfile::tempdir().unwrap();
        let tree = place.path().join("tree");
        fs::create_dir_all(tree.join("b/empty")).unwrap();
        for name in ["a", "b/x", "c", ".sampan-y"] {
            fs::write(tree.join(name), b"12").unwrap();
        }
        let plan = Plan::new(std::slice::from_ref(&tree), None).unwrap();
        assert_eq!(names(&plan), ["tree/a", "tree/c", "tree/b/x", "tree/b/empty", "tree/b", "tree"]);
        assert_eq!((plan.bytes(), plan.left_out.len()), (6, 1));
        let plan = Plan::new(&[tree.join(".")], None).unwrap();
        assert_eq!(names(&plan), ["a", "c", "b/x", "b/empty", "b"]);
        let plan = Plan::new(&[tree], Some("other/name")).unwrap();
        assert_eq!(names(&plan)[5], "other/name");
    }

    #[test]
    fn two_of_one_name_are_not_sent_over_each_other() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("sub")).unwrap();
        let paths = ["x", "sub/x"].map(|name| place.path().join(name));
        paths.iter().for_each(|path| fs::write(path, b"").unwrap());
        assert_eq!(Plan::new(&paths, None).unwrap_err().error, ErrorName::Usage);
    }

    #[test]
    fn what_is_missing_fails_alone() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("x"), b"").unwrap();
        let paths = ["x", "none"].map(|name| place.path().join(name));
        assert_eq!(Plan::new(&paths[1..], None).unwrap_err().error, ErrorName::LocalFile);
        let plan = Plan::new(&paths, None).unwrap();
        assert_eq!((names(&plan), plan.failed.len()), (vec!["x"], 1));
    }

    #[test]
    fn the_standard_input_has_a_name() {
        assert_eq!(names(&Plan::new(&["-".into()], None).unwrap()), ["stdin"]);
        assert_eq!(names(&Plan::new(&["-".into()], Some("a/b")).unwrap()), ["a/b"]);
    }
}
