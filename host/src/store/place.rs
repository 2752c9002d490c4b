//! Where a whole file goes when its name is free, and when it is not.

use std::fs::File;
use std::io;

use cap_std::fs::Dir;
use sampan_core::wire::{FileName, MAX_PART};

use super::OnConflict;
use super::file_io::read_at;
use super::late::Stored;
use super::part::Part;
use super::root::{self, Found};

/// How many names are tried to keep both.
const TRIES: u32 = 10_000;

/// Why a file could not be put anywhere.
#[derive(Debug)]
pub(super) enum Taken {
    Exists(&'static str),
    Failed(io::Error),
}

impl From<io::Error> for Taken {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Puts a part of `size` bytes into `into` under the last part of `name`, or under another one if both are to be kept.
pub(super) fn place(
    part: &Part,
    into: &Dir,
    name: FileName<'_>,
    size: u64,
    on_conflict: OnConflict,
) -> Result<Stored, Taken> {
    let last = name.last_part();
    if on_conflict == OnConflict::Replace {
        return match root::look(into, last)? {
            Found::Directory(_) => Err(Taken::Exists("a directory has this name")),
            Found::Other => Err(Taken::Exists("something other than a file has this name")),
            Found::Nothing | Found::File(_) => {
                part.dir().rename(part.called(), into, last)?;
                Ok(Stored::AsNamed)
            }
        };
    }
    for number in 0..TRIES {
        let candidate = numbered(last, number);
        let stored = || match number {
            0 => Stored::AsNamed,
            _ => {
                let folder = name.as_str().strip_suffix(last).unwrap_or_default();
                Stored::As(format!("{folder}{candidate}"))
            }
        };
        match root::rename_new(part.dir(), part.called(), into, &candidate) {
            Ok(()) => return Ok(stored()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
        if let Found::File(there) = root::look(into, &candidate)?
            && is_equal(part.file(), &there, size)?
        {
            part.remove();
            return Ok(stored());
        }
        if on_conflict == OnConflict::Refuse {
            return Err(Taken::Exists("the name is taken"));
        }
    }
    Err(Taken::Exists("the name is taken, and so are all others like it"))
}

/// `name (1).ext` for `name.ext`, as long as a part of a name may be.
fn numbered(last: &str, number: u32) -> String {
    if number == 0 {
        return last.to_owned();
    }
    let (stem, extension) = match last.rfind('.') {
        Some(dot) if dot > 0 && last.len() - dot <= 16 => last.split_at(dot),
        _ => (last, ""),
    };
    let ending = format!(" ({number}){extension}");
    let mut room = MAX_PART - ending.len();
    while !stem.is_char_boundary(room.min(stem.len())) {
        room -= 1;
    }
    format!("{}{ending}", &stem[..room.min(stem.len())])
}

/// Whether two files have the same `size` bytes.
fn is_equal(one: &File, other: &File, size: u64) -> io::Result<bool> {
    if other.metadata()?.len() != size {
        return Ok(false);
    }
    let (mut a, mut b) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let mut at = 0;
    while at < size {
        let n = read_at(one, &mut a, at)?;
        let mut m = 0;
        while m < n {
            match read_at(other, &mut b[m..n], at + m as u64)? {
                0 => return Ok(false),
                more => m += more,
            }
        }
        if n == 0 || a[..n] != b[..n] {
            return Ok(false);
        }
        at += n as u64;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_comes_before_the_extension() {
        assert_eq!(numbered("a.tar", 0), "a.tar");
        assert_eq!(numbered("a.tar", 2), "a (2).tar");
        assert_eq!(numbered("a", 1), "a (1)");
        assert_eq!(numbered(".profile", 1), ".profile (1)");
        assert_eq!(numbered("a.not an extension at all", 1), "a.not an extension at all (1)");
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let name = "\u{ae00}".repeat(85);
        let other = numbered(&name, 12);
        assert!(other.len() <= MAX_PART && other.ends_with(" (12)"), "{other}");
        assert!(FileName::new(&other).is_ok());
    }
}
