//! The lean engine at one end of a link, the other engine at the other.

use sampan_core::lean::{self, Adapted, Role, Session};
use sampan_core::wire::{Code, Nibble};
use sampan_core::{Buffers, Cobs, Instant, Nonce, Speaks, Stream};

use crate::channel::Carries;
use crate::content;
use crate::dice::Dice;
use crate::faults::{Bursts, Chance, Faults};
use crate::link::Conditions;
use crate::pair::{After, Finish, Pair};
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

/// Says that nothing more is sent to the board, and runs until both ends have finished.
pub fn close_and_finish<F: Twin, R: Role + core::fmt::Debug>(pair: &mut WithBoard<F, R>) -> (Finish, Finish) {
    pair.a.engine.close(Code::Ok);
    pair.finish(1_000)
}

/// A line that loses, damages and injects here and there, and is good after a while.
pub fn bad_line(dice: &mut Dice) -> Faults {
    let mut faults = Faults::seeded(dice.roll(1 << 40));
    faults.flip = Chance::of(dice.pick(&[0.0, 0.0, 1e-5, 1e-4, 1e-3]));
    faults.loss = Chance::of(dice.pick(&[0.0, 0.0, 0.02, 0.2]));
    faults.babble = Chance::of(dice.pick(&[0.0, 0.0, 0.05]));
    if dice.roll(3) == 0 {
        faults.junk = Some((dice.roll(30), content(dice.roll(1 << 40), dice.roll(900) as usize)));
    }
    if dice.roll(4) == 0 {
        faults.bursts = Some(Bursts::new(0.02, dice.pick(&[0.5, 0.1]), 0.9));
    }
    for _ in 0..dice.pick(&[0, 0, 1, 3]) {
        let from = dice.roll(20_000_000);
        faults.outages.push(from..from + dice.pick(&[10_000, 500_000, 8_000_000]));
    }
    faults.until = Some(dice.pick(&[5_000_000, 30_000_000]));
    faults
}
