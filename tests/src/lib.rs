//! A kit to run engines against each other without a clock, a socket or a disk.
//!
//! [`Pair`] joins two engines over a simulated link in virtual time, [`MemoryStorage`] holds their files, [`Disk`] is what
//! survives a cut.

mod board;
mod bottleneck;
mod channel;
mod dice;
mod disk;
pub mod executor;
mod faults;
pub mod flash;
mod link;
mod lives;
mod pair;
mod puppet;
mod setup;
mod snapshot;
mod storage;
mod tasks;

pub use board::{
    Board, BoardMemory, SMALL_BOARD, Twin, WithBoard, bad_line, board, close_and_finish, join_board,
};
pub use bottleneck::Bottleneck;
pub use channel::{Carries, Channel};
pub use dice::Dice;
pub use disk::{Disk, PartFile, Past};
pub use faults::{Bursts, Chance, Faults};
pub use link::{Conditions, SimLink, TapeLink, Wire};
pub use lives::{Jobs, Lives};
pub use pair::{After, End, Finish, Heard, Pair, run_together, session, session_begun, session_over};
pub use puppet::{Puppet, PuppetOver};
pub use setup::{Laid, LossyNode, Node, NodeOver, PacketNode, Setup};
pub use snapshot::assert_snapshot;
pub use storage::{MemoryStorage, Offer, Policy};
pub use tasks::{Task, is_good};

/// `length` bytes that look like no others: different seeds give different contents.
pub fn content(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
