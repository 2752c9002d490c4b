//! `sampan ctl` against servers that are played by hand, and the files of nodes through a real one.

mod answers;
mod failures;
mod nodes;
mod servers;
mod watched;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::kit::{Ran, Sampan, until};

/// A control socket that answers each request with the same bytes.
struct Double {
    place: TempDir,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// What came over one connection.
#[derive(Clone, Debug)]
struct Heard {
    request: Value,
    /// Whether the other end has closed it.
    closed: bool,
}

/// What the double does after its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Closes,
    /// It waits for the other end.
    Waits,
}

impl Double {
    /// Says these events.
    fn saying(events: &[Value]) -> Self {
        Self::new(lines(events), Then::Closes)
    }

    fn new(says: impl Into<Vec<u8>>, then: Then) -> Self {
        let place = tempfile::tempdir().expect("a folder");
        let heard = serve(&place.path().join("s"), says.into(), then);
        Self { place, heard }
    }

    fn path(&self) -> PathBuf {
        self.place.path().join("s")
    }

    /// `ctl` with these arguments, to this one.
    fn ctl(&self, arguments: &[&str]) -> Sampan {
        Sampan::new(&["ctl"]).args(arguments).args(&["--control", &format!("unix:{}", self.path().display())])
    }

    /// What came over the first connection, once there is one.
    fn first(&self) -> Heard {
        until("somebody asks", crate::kit::PATIENCE, || self.heard.lock().unwrap().first().cloned())
    }

    /// The other end has closed the first connection.
    fn is_left(&self) -> bool {
        self.heard.lock().unwrap().first().is_some_and(|heard| heard.closed)
    }
}

/// Listens at `path` as long as the process lives.
fn serve(path: &Path, says: Vec<u8>, then: Then) -> Arc<Mutex<Vec<Heard>>> {
    let listener = UnixListener::bind(path).expect("a socket");
    let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
    let kept = Arc::clone(&heard);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (kept, says) = (Arc::clone(&kept), says.clone());
            thread::spawn(move || answer(stream, &kept, &says, then));
        }
    });
    heard
}

fn answer(mut stream: UnixStream, heard: &Mutex<Vec<Heard>>, says: &[u8], then: Then) {
    let mut reader = BufReader::new(stream.try_clone().expect("a descriptor"));
    let mut line = String::new();
    // Whoever only looks whether somebody listens says nothing.
    if reader.read_line(&mut line).is_err() || line.is_empty() {
        return;
    }
    let request = serde_json::from_str(&line).expect("a request");
    let index = {
        let mut heard = heard.lock().unwrap();
        heard.push(Heard { request, closed: false });
        heard.len() - 1
    };
    let _ = stream.write_all(says);
    if then == Then::Waits {
        let _ = reader.read_to_end(&mut Vec::new());
        heard.lock().unwrap()[index].closed = true;
    }
}

/// These events as a server says them.
fn lines(events: &[Value]) -> String {
    let mut lines = String::new();
    for event in events {
        let mut event = event.clone();
        event["v"] = json!(1);
        lines.push_str(&format!("{event}\n"));
    }
    lines
}

fn summary(asked: u64, succeeded: u64) -> Value {
    json!({"event": "summary", "asked": asked, "succeeded": succeeded, "failed": asked - succeeded, "files": succeeded,
           "bytes": 5 * succeeded, "resumed": 0, "seconds": 0.5})
}

fn connection(id: u64, node: Option<&str>) -> Value {
    json!({"event": "connection", "id": id, "node": node, "peer": "192.0.2.7:5123", "protocol": "framed", "since": 1e9,
           "received": 12_000_000, "sent": 7, "receive_rate": 2e6, "send_rate": 0.0, "transfers": []})
}

fn status() -> Value {
    json!({"event": "status", "urls": ["tcp://127.0.0.1:50000"], "pid": 77, "since": 1e9, "connections": 1, "nodes": 1,
           "transfers": 0, "received": 12_000_000, "sent": 7, "receive_rate": 0.0, "send_rate": 0.0, "draining": false})
}

/// What was said on both streams.
fn said(ran: &Ran) -> String {
    format!("{}{}", ran.text(), ran.stderr)
}
