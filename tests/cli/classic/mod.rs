//! Older programs, unchanged: the classic handshake (`docs/protocol.md` §14) from the command line.

mod conflicts;
mod large;
mod odd_servers;
mod older_client;
mod older_server;
mod refused;
mod sending;
mod serving;
mod stalls;

pub(crate) use older_client::OlderClient;
use older_server::{Manner, OlderServer, Reply};

const NAME_OK: &str = "[+] server : filename query ok";
const SIZE_OK: &str = "[+] server : filesize query ok";
const FINISHED: &str = "[+] server : finished transferring file";
