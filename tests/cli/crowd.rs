//! Many clients at once, of every kind, some of which say nothing or next to nothing.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sampan_core::wire::{Code, Frame};

use crate::classic::OlderClient;
use crate::kit::{Arena, Framed, PATIENCE, Raw, SOON, Sampan, content, until};

/// KiB that a server may take at most, whoever comes.
const PEAK: u64 = 192 << 10;

/// KiB by which a server may have grown when all are gone: what its allocator keeps.
const KEPT: u64 = 24 << 10;

const LONG: Duration = Duration::from_secs(120);

/// How many of a kind.
#[derive(Clone, Copy, Debug)]
struct Crowd {
    framed: usize,
    older: usize,
    /// Whole processes of `sampan send`.
    commands: usize,
    silent: usize,
    trickling: usize,
    /// Bytes of each file.
    size: usize,
}

impl Crowd {
    fn senders(&self) -> usize {
        self.framed + self.older
    }
}

#[test]
fn forty_clients_at_once() {
    all_arrive(Crowd { framed: 20, older: 20, commands: 2, silent: 5, trickling: 5, size: 100_000 });
}

#[test]
#[ignore = "job crowd"]
fn five_hundred_clients_at_once() {
    all_arrive(Crowd { framed: 250, older: 250, commands: 20, silent: 40, trickling: 40, size: 200_000 });
}

#[track_caller]
fn all_arrive(crowd: Crowd) {
    let mut arena = Arena::new();
    // After the server has started: it has to live with the limits that it was given.
    raise_descriptors();
    let quiet: Vec<_> = (0..crowd.silent).map(|_| Raw::dial(arena.url())).collect();
    let over = Arc::new(AtomicBool::new(false));
    let trickling: Vec<_> = (0..crowd.trickling).map(|n| trickle(n, arena.url(), &over)).collect();

    let gate = Arc::new(Gate::default());
    let senders: Vec<_> = (0..crowd.senders())
        .map(|n| {
            let (url, gate) = (arena.url().to_owned(), Arc::clone(&gate));
            let send = if n < crowd.framed { send_framed } else { send_older };
            small_thread(move || send(&url, &gate, n, crowd.size))
        })
        .collect();
    until("everybody is there", LONG, || (gate.waiting() == crowd.senders()).then_some(()));
    // Everybody's connection is open now, and nobody has sent contents.
    let at_once = arena.server.usage();
    gate.open();
    assert!(at_once.descriptors >= crowd.senders() + crowd.silent, "{at_once:?}");
    let files: Vec<_> = (0..crowd.commands)
        .map(|n| {
            arena.place.write(
                &format!("from/{}", name(crowd.senders() + n)),
                &contents(crowd.senders() + n, crowd.size),
            )
        })
        .collect();
    let commands: Vec<_> =
        files.iter().map(|file| Sampan::send(arena.url(), &[]).args(&[file]).within(LONG).start()).collect();

    for sender in senders {
        sender.join().expect("it was served");
    }
    for command in commands {
        command.finish().assert_exit(0);
    }
    over.store(true, Ordering::SeqCst);
    for trickler in trickling {
        trickler.join().expect("no panic there");
    }
    drop(quiet);
    let mut names: Vec<_> = (0..crowd.senders() + crowd.commands).map(name).collect();
    names.sort();
    until("all files are stored", PATIENCE, || (arena.place.visible().len() == names.len()).then_some(()));
    assert_eq!(arena.place.visible(), names);
    for n in 0..crowd.senders() + crowd.commands {
        assert_eq!(arena.place.stored(&name(n)), Some(contents(n, crowd.size)), "{n}");
    }
    let now = arena.server.settled_usage();
    println!("{crowd:?}: before {:?}, at once {at_once:?}, after {now:?}", arena.base);
    assert!(now.peak < PEAK, "{now:?}");
    until("memory is given back", SOON, || {
        (arena.server.usage().resident < arena.base.resident + KEPT).then_some(())
    });
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    // Descriptors and threads are looked at there.
    arena.oracle().any_failures().files(&names).check();
    let failures = arena.server.failures(0);
    assert!(failures.len() <= crowd.silent + crowd.trickling, "{failures:#?}");
}

/// Where everybody waits for everybody else.
#[derive(Default)]
struct Gate {
    state: Mutex<(usize, bool)>,
    opened: Condvar,
}

impl Gate {
    fn waiting(&self) -> usize {
        self.state.lock().expect("no panic there").0
    }

    fn open(&self) {
        self.state.lock().expect("no panic there").1 = true;
        self.opened.notify_all();
    }

    #[track_caller]
    fn pass(&self) {
        let mut state = self.state.lock().expect("no panic there");
        state.0 += 1;
        let deadline = Instant::now() + 2 * LONG;
        while !state.1 {
            let left = deadline.checked_duration_since(Instant::now()).expect("the others come");
            state = self.opened.wait_timeout(state, left).expect("no panic there").0;
        }
    }
}

fn name(n: usize) -> String {
    format!("file-{n:04}")
}

fn contents(n: usize, size: usize) -> Vec<u8> {
    content(n as u64 + 1, size)
}

fn send_framed(url: &str, gate: &Gate, n: usize, size: usize) {
    let mut session = Framed::dial(url);
    let (name, contents) = (name(n), contents(n, size));
    session.say(&Frame::Offer(Framed::offer(1, &name, size as u64)));
    session.expect_accept();
    gate.pass();
    session.say_data(1, &contents, 0, 16_384);
    session.say(&Frame::End(Framed::end_of(1, &contents)));
    session.expect_done(1, Code::Ok);
    session.say_bye();
}

fn send_older(url: &str, gate: &Gate, n: usize, size: usize) {
    let mut client = OlderClient::announcing(url, &format!("dir/{}", name(n)), size as u64);
    gate.pass();
    client.raw.write(&contents(n, size));
    client.raw.fin();
    assert_eq!(client.hear(), "[+] server : finished transferring file");
}

/// Says next to nothing until the others are done: HELLO byte by byte, or contents that do not come to an end.
fn trickle(n: usize, url: &str, over: &Arc<AtomicBool>) -> JoinHandle<()> {
    let (url, over) = (url.to_owned(), Arc::clone(over));
    small_thread(move || {
        let mut raw = match n % 2 {
            0 => Raw::dial(&url),
            _ => OlderClient::announcing(&url, &format!("trickling-{n}"), 1 << 20).raw,
        };
        let hello = b"\xF5SPN\x01\x22\0\0\x01\x01".iter().cycle();
        for byte in hello {
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(200) {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                thread::sleep(Duration::from_millis(10));
            }
            match raw.try_write(&[*byte]) {
                Ok(()) => {}
                // The server has had enough of it.
                Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                    return;
                }
                Err(error) => panic!("{error}"),
            }
        }
    })
}

fn small_thread(run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    thread::Builder::new().stack_size(256 << 10).spawn(run).expect("a thread")
}

/// As many descriptors as this process may have.
pub(crate) fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .expect("one's own limit");
}
