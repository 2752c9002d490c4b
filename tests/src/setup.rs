//! Two sessions in one line.

use sampan_core::{Both, Cobs, Framing, Limits, Session, Speaks, Stream, TransferId};

use crate::disk::Disk;
use crate::faults::Faults;
use crate::link::Conditions;
use crate::pair::{After, End, Pair, session_over};
use crate::storage::{MemoryStorage, Offer};

/// A session that can send and receive.
pub type Node = Session<'static, Both<'static>>;

/// The same over a link that may lose frames (§2.2).
pub type LossyNode = Session<'static, Both<'static>, Cobs>;

/// What two sessions are made of; `a` dials.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Limits of either end.
    pub limits: [Limits; 2],
    /// Lengths of the receive and the transmit buffer, and number of slots, of either end.
    pub memory: [(usize, usize, usize); 2],
    /// The link.
    pub conditions: Conditions,
    /// Either end's disk.
    pub disks: [Disk; 2],
    /// When it begins, in microseconds.
    pub now: u64,
    /// Nonces are made from it.
    pub session: u64,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            limits: [Limits::LARGE; 2],
            memory: [(4096, 4096, 4); 2],
            conditions: Conditions::default(),
            disks: Default::default(),
            now: 0,
            session: 1,
        }
    }
}

impl Setup {
    /// Both ends, joined.
    pub fn join(&self) -> Pair<Node, Node> {
        self.join_over(Stream::new())
    }

    /// The same over COBS, with these faults in the direction that either end writes into.
    pub fn join_lossy(&self, [faults_a, faults_b]: [Faults; 2]) -> Pair<LossyNode, LossyNode> {
        let mut pair = self.join_over(Cobs::new());
        pair.after = After::Open;
        pair.wire.channel(0).faults = faults_a;
        pair.wire.channel(1).faults = faults_b;
        pair
    }

    fn join_over<F>(
        &self,
        framing: F,
    ) -> Pair<Session<'static, Both<'static>, F>, Session<'static, Both<'static>, F>>
    where
        F: Framing + Copy + core::fmt::Debug,
    {
        let [memory_a, memory_b] = self.memory;
        let [limits_a, limits_b] = self.limits;
        let nonce = self.session * 2;
        let a = session_over(framing, limits_a, memory_a, (Speaks::First, nonce), self.now);
        let b = session_over(framing, limits_b, memory_b, (Speaks::Second, nonce + 1), self.now);
        let [disk_a, disk_b] = &self.disks;
        Pair::join((a, MemoryStorage::on(disk_a)), (b, MemoryStorage::on(disk_b)), self.conditions, self.now)
    }
}

impl<F: Framing> End<Session<'static, Both<'static>, F>> {
    /// Queues a file to send.
    ///
    /// # Panics
    ///
    /// If every slot is taken.
    pub fn send(&mut self, file: Offer) -> TransferId {
        let id = self.engine.offer().expect("a free slot");
        self.storage.put(id, file);
        id
    }
}
