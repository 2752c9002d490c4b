//! What a command prints with `--json`, as it comes.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The lines that a process has printed so far; clones are the same lines.
#[derive(Clone, Debug)]
pub(crate) struct Events(Arc<(Mutex<Heard>, Condvar)>);

#[derive(Debug, Default)]
struct Heard {
    lines: Vec<Vec<u8>>,
    ended: bool,
}

impl Events {
    /// Reads `from` until it ends, in a thread.
    pub(crate) fn of(from: impl Read + Send + 'static) -> Self {
        let events = Self(Arc::default());
        let heard = events.clone();
        thread::spawn(move || heard.listen(from));
        events
    }

    fn listen(&self, from: impl Read) {
        let mut from = BufReader::new(from);
        loop {
            let mut line = Vec::new();
            let ended = from.read_until(b'\n', &mut line).map_or(true, |n| n == 0);
            let mut heard = self.lock();
            if ended {
                heard.ended = true;
            } else {
                heard.lines.push(line);
            }
            self.0.1.notify_all();
            if ended {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many lines there are: a place to look from.
    pub(crate) fn mark(&self) -> usize {
        self.lock().lines.len()
    }

    /// Everything as it was printed so far.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        text(self.lock().lines.concat())
    }

    /// Everything as text, once the process has ended and all is read.
    #[track_caller]
    pub(crate) fn whole(&self, within: Duration) -> String {
        text(self.whole_bytes(within))
    }

    /// Everything, once the process has ended and all is read.
    #[track_caller]
    pub(crate) fn whole_bytes(&self, within: Duration) -> Vec<u8> {
        let deadline = Instant::now() + within;
        let mut heard = self.lock();
        while !heard.ended {
            let left =
                deadline.checked_duration_since(Instant::now()).expect("the output ends with the process");
            heard = self.0.1.wait_timeout(heard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        heard.lines.concat()
    }

    /// Every event from a [`mark`](Self::mark) on.
    pub(crate) fn since(&self, mark: usize) -> Vec<Value> {
        self.lock().lines[mark..].iter().map(|line| event(line)).collect()
    }

    /// Those of this kind from a mark on.
    pub(crate) fn named(&self, name: &str, mark: usize) -> Vec<Value> {
        self.since(mark).into_iter().filter(|event| event["event"] == name).collect()
    }

    /// Waits for an event of this kind that is as wanted, from the first one on.
    #[track_caller]
    pub(crate) fn wait(&self, name: &str, within: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        self.wait_since(0, name, within, wanted)
    }

    /// Waits for an event of this kind that is as wanted, from a mark on.
    #[track_caller]
    pub(crate) fn wait_since(
        &self,
        mark: usize,
        name: &str,
        within: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let deadline = Instant::now() + within;
        let mut looked_at = mark;
        let mut heard = self.lock();
        loop {
            for line in &heard.lines[looked_at..] {
                let event = event(line);
                if event["event"] == name && wanted(&event) {
                    return event;
                }
            }
            looked_at = heard.lines.len();
            let left = deadline.saturating_duration_since(Instant::now());
            if heard.ended || left.is_zero() {
                let said = String::from_utf8_lossy(&heard.lines.concat()).into_owned();
                panic!("no such event {name:?} in {within:?}; it said:\n{said}");
            }
            heard = self.0.1.wait_timeout(heard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[track_caller]
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("what is printed is UTF-8")
}

/// The event on a line, of the only version there is.
#[track_caller]
fn event(line: &[u8]) -> Value {
    let shown = String::from_utf8_lossy(line);
    let event: Value = serde_json::from_slice(line).unwrap_or_else(|error| panic!("{error}: {shown}"));
    assert_eq!(event["v"], 1, "{shown}");
    assert!(event["event"].is_string(), "{shown}");
    event
}

/// Nothing in `text` moves a cursor, changes a colour or turns the direction of what is read; it only ends lines.
#[track_caller]
pub(crate) fn assert_printable(text: &str) {
    let hostile = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{61C}' | '\u{200E}' | '\u{200F}')
            || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.contains(hostile), "{:?} in {text:?}", text.chars().find(|c| hostile(*c)));
}
