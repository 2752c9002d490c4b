//! The command `sampan` as its users and its attackers see it.

#[cfg(target_os = "linux")]
mod classic;
#[cfg(target_os = "linux")]
mod crowd;
mod demo;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod framing;
#[cfg(target_os = "linux")]
mod kill;
#[cfg(target_os = "linux")]
#[allow(dead_code, unused_imports, reason = "the kit comes before the tests that need all of it")]
mod kit;
#[cfg(target_os = "linux")]
mod tree;
