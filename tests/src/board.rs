//! The lean engine at one end of a link, the other engine at the other.

use sampan_core::lean::{self, Adapted, Role, Session};
use sampan_core::wire::Nibble;
use sampan_core::{Buffers, Cobs, Instant, Nonce, Speaks, Stream};

use crate::channel::Carries;
use crate::faults::Faults;
use crate::link::Conditions;
use crate::pair::{After, Pair};
use crate::setup::{Laid, NodeOver, Setup};
use crate::storage::MemoryStorage;

/// The framing of the engine that is not lean, and its lean twin.
pub trait Twin: Laid {
    /// The twin.
    type Lean: lean::Framing + core::fmt::Debug;

    /// One for a link on which nothing has been sent yet.
    fn lean() -> Self::Lean;
}

impl Twin for Cobs {
    type Lean = lean::Cobs;

    fn lean() -> lean::Cobs {
        lean::Cobs::new()
    }
}

impl Twin for Stream {
    type Lean = lean::Stream;

    fn lean() -> lean::Stream {
        lean::Stream::new()
    }
}

/// A lean session of a board.
pub type Board<F, R> = Adapted<'static, <F as Twin>::Lean, Nibble, R>;

/// A session that dials a board.
pub type WithBoard<F, R> = Pair<NodeOver<F>, Board<F, R>>;

/// Lengths of a board's buffers, and its window.
pub type BoardMemory = (usize, usize, u32);

/// What the smallest boards have.
pub const SMALL_BOARD: BoardMemory = (128, 64, 112);

/// A board's session, which waits to be spoken to.
///
/// # Panics
///
/// If the buffers are too short.
pub fn board<F: Twin, R: Role + Default + core::fmt::Debug>(
    memory: BoardMemory,
    nonce: u64,
    now: u64,
) -> Board<F, R> {
    let (receive, transmit, window) = memory;
    let leak = |length| Box::leak(vec![0; length].into_boxed_slice());
    let buffers = Buffers { receive: leak(receive), transmit: leak(transmit) };
    let setup = lean::Setup { speaks: Speaks::Second, nonce: Nonce::new(nonce), window, sync_bytes: 300 };
    let now = Instant::from_micros(now);
    let parts = (F::lean(), Nibble, R::default());
    Adapted::new(Session::new(buffers, &setup, parts, now).expect("buffers of this length"), now)
}

/// The first end of the setup, joined to a board, with these faults in the direction that either end writes into.
pub fn join_board<F: Twin, R: Role + Default + core::fmt::Debug>(
    setup: &Setup,
    memory: BoardMemory,
    [to, from]: [Faults; 2],
) -> WithBoard<F, R> {
    let [disk_a, disk_b] = &setup.disks;
    let a = (setup.node(0), MemoryStorage::on(disk_a));
    let b = (board::<F, R>(memory, setup.session * 2 + 1, setup.now), MemoryStorage::on(disk_b));
    let conditions = Conditions { carries: F::CARRIES, ..setup.conditions };
    let mut pair = Pair::join(a, b, conditions, setup.now);
    if F::CARRIES != Carries::Stream {
        pair.after = After::Open;
    }
    pair.wire.channel(0).faults = to;
    pair.wire.channel(1).faults = from;
    pair
}
