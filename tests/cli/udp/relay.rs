//! A way for datagrams between clients and a server, which does as a test says.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often it is noticed that the test is over.
const TICK: Duration = Duration::from_millis(20);

/// What happens to datagrams, each way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Harm {
    /// Chances in a thousand.
    pub(super) drop: u64,
    pub(super) repeat: u64,
    /// One that is overtaken by the next.
    pub(super) overtaken: u64,
    /// A bit is turned.
    pub(super) flip: u64,
    /// Longer ones do not pass.
    pub(super) longest: Option<usize>,
    /// Nothing else passes but what begins with this byte.
    pub(super) only: Option<u8>,
}

impl Harm {
    /// Nothing passes.
    pub(super) const CUT: Self =
        Self { drop: 1000, repeat: 0, overtaken: 0, flip: 0, longest: None, only: None };
}

/// A port that passes on what it gets; ends with the test.
#[derive(Debug)]
pub(super) struct Relay {
    url: String,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    front: UdpSocket,
    server: SocketAddr,
    harm: Mutex<Harm>,
    dice: AtomicU64,
    /// Grows when clients get other addresses.
    generation: AtomicU64,
    over: AtomicU64,
    to_server: AtomicU64,
}

impl Relay {
    /// In front of the server at this URL; the seed says what happens when.
    pub(super) fn new(url: &str, harm: Harm, seed: u64) -> Self {
        let front = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        front.set_read_timeout(Some(TICK)).expect("an option of every socket");
        let url_here = format!("udp://{}", front.local_addr().expect("a bound socket"));
        let server = url.trim_start_matches("udp://").parse().expect("an address");
        let dice = AtomicU64::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let (harm, generation) = (Mutex::new(harm), AtomicU64::new(0));
        let (over, to_server) = (AtomicU64::new(0), AtomicU64::new(0));
        let shared = Arc::new(Shared { front, server, harm, dice, generation, over, to_server });
        let relaying = Arc::clone(&shared);
        Self { url: url_here, shared, thread: Some(thread::spawn(move || relay(&relaying))) }
    }

    /// Where clients find it.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// From now on.
    pub(super) fn does(&self, harm: Harm) {
        *self.shared.harm.lock().expect("no panic") = harm;
    }

    /// The server sees clients at other addresses from now on.
    pub(super) fn rebind(&self) {
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Bytes that have passed to the server.
    pub(super) fn passed(&self) -> u64 {
        self.shared.to_server.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.over.store(1, Ordering::SeqCst);
        self.thread.take().map(JoinHandle::join);
    }
}

fn relay(shared: &Arc<Shared>) {
    let mut ways: HashMap<(SocketAddr, u64), (Arc<UdpSocket>, Held)> = HashMap::new();
    let mut threads = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    while shared.over.load(Ordering::SeqCst) == 0 {
        let Ok((length, client)) = shared.front.recv_from(&mut buffer) else { continue };
        let generation = shared.generation.load(Ordering::SeqCst);
        let (socket, held) = ways.entry((client, generation)).or_insert_with(|| {
            let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").expect("a free port"));
            socket.connect(shared.server).expect("an address");
            socket.set_read_timeout(Some(TICK)).expect("an option of every socket");
            let (shared, back) = (Arc::clone(shared), Arc::clone(&socket));
            threads.push(thread::spawn(move || give_back(&shared, &back, client, generation)));
            (socket, Held::default())
        });
        for datagram in shared.suffers(&buffer[..length], held) {
            shared.to_server.fetch_add(datagram.len() as u64, Ordering::SeqCst);
            let _ = socket.send(&datagram);
        }
    }
    threads.into_iter().for_each(|thread| drop(thread.join()));
}

/// What the server says to one client, as long as it has this address.
fn give_back(shared: &Shared, socket: &UdpSocket, client: SocketAddr, generation: u64) {
    let mut buffer = vec![0; 1 << 16];
    let mut held = Held::default();
    while shared.over.load(Ordering::SeqCst) == 0 {
        let Ok(length) = socket.recv(&mut buffer) else { continue };
        if shared.generation.load(Ordering::SeqCst) != generation {
            continue;
        }
        for datagram in shared.suffers(&buffer[..length], &mut held) {
            let _ = shared.front.send_to(&datagram, client);
        }
    }
}

/// One that is overtaken by the next.
type Held = Option<Vec<u8>>;

impl Shared {
    fn roll(&self, below: u64) -> u64 {
        let step = |dice: u64| {
            Some(dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
        };
        let dice = self.dice.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).expect("always");
        (dice >> 33) % below
    }

    /// What comes of a datagram.
    fn suffers(&self, datagram: &[u8], held: &mut Held) -> Vec<Vec<u8>> {
        let harm = *self.harm.lock().expect("no panic");
        let happens = |chance| chance > 0 && self.roll(1000) < chance;
        let stays = harm.longest.is_some_and(|longest| datagram.len() > longest)
            || harm.only.is_some_and(|only| datagram.first() != Some(&only))
            || happens(harm.drop);
        if stays {
            return Vec::new();
        }
        let mut datagram = datagram.to_vec();
        if happens(harm.flip) {
            let bit = self.roll(8 * datagram.len() as u64) as usize;
            datagram[bit / 8] ^= 1 << (bit % 8);
        }
        if held.is_none() && happens(harm.overtaken) {
            *held = Some(datagram);
            return Vec::new();
        }
        let twice = happens(harm.repeat).then(|| datagram.clone());
        [Some(datagram), twice, held.take()].into_iter().flatten().collect()
    }
}
