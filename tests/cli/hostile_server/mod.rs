//! Clients that have dialled the wrong server.

mod answers;
mod listings;
mod names;
mod senders;

use std::fs;
use std::path::PathBuf;

use crate::kit::place::entries;
use crate::kit::{Framed, HostileServer, Place, Ran, Running, Sampan};

/// A client in a folder of its own, and the server it will meet.
struct Meeting {
    place: Place,
    server: HostileServer,
}

impl Meeting {
    fn new() -> Self {
        let place = Place::new();
        fs::create_dir(place.path().join("here")).expect("a folder");
        Self { place, server: HostileServer::new() }
    }

    /// Where the client works.
    fn here(&self) -> PathBuf {
        self.place.path().join("here")
    }

    /// What is where the client works, parts of unfinished files aside.
    fn made(&self) -> Vec<String> {
        entries(&self.here()).into_iter().filter(|name| !name.contains(".sampan")).collect()
    }

    /// Starts `get` with these arguments, which dials once, and opens its session.
    #[track_caller]
    fn get(&self, arguments: &[&str]) -> (Running, Framed) {
        let url = self.server.url();
        let client = Sampan::get(&url, &["--retries", "0"]).args(arguments).in_dir(&self.here()).start();
        (client, self.server.open())
    }

    /// Starts `ls` with these arguments, which dials once, and opens its session.
    #[track_caller]
    fn ls(&self, arguments: &[&str]) -> (Running, Framed) {
        let url = self.server.url();
        let client = Sampan::ls(&url, &["--retries", "0"]).args(arguments).in_dir(&self.here()).start();
        (client, self.server.open())
    }

    /// Nothing was written where the client works or beside it, and it has failed with one of these codes.
    #[track_caller]
    fn assert_nothing_written(&self, ran: &Ran, codes: &[i32]) {
        assert!(
            ran.code.is_some_and(|code| codes.contains(&code)),
            "{codes:?}: {:?} {} {}",
            ran.code,
            ran.text(),
            ran.stderr
        );
        assert_eq!(self.made(), [""; 0]);
        self.place.sentinel.assert_untouched();
        let beside: Vec<String> = entries(self.place.path())
            .into_iter()
            .filter(|name| !name.starts_with("outside") && !name.starts_with("here"))
            .collect();
        assert_eq!(beside, ["root/"]);
    }
}
