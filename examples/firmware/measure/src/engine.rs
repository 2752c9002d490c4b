//! The receiver that is measured: the whole engine's, or with the feature `lean` the lean one's.

#[cfg(not(feature = "lean"))]
#[path = "engine/full.rs"]
mod chosen;
#[cfg(feature = "lean")]
#[path = "engine/lean.rs"]
mod chosen;

pub(crate) use chosen::{NAME, SLOTS, receiver, turn};
