//! Two sessions in one line.

use sampan_core::{Both, Cobs, Datagrams, Framing, Limits, Session, Speaks, Stream, TransferId};

use crate::channel::Carries;
use crate::disk::Disk;
use crate::faults::Faults;
use crate::link::Conditions;
use crate::pair::{After, End, Pair, session_over};
use crate::storage::{MemoryStorage, Offer};

/// A session that can send and receive.
pub type Node = Session<'static, Both<'static>>;

/// The same in this framing.
pub type NodeOver<F> = Session<'static, Both<'static>, F>;

/// The same over a link that may lose frames (§2.2).
pub type LossyNode = NodeOver<Cobs>;

/// The same over datagrams (§2.3).
pub type PacketNode = NodeOver<Datagrams>;

/// A framing, and the link that it is laid on.
pub trait Laid: Framing + Copy + core::fmt::Debug {
    /// What the link carries.
    const CARRIES: Carries;

    /// The framing of one end.
    fn lay() -> Self;
}

impl Laid for Stream {
    const CARRIES: Carries = Carries::Stream;

    fn lay() -> Self {
        Self::new()
    }
}

impl Laid for Cobs {
    const CARRIES: Carries = Carries::Line;

    fn lay() -> Self {
        Self::new()
    }
}

impl Laid for Datagrams {
    const CARRIES: Carries = Carries::Datagrams;

    fn lay() -> Self {
        Self
    }
}

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
        self.join_over()
    }

    /// The same over COBS, with these faults in the direction that either end writes into.
    pub fn join_lossy(&self, faults: [Faults; 2]) -> Pair<LossyNode, LossyNode> {
        self.join_with(faults)
    }

    /// The same over datagrams.
    pub fn join_datagrams(&self, faults: [Faults; 2]) -> Pair<PacketNode, PacketNode> {
        self.join_with(faults)
    }

    /// The same in any framing. The link stays when an end has finished.
    pub fn join_with<F: Laid>(&self, [faults_a, faults_b]: [Faults; 2]) -> Pair<NodeOver<F>, NodeOver<F>> {
        let mut pair = self.join_over();
        pair.after = After::Open;
        pair.wire.channel(0).faults = faults_a;
        pair.wire.channel(1).faults = faults_b;
        pair
    }

    fn join_over<F: Laid>(&self) -> Pair<NodeOver<F>, NodeOver<F>> {
        let [disk_a, disk_b] = &self.disks;
        let a = (self.node(0), MemoryStorage::on(disk_a));
        let b = (self.node(1), MemoryStorage::on(disk_b));
        let conditions = Conditions { carries: F::CARRIES, ..self.conditions };
        Pair::join(a, b, conditions, self.now)
    }

    /// A session of end `end`: 0 dials, 1 is dialled.
    pub fn node<F: Laid>(&self, end: usize) -> NodeOver<F> {
        let speaks = if end == 0 { Speaks::First } else { Speaks::Second };
        let nonce = self.session * 2 + end as u64;
        session_over(F::lay(), self.limits[end], self.memory[end], (speaks, nonce), self.now)
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
