//! The command `sampan` as its users and its attackers see it.

#[cfg(target_os = "linux")]
mod classic;
#[cfg(target_os = "linux")]
mod crowd;
#[cfg(target_os = "linux")]
mod ctl;
mod demo;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod everyone;
#[cfg(target_os = "linux")]
mod exits;
#[cfg(target_os = "linux")]
mod framing;
#[cfg(target_os = "linux")]
mod hostile_server;
#[cfg(target_os = "linux")]
mod kill;
#[cfg(target_os = "linux")]
mod kit;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod operation;
#[cfg(target_os = "linux")]
mod output;
#[cfg(target_os = "linux")]
mod policy;
#[cfg(target_os = "linux")]
mod resources;
#[cfg(target_os = "linux")]
mod serial;
#[cfg(target_os = "linux")]
mod sizes;
#[cfg(target_os = "linux")]
mod storage;
#[cfg(target_os = "linux")]
mod tree;
#[cfg(target_os = "linux")]
mod udp;
