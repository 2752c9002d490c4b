//! What the fuzz targets do with their input.
//!
//! Every function takes any bytes and panics if the engine breaks a promise. Inputs are read as a script: each byte chooses or counts something,
//! and a script that ends early goes on with zeros.

pub mod frame;
mod lone;
mod pair;
mod script;

use sampan_core::{Cobs, Datagrams, Stream};
use script::Script;

/// A session, alone against a peer that keeps to no rule, or with another one over a bad link.
pub fn session(data: &[u8]) {
    let mut script = Script::new(data);
    match script.byte() % 2 {
        0 => lone::run(&mut script),
        _ => pair::run::<Stream>(&mut script),
    }
}

/// Two sessions over a line or over datagrams, which lose, alter, double, delay and inject.
pub fn lossy(data: &[u8]) {
    let mut script = Script::new(data);
    match script.byte() % 2 {
        0 => pair::run::<Cobs>(&mut script),
        _ => pair::run::<Datagrams>(&mut script),
    }
}
