//! Finding out whether somebody answers, before a link counts as open.

use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use sampan_core::wire::{Hello, MIN_FRAME};

use super::greeting::{Greeting, Heard, heard};
use crate::digests;
use crate::link::wait_for;

/// How often HELLO is said until it is answered.
const AGAIN: Duration = Duration::from_secs(1);

/// Longer than any HELLO that may be answered with.
const ROOM: usize = MIN_FRAME + 1;

/// Says HELLO until it is answered; the number of the session, and the answer, with which it goes on.
///
/// That nobody listens at the port is believed at once: whoever says so falsely could answer falsely as well.
pub(super) fn knock(socket: &UdpSocket, within: Duration) -> io::Result<(u64, Vec<u8>)> {
    let nonce = loop {
        match getrandom::u64()? {
            0 => {}
            nonce => break nonce,
        }
    };
    let hello = greeting().say(Heard { nonce, echo: 0 });
    let (begun, mut said_at) = (Instant::now(), None::<Instant>);
    loop {
        if said_at.is_none_or(|at| at.elapsed() >= AGAIN) {
            said_at = Some(Instant::now());
            match socket.send(&hello) {
                Err(error) if !is_passing(error.kind()) => return Err(error),
                _ => {}
            }
        }
        let mut datagram = [0; ROOM];
        match socket.recv(&mut datagram) {
            Ok(length) => {
                let answer = &datagram[..length];
                if heard(answer).is_some_and(|heard| heard.echo == nonce && heard.nonce != nonce) {
                    return Ok((nonce, answer.to_vec()));
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let left = within.saturating_sub(begun.elapsed());
                if left.is_zero() {
                    return Err(ErrorKind::TimedOut.into());
                }
                let again = said_at.map_or(AGAIN, |at| AGAIN.saturating_sub(at.elapsed()));
                wait_for(&mut [PollFd::new(socket, PollFlags::IN)], Some(left.min(again)))?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn is_passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// What any client could say: an end that waits keeps nothing of it.
fn greeting() -> Greeting {
    Greeting::new(Hello {
        version: 1,
        nonce: 1,
        echo: 0,
        flags: Hello::ANSWERS_WANT,
        frame: super::LONGEST_DATAGRAM as u32,
        window: 1 << 20,
        eager: 0,
        transfers: crate::memory::TRANSFERS as u32,
        gaps: 0,
        name: 1_024,
        digests: digests::ALL,
    })
}

#[cfg(test)]
mod tests {
    use super::super::greeting::tests::HELLO;
    use super::super::socket::{UdpListener, connected};
    use super::*;
    use std::thread;

    #[test]
    fn the_answer_to_our_own_hello_counts() {
        let listener = UdpListener::bind("127.0.0.1", 0).unwrap();
        let server = listener.socket.try_clone().unwrap();
        server.set_nonblocking(false).unwrap();
        let answering = thread::spawn(move || {
            let mut datagram = [0; 100];
            let (length, peer) = server.recv_from(&mut datagram).unwrap();
            let Heard { nonce, echo } = heard(&datagram[..length]).unwrap();
            assert_eq!((length, echo), (60, 0));
            let say = |nonce, echo| Greeting::new(HELLO).say(Heard { nonce, echo });
            for wrong in [&b"garbage"[..], &[], &say(3, nonce ^ 1), &say(nonce, nonce)] {
                server.send_to(wrong, peer).unwrap();
            }
            server.send_to(&say(3, nonce), peer).unwrap();
            nonce
        });
        let client = connected(listener.socket.local_addr().unwrap()).unwrap();
        let (nonce, answer) = knock(&client, Duration::from_secs(20)).unwrap();
        assert_eq!(heard(&answer), Some(Heard { nonce: 3, echo: nonce }));
        assert_eq!(answering.join().unwrap(), nonce);
    }

    #[test]
    fn nobody_there_and_nobody_who_answers_are_told_apart() {
        let silent = UdpListener::bind("127.0.0.1", 0).unwrap();
        let address = silent.socket.local_addr().unwrap();
        let error = knock(&connected(address).unwrap(), Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(silent);
        let error = knock(&connected(address).unwrap(), Duration::from_secs(20)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
}
