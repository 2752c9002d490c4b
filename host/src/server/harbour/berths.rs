//! Which session an address has, or had (`docs/protocol.md` §8.6).

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::link::{Datagram, Heard, Mailbox};

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
    pub(super) fn came(&self, datagram: &mut Datagram, hello: Option<Heard>, peer: SocketAddr) -> Came {
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
            (Some(Berth::Left { byes: Some((theirs, ours)), .. }), None) if *theirs == datagram.bytes() => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Space;

    fn peer(port: u16) -> SocketAddr {
        ([192, 0, 2, 1], port).into()
    }

    fn mailbox() -> Arc<Mailbox> {
        Arc::new(Mailbox::new(&Space::default()).unwrap())
    }

    const FIRST: Heard = Heard { nonce: 5, echo: 50 };

    #[test]
    fn what_comes_is_for_the_session_at_its_address() {
        let mut berths = Berths::default();
        assert_eq!(berths.came(&mut b"frame"[..].into(), None, peer(1)), Came::Taken);
        assert_eq!(berths.came(&mut b"hello"[..].into(), Some(FIRST), peer(1)), Came::Stranger);
        let mailbox = mailbox();
        berths.take(peer(1), FIRST, Arc::clone(&mailbox));
        assert_eq!(berths.came(&mut b"\x06bye"[..].into(), None, peer(1)), Came::Taken);
        // Of another address, with the first number of another session, and with that of this one.
        let (other, late) = (Heard { nonce: 6, echo: 0 }, Heard { nonce: 5, echo: 0 });
        assert_eq!(berths.came(&mut b"\x06not for it"[..].into(), None, peer(2)), Came::Taken);
        assert_eq!(berths.came(&mut b"hello"[..].into(), Some(other), peer(1)), Came::Stranger);
        assert_eq!(berths.came(&mut b"hello"[..].into(), Some(late), peer(1)), Came::Taken);
        mailbox.sent(b"\x06ok");
        assert_eq!(mailbox.byes(), Some((b"\x06bye".to_vec(), b"\x06ok".to_vec())));
    }

    #[test]
    fn a_goodbye_that_comes_again_is_answered_for_a_while() {
        let (mut berths, now, mailbox) = (Berths::default(), Instant::now(), mailbox());
        berths.take(peer(1), FIRST, Arc::clone(&mailbox));
        assert_eq!(berths.came(&mut b"\x06bye"[..].into(), None, peer(1)), Came::Taken);
        mailbox.sent(b"\x06ok");
        berths.leave(peer(1), &mailbox, now);
        assert_eq!(berths.came(&mut b"\x06bye"[..].into(), None, peer(1)), Came::Answer(b"\x06ok".to_vec()));
        for (datagram, hello) in [(&b"\x06other"[..], None), (b"frame", None), (b"hello", Some(FIRST))] {
            assert_eq!(berths.came(&mut datagram.into(), hello, peer(1)), Came::Taken);
        }
        berths.sweep(now + REMEMBERED - Duration::from_millis(1));
        assert_eq!(berths.by_peer.len(), 1);
        berths.sweep(now + REMEMBERED);
        assert!(berths.by_peer.is_empty() && berths.over.is_empty());
    }

    #[test]
    fn a_session_that_has_been_displaced_takes_nothing_along() {
        let (mut berths, now) = (Berths::default(), Instant::now());
        let (older, newer) = (mailbox(), mailbox());
        berths.take(peer(1), FIRST, Arc::clone(&older));
        berths.take(peer(1), Heard { nonce: 6, echo: 60 }, Arc::clone(&newer));
        berths.leave(peer(1), &older, now);
        assert!(
            matches!(berths.by_peer.get(&peer(1)), Some(Berth::Taken { numbers, .. }) if numbers.nonce == 6)
        );
        // One that is over, and one that has begun there since.
        berths.leave(peer(1), &newer, now);
        berths.take(peer(1), FIRST, mailbox());
        berths.sweep(now + REMEMBERED);
        assert_eq!(berths.by_peer.len(), 1);
    }

    #[test]
    fn no_more_than_so_many_are_remembered() {
        let (mut berths, now, mailbox) = (Berths::default(), Instant::now(), mailbox());
        for port in 0..u16::try_from(MOST_REMEMBERED).unwrap() + 100 {
            berths.take(peer(port), FIRST, Arc::clone(&mailbox));
            berths.leave(peer(port), &mailbox, now);
        }
        assert_eq!((berths.by_peer.len(), berths.over.len()), (MOST_REMEMBERED, MOST_REMEMBERED));
        assert!(!berths.by_peer.contains_key(&peer(0)));
    }
}
