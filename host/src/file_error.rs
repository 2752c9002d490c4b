//! What went wrong with a file, for people and for the peer.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use sampan_core::Refusal;
use sampan_core::wire::Code;

/// A file could not be used.
#[derive(Debug)]
pub struct FileError {
    /// What was tried.
    pub doing: Doing,
    /// With which file.
    pub path: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

/// What was tried with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doing {
    /// Opening an existing one.
    Open,
    /// Making a new one.
    Create,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Flushing, or putting it into its final place.
    Finish,
}

impl FileError {
    /// `cause` came of `doing` something with the file at `path`.
    #[must_use]
    pub fn new(doing: Doing, path: &Path, cause: io::Error) -> Self {
        Self { doing, path: path.to_owned(), cause }
    }

    /// What the peer is told.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        Self::refusal_for(self.doing, &self.cause)
    }

    /// What the peer is told of `cause`, which came of `doing` something.
    pub(crate) fn refusal_for(doing: Doing, cause: &io::Error) -> Refusal {
        let (code, words) = match (cause.kind(), doing) {
            (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded, _) => {
                (Code::NoSpace, "no space left")
            }
            (io::ErrorKind::FileTooLarge, _) => (Code::TooLarge, "larger than a file may be there"),
            (io::ErrorKind::NotFound, Doing::Open) => (Code::NotFound, "no such file"),
            (io::ErrorKind::PermissionDenied, _) => (Code::Storage, "permission denied"),
            (io::ErrorKind::ReadOnlyFilesystem, _) => (Code::Storage, "the file system is read-only"),
            (_, Doing::Open | Doing::Create) => (Code::Storage, "cannot open the file"),
            (_, Doing::Read) => (Code::Storage, "reading failed"),
            (_, Doing::Write | Doing::Finish) => (Code::Storage, "writing failed"),
        };
        Refusal { code, words }
    }

    /// What a person might do about it, if that is known.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        Some(match self.cause.kind() {
            io::ErrorKind::NotFound => "check the spelling and the folder",
            io::ErrorKind::PermissionDenied => "check its permissions",
            io::ErrorKind::IsADirectory => "name a file",
            io::ErrorKind::StorageFull => "free some space, or choose another folder",
            io::ErrorKind::QuotaExceeded => "free some of your quota, or choose another folder",
            _ => return None,
        })
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let doing = match self.doing {
            Doing::Open => "open",
            Doing::Create => "create",
            Doing::Read => "read",
            Doing::Write => "write",
            Doing::Finish => "finish",
        };
        write!(f, "cannot {doing} {:?}: {}", self.path, self.cause)
    }
}

impl Error for FileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peer_learns_the_reason_and_not_the_path() {
        let refusal =
            |doing, kind: io::ErrorKind| FileError::new(doing, Path::new("/secret"), kind.into()).refusal();
        assert_eq!(refusal(Doing::Write, io::ErrorKind::StorageFull).code, Code::NoSpace);
        assert_eq!(refusal(Doing::Open, io::ErrorKind::NotFound).code, Code::NotFound);
        assert_eq!(refusal(Doing::Finish, io::ErrorKind::NotFound).code, Code::Storage);
        assert_eq!(refusal(Doing::Read, io::ErrorKind::Other).code, Code::Storage);
    }

    #[test]
    fn names_are_escaped() {
        let error = FileError::new(Doing::Open, Path::new("a\nb"), io::ErrorKind::NotFound.into());
        assert!(error.to_string().starts_with("cannot open \"a\\nb\": "));
    }
}
