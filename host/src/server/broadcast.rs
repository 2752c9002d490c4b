//! A notice to many.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::registry::{Member, Registry};
use super::{NoticeResult, Notified, To, Who};
use crate::report::Protocol;
use crate::serving::{Errand, NoticeErrand};

/// What becomes of a notice at each of those it is for: an iterator that waits for the next result, and ends after the last.
#[derive(Debug)]
pub struct Broadcast {
    began: Instant,
    until: Instant,
    told: Receiver<(usize, NoticeResult)>,
    /// Those that have not answered yet.
    members: Vec<Option<Arc<Member>>>,
    absent: Vec<Who>,
}

impl Broadcast {
    pub(super) fn begin(registry: &Registry, text: &str, to: &To, within: Duration) -> Self {
        let began = Instant::now();
        let (members, absent) = registry.find(to);
        let (text, (way, told)) = (Arc::<str>::from(text), channel());
        for (index, member) in members.iter().enumerate() {
            member.desk.leave(Errand::Notice(NoticeErrand::new(Arc::clone(&text), index, way.clone())));
        }
        // Who waits so long waits for ever.
        let until = began.checked_add(within).unwrap_or(began + Duration::from_secs(1 << 32));
        Self { began, until, told, members: members.into_iter().map(Some).collect(), absent }
    }

    /// How many it is for.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.members.len() + self.absent.len()
    }

    fn notified(&self, member: &Member, result: NoticeResult) -> Notified {
        let (id, peer) = (Some(member.id), Some(member.peer.clone()));
        Notified { id, node: member.node(), peer, result, seconds: self.began.elapsed().as_secs_f64() }
    }

    fn absent(&self, who: Who) -> Notified {
        let (id, node) = match who {
            Who::Node(name) => (None, Some(name)),
            Who::Connection(id) => (Some(id), None),
        };
        Notified { id, node, peer: None, result: NoticeResult::NotFound, seconds: 0.0 }
    }
}

impl Iterator for Broadcast {
    type Item = Notified;

    fn next(&mut self) -> Option<Notified> {
        if let Some(who) = self.absent.pop() {
            return Some(self.absent(who));
        }
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            let Ok((index, result)) = self.told.recv_timeout(left) else { break };
            if let Some(member) = self.members.get_mut(index).and_then(Option::take) {
                return Some(self.notified(&member, result));
            }
        }
        let member = self.members.iter_mut().find_map(Option::take)?;
        let result = match member.desk.protocol() {
            Some(Protocol::Framed) => NoticeResult::Timeout,
            Some(Protocol::Classic) => NoticeResult::Pending,
            None => NoticeResult::NotPossible,
        };
        Some(self.notified(&member, result))
    }
}
