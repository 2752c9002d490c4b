//! The loop that every connection of a host runs.

use sampan_core::driver::{Turn, nb};
use sampan_core::{Engine, Error, Event, Instant, Storage};

use crate::clock::Clock;
use crate::link::{Inbound, Link};

/// An engine with its link, its storage and its clock.
///
/// Whoever owns it calls [`turn`](Self::turn) until the session has closed, and may use the three in between:
///
/// ```
/// use sampan::link::Link;
/// use sampan::run::Connection;
/// use sampan_core::{Engine, Error, Storage, driver::Turn};
///
/// fn run<E: Engine, L: Link, S: Storage>(mut connection: Connection<E, L, S>) -> Result<(), Error> {
///     loop {
///         match connection.turn()? {
///             Turn::Worked => {}
///             Turn::Event(event) => println!("{event:?}"),
///             Turn::Closed => return Ok(()),
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Connection<E, L, S> {
    /// The protocol.
    pub engine: E,
    /// The bytes.
    pub link: L,
    /// The files.
    pub storage: S,
    clock: Clock,
    now: Instant,
    pace: Pace,
    look: Option<Instant>,
}

/// Whether there may be something to do at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Busy,
    Idle,
}

impl<E: Engine, L: Link, S: Storage> Connection<E, L, S> {
    /// Joins them. The clock is the one that the engine's first instant came from.
    pub fn new(engine: E, link: L, storage: S, clock: Clock) -> Self {
        Self { engine, link, storage, clock, now: clock.now(), pace: Pace::Busy, look: None }
    }

    /// The time of the last turn.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The next turn waits no longer than until then, whatever the engine says.
    pub const fn look_at(&mut self, instant: Instant) {
        self.look = Some(instant);
    }

    /// The engine was asked for something: the next turn does not wait.
    pub const fn go_on(&mut self) {
        self.pace = Pace::Busy;
    }

    /// Does one action of the engine's; waits first, for the link or a deadline, if the last turn found nothing to do.
    ///
    /// # Errors
    ///
    /// What ended the session. If it is the link, [`Link::fault`] may know more.
    pub fn turn(&mut self) -> Result<Turn<'_>, Error> {
        if self.pace == Pace::Idle {
            self.pace = Pace::Busy;
            self.wait();
        }
        self.now = self.clock.now();
        match nb::turn(&mut self.engine, &mut self.link, &mut self.storage, self.now) {
            Ok(turn) => {
                if let Turn::Event(Event::EndOfStream) = turn {
                    self.link.close_sending();
                }
                Ok(turn)
            }
            Err(::nb::Error::WouldBlock) => {
                self.pace = Pace::Idle;
                Ok(Turn::Worked)
            }
            Err(::nb::Error::Other(error)) => Err(error),
        }
    }

    fn wait(&mut self) {
        let now = self.clock.now();
        let inbound = match self.engine.receive_buffer() {
            [] => Inbound::Paused,
            _ => Inbound::Wanted,
        };
        let until = match (self.engine.deadline(), self.look.take()) {
            (Some(deadline), Some(look)) => Some(deadline.min(look)),
            (deadline, look) => deadline.or(look),
        };
        if self.link.wait(inbound, until.map(|until| until.since(now))).is_err() {
            self.engine.link_lost(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Control;
    use crate::link::Waker;
    use crate::link::{Listener, SocketBuffers, StreamLink, TcpOptions};
    use crate::memory::{Memory, Opening};
    use crate::source::{FileSource, Item, ItemKind};
    use crate::store::{Accepts, OnConflict, Store, StoreOptions};
    use sampan_core::wire::Code;
    use sampan_core::{Limits, LinkError, Millis, Speaks};
    use std::fs;
    use std::sync::Arc;
    use std::thread;

    fn links(options: &TcpOptions) -> (StreamLink, StreamLink) {
        let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap(), options).unwrap();
        let client = StreamLink::dial(&listener.url(), options).unwrap();
        (client, listener.accept_within(Some(options.connect_within)).unwrap())
    }

    fn close<E: Engine, L: Link, S: Storage>(mut connection: Connection<E, L, S>) -> Result<(), Error> {
        while connection.turn()? != Turn::Closed {}
        Ok(())
    }

    #[test]
    fn a_file_goes_through_small_socket_buffers() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("file"), dir.path().join("to"));
        let contents: Vec<u8> = (0..3_000_000_u32).map(|n| (n ^ (n >> 11)) as u8).collect();
        fs::write(&from, &contents).unwrap();
        let (client, server) =
            links(&TcpOptions { buffers: SocketBuffers::Fixed(4096), ..TcpOptions::default() });
        thread::scope(|scope| {
            scope.spawn(|| {
                let (clock, mut memory) = (Clock::start(), Memory::new().unwrap());
                let session = memory.receiver(Opening::new(Speaks::Second, clock).unwrap()).unwrap();
                let waker = Waker::new().unwrap();
                let (server, control) = (server.with_waker(&waker), Arc::new(Control::new(waker)));
                let store = Store::open(&to, StoreOptions::default()).unwrap();
                let sink = store.sink(Accepts::Anything, OnConflict::Replace, &control);
                close(Connection::new(session, server, sink, clock)).unwrap();
            });
            let (clock, mut memory) = (Clock::start(), Memory::new().unwrap());
            let mut session = memory.sender(Opening::new(Speaks::First, clock).unwrap()).unwrap();
            let mut source = FileSource::new();
            let item = Item { path: from, name: "file".into(), kind: ItemKind::Named, size: None };
            source.add(session.offer().unwrap(), item);
            session.close(Code::Ok);
            close(Connection::new(session, client, source, clock)).unwrap();
        });
        assert!(fs::read(to.join("file")).unwrap() == contents);
    }

    #[test]
    fn a_deadline_is_kept_while_the_peer_is_silent() {
        let (client, _server) = links(&TcpOptions::default());
        let clock = Clock::start();
        let mut memory =
            Memory::new().unwrap().with_limits(Limits { handshake: Millis(80), ..Limits::LARGE });
        let session = memory.sender(Opening::new(Speaks::First, clock).unwrap()).unwrap();
        assert_eq!(close(Connection::new(session, client, (), clock)), Err(LinkError::Handshake.into()));
        let waited = clock.now().as_micros();
        assert!((80_000..2_000_000).contains(&waited), "{waited}");
    }

    #[test]
    fn another_thread_can_hang_up() {
        let (client, _server) = links(&TcpOptions::default());
        let hang_up = client.hang_up().unwrap();
        let clock = Clock::start();
        let mut memory = Memory::new().unwrap();
        let session = memory.sender(Opening::new(Speaks::First, clock).unwrap()).unwrap();
        thread::scope(|scope| {
            scope.spawn(move || hang_up.now());
            assert_eq!(close(Connection::new(session, client, (), clock)), Err(LinkError::Lost.into()));
        });
    }
}
