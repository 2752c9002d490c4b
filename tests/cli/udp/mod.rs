//! UDP: many peers at one socket, and a way between that may do harm.

mod damaged;
mod hostile;
mod opening;
mod pings;
mod relay;
mod sessions;
mod stranger;
mod transfers;

use crate::kit::{Place, Server};

/// Places at which a server listens here: over both protocols, where both are.
fn places() -> Vec<&'static str> {
    let six = std::net::UdpSocket::bind("[::1]:0").is_ok();
    ["udp://127.0.0.1:0"].into_iter().chain(six.then_some("udp://[::1]:0")).collect()
}

/// A server over UDP, and its folder.
#[track_caller]
fn serve(arguments: &[&str]) -> (Place, Server) {
    let place = Place::new();
    let server = Server::listening(&place.root(), &["udp://127.0.0.1:0"], arguments);
    (place, server)
}
