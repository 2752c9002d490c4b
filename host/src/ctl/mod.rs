//! The control socket of a server (`docs/cli.md` §13): speaking to everyone connected, from outside the server's process.
//!
//! A connection carries one [`Request`] and its [`Answer`]s, each a line of JSON; after [`Answer::Reached`] it carries a session with a node.

mod answer;
mod client;
mod place;
mod request;
mod socket;

pub use crate::server::{NodeResult, Pushed, Total};
pub use answer::{Answer, Disconnected};
pub use client::{Conversation, Heard, choose, reach};
pub use place::{default_path, running};
pub use request::{FileToPush, Request, VERSION};
pub use socket::ControlSocket;
