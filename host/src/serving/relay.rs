//! A file or listing of a node, on its way through the server to whoever asked for it.
//!
//! ```text
//!   node ── its connection ── Relayed ──► Relay ──► Reaching ── control socket ── who asked
//! ```
//!
//! Neither waits for the other: what has come and was not taken yet is kept, and whoever finds nothing to do is woken when there is.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sampan_core::wire::{Code, Identity, Offer};
use sampan_core::{FileType, Refusal};

use super::spool::Spool;
use crate::control::Control;
use crate::link::Waker;

/// What was asked of a node.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) name: String,
    pub(crate) asks: Asks,
    /// Wakes whoever asked.
    taker: Arc<Control>,
    /// Wakes the node's connection.
    giver: Waker,
    state: Mutex<State>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    File,
    Listing,
}

#[derive(Debug, Default)]
struct State {
    offered: Option<What>,
    /// What has come and was not taken yet, and its offset.
    bytes: Spool,
    offset: u64,
    end: End,
    /// What whoever asked says of it.
    verdict: Option<Result<(), Refusal>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    #[default]
    Ahead,
    Reached,
    /// The node does not give it, or gives no more of it.
    Failed(Refusal),
}

/// What the node says that it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct What {
    pub(crate) file_type: FileType,
    pub(crate) size: Option<u64>,
    pub(crate) modified: Option<i64>,
    pub(crate) identity: Identity,
}

const WAIT: Refusal = Refusal { code: Code::Wait, words: "" };
const GONE: Refusal = Refusal { code: Code::Closing, words: "the node has gone" };

/// What a file without a name could not keep.
fn refusal(error: &io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Refusal { code: Code::NoSpace, words: "no space left at the server" }
        }
        _ => Refusal { code: Code::Storage, words: "the server cannot keep it" },
    }
}

impl Relay {
    pub(crate) fn new(name: String, asks: Asks, taker: Arc<Control>, giver: Waker) -> Self {
        Self { name, asks, taker, giver, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // The node's connection.

    /// The refusal of whoever asked, if he wants no more of it by now.
    pub(super) fn offered(&self, offer: &Offer<'_>) -> Result<(), Refusal> {
        let file_type = match (offer.directory, offer.listing, offer.executable) {
            (true, ..) => FileType::Directory,
            (_, true, _) => FileType::Listing,
            (_, _, true) => FileType::Executable,
            _ => FileType::File,
        };
        let Offer { size, modified, identity, .. } = *offer;
        let mut state = self.state();
        if let Some(Err(refusal)) = state.verdict {
            return Err(refusal);
        }
        *state = State { offered: Some(What { file_type, size, modified, identity }), ..State::default() };
        drop(state);
        self.taker.waker().wake();
        Ok(())
    }

    /// Takes all of it.
    pub(super) fn put(&self, data: &[u8]) -> Result<usize, Refusal> {
        let mut state = self.state();
        match state.verdict {
            Some(Err(refusal)) => return Err(refusal),
            // It was there already.
            Some(Ok(())) => return Err(Code::Cancelled.into()),
            None => {}
        }
        state.bytes.put(data).map_err(|error| refusal(&error))?;
        drop(state);
        self.taker.waker().wake();
        Ok(data.len())
    }

    pub(super) fn ended(&self) {
        self.end(End::Reached);
    }

    pub(super) fn failed(&self, code: Code) {
        self.end(End::Failed(Refusal { code, words: "the node does not give it" }));
    }

    pub(super) fn is_gone(&self) {
        self.end(End::Failed(GONE));
    }

    fn end(&self, end: End) {
        let mut state = self.state();
        if state.end == End::Ahead {
            state.end = end;
            drop(state);
            self.taker.waker().wake();
        }
    }

    /// What whoever asked has made of it, once that is known.
    pub(super) fn verdict(&self) -> Option<Result<(), Refusal>> {
        self.state().verdict
    }

    // Whoever asked.

    /// What it is; the refusal `wait` as long as the node has not said so.
    pub(crate) fn what(&self) -> Result<What, Refusal> {
        let state = self.state();
        match (state.end, state.offered) {
            (End::Failed(refusal), _) => Err(refusal),
            (_, Some(what)) => Ok(what),
            (_, None) => Err(WAIT),
        }
    }

    /// The bytes at `offset`, which goes up; the refusal `wait` as long as there are none.
    pub(crate) fn get(&self, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        const AGAIN: Refusal = Refusal { code: Code::Changed, words: "it cannot be read a second time" };
        let mut state = self.state();
        if offset != state.offset {
            return Err(AGAIN);
        }
        let n = state.bytes.take(into).map_err(|error| refusal(&error))?;
        if n == 0 {
            return match state.end {
                End::Ahead => Err(WAIT),
                End::Reached => Ok(0),
                End::Failed(refusal) => Err(refusal),
            };
        }
        state.offset = offset.saturating_add(n as u64);
        Ok(n)
    }

    /// Whether all of it has come, and was right; the refusal `wait` as long as that is not known.
    pub(crate) fn whole(&self) -> Result<(), Refusal> {
        match self.state().end {
            End::Ahead => Err(WAIT),
            End::Reached => Ok(()),
            End::Failed(refusal) => Err(refusal),
        }
    }

    /// Whoever asked has it, or does not want it any more.
    pub(crate) fn judged(&self, verdict: Result<(), Refusal>) {
        let mut state = self.state();
        state.verdict.get_or_insert(verdict);
        drop(state);
        self.giver.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay() -> Relay {
        let control = Arc::new(Control::new(Waker::new().unwrap()));
        Relay::new("a".into(), Asks::File, control, Waker::new().unwrap())
    }

    #[test]
    fn what_comes_is_taken_once_and_in_order() {
        let relay = relay();
        let mut into = [0; 4];
        assert_eq!(relay.get(0, &mut into), Err(WAIT));
        assert_eq!(relay.put(b"hello"), Ok(5));
        assert_eq!((relay.get(0, &mut into), &into), (Ok(4), b"hell"));
        assert_eq!(relay.get(0, &mut into).unwrap_err().code, Code::Changed);
        assert_eq!((relay.get(4, &mut into), into[0]), (Ok(1), b'o'));
        assert_eq!(relay.get(5, &mut into), Err(WAIT));
        relay.ended();
        assert_eq!(relay.get(5, &mut into), Ok(0));
    }

    #[test]
    fn the_first_end_and_the_first_verdict_stand() {
        let relay = relay();
        relay.failed(Code::NotFound);
        relay.is_gone();
        assert_eq!(relay.what().unwrap_err().code, Code::NotFound);
        relay.judged(Err(Code::Cancelled.into()));
        relay.judged(Ok(()));
        assert_eq!(relay.put(b"x").unwrap_err().code, Code::Cancelled);
    }

    #[test]
    fn nothing_more_is_taken_of_what_was_there_already() {
        let relay = relay();
        assert_eq!(relay.put(&[1; 5000]), Ok(5000));
        relay.judged(Ok(()));
        assert_eq!(relay.put(b"x").unwrap_err().code, Code::Cancelled);
    }
}
