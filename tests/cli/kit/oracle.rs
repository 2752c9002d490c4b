//! What must be true after an attack, whatever it was.

use std::time::Instant;

use super::{Arena, PATIENCE, SOON, Sampan, assert_printable, content, until};

/// Threads that a store starts when it needs them first, and keeps: one to flush, one to put files into their places.
const STANDING: usize = 2;

/// What is expected of a server after an attack; [`check`](Self::check) looks.
#[derive(Debug)]
pub(crate) struct Oracle<'a> {
    arena: &'a mut Arena,
    failures: Failures,
    files: Vec<String>,
    parts: Parts,
    good: Good,
}

/// Failures that a server reports of an attack.
#[derive(Clone, Debug)]
enum Failures {
    /// So many, with these errors each, or any.
    Exactly(usize, Option<&'static str>),
    /// As many as it likes.
    Any,
}

/// What may be left of unfinished files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parts {
    None,
    Kept,
}

/// What a good client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Good {
    Sends,
    Gets(&'static str),
}

impl<'a> Oracle<'a> {
    /// One failure of any kind, nothing stored and nothing left.
    pub(crate) fn of(arena: &'a mut Arena) -> Self {
        let failures = Failures::Exactly(1, None);
        Self { arena, failures, files: Vec::new(), parts: Parts::None, good: Good::Sends }
    }

    /// The server has reported the attack once, as this error.
    pub(crate) fn failed(mut self, error: &'static str) -> Self {
        self.failures = Failures::Exactly(1, Some(error));
        self
    }

    /// The server has reported so many failures, all of them as this error.
    pub(crate) fn failed_times(mut self, times: usize, error: &'static str) -> Self {
        self.failures = Failures::Exactly(times, Some(error));
        self
    }

    /// The server has reported so many failures.
    pub(crate) fn failures(mut self, times: usize) -> Self {
        self.failures = Failures::Exactly(times, None);
        self
    }

    /// The server may have reported failures or not.
    pub(crate) fn any_failures(mut self) -> Self {
        self.failures = Failures::Any;
        self
    }

    /// Exactly these are stored, folders with `/`.
    pub(crate) fn files(mut self, names: &[&str]) -> Self {
        self.files = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Parts may be left, to be resumed.
    pub(crate) fn parts_kept(mut self) -> Self {
        self.parts = Parts::Kept;
        self
    }

    /// The server takes no files, so the good client gets this one.
    pub(crate) fn by_get(mut self, name: &'static str) -> Self {
        self.good = Good::Gets(name);
        self
    }

    /// Alive and serving, nothing touched outside, nothing stored but what was expected, nothing left over, everything given
    /// back, and the attack reported in words that are safe to show.
    #[track_caller]
    pub(crate) fn check(self) {
        self.arena.server.assert_alive();
        self.assert_failures();
        self.assert_served();
        self.arena.place.sentinel.assert_untouched();
        self.assert_files();
        self.assert_given_back();
        assert_printable(&self.arena.server.events.text());
        assert_printable(&self.arena.server.stderr.text());
        self.arena.server.assert_alive();
    }

    #[track_caller]
    fn assert_failures(&self) {
        let Failures::Exactly(times, error) = self.failures else { return };
        let failures = || self.arena.server.failures(0);
        if times > 0 {
            until("the attack is reported", PATIENCE, || (failures().len() >= times).then_some(()));
        }
        let reported = failures();
        assert_eq!(reported.len(), times, "{reported:#?}");
        if let Some(error) = error {
            assert!(reported.iter().all(|failed| failed["error"] == error), "{error}: {reported:#?}");
        }
    }

    #[track_caller]
    fn assert_served(&self) {
        let name = self.arena.next_good();
        let url = self.arena.url();
        let began = Instant::now();
        match self.good {
            Good::Sends => {
                let contents = content(77, 700);
                let file = self.arena.place.write(&format!("good/{name}"), &contents);
                Sampan::send(url, &[]).args(&[file]).within(PATIENCE).run().assert_exit(0);
                assert_eq!(self.arena.place.stored(&name), Some(contents));
            }
            Good::Gets(wanted) => {
                let to = self.arena.place.path().join(&name);
                Sampan::get(url, &["-o"]).args(&[&to]).args(&[wanted]).within(PATIENCE).run().assert_exit(0);
                assert_eq!(std::fs::read(to).ok(), self.arena.place.stored(wanted));
            }
        }
        assert!(began.elapsed() < SOON, "a good client took {:?}", began.elapsed());
    }

    #[track_caller]
    fn assert_files(&self) {
        let place = &self.arena.place;
        let stored: Vec<String> =
            place.visible().into_iter().filter(|name| !name.starts_with("good-")).collect();
        assert_eq!(stored, self.files);
        if self.parts == Parts::None {
            until("no part is left", SOON, || place.parts().is_empty().then_some(()));
        }
    }

    #[track_caller]
    fn assert_given_back(&self) {
        let base = self.arena.base;
        let mut now = base;
        let began = Instant::now();
        while began.elapsed() < SOON {
            now = self.arena.server.usage();
            if now.descriptors <= base.descriptors && now.threads <= base.threads + STANDING {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("not given back in {SOON:?}: {now:?}, and before the attack {base:?}");
    }
}
