//! Ends that are killed at any moment: the next `send` goes on, and nobody ever sees half a file.

mod moments;
mod watcher;

use std::path::PathBuf;

use serde_json::Value;

use crate::kit::proxy::{Direction, Proxy};
use crate::kit::{PATIENCE, Place, Running, Sampan, Server};
use watcher::Watcher;

/// Bytes that a client which has just started may send before it hears what is there already (`docs/protocol.md` §9.2).
const AHEAD: u64 = 4 << 20;

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Client,
    Server,
    Both,
}

impl Victim {
    const ALL: [Self; 3] = [Self::Client, Self::Server, Self::Both];
}

/// A file to send, a folder that is served, and somebody who watches it.
struct Scene {
    place: Place,
    server: Option<Server>,
    file: PathBuf,
    size: u64,
}

impl Scene {
    fn new(contents: &[u8]) -> Self {
        let place = Place::new();
        let file = place.write("from/file.bin", contents);
        let server = Some(Server::new(&place.root()));
        Self { place, server, file, size: contents.len() as u64 }
    }

    fn url(&self) -> &str {
        self.server.as_ref().expect("a server").url()
    }

    fn watch(&self, name: &str) -> Watcher {
        Watcher::start(&self.place.root(), name, &self.file)
    }

    /// Begins to send under this name; a lost link is not dialled again.
    fn begin(&self, name: &str, rate: &str) -> Running {
        Sampan::send(self.url(), &["--retries", "0", "--limit-rate", rate, "--name", name])
            .args(&[&self.file])
            .start()
    }

    /// Kills, waits for what is left of the client, and has a server again.
    fn kill(&mut self, victim: Victim, mut client: Running) {
        if victim != Victim::Server {
            client.kill();
        }
        if victim != Victim::Client {
            self.server.take().expect("a server").kill();
        }
        if victim == Victim::Server {
            let ran = client.finish();
            // It may have been done before.
            assert!(ran.code == Some(7) || ran.code == Some(0), "{ran:?}");
        }
        if self.server.is_none() {
            self.server = Some(Server::new(&self.place.root()));
        }
    }

    /// Sends once more: all of it is there then, nothing is left over, and no more has gone over the link than was missing. Gives
    /// the offset that was there already.
    #[track_caller]
    fn send_again(&mut self, name: &str, watcher: Watcher) -> u64 {
        let proxy = Proxy::new(self.url(), &[]);
        let ran = Sampan::send(proxy.url(), &["--name", name]).args(&[&self.file]).within(4 * PATIENCE).run();
        ran.assert_exit(0);
        let sent = ran.event("sent");
        let resumed_from = sent["resumed_from"].as_u64().expect("an offset");
        let missing = self.size - resumed_from;
        let passed = proxy.passed(Direction::ToServer);
        assert!(
            passed >= missing && passed < missing + missing / 100 + AHEAD,
            "{passed} bytes went over the link for {missing} that were missing: {sent}"
        );
        assert_eq!(ran.event("summary")["resumed"], Value::from(resumed_from));
        watcher.assert_whole();
        assert_eq!(self.place.visible(), [name]);
        crate::kit::until("no part is left", PATIENCE, || self.place.parts().is_empty().then_some(()));
        self.place.sentinel.assert_untouched();
        resumed_from
    }
}
