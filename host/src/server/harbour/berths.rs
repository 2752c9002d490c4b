//! Which session an address has, or had (`docs/protocol.md` §8.6).

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::link::{Heard, Mailbox};

/// How long it is remembered that a session has ended.
const REMEMBERED: Duration = Duration::from_secs(30);
/// So many that have ended are remembered at most.
const MOST_REMEMBERED: usize = 4096;

/// The sessions of a socket, by the address of the peer.
#[derive(Debug, Default)]
pub(super) struct Berths {
    by_peer: HashMap<SocketAddr, Berth>,
    /// Those that are over, the first to be forgotten first.
    over: VecDeque<(Instant, SocketAddr)>,
}

#[derive(Debug)]
enum Berth {
    /// A session with these numbers, the peer's first.
    Taken { numbers: Heard, mailbox: Arc<Mailbox> },
    /// It has ended; with these BYEs, the peer's first, if it has ended well.
    Left { numbers: Heard, byes: Option<(Vec<u8>, Vec<u8>)>, since: Instant },
}

/// What a datagram was.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It is done with.
    Taken,
    /// It is to be answered with this, which is no longer.
    Answer(Vec<u8>),
    /// It is of nobody that is known.
    Stranger,
}

impl Berths {
    /// Gives a datagram to the session it is for.
    pub(super) fn came(&self, datagram: &[u8], hello: Option<Heard>, peer: SocketAddr) -> Came {
        match (self.by_peer.get(&peer), hello) {
            (None, Some(_)) => Came::Stranger,
            (None, None) => Came::Taken,
            // Another session of the peer's.
            (Some(Berth::Taken { numbers, .. } | Berth::Left { numbers, .. }), Some(hello))
                if hello.nonce != numbers.nonce =>
            {
                Came::Stranger
            }
            (Some(Berth::Taken { mailbox, .. }), _) => {
                mailbox.put(datagram);
                Came::Taken
            }
            (Some(Berth::Left { byes: Some((theirs, ours)), .. }), None) if theirs == datagram => {
                Came::Answer(ours.clone())
            }
            (Some(Berth::Left { .. }), _) => Came::Taken,
        }
    }

    /// A session begins; one that is still there ends as if its link were lost.
    pub(super) fn take(&mut self, peer: SocketAddr, numbers: Heard, mailbox: Arc<Mailbox>) {
        if let Some(Berth::Taken { mailbox, .. }) =
            self.by_peer.insert(peer, Berth::Taken { numbers, mailbox })
        {
            mailbox.close();
        }
    }

    /// A session has ended.
    pub(super) fn leave(&mut self, peer: SocketAddr, mailbox: &Arc<Mailbox>, now: Instant) {
        let Some(berth) = self.by_peer.get_mut(&peer) else { return };
        let numbers = match berth {
            Berth::Taken { numbers, mailbox: present } if Arc::ptr_eq(present, mailbox) => *numbers,
            // Another one has taken its place.
            _ => return,
        };
        *berth = Berth::Left { numbers, byes: mailbox.byes(), since: now };
        self.over.push_back((now, peer));
        while self.over.len() > MOST_REMEMBERED {
            self.forget_first();
        }
    }

    /// Forgets what was over long ago.
    pub(super) fn sweep(&mut self, now: Instant) {
        while self.over.front().is_some_and(|(since, _)| now.saturating_duration_since(*since) >= REMEMBERED)
        {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some((left, peer)) = self.over.pop_front() else { return };
        if matches!(self.by_peer.get(&peer), Some(Berth::Left { since, .. }) if *since == left) {
            self.by_peer.remove(&peer);
        }
    }

    /// Nothing more will come for anybody.
    pub(super) fn close(&mut self) {
        for berth in self.by_peer.values() {
            if let Berth::Taken { mailbox, .. } = berth {
                mailbox.close();
            }
        }
    }
}
