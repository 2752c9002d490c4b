//! Numbers of sessions that can be recognised without being kept (`docs/protocol.md` §8.6).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// How long a number is made for one address and nonce; it is good for as long again.
const STEP: Duration = Duration::from_secs(30);

/// Makes them, each from the address and the nonce of a peer.
#[derive(Debug)]
pub(super) struct Cookies {
    key: [u8; 32],
    began: Instant,
}

impl Cookies {
    pub(super) fn new() -> io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { key, began: Instant::now() })
    }

    /// The number for a session with this peer, now.
    pub(super) fn make(&self, peer: SocketAddr, nonce: u64, now: Instant) -> u64 {
        self.of(peer, nonce, self.step(now))
    }

    /// Whether this end has, or could have, given this number to it not long ago.
    pub(super) fn is_good(&self, cookie: u64, peer: SocketAddr, nonce: u64, now: Instant) -> bool {
        let step = self.step(now);
        [Some(step), step.checked_sub(1)]
            .into_iter()
            .flatten()
            .any(|step| self.of(peer, nonce, step) == cookie)
    }

    fn step(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs() / STEP.as_secs()
    }

    fn of(&self, peer: SocketAddr, nonce: u64, step: u64) -> u64 {
        let ip = match peer.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&ip.octets()).update(&peer.port().to_le_bytes());
        hasher.update(&nonce.to_le_bytes()).update(&step.to_le_bytes());
        let mut number = [0; 8];
        hasher.finalize_xof().fill(&mut number);
        u64::from_le_bytes(number).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_good_for_its_peer_and_nonce_and_for_a_while() {
        let cookies = Cookies::new().unwrap();
        let peer: SocketAddr = "192.0.2.1:700".parse().unwrap();
        let at = |seconds| cookies.began + Duration::from_secs(seconds);
        let cookie = cookies.make(peer, 5, at(29));
        for (seconds, good) in [(0, true), (29, true), (30, true), (59, true), (60, false), (3600, false)] {
            assert_eq!(cookies.is_good(cookie, peer, 5, at(seconds)), good, "{seconds}");
        }
        for (other, nonce) in [("192.0.2.2:700", 5), ("192.0.2.1:701", 5), ("192.0.2.1:700", 6)] {
            assert!(!cookies.is_good(cookie, other.parse().unwrap(), nonce, at(29)), "{other} {nonce}");
        }
        assert_ne!(Cookies::new().unwrap().make(peer, 5, at(29)), cookie, "the key differs");
    }

    #[test]
    fn the_first_step_has_none_before_it() {
        let cookies = Cookies::new().unwrap();
        let peer = "[::1]:9".parse().unwrap();
        let later = cookies.make(peer, 1, cookies.began + STEP);
        assert!(!cookies.is_good(later, peer, 1, cookies.began));
    }
}
