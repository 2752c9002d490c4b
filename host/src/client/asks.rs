//! What a client asks a server for.

use super::listed::Listed;
use crate::report::Report;

/// Something that the user has named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) remote: String,
    /// What it is called here.
    pub(super) local: String,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// What there is under this name: it may be a directory.
    Look(Named),
    /// A listing, which is shown as it comes.
    List {
        shown: String,
        wire: String,
    },
    Fetch {
        what: Named,
        size: Option<u64>,
        tries: u32,
    },
}

impl Named {
    /// All that was listed under this name, and the bytes in it: a file, or a directory with what is in it. Directories come last, the
    /// innermost first, so that they keep their times.
    pub(super) fn all(&self, listed: Vec<Listed>) -> (Vec<Ask>, u64) {
        let inside = |name: &str| {
            name.strip_prefix(&*self.remote).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let (mut folders, files): (Vec<_>, Vec<_>) =
            listed.into_iter().filter(|entry| inside(&entry.name)).partition(|entry| entry.directory);
        folders.sort_by_key(|folder| std::cmp::Reverse(folder.name.matches('/').count()));
        let bytes = files.iter().filter_map(|file| file.size).fold(0, u64::saturating_add);
        let ask = |Listed { name, size, .. }: Listed| {
            let local = format!("{}{}", self.local, &name[self.remote.len()..]);
            Ask::Fetch { what: Self { remote: name, local }, size, tries: 0 }
        };
        (files.into_iter().chain(folders).map(ask).collect(), bytes)
    }
}

impl Ask {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Look(named) | Self::Fetch { what: named, .. } => &named.remote,
            Self::List { shown, .. } => shown,
        }
    }

    pub(super) fn is_for(&self, name: &str) -> bool {
        matches!(self, Self::Fetch { what, .. } if what.remote == name)
    }
}

impl Listed {
    pub(super) fn report(self) -> Report {
        Report::Entry {
            name: self.name,
            size: self.size.filter(|_| !self.directory),
            modified: self.modified.map(|nanoseconds| nanoseconds as f64 / 1e9),
            directory: self.directory,
            executable: self.executable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str) -> Listed {
        let directory = name.ends_with('/');
        let name = name.trim_end_matches('/').to_owned();
        Listed { name, size: (!directory).then_some(2), modified: None, executable: false, directory }
    }

    #[test]
    fn a_directory_is_fetched_with_what_is_in_it_and_nothing_beside_it() {
        let named = Named { remote: "a/d".into(), local: "d".into() };
        let listed = ["a/d/", "a/d/e/", "a/d/e/x", "a/d/y", "a/dz", "a/d.txt"].map(listed);
        let (asks, bytes) = named.all(listed.into());
        let locals: Vec<_> = asks
            .iter()
            .map(|ask| match ask {
                Ask::Fetch { what, .. } => &*what.local,
                Ask::Look(_) | Ask::List { .. } => "",
            })
            .collect();
        assert_eq!((locals, bytes), (vec!["d/e/x", "d/y", "d/e", "d"], 4));
    }
}
