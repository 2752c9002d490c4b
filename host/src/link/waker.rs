//! Ends a wait from another thread.

use std::io;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags};

/// Ends the waits of a link or of listeners, from any thread; clones are the same one.
///
/// A wake while nobody waits ends the next wait at once. Many wakes before that count as one.
#[derive(Clone, Debug)]
pub struct Waker(Arc<system::Signal>);

impl Waker {
    /// One that nobody has woken.
    ///
    /// # Errors
    ///
    /// If the system has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(system::Signal::new()?)))
    }

    /// Ends the wait under way, or the next one.
    pub fn wake(&self) {
        self.0.raise();
    }

    /// To be waited for together with others.
    pub(crate) fn poll(&self) -> PollFd<'_> {
        PollFd::new(self.0.fd(), PollFlags::IN)
    }

    /// Forgets the wakes so far.
    pub(super) fn drain(&self) {
        self.0.lower();
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::io;
    use std::os::fd::OwnedFd;

    use rustix::event::{EventfdFlags, eventfd};

    #[derive(Debug)]
    pub(super) struct Signal(OwnedFd);

    impl Signal {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
        }

        pub(super) fn fd(&self) -> &OwnedFd {
            &self.0
        }

        /// It fails only if it is as high as it can be.
        pub(super) fn raise(&self) {
            let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
        }

        pub(super) fn lower(&self) {
            let _ = rustix::io::read(&self.0, &mut [0; 8]);
        }
    }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod system {
    use std::io::{self, Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    #[derive(Debug)]
    pub(super) struct Signal {
        to: UnixStream,
        from: UnixStream,
    }

    impl Signal {
        pub(super) fn new() -> io::Result<Self> {
            let (to, from) = UnixStream::pair()?;
            to.set_nonblocking(true)?;
            from.set_nonblocking(true)?;
            Ok(Self { to, from })
        }

        pub(super) fn fd(&self) -> &UnixStream {
            &self.from
        }

        /// It fails only if it is full.
        pub(super) fn raise(&self) {
            let _ = (&self.to).write(&[1]);
        }

        pub(super) fn lower(&self) {
            while (&self.from).read(&mut [0; 64]).is_ok_and(|n| n > 0) {}
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;
    use std::net::{Ipv4Addr, UdpSocket};

    /// A socket that sends to itself.
    #[derive(Debug)]
    pub(super) struct Signal(UdpSocket);

    impl Signal {
        pub(super) fn new() -> io::Result<Self> {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.connect(socket.local_addr()?)?;
            socket.set_nonblocking(true)?;
            Ok(Self(socket))
        }

        pub(super) fn fd(&self) -> &UdpSocket {
            &self.0
        }

        /// It fails only if it is full.
        pub(super) fn raise(&self) {
            let _ = self.0.send(&[1]);
        }

        pub(super) fn lower(&self) {
            while self.0.recv(&mut [0; 8]).is_ok() {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::wait_for;
    use std::thread;
    use std::time::{Duration, Instant};

    const SOON: Option<Duration> = Some(Duration::from_millis(30));
    const LATER: Option<Duration> = Some(Duration::from_secs(20));

    fn waits_for(waker: &Waker, timeout: Option<Duration>) -> Duration {
        let begun = Instant::now();
        wait_for(&mut [waker.poll()], timeout).unwrap();
        begun.elapsed()
    }

    #[test]
    fn wakes_are_remembered_until_they_are_drained_however_many() {
        let waker = Waker::new().unwrap();
        assert!(waits_for(&waker, SOON) >= SOON.unwrap());
        for _ in 0..100_000 {
            waker.wake();
        }
        for _ in 0..2 {
            assert!(waits_for(&waker, LATER) < LATER.unwrap());
        }
        waker.drain();
        assert!(waits_for(&waker, SOON) >= SOON.unwrap());
        waker.drain();
    }

    #[test]
    fn a_clone_wakes_from_another_thread() {
        let waker = Waker::new().unwrap();
        let other = waker.clone();
        let thread = thread::spawn(move || other.wake());
        assert!(waits_for(&waker, LATER) < LATER.unwrap());
        thread.join().unwrap();
    }
}
