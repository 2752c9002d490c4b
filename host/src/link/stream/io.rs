//! Its traits.

use std::io;
use std::time::{Duration, Instant};

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use rustix::event::PollFlags;

use super::{Readiness, StreamLink};
use crate::link::carrier::Carrier;
use crate::link::rate::Bucket;
use crate::link::{Inbound, Link, kind, wait_for};

/// After so many bytes written it is worth a call to see whether an answer has come, though the system takes more.
pub(super) const LOOK_AFTER: usize = 1 << 20;
/// The same of datagrams, whose answers say how fast they may follow.
const LOOK_AFTER_DATAGRAMS: usize = 128 << 10;

/// What ended a sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woken {
    ByWaker,
    /// The link, or the time; perhaps neither.
    Otherwise,
}

impl StreamLink {
    /// Reads from the carrier, past what was peeked.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = limited(self.limits.as_mut().map(|(inbound, _)| inbound), buffer.len())?;
        let (wanted, whole) = match &self.carrier {
            // It is read whole, and more may be there.
            Carrier::Datagrams(_) => (buffer.len(), 0),
            _ => (wanted, wanted),
        };
        let result = self.carrier.read(&mut buffer[..wanted]);
        match &result {
            Ok(0) => self.input = Readiness::Ended,
            Ok(n) => {
                self.received += *n as u64;
                if let Some((inbound, _)) = &mut self.limits {
                    inbound.take(*n);
                }
                if *n < whole {
                    self.nothing_more();
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.nothing_more(),
            Err(_) => {}
        }
        result
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let wanted = limited(self.limits.as_mut().map(|(_, outbound)| outbound), bytes.len())?;
        let (wanted, look_after) = match &self.carrier {
            Carrier::Datagrams(_) => (bytes.len(), LOOK_AFTER_DATAGRAMS),
            _ => (wanted, LOOK_AFTER),
        };
        let result = self.carrier.write(&bytes[..wanted]);
        match &result {
            Ok(n) => {
                self.sent += *n as u64;
                if let Some((_, outbound)) = &mut self.limits {
                    outbound.take(*n);
                }
                if *n < wanted {
                    self.output = Readiness::NotNow;
                }
                self.unseen = self.unseen.saturating_add(*n);
                if self.unseen >= look_after {
                    self.may_have_come();
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.output = Readiness::NotNow,
            Err(_) => {}
        }
        result
    }

    fn nothing_more(&mut self) {
        self.input = Readiness::NotNow;
        self.unseen = 0;
    }

    fn may_have_come(&mut self) {
        if self.input == Readiness::NotNow {
            self.input = Readiness::Perhaps;
        }
    }

    fn failed(&mut self, error: io::Error) -> ErrorKind {
        let kind = match error.kind() {
            // The connection's own, and not that there is nothing now.
            io::ErrorKind::TimedOut => ErrorKind::Other,
            _ => kind(&error),
        };
        if !matches!(kind, ErrorKind::TimedOut | ErrorKind::Interrupted) {
            self.fault = Some(error);
        }
        kind
    }

    /// Waits for the link and the waker, but not past the moment when a limit lets bytes move again.
    pub(super) fn sleep(&mut self, mut reading: bool, mut timeout: Option<Duration>) -> io::Result<Woken> {
        if let Some((inbound, outbound)) = &mut self.limits {
            let now = Instant::now();
            let (come, go) = (inbound.ready_in(now), outbound.ready_in(now));
            let pauses = [(reading, come), (true, go)];
            for (_, pause) in pauses.into_iter().filter(|(concerns, pause)| *concerns && !pause.is_zero()) {
                timeout = Some(timeout.map_or(pause, |timeout| timeout.min(pause)));
            }
            reading &= come.is_zero();
        }
        // What is asked for nothing would still report its end, again and again.
        let input = reading.then(|| self.carrier.poll_in());
        let output = (self.output == Readiness::NotNow).then(|| self.carrier.poll_out()).flatten();
        let waker = self.waker.as_ref().map(|waker| waker.poll());
        let (inputs, outputs) = (usize::from(input.is_some()), usize::from(output.is_some()));
        let mut fds: Vec<_> = [input, output, waker].into_iter().flatten().collect();
        wait_for(&mut fds, timeout)?;
        let (input, rest) = fds.split_at(inputs);
        let (output, waker) = rest.split_at(outputs);
        let [came, went, woken] =
            [input, output, waker].map(|fd| fd.first().is_some_and(|fd| fd.revents() != PollFlags::empty()));
        drop(fds);
        if came {
            self.may_have_come();
        }
        if went {
            self.output = Readiness::Perhaps;
        }
        match &self.waker {
            Some(waker) if woken => {
                waker.drain();
                Ok(Woken::ByWaker)
            }
            _ => Ok(Woken::Otherwise),
        }
    }
}

/// How many of `bytes` may move now.
fn limited(bucket: Option<&mut Bucket>, bytes: usize) -> io::Result<usize> {
    match bucket.map_or(bytes, |bucket| bucket.allows(Instant::now()).min(bytes)) {
        0 => Err(io::ErrorKind::WouldBlock.into()),
        allowed => Ok(allowed),
    }
}

fn open(bucket: Option<&mut Bucket>) -> bool {
    bucket.is_none_or(|bucket| bucket.ready_in(Instant::now()).is_zero())
}

impl ErrorType for StreamLink {
    type Error = ErrorKind;
}

impl Read for StreamLink {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        if buffer.is_empty() {
            return Ok(0);
        }
        match self.peeked.take(buffer) {
            0 => self.receive(buffer).map_err(|error| self.failed(error)),
            n => Ok(n),
        }
    }
}

impl Write for StreamLink {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.send(bytes).map_err(|error| self.failed(error))
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl ReadReady for StreamLink {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        if !self.peeked.bytes().is_empty() {
            return Ok(true);
        }
        let perhaps = matches!(self.input, Readiness::Perhaps | Readiness::Ending);
        Ok(perhaps && open(self.limits.as_mut().map(|(inbound, _)| inbound)))
    }
}

impl WriteReady for StreamLink {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        let perhaps = self.output == Readiness::Perhaps;
        Ok(perhaps && open(self.limits.as_mut().map(|(_, outbound)| outbound)))
    }
}

impl Link for StreamLink {
    fn wait(&mut self, inbound: Inbound, timeout: Option<Duration>) -> io::Result<()> {
        let wanted = inbound == Inbound::Wanted;
        if wanted && self.read_ready() == Ok(true) {
            return Ok(());
        }
        let reading = wanted && self.input != Readiness::Ended;
        self.sleep(reading, timeout).map(drop)
    }

    fn close_sending(&mut self) {
        self.carrier.close_sending();
    }

    fn fault(&self) -> Option<&io::Error> {
        self.fault.as_ref()
    }
}
