//! A link between a real client and a real server that does as a test says.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// A port that passes on what it gets; ends with the test.
#[derive(Debug)]
pub(crate) struct Proxy {
    url: String,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    target: String,
    stop: AtomicBool,
    connections: AtomicU64,
    to_server: AtomicU64,
    to_client: AtomicU64,
}

/// Which bytes a fault counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// What the client says.
    ToServer,
    /// What the server says.
    ToClient,
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// The byte at this offset is changed in these bits.
    Flip(Direction, u64, u8),
    /// After so many bytes both ends see the connection end in order.
    Fin(Direction, u64),
    /// After so many bytes both ends see it reset.
    Reset(Direction, u64),
    /// After so many bytes nothing more passes in either direction, and nobody is told.
    Silence(Direction, u64),
}

impl Proxy {
    /// In front of `target`. The first connection meets the first fault and so on, further ones none.
    pub(crate) fn new(target: &str, faults: &[Fault]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("an option of every socket");
        let url = format!("tcp://{}", listener.local_addr().expect("a bound socket"));
        let target = target.trim_start_matches("tcp://").to_owned();
        let shared = Arc::new(Shared { target, ..Shared::default() });
        let (serving, faults) = (shared.clone(), faults.to_vec());
        thread::spawn(move || serve(&serving, &listener, &faults));
        Self { url, shared }
    }

    /// Where clients find it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Bytes that have passed in this direction over all connections.
    pub(crate) fn passed(&self, direction: Direction) -> u64 {
        self.shared.counter(direction).load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    fn counter(&self, direction: Direction) -> &AtomicU64 {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

fn serve(shared: &Arc<Shared>, listener: &TcpListener, faults: &[Fault]) {
    while !shared.stops() {
        match listener.accept() {
            Ok((client, _)) => {
                let index = shared.connections.fetch_add(1, Ordering::SeqCst) as usize;
                let fault = faults.get(index).copied().unwrap_or(Fault::None);
                join(shared, client, fault);
            }
            Err(_) => thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// One connection through the proxy.
#[derive(Debug)]
struct Joined {
    client: TcpStream,
    server: TcpStream,
    muted: AtomicBool,
}

fn join(shared: &Arc<Shared>, client: TcpStream, fault: Fault) {
    // Without a server the client sees its connection close.
    let Ok(server) = TcpStream::connect(&shared.target) else { return };
    for end in [&client, &server] {
        end.set_nonblocking(false).expect("an option of every socket");
        end.set_nodelay(true).expect("an option of every TCP socket");
        end.set_read_timeout(Some(Duration::from_millis(50))).expect("an option of every socket");
    }
    let joined = Arc::new(Joined { client, server, muted: AtomicBool::new(false) });
    for direction in [Direction::ToServer, Direction::ToClient] {
        let (shared, joined) = (shared.clone(), joined.clone());
        thread::spawn(move || pump(&shared, &joined, direction, fault));
    }
}

fn pump(shared: &Shared, joined: &Joined, direction: Direction, fault: Fault) {
    let (mut from, mut to) = match direction {
        Direction::ToServer => (&joined.client, &joined.server),
        Direction::ToClient => (&joined.server, &joined.client),
    };
    let mut passed = 0;
    let mut buffer = vec![0; 65_536];
    while !shared.stops() {
        let n = match from.read(&mut buffer) {
            Ok(0) => {
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            Ok(n) => n,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) => return joined.end(),
        };
        let n = match fault {
            Fault::Flip(counted, at, mask) if counted == direction => {
                if let Some(byte) = at.checked_sub(passed).and_then(|at| buffer[..n].get_mut(at as usize)) {
                    *byte ^= mask;
                }
                n
            }
            Fault::Fin(counted, after) | Fault::Reset(counted, after) | Fault::Silence(counted, after)
                if counted == direction =>
            {
                n.min((after - passed) as usize)
            }
            _ => n,
        };
        if joined.muted.load(Ordering::SeqCst) {
            continue;
        }
        if to.write_all(&buffer[..n]).is_err() {
            return joined.end();
        }
        passed += n as u64;
        shared.counter(direction).fetch_add(n as u64, Ordering::SeqCst);
        match fault {
            Fault::Fin(counted, after) if counted == direction && passed >= after => return joined.end(),
            Fault::Reset(counted, after) if counted == direction && passed >= after => return joined.reset(),
            Fault::Silence(counted, after) if counted == direction && passed >= after => {
                joined.muted.store(true, Ordering::SeqCst);
            }
            _ => {}
        }
    }
    joined.end();
}

impl Joined {
    fn end(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }

    /// Both descriptors are closed when the other direction has seen it too; they then reset.
    fn reset(&self) {
        for end in [&self.client, &self.server] {
            let _ = socket2::SockRef::from(end).set_linger(Some(Duration::ZERO));
            let _ = end.shutdown(Shutdown::Read);
        }
    }
}
