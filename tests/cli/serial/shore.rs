//! A server at one end of a line.

use std::path::Path;

use super::line::{Conditions, Line};
use crate::kit::{PATIENCE, Place, Ran, Sampan, Server};

/// A server at one end of a line.
#[derive(Debug)]
pub(super) struct Shore {
    // The server ends before its line does.
    pub(super) server: Option<Server>,
    pub(super) line: Line,
    pub(super) place: Place,
}

impl Shore {
    #[track_caller]
    pub(super) fn new(conditions: Conditions) -> Self {
        let mut shore = Self { server: None, line: Line::new(conditions), place: Place::new() };
        shore.serve();
        shore
    }

    /// Starts the server, anew if it was killed.
    #[track_caller]
    pub(super) fn serve(&mut self) {
        self.server = Some(Server::listening(&self.place.root(), &[&self.line.far()], &[]));
    }

    #[track_caller]
    pub(super) fn server(&mut self) -> &mut Server {
        self.server.as_mut().expect("it serves")
    }

    /// `send` of these, over the line.
    pub(super) fn send(&self, paths: &[&Path]) -> Sampan {
        Sampan::send(&self.line.near(), &[]).args(paths).within(4 * PATIENCE)
    }

    /// `get` of this name into a folder, over the line.
    pub(super) fn get(&self, name: &str, into: &Path) -> Sampan {
        Sampan::get(&self.line.near(), &[name, "-o"]).args(&[into]).within(4 * PATIENCE)
    }

    /// A file is sent, and there.
    #[track_caller]
    pub(super) fn assert_serves(&self, name: &str, contents: &[u8]) -> Ran {
        let ran = self.send(&[&self.place.write(name, contents)]).run();
        ran.assert_exit(0);
        assert!(self.place.stored(name).as_deref() == Some(contents), "{name}");
        ran
    }
}
